"""``postlint check``: read, run the rules, report."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from postlint.cli.arguments import add_color, add_selection
from postlint.cli.choose import chosen_rules, known_rules
from postlint.cli.configuration import Configuration, find_configuration, read_configuration
from postlint.cli.errors import EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE, UsageError
from postlint.cli.output import (
    STANDARD_OUTPUT,
    is_terminal,
    use_color,
    width,
    write_file,
    write_output,
)
from postlint.cli.paths import default_path
from postlint.cli.plugins import plugin_names
from postlint.cli.settings import Settings
from postlint.config.discovery import Discovery
from postlint.config.files import is_installed
from postlint.config.load import load_instance
from postlint.lint.errors import ProcessError
from postlint.lint.parallel import check_here, check_in_processes
from postlint.lint.result import Notification, Result
from postlint.lint.runner import Runner, Target
from postlint.postfix.versions import PostfixVersion
from postlint.report.formats import FORMATS, Options, render

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from postlint.cli.arguments import Parser
    from postlint.config.discovery import Candidate, Kind
    from postlint.lint.finding import Severity
    from postlint.lint.runner import Outcome

USAGE = "[OPTION]... [PATH]..."

DESCRIPTION = "Check Postfix configurations and report what is wrong or weak in them."

EPILOG = """\
exit status:
  0  no finding at or above --fail-on
  1  findings
  2  wrong usage, or a named input could not be read

A comment of its own hides a finding of the next line, or of the whole file:
  # postlint: ignore[TLS001] reason
  # postlint: ignore-file[TLS001] reason

Options are also read from [tool.postlint] in pyproject.toml, postlint.toml or
.postlint.toml in the nearest folder above what is checked.
"""

_KINDS = ("main.cf", "master.cf")


def add_arguments(parser: Parser) -> None:
    """The options of the command."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folders, files, or - for standard input (default: $MAIL_CONFIG, else /etc/postfix)",
    )
    add_selection(parser)
    report = parser.add_argument_group("report")
    report.add_argument("--format", metavar="NAME", help="text, json or sarif (default: text)")
    report.add_argument("--output", metavar="FILE", help="write the report to a file")
    report.add_argument(
        "--severity-at-least", metavar="LEVEL", help="report from error, warning or info up"
    )
    report.add_argument(
        "--fail-on",
        metavar="LEVEL",
        help="exit with 1 from error, warning or info up, or never (default: warning)",
    )
    report.add_argument(
        "--statistics", action="store_true", default=None, help="count the findings of each rule"
    )
    report.add_argument("--quiet", action="store_true", default=None, help="print the summary only")
    add_color(report)
    checked = parser.add_argument_group("configuration to check")
    checked.add_argument("--postfix-version", metavar="X.Y[.Z]", help="the Postfix that it is for")
    checked.add_argument(
        "--as", dest="kind", metavar="KIND", help="what the files are: main.cf or master.cf"
    )
    checked.add_argument(
        "--root", metavar="DIR", help="the folder where absolute paths begin: an image, a chroot"
    )
    checked.add_argument(
        "--host",
        action="store_true",
        help="it is this host's: open the files that it names",
    )
    own = parser.add_argument_group("postlint itself")
    own.add_argument("--config", metavar="FILE", help="read this configuration file")
    own.add_argument("--no-config", action="store_true", help="read no configuration file")
    own.add_argument(
        "--isolated", action="store_true", help="read no configuration file and no environment"
    )
    own.add_argument("--jobs", metavar="N", help="use N processes, 0 for one per core (default: 1)")


