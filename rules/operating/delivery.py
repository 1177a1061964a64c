"""OPS008 and OPS009: bounces that nobody gets, and traps of local delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import destination
from postlint.config.tables import table_references
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

_BOUNCE_SERVICES = frozenset({"bounce", "defer", "trace"})
_RECIPIENTS = (
    "2bounce_notice_recipient",
    "bounce_notice_recipient",
    "delay_notice_recipient",
    "error_notice_recipient",
    "luser_relay",
)
_NOWHERE = ("/dev/null", "devnull@", "blackhole@", "discard@")
_ALWAYS_TOLD = frozenset({"resource", "software"})
_LOCAL_DELIVERY = ("mailbox_transport", "mailbox_command", "home_mailbox")
_SUPER_USERS = frozenset({"root", "toor"})
_ACCOUNTS = ("default_privs", "mail_owner", "setgid_group")


@rule("OPS008", severity=Severity.ERROR, tags=("RFC 5321", "RFC 3461"))
def bounce_silencing(instance: Instance) -> Iterator[Finding]:
    """Reports about mail that was not delivered, or about trouble, go nowhere.

    Why: A server that has accepted a message must deliver it or tell the sender. With a program
        that throws everything away in place of bounce(8), mail is lost without a trace. Where
        the postmaster's notices are thrown away nobody learns about a full disk.
    Fix: Let the services bounce, defer and trace run bounce, and send notices to somebody. To
        bounce less refuse mail earlier, while the sender is still connected.
    Bad:
        myhostname = mx.example.com
        --- master.cf
        smtp   inet n - n - - smtpd
        bounce unix - - n - 0 discard
        defer  unix - - n - 0 bounce
        trace  unix - - n - 0 bounce
    Good:
        myhostname = mx.example.com
        --- master.cf
        smtp   inet n - n - - smtpd
        bounce unix - - n - 0 bounce
        defer  unix - - n - 0 bounce
        trace  unix - - n - 0 bounce
    References: bounce(8), RFC 5321 section 6.1, postconf(5) notify_classes
    """
    for service in instance.services:
        if service.entry is None or service.name not in _BOUNCE_SERVICES or service.type == "inet":
            continue
        if service.program not in {"", "bounce"}:
            command = service.entry.field("command")
            yield Finding(
                command.location,
                f"{service.label} runs {service.program} instead of bounce: senders are not told "
                "what became of their mail",
                service=service.label,
            )
    for name in _RECIPIENTS:
        value = instance.main[name]
        location = value.value_location
        if location is None or not any(word in value.text.lower() for word in _NOWHERE):
            continue
        default = instance.main.default(name)
        edit = replace_value(value.setting, default.text) if default is not None else None
        what = "mail for unknown users is" if name == "luser_relay" else "these reports are"
        yield Finding(
            location,
            f"{name} = {value.text.strip()}: {what} thrown away",
            severity=Severity.WARNING,
            parameter=name,
            fix=None if edit is None else Fix("use the default", (edit,), "unsafe"),
        )
    yield from _postmaster_not_told(instance)
    yield from _no_template(instance)


def _no_template(instance: Instance) -> Iterator[Finding]:
    value = instance.main["bounce_template_file"]
    location, path = value.value_location, value.text.strip()
    if location is not None and value.known and instance.files.is_missing(path):
        yield Finding(
            location,
            f"bounce_template_file: there is no file {path}: bounce stops with a fatal error, and "
            "what can not be delivered stays in the queue",
            parameter="bounce_template_file",
        )


def _postmaster_not_told(instance: Instance) -> Iterator[Finding]:
    value = instance.main["notify_classes"]
    location = value.value_location
    words = {element.text.lower() for element in value.elements()}
    missing = _ALWAYS_TOLD - words
    if location is None or not value.known or not missing:
        return
    yield Finding(
        location,
        f"notify_classes lacks {' and '.join(sorted(missing))}: the postmaster is not told when "
        "mail waits because of trouble on this host",
        severity=Severity.INFO,
        parameter="notify_classes",
    )


@rule("OPS009", severity=Severity.WARNING)
def local_delivery_hazards(instance: Instance) -> Iterator[Finding]:
    """Local delivery does not go where the settings seem to say, or can not run as configured.

    Why: Of mailbox_transport, mailbox_command and home_mailbox the first that is set gets the
        mail, the others say nothing. virtual(8) delivers nothing with user IDs below
        virtual_minimum_uid. With root, or with one account for two purposes, no Postfix program
        starts.
    Fix: Keep the one setting that is meant. Use accounts that nothing else uses, and for virtual
        mailboxes one with a number of 100 or more.
    Bad:
        myhostname = mx.example.com
        mailbox_command = /usr/bin/procmail
        home_mailbox = Maildir/
    Good:
        myhostname = mx.example.com
        home_mailbox = Maildir/
    References: local(8), postconf(5) mailbox_command, virtual(8), postconf(5) default_privs
    """
    yield from _two_ways(instance)
    yield from _low_user(instance)
    yield from _accounts(instance)


def _two_ways(instance: Instance) -> Iterator[Finding]:
    """Ways of delivery that an earlier one keeps from being used."""
    given = [instance.main[name] for name in _LOCAL_DELIVERY]
    used = [value for value in given if value.explicit and value.empty is False]
    if len(used) < 2 or not _runs(instance, "local_transport", "local"):
        return
    first = used[0]
    place = first.value_location
    for value in used[1:]:
        location = value.value_location
        if location is None:
            continue
        edit = replace_value(value.setting, "")
        yield Finding(
            location,
            f"{value.name} has no effect: {first.name} gets the mail",
            severity=Severity.INFO if first.name == "mailbox_transport" else Severity.WARNING,
            parameter=value.name,
            related=() if place is None else (Related("this counts", place),),
            fix=None if edit is None else Fix(f"empty {value.name}", (edit,), "unsafe"),
        )


def _low_user(instance: Instance) -> Iterator[Finding]:
    """A fixed user ID for virtual mailboxes that virtual(8) refuses."""
    least = instance.main["virtual_minimum_uid"].integer
    value = instance.main["virtual_uid_maps"]
    location = value.value_location
    if least is None or location is None or not _runs(instance, "virtual_transport", "virtual"):
        return
    for reference in table_references(value):
        number = reference.name
        if reference.type != "static" or not (number.isascii() and number.isdigit()):
            continue
        if integer(number) < least:
            yield Finding(
                reference.element.location or location,
                f"virtual_uid_maps gives user ID {number}, which is below virtual_minimum_uid "
                f"({least}): virtual delivers nothing",
                severity=Severity.ERROR,
                parameter="virtual_uid_maps",
            )


def _accounts(instance: Instance) -> Iterator[Finding]:
    """Accounts that Postfix refuses to work with (mail_params.c)."""
    values = {name: instance.main[name] for name in _ACCOUNTS}
    for name, value in values.items():
        location = value.value_location
        if location is not None and value.text.strip() in _SUPER_USERS and value.known:
            yield Finding(
                location,
                f"{name} = {value.text.strip()} is privileged: no Postfix program will start",
                severity=Severity.ERROR,
                parameter=name,
            )
            return
    privileges, owner = values["default_privs"], values["mail_owner"]
    value, other = (privileges, owner) if privileges.explicit else (owner, privileges)
    location = value.value_location
    if location is None or not _same_account(privileges, owner):
        return
    place = other.value_location
    yield Finding(
        location,
        f"default_privs and mail_owner are both {value.text.strip()}: no Postfix program will "
        "start",
        severity=Severity.ERROR,
        parameter=value.name,
        related=() if place is None else (Related(other.name, place),),
    )


def _same_account(one: Effective, other: Effective) -> bool:
    return one.known and other.known and one.text.strip() == other.text.strip() != ""


def _runs(instance: Instance, parameter: str, program: str) -> bool:
    """Whether a transport is run by a program; without master.cf: whether it has its name."""
    target = destination(instance.main[parameter])
    if target is None or not target.known:
        return False
    if instance.master_cf is None:
        return target.transport == program
    return any(
        service.name == target.transport and service.type != "inet"
        for service in instance.services_running(program)
    )
