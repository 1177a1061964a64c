"""``postlint check``: read, run the rules, report."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postlint.cli.choose import chosen_rules, known_rules
from postlint.cli.configuration import Configuration, find_configuration, read_configuration
from postlint.cli.errors import EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE, UsageError
from postlint.cli.output import use_color, write_file, write_output
from postlint.config.discovery import Discovery
from postlint.config.files import CONFIG_DIRECTORY
from postlint.config.load import load_instance
from postlint.lint.finding import Severity
from postlint.lint.result import Notification, Result
from postlint.lint.runner import Runner, Target
from postlint.postfix.versions import PostfixVersion
from postlint.report.formats import Options, render

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from postlint.config.discovery import Candidate, Kind

_NEVER = "never"


class _Settings:
    """What the command line says, else the configuration file, else the default."""

    def __init__(self, options: Namespace, configuration: Configuration) -> None:
        self._options = options
        self._configuration = configuration

    def get(self, key: str, default: Any = None) -> Any:
        given = getattr(self._options, key.replace("-", "_"), None)
        if given is None:
            given = self._configuration.get(key)
        return default if given is None else given

    def severity(self, key: str, default: str) -> Severity | None:
        """None for "never", which only --fail-on takes."""
        word = str(self.get(key, default))
        if word == _NEVER and key == "fail-on":
            return None
        try:
            return Severity.parse(word)
        except KeyError:
            never = " or never" if key == "fail-on" else ""
            raise UsageError(f'--{key} is error, warning or info{never}, not "{word}"') from None


def run_check(options: Namespace) -> int:
    """The command; returns the exit status."""
    paths = options.paths or [_default_path(options)]
    settings = _Settings(options, _configuration(options, paths))
    minimum = settings.severity("severity-at-least", "info") or Severity.INFO
    fail_on = settings.severity("fail-on", "warning")
    known = known_rules(_plugins(options, settings))
    rules = chosen_rules(
        known, settings.get("select"), settings.get("ignore"), settings.get("extend-select")
    )
    color = use_color(settings.get("color"))
    format_name = settings.get("format", "text")
    root = settings.get("root")
    if root is not None and not Path(root).is_dir():
        raise UsageError(f"--root {root}: no such folder")

    discovery = Discovery(_kind(options.kind))
    candidates = discovery.find(paths, lambda: sys.stdin.buffer.read())
    host = bool(options.host) or any(_is_installed(path) for path in paths)
    version = _version(settings.get("postfix-version"), host=host)
    runner = Runner(known, rules)
    for path, reason in discovery.unreadable:
        runner.notifications.append(Notification("unreadable-file", reason, path=path))
    result = runner.run(_targets(candidates, version, root, host=host))
    shown = _at_least(result, minimum)

    report = render(
        format_name,
        shown,
        Options(
            quiet=bool(settings.get("quiet")),
            statistics=bool(settings.get("statistics")),
            terminal=format_name == "text" and options.output is None and sys.stdout.isatty(),
            color=color,
            width=_width(),
        ),
    )
    for line in _notification_lines(result):
        print(line, file=sys.stderr)
    if options.output is not None:
        write_file(options.output, report)
    else:
        write_output(report)
    return _exit_status(result, fail_on)


def _targets(
    candidates: list[Candidate],
    version: PostfixVersion | None,
    root: str | None,
    *,
    host: bool,
) -> Iterator[Target]:
    for candidate in candidates:
        instance = load_instance(
            candidate, version, None if root is None else Path(root), host=host
        )
        named = candidate.named
        tables = {table.source.path for table in instance.policy_tables} if named else set()
        yield Target(instance, None if named is None else frozenset(named | tables))


def _at_least(result: Result, minimum: Severity) -> Result:
    return Result(
        result.instances,
        [finding for finding in result.findings if finding.severity >= minimum],
        [finding for finding in result.suppressed if finding.severity >= minimum],
        result.notifications,
        result.rules,
        result.file_count,
    )


def _exit_status(result: Result, fail_on: Severity | None) -> int:
    if any(item.level == "error" for item in result.notifications):
        return EXIT_TROUBLE
    worst = result.worst()
    if fail_on is None or worst is None or worst < fail_on:
        return EXIT_OK
    return EXIT_FINDINGS


def _configuration(options: Namespace, paths: list[str]) -> Configuration:
    if options.no_config or options.isolated:
        return Configuration({})
    if options.config is not None:
        return read_configuration(options.config)
    return find_configuration(paths)


def _plugins(options: Namespace, settings: _Settings) -> list[str]:
    return [*(settings.get("plugins") or ()), *(options.plugin or ())]


def _default_path(options: Namespace) -> str:
    """Where Postfix's own tools look (postconf(1))."""
    if options.isolated:
        return CONFIG_DIRECTORY
    return os.environ.get("MAIL_CONFIG") or CONFIG_DIRECTORY


def _is_installed(path: str) -> bool:
    return path != "-" and Path(path).absolute().is_relative_to(CONFIG_DIRECTORY)


def _kind(word: str | None) -> Kind | None:
    match word:
        case None:
            return None
        case "main.cf" | "master.cf":
            return word
        case _:
            raise UsageError(f'--as is main.cf or master.cf, not "{word}"')


def _version(text: str | None, *, host: bool) -> PostfixVersion | None:
    """The version that the user gives, else under --host that of the installed Postfix."""
    if text is None:
        if not host:
            return None
        from postlint.cli.host import installed_version

        return installed_version()
    try:
        return PostfixVersion.parse(text)
    except ValueError as error:
        raise UsageError(f"--postfix-version: {error}") from error


def _notification_lines(result: Result) -> list[str]:
    if not result.notifications:
        return []
    from postlint.report.text import notification_lines

    return notification_lines(result)


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
