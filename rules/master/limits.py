"""MST009, MST013: process limits and privileges that a daemon insists on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix.services import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Applicability
    from postlint.syntax.source import SourceText


@rule("MST009", severity=Severity.ERROR)
def process_limit_fixed(instance: Instance) -> Iterator[Finding]:
    """A daemon has a process limit with which it does not run.

    Why: Daemons that keep state for all of Postfix must run once, and those that others wait for
        must have no limit. They check it and exit when it is wrong; "-" is never right for them.
        A second process of proxywrite would damage the tables that it updates.
    Fix: Write the number that the stock master.cf has.
    Bad:
        --- master.cf
        qmgr unix n - n 300 - qmgr
    Good:
        --- master.cf
        qmgr unix n - n 300 1 qmgr
    References: master(5), qmgr(8), bounce(8), proxymap(8)
    """
    for service in instance.services:
        if service.entry is None or service.entry not in filled_in(instance):
            continue
        field = service.entry.field("process_limit")
        if field.text != "-" and not field.text.isdigit():
            continue
        daemon = program(service.program, instance.version)
        required = None if daemon is None else daemon.process_limit(instance.version)
        limit = _limit(service)
        if daemon is not None and required is not None and limit not in (None, required):
            old = daemon.process_limit(instance.oldest_version) != required
            wanted = "1" if required else "0 (no limit)"
            end = " (depends on the version)" if old else ""
            yield Finding(
                field.location,
                f"{daemon.name} exits unless its process limit is {wanted}{end}",
                severity=Severity.WARNING if old else None,
                fix=_write(field, str(required)),
            )
        elif (
            service.program == "proxymap"
            and service.name == "proxywrite"
            and limit not in (1, None)
        ):
            yield Finding(
                field.location,
                "proxywrite needs the process limit 1: two of them damage what they write",
                severity=Severity.WARNING,
                fix=_write(field, "1"),
            )


def _limit(service: Service) -> int | None:
    """The process limit that counts; None when it is not known."""
    text = service.field("process_limit")
    if text != "-":
        return integer(text) if text.isascii() and text.isdigit() else None
    default = service.instance.main["default_process_limit"]
    return default.integer if default.explicit or service.instance.main_cf is not None else 100


@rule("MST013", severity=Severity.ERROR, security=4.3, tags=("CWE-250",))
def local_virtual_privileged(instance: Instance) -> Iterator[Finding]:
    """A daemon runs without the privileges that it needs, or with some that it does not.

    Why: The daemons that deliver to mailboxes and run commands act with the rights of the
        recipient: they have to start as root and exit when they do not. All others need no
        rights beyond those of mail_owner; a hole in a network daemon that runs as root is one
        in the whole system.
    Fix: Write "n" in the unprivileged field for local, virtual, pipe and spawn, and "-" for all
        others.
    Bad:
        --- master.cf
        local unix - - n - - local
    Good:
        --- master.cf
        local unix - n n - - local
    References: master(5), local(8), virtual(8), pipe(8), spawn(8)
    """
    for service in instance.services:
        daemon = program(service.program, instance.version)
        if service.entry is None or daemon is None or service.entry not in filled_in(instance):
            continue
        field = service.entry.field("unprivileged")
        if daemon.privileged and field.text in ("y", "-"):
            yield Finding(
                field.location,
                f'{daemon.name} exits unless the unprivileged field is "n"',
                severity=Severity.ERROR,
                fix=_write(field, "n"),
            )
        elif not daemon.privileged and field.text == "n" and daemon.name not in _MAY_BE_ROOT:
            yield Finding(
                field.location,
                f"{daemon.name} runs as root without need",
                severity=Severity.WARNING,
                security_severity=4.3,
                fix=_write(field, "-", "unsafe"),
            )


_MAY_BE_ROOT = frozenset({"proxymap"})
"""Not privileged in the stock file, but run so on purpose to read files of root."""


def _write(field: SourceText, text: str, applicability: Applicability = "safe") -> Fix:
    return Fix(f'write "{text}"', (Edit(field.location, text),), applicability)
