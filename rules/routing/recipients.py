"""RTE004 and RTE005: mail that is accepted for users who do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postlint.analysis.access_tables import access_table
from postlint.analysis.domains import CLASSES, address_class, in_earlier_class
from postlint.analysis.list_use import uses
from postlint.analysis.nexthops import destination, is_host_name
from postlint.analysis.relay import explain
from postlint.analysis.relay_session import Session
from postlint.analysis.roles import is_public, service_role
from postlint.analysis.witness import CLIENT_NAME, CLIENTS, HELO, SENDERS
from postlint.config.effective import UNKNOWN
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_NOBODY: Final = "postlint-no-such-user"
_NO_DELIVERY: Final = frozenset({"discard", "error", "retry"})
_LISTS_OF_USERS: Final = (
    ("mydestination", "local_recipient_maps"),
    ("virtual_alias_domains", "virtual_alias_maps"),
    ("virtual_mailbox_domains", "virtual_mailbox_maps"),
    ("relay_domains", "relay_recipient_maps"),
)
_RECIPIENT_CHECKS: Final = frozenset({"reject_unlisted_recipient", "reject_unverified_recipient"})


@rule(
    "RTE004",
    severity=Severity.ERROR,
    security=5.3,
    tags=("BACKSCATTER_README", "LOCAL_RECIPIENT_README", "CWE-406"),
)
def backscatter_local(instance: Instance) -> Iterator[Finding]:
    """The server accepts mail for users it does not have and bounces it afterwards.

    Why: smtpd turns unknown recipients away only where it has a list of them. Without one it
        accepts spam for made-up names, and the bounces go to senders that are nearly always
        forged. Others then list the server as a source of unwanted mail.
    Fix: Leave local_recipient_maps and smtpd_reject_unlisted_recipient at their defaults and give
        virtual_mailbox_maps the users of the virtual mailbox domains. Where no list can be had,
        reject_unverified_recipient asks the server behind.
    Bad:
        myhostname = mx.example.com
        mydestination = example.com, localhost
        local_recipient_maps =
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    Good:
        myhostname = mx.example.com
        mydestination = example.com, localhost
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: BACKSCATTER_README, LOCAL_RECIPIENT_README, postconf(5) local_recipient_maps
    """
    servers = list(_taking_mail_of_strangers(instance))
    if not servers:
        return
    yield from _local(instance, servers)
    yield from _mailboxes(instance, servers)
    for service in servers:
        yield from _unlisted(service)
    yield from _luser_relay(instance)


def _local(instance: Instance, servers: list[Service]) -> Iterator[Finding]:
    domain = _domain(instance, "mydestination")
    if domain is None or not _bounces_locally(instance):
        return
    for service in servers:
        maps = service["local_recipient_maps"]
        location = maps.value_location
        if location is None or not _takes_anybody(service, maps, domain):
            continue
        accepted = _accepts_anybody(service, domain)
        if accepted is False:
            continue
        own = domain == instance.main["myhostname"].text.lower()
        yield Finding(
            location,
            f"local_recipient_maps {'is empty' if maps.empty else 'has everybody'}: smtpd takes "
            f"mail for anybody at {domain}, and what can not be delivered is bounced to forged "
            "senders",
            severity=Severity.ERROR if accepted and not own else Severity.WARNING,
            security_severity=5.3,
            parameter=maps.name,
            service=service.label,
            fix=_default(service, maps),
        )


def _mailboxes(instance: Instance, servers: list[Service]) -> Iterator[Finding]:
    """Virtual mailbox domains without a list of their users."""
    domains = instance.main["virtual_mailbox_domains"]
    maps = instance.main["virtual_mailbox_maps"]
    transport = _program(instance, "virtual_transport")
    location = domains.value_location
    if location is None or domains.empty is not False or maps.empty is not True:
        return
    if transport is None or transport in (*_NO_DELIVERY, "virtual"):
        return
    domain = _domain(instance, "virtual_mailbox_domains")
    for service in servers:
        if service["virtual_mailbox_maps"].empty is not True or _checks_recipients(service):
            continue
        if domain is not None and _accepts_anybody(service, domain) is False:
            continue
        where = "in them" if domain is None else f"at {domain}"
        yield Finding(
            location,
            "virtual_mailbox_domains without virtual_mailbox_maps: smtpd takes mail for anybody "
            f"{where}, and what {transport} refuses is bounced to forged senders",
            severity=Severity.INFO if domain is None else Severity.WARNING,
            security_severity=None if domain is None else 5.3,
            parameter=domains.name,
            service=service.label,
        )


def _unlisted(service: Service) -> Iterator[Finding]:
    """Lists of users that smtpd is told not to look at."""
    value = service["smtpd_reject_unlisted_recipient"]
    location = value.value_location
    if location is None or value.yes is not False or _checks_recipients(service):
        return
    answers = [
        None if domain is None else _accepts_anybody(service, domain)
        for name, maps in _LISTS_OF_USERS
        if service[maps].empty is False and _has_domains(service.instance, name)
        for domain in (_domain(service.instance, name),)
    ]
    if all(answer is False for answer in answers):
        return
    yield Finding(
        location,
        "smtpd_reject_unlisted_recipient = no: smtpd takes mail for users that do not exist, "
        "which is bounced to forged senders",
        severity=Severity.ERROR if True in answers else Severity.WARNING,
        security_severity=5.3,
        parameter=value.name,
        service=service.label,
        fix=_default(service, value),
    )


def _luser_relay(instance: Instance) -> Iterator[Finding]:
    value = instance.main["luser_relay"]
    maps = instance.main["local_recipient_maps"]
    location = value.value_location
    if location is None or value.empty is not False or maps.empty is not False:
        return
    if _program(instance, "local_transport") != "local" or _domain(instance, CLASSES[0]) is None:
        return
    yield Finding(
        location,
        "luser_relay gets nothing from other hosts: smtpd refuses unknown users as long as "
        "local_recipient_maps is not empty",
        severity=Severity.INFO,
        parameter=value.name,
    )


@rule(
    "RTE005",
    severity=Severity.WARNING,
    security=5.3,
    tags=("BACKSCATTER_README", "STANDARD_CONFIGURATION_README", "CWE-406"),
)
def relay_recipients_unverified(instance: Instance) -> Iterator[Finding]:
    """The server passes mail on for domains of which it does not know the users.

    Why: A relay without a list of valid recipients accepts whatever is sent to its domains. The
        mail server behind refuses unknown users, and the relay has to bounce the mail to senders
        that are nearly always forged. Its queue fills up and it is listed for backscatter.
    Fix: Give relay_recipient_maps all valid addresses, or put reject_unverified_recipient into
        the recipient restrictions, which asks the server behind once and remembers.
    Bad:
        myhostname = relay.example.com
        mydestination =
        relay_domains = example.org
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    Good:
        myhostname = relay.example.com
        mydestination =
        relay_domains = example.org
        relay_recipient_maps = hash:/etc/postfix/relay_recipients
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: BACKSCATTER_README, ADDRESS_CLASS_README, postconf(5) relay_recipient_maps
    """
    domains = instance.main["relay_domains"]
    location = domains.value_location
    transport = _program(instance, "relay_transport")
    if location is None or transport in (None, *_NO_DELIVERY):
        return
    found = address_class(instance, "relay_domains")
    names = [
        item.name
        for item in found.names()
        if is_host_name(item.name)
        and in_earlier_class("relay_domains", item.name, instance) is False
    ]
    has_tables = any(item.kind in ("table", "everything") for item in found.items)
    if not names and not has_tables:
        return
    for service in _taking_mail_of_strangers(instance):
        if service["relay_recipient_maps"].empty is not True or _checks_recipients(service):
            continue
        if names and _accepts_anybody(service, names[0]) is False:
            continue
        where = f"at {names[0]}" if len(names) == 1 and not has_tables else "in relay_domains"
        yield Finding(
            location,
            f"relay_recipient_maps is empty: smtpd takes mail for anybody {where}, and what the "
            "server behind refuses is bounced to forged senders",
            severity=Severity.WARNING if names else Severity.INFO,
            security_severity=5.3 if names else None,
            parameter=domains.name,
            service=service.label,
        )


def _taking_mail_of_strangers(instance: Instance) -> Iterator[Service]:
    for service in instance.services_running("smtpd"):
        if service_role(service) == "mx" and is_public(service):
            yield service


def _takes_anybody(service: Service, maps: Effective, domain: str) -> bool:
    """Whether a list of recipients is empty or has an entry for everybody."""
    if maps.empty:
        return True
    keys = ((f"{_NOBODY}@{domain}", False), (_NOBODY, False), (f"@{domain}", True))
    for element in maps.elements():
        found = access_table(service.instance, element).look_up(keys)
        if found.error:
            return False
        if found.value is not None:
            return True
    return False


def _bounces_locally(instance: Instance) -> bool:
    """Whether mail for unknown local users is bounced: nothing takes it all."""
    program = _program(instance, "local_transport")
    if program is None or program in _NO_DELIVERY:
        return False
    catchers = ("luser_relay", "fallback_transport", "fallback_transport_maps")
    return program != "local" or all(instance.main[name].empty for name in catchers)


def _accepts_anybody(service: Service, domain: str) -> bool | None:
    """Whether a stranger can send to a user that does not exist."""
    if any(use.name == "reject_unverified_recipient" for use in uses(service)):
        return False
    recipient = f"{_NOBODY}@{domain}"
    session = Session(CLIENTS[4][0], HELO, SENDERS[0], recipient, CLIENT_NAME, outsider=True)
    return explain(service, session).accepted


def _checks_recipients(service: Service) -> bool:
    return any(use.name in _RECIPIENT_CHECKS for use in uses(service))


def _domain(instance: Instance, parameter: str) -> str | None:
    """A domain of a class that is more than the host itself, if it has one that is known."""
    own = instance.main["myhostname"].text.lower()
    found = address_class(instance, parameter)
    names = [
        item.name for item in found.names() if not item.is_local_name and is_host_name(item.name)
    ]
    names = [name for name in names if in_earlier_class(parameter, name, instance) is False]
    return next((name for name in names if name != own), names[0] if names else None)


def _has_domains(instance: Instance, parameter: str) -> bool:
    """Whether a class certainly has domains that mail comes for."""
    if _domain(instance, parameter) is not None:
        return True
    found = address_class(instance, parameter)
    return found.value.explicit and any(item.kind == "table" for item in found.items)


def _program(instance: Instance, parameter: str) -> str | None:
    """The daemon behind a transport; the name of the transport where master.cf is not there."""
    target = destination(instance.main[parameter])
    if target is None or UNKNOWN in target.transport:
        return None
    running = [
        item.program
        for item in instance.services
        if item.name == target.transport and item.type != "inet"
    ]
    return running[0] if running else target.transport


def _default(service: Service, value: Effective) -> Fix | None:
    default = service.default(value.name)
    edit = None if default is None else replace_value(value.setting, default.text)
    return None if edit is None else Fix("use the default", (edit,), "unsafe")
