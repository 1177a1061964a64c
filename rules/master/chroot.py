"""MST008: the chroot field of master.cf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import field_default

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.syntax.master_cf import ServiceEntry

_NOT_IN_JAIL = {
    "local": "home directories, alias files and commands are outside",
    "pipe": "the command that it runs is outside",
    "proxymap": "the tables that it opens for others are outside",
    "spawn": "the command that it runs is outside",
    "virtual": "the mailboxes are outside",
}
"""Daemons that do not belong in a chroot jail, and why."""

_RELATED = 10
"""More services that are pointed at."""


@rule("MST008", severity=Severity.WARNING, tags=("COMPATIBILITY_README",))
def chroot_default_ambiguous(instance: Instance) -> Iterator[Finding]:
    """The chroot field leaves it to the version, or locks in what has to be outside.

    Why: "-" means "y" to Postfix before 3.0 and with a compatibility_level below 1, and "n" to
        any other. A chrooted daemon sees nothing but the queue directory: no resolver
        configuration, no login socket, no certificate store unless they are copied there. The
        daemons that run commands or deliver to mailboxes can not work there at all.
    Fix: Write "n", or "y" where the jail has been furnished.
    Bad (Postfix 3.11):
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - - - - smtpd
    Good (Postfix 3.11):
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd
    References: master(5), COMPATIBILITY_README, BASIC_CONFIGURATION_README
    """
    if instance.master_cf is None:
        return
    default = _default(instance)
    open_ones = []
    for entry in filled_in(instance):
        text = entry.field("chroot").text
        program = entry.field("command").text.rpartition("/")[2]
        jailed = text == "y" or (text == "-" and default == "y")
        if jailed and program in _NOT_IN_JAIL:
            yield _jailed(entry, program, text)
        elif text == "-":
            open_ones.append(entry)
    for service in instance.services_running("smtpd"):
        if service.entry is not None and service.field("chroot") == "y":
            yield from _needs_socket(service)
    if open_ones and instance.version >= (3, 0):
        yield _ambiguous(open_ones, default)


def _default(instance: Instance) -> str | None:
    """What "-" means; None when main.cf does not tell."""
    if instance.version < (3, 0):
        return "y"
    level = instance.main["compatibility_level"]
    if not level.known or (not level.explicit and not instance.whole_main_cf):
        return None
    return field_default("chroot", instance.version, level.text)


def _jailed(entry: ServiceEntry, program: str, text: str) -> Finding:
    location = entry.field("chroot").location
    how = "is chrooted" if text == "y" else 'is chrooted, as "-" means "y" here'
    return Finding(
        location,
        f"{program} {how}: {_NOT_IN_JAIL[program]}",
        severity=Severity.ERROR,
        fix=Fix("run it outside", (Edit(location, "n"),), "unsafe"),
    )


def _needs_socket(service: Service) -> Iterator[Finding]:
    """An smtpd that checks passwords with Cyrus SASL, which asks a daemon of its own."""
    asks = service["smtpd_sasl_auth_enable"].yes and service["smtpd_sasl_type"].word() == "cyrus"
    if asks and service.entry is not None:
        yield Finding(
            service.entry.field("chroot").location,
            "this smtpd is chrooted: Cyrus SASL looks for the socket of saslauthd and its own"
            " files below the queue directory",
            severity=Severity.INFO,
            service=service.label,
        )


def _ambiguous(entries: list[ServiceEntry], default: str | None) -> Finding:
    first, *others = entries
    services = "" if not others else f" ({len(entries)} services)"
    if default == "y":
        message = '"-" for chroot means "y" until compatibility_level is 1 or higher, then "n"'
    elif default == "n":
        message = '"-" for chroot means "n" only because of compatibility_level'
    else:
        message = '"-" for chroot means "y" or "n", depending on compatibility_level'
    edits = [Edit(entry.field("chroot").location, default or "n") for entry in entries]
    return Finding(
        first.field("chroot").location,
        message + services,
        severity=Severity.WARNING if default == "y" else Severity.INFO,
        related=[
            Related(
                f"{entry.fields[0].text}/{entry.fields[1].text}", entry.field("chroot").location
            )
            for entry in others[:_RELATED]
        ],
        fix=None if default is None else Fix(f'write "{default}"', edits, "unsafe"),
    )
