"""``postlint exposure``: what a stranger gets from every service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from postlint.cli.configuration import Configuration
from postlint.cli.errors import EXIT_OK, EXIT_TROUBLE, UsageError
from postlint.cli.output import is_terminal, use_color, width, write_output
from postlint.cli.paths import default_path
from postlint.cli.settings import Settings
from postlint.config.discovery import Discovery
from postlint.config.files import is_installed
from postlint.config.load import load_instance
from postlint.report.escape import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from postlint.analysis.exposure import ServiceExposure
    from postlint.analysis.relay_session import Evaluation, Session
    from postlint.cli.arguments import Parser
    from postlint.config.discovery import Kind
    from postlint.config.instance import Instance
    from postlint.config.service import Service

    Exposed = tuple[Instance, list[ServiceExposure]]

USAGE = "[OPTION]... [PATH]..."

DESCRIPTION = "Show what a stranger gets from every port: TLS, AUTH, and whether he may relay."

EPILOG = """\
relay for strangers:
  refused  every client that is in no table and no trusted network
  allowed  some HELO name, sender and foreign recipient get in without login
  depends  on a table, policy service or Milter that can not be read
  fatal    smtpd refuses to start

--explain works off the restriction lists for one client, step by step.
"""

_FORMATS = ("text", "json")
_WHEN = ("auto", "always", "never")


def add_arguments(parser: Parser) -> None:
    """The options of the command."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folders or files (default: $MAIL_CONFIG, else /etc/postfix)",
    )
    parser.add_argument("--format", metavar="NAME", help="text or json (default: text)")
    parser.add_argument("--color", metavar="WHEN", help="auto, always or never (default: auto)")
    parser.add_argument("--postfix-version", metavar="X.Y[.Z]", help="the Postfix that it is for")
    parser.add_argument("--as", dest="kind", metavar="KIND", help="main.cf or master.cf")
    parser.add_argument(
        "--root", metavar="DIR", help="the folder where absolute paths begin: an image, a chroot"
    )
    parser.add_argument("--host", action="store_true", help="it is this host's: open its files")
    explain = parser.add_argument_group("one client, step by step")
    explain.add_argument("--explain", metavar="SERVICE", help="an smtpd service: smtp, smtp/inet")
    explain.add_argument("--client", metavar="IP", help="its address (default: 198.51.100.7)")
    explain.add_argument("--client-name", metavar="NAME", help="its host name (default: none)")
    explain.add_argument("--helo", metavar="NAME", help="what it says at HELO")
    explain.add_argument("--sender", metavar="S", help='MAIL FROM, "" for a bounce')
    explain.add_argument("--recipient", metavar="R", help="RCPT TO")


def run(options: Namespace) -> int:
    """The command; returns the exit status."""
    settings = Settings(options, Configuration({}))
    layout = settings.word("format", _FORMATS, "text")
    when = settings.word("color", _WHEN, "auto")
    version = settings.postfix_version()
    root = settings.root()
    paths = options.paths or [default_path(options.root)]
    discovery = Discovery(_kind(options.kind), host=options.host)
    candidates = discovery.find(paths, sys.stdin.buffer.read)
    for path, reason in discovery.unreadable + discovery.refused:
        print(visible(f"postlint: {path}: {reason}"), file=sys.stderr)
    instances = [
        load_instance(item, version, root, host=options.host or _installed(item.folder))
        for item in candidates
    ]
    status = EXIT_TROUBLE if discovery.unreadable else EXIT_OK
    from postlint.report.redact import anywhere

    if options.explain is not None:
        write_output(anywhere(_explained(instances, options, layout, when)))
        return status
    from postlint.analysis.exposure import exposures

    found = [(instance, list(exposures(instance))) for instance in instances]
    write_output(anywhere(_report(found, layout, when)))
    return status


def _report(found: list[Exposed], layout: str, when: str) -> str:
    if layout == "json":
        from postlint.report.exposure_json import as_json

        return as_json(found)
    if is_terminal() or when == "always":
        from postlint.report.exposure_table import NARROW, as_table

        if width(100) >= NARROW:
            return as_table(found, width=width(100), color=use_color(when))
    from postlint.report.exposure_text import as_text

    return as_text(found)


def _kind(word: str | None) -> Kind | None:
    if word is None or word == "main.cf" or word == "master.cf":  # noqa: PLR1714 - types
        return word  # type: ignore[return-value]
    raise UsageError(f'--as: "{word}" is not main.cf or master.cf')


def _installed(folder: Path | None) -> bool:
    return folder is not None and is_installed(folder)


def _explained(instances: list[Instance], options: Namespace, layout: str, when: str) -> str:
    from postlint.analysis.relay import explain, relay_verdict

    session = _session(options)
    if layout == "json" and len(instances) > 1:
        raise UsageError("--explain --format json takes one installation")
    reports = []
    for instance in instances:
        service = _service(instance, options.explain)
        verdict = relay_verdict(service)
        if verdict.status == "fatal":
            reason = verdict.decided_by.reason if verdict.decided_by is not None else ""
            raise UsageError(f"{instance.path}: smtpd does not start for {service.label}: {reason}")
        evaluation = explain(service, session)
        reports.append(_steps(instance.path, service.label, evaluation, layout, when))
    return "".join(reports)


def _steps(path: str, service: str, evaluation: Evaluation, layout: str, when: str) -> str:
    if layout == "json":
        from postlint.report.explanation import steps_as_json

        return steps_as_json(path, service, evaluation)
    if is_terminal() or when == "always":
        from postlint.report.explanation_terminal import as_lines

        return as_lines(service, evaluation, width=width(100), color=use_color(when))
    from postlint.report.explanation import as_steps

    return as_steps(service, evaluation)


def _session(options: Namespace) -> Session:
    from ipaddress import ip_address

    from postlint.analysis.relay_session import UNKNOWN_NAME, Session

    for name in ("sender", "recipient"):
        if getattr(options, name) is None:
            raise UsageError(f"--explain needs --{name}")
    client = options.client or "198.51.100.7"
    try:
        address = str(ip_address(client))
    except ValueError:
        raise UsageError(f'--client: "{client}" is no IP address') from None
    return Session(
        address,
        options.helo,
        options.sender.strip("<>"),
        options.recipient.strip("<>"),
        options.client_name or UNKNOWN_NAME,
    )


def _service(instance: Instance, wanted: str) -> Service:
    names = list(instance.services_running("smtpd"))
    found = [service for service in names if wanted in (service.label, service.name)]
    if not found:
        listed = ", ".join(service.label for service in names) or "none"
        raise UsageError(f'{instance.path}: no smtpd service "{wanted}" (there are: {listed})')
    return found[0]