def run(options: Namespace) -> int:
    """The command; returns the exit status."""
    paths = options.paths or [default_path(options.root, isolated=bool(options.isolated))]
    settings = Settings(options, _configuration(options, paths))
    minimum = settings.severity_at_least()
    fail_on = settings.fail_on()
    format_name = settings.word("format", FORMATS, "text")
    when = settings.word("color", ("auto", "always", "never"), "auto")
    version = settings.postfix_version()
    root = settings.root()
    jobs = settings.jobs()
    kind = _kind(options.kind)
    plugins = plugin_names(settings, options.plugin)
    known = known_rules(plugins)
    rules = chosen_rules(known, settings)

    discovery = Discovery(kind, host=options.host)
    candidates = discovery.find(paths, _StandardInput().read)
    runner = Runner(known, rules, jobs)
    runner.notifications += [
        Notification("unreadable-file", reason, path=path) for path, reason in discovery.unreadable
    ]
    runner.notifications += [
        Notification("unreadable-file", reason, level="note", path=path)
        for path, reason in discovery.refused
    ]
    prepare = partial(_target, version=version and str(version), root=root, host=options.host)
    # A plugin may say the name of a folder, or look at what nobody else does.
    reuse = len(candidates) > 1 and root is None and not options.host and not plugins
    if min(jobs, len(candidates)) > 1:
        load_rules = partial(known_rules, plugins)
        outcomes = check_in_processes(load_rules, rules, prepare, candidates, jobs, reuse=reuse)
    else:
        outcomes = check_here(runner, prepare, candidates, reuse=reuse)
    if not settings.flag("quiet") and sys.stderr is not None and sys.stderr.isatty():
        from postlint.cli.progress import Bar

        bar = Bar(len(candidates))
        runner.watch = bar.show
        outcomes = bar.counting(outcomes)
    result = _at_least(_combined(runner, outcomes), minimum)

    to_file = options.output not in (None, STANDARD_OUTPUT)
    report = render(
        format_name,
        result,
        Options(
            quiet=settings.flag("quiet"),
            statistics=settings.flag("statistics"),
            terminal=not to_file and (is_terminal() or when == "always"),
            color=use_color(when),
            width=width(),
        ),
    )
    _print_notifications(result)
    if to_file:
        write_file(options.output, report)
    else:
        write_output(report)
    return _exit_status(result, fail_on)


def _target(candidate: Candidate, *, version: str | None, root: Path | None, host: bool) -> Target:
    """An instance, and which of its files findings are wanted for."""
    host = host or (candidate.folder is not None and is_installed(candidate.folder))
    pinned = None if version is None else PostfixVersion.parse(version)
    if pinned is None and host:
        from postlint.cli.host import installed_table_types, installed_version

        pinned = installed_version()
        instance = load_instance(candidate, pinned, root, host=host)
        instance.installed_types = installed_table_types
    else:
        instance = load_instance(candidate, pinned, root, host=host)
    if candidate.named is None:
        return Target(instance)
    tables = {table.source.path for table in instance.policy_tables if table.inline is None}
    return Target(instance, frozenset(candidate.named | tables))


def _combined(runner: Runner, outcomes: Iterator[Outcome | Notification]) -> Result:
    try:
        return runner.combine(outcomes)
    except ProcessError as error:
        raise UsageError(str(error)) from error


def _at_least(result: Result, minimum: Severity) -> Result:
    """Without the findings below a severity: they are as if nobody had looked for them."""
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


def _configuration(options: Namespace, paths: Sequence[str]) -> Configuration:
    if options.config is not None:
        if options.no_config or options.isolated:
            raise UsageError("--config does not go with --no-config or --isolated")
        return read_configuration(options.config)
    if options.no_config or options.isolated:
        return Configuration({})
    return find_configuration(paths)


def _kind(word: str | None) -> Kind | None:
    match word:
        case None:
            return None
        case "main.cf" | "master.cf":
            return word
        case _:
            from postlint.cli.errors import did_you_mean

            raise UsageError(
                f'--as: "{word}" is not main.cf or master.cf{did_you_mean(word, _KINDS)}'
            )


class _StandardInput:
    """Standard input, which can be read once."""

    def __init__(self) -> None:
        self._read = False

    def read(self) -> bytes:
        if self._read:
            raise UsageError("- is standard input, which can be checked only once")
        self._read = True
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        try:
            return sys.stdin.buffer.read()
        except OSError as error:
            raise UsageError(f"standard input: {error}") from error


def _print_notifications(result: Result) -> None:
    if result.notifications and sys.stderr is not None:
        from postlint.report.text import notification_lines

        for line in notification_lines(result):
            print(line, file=sys.stderr)
