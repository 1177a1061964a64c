"""SASL: what restriction lists do with users who have logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import auth_of
from postlint.analysis.restrictions import RECIPIENT, RELAY, restriction_lists
from postlint.analysis.roles import is_public, service_role
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule
from postlint.postfix.restrictions import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import Item
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_PERMIT = "permit_sasl_authenticated"
_OWNED = frozenset(
    {
        "reject_sender_login_mismatch",
        "reject_authenticated_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
    }
)
_REJECTS_UNOWNED = frozenset(
    {"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch"}
)
_NEEDS_LOGIN = _OWNED | {"reject_unauthenticated_sender_login_mismatch", "check_sasl_access"}
_LIKE_THE_DEFAULT = (
    ("permit_mynetworks", _PERMIT, "defer_unauth_destination"),
    ("permit_mynetworks", _PERMIT, "reject_unauth_destination"),
)
_MAY_PERMIT = frozenset({"permit", _PERMIT, "check_sasl_access", "check_policy_service"})


def _items(service: Service, name: str) -> Iterator[Item]:
    """The items of a list, those of its classes too."""
    lists = restriction_lists(service)
    for members in lists.with_classes(lists[name]):
        yield from members.items


def _name(item: Item) -> str:
    return item.restriction.name if item.restriction is not None else item.element.text.lower()


@rule("SASL006", programs=("smtpd",), severity=Severity.WARNING)
def sasl_enabled_not_permitted(service: Service) -> Iterator[Finding]:
    """Users can log in and gain nothing by it.

    Why: Logging in permits nothing by itself. Without permit_sasl_authenticated in the relay or
        recipient restrictions users are refused like strangers ("Relay access denied").
    Fix: Put permit_sasl_authenticated before reject_unauth_destination, or switch AUTH off for
        the service.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
        smtpd_relay_restrictions =
            permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
    References: SASL_README, postconf(5) smtpd_relay_restrictions
    """
    if service.type not in ("inet", "pass"):
        return
    enable = service["smtpd_sasl_auth_enable"]
    location = enable.value_location
    auth = auth_of(service)
    if not auth.enabled or auth.offer in (None, "never") or location is None:
        return
    if is_public(service) is False:
        return  # a filter hands mail back there
    names = [name for name in (RELAY, RECIPIENT) if LISTS[name].exists_in(service.version)]
    if any(service[name].empty is None for name in names) or all(
        service[name].empty for name in names
    ):
        return
    for name in names:
        for item in _items(service, name):
            if item.kind in ("table", "unknown", "class") or _name(item) in _MAY_PERMIT:
                return
            if _name(item).startswith("check_"):
                return
    yield Finding(
        location,
        f"users can log in, but {_PERMIT} is in no relay or recipient restriction"
        + (" of port 25" if service_role(service) == "mx" else ""),
        severity=Severity.INFO if service_role(service) == "mx" else None,
        parameter=enable.name,
    )


@rule("SASL007", severity=Severity.INFO)
def permit_sasl_without_sasl(instance: Instance) -> Iterator[Finding]:
    """Restrictions speak of users who logged in, and nobody can log in.

    Why: Without SASL there are no such users: the restriction does nothing. Where it is the only
        way in, as on a submission port, nobody gets in.
    Fix: Switch SASL on where users are to log in (smtpd_sasl_auth_enable = yes), or take the
        restriction out.
    Bad:
        smtpd_sasl_auth_enable = no
        smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
    Good:
        smtpd_sasl_auth_enable = no
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: SASL_README, postconf(5) permit_sasl_authenticated
    """
    services = [service for service in instance.services_running("smtpd") if service.type != "unix"]
    if not instance.whole or not services:
        return
    if any(service["smtpd_sasl_auth_enable"].yes is not False for service in services):
        return
    for service in services:
        for name, facts in LISTS.items():
            if not facts.exists_in(service.version) or not service[name].explicit:
                continue
            words = tuple(_name(item) for item in _items(service, name))
            for item in _items(service, name) if words not in _LIKE_THE_DEFAULT else ():
                finding = _useless(service, name, item)
                if finding is not None:
                    finding.services = ((service.label, service.location),)
                    yield finding


def _useless(service: Service, name: str, item: Item) -> Finding | None:
    word = _name(item)
    location: Location | None = item.element.location
    if location is None:
        return None
    if word == _PERMIT:
        closed = service_role(service) == "msa" and _only_way_in(service, name)
        return Finding(
            location,
            f"{_PERMIT} permits nobody: SASL is off"
            + (", so that nobody gets in here" if closed else " in all services"),
            severity=Severity.ERROR if closed else None,
            parameter=name,
        )
    if word in _NEEDS_LOGIN:
        return Finding(
            location,
            f"{word} has no effect: SASL is off in all services",
            severity=Severity.WARNING,
            parameter=name,
        )
    return None


def _only_way_in(service: Service, name: str) -> bool:
    """Whether a list lets users who logged in pass and rejects everybody else."""
    words = [_name(item) for item in _items(service, name)]
    return words in ([_PERMIT, "reject"], [_PERMIT, "defer"])


@rule(
    "SASL012",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.4,
    tags=("CWE-290", "RFC 6409"),
)
def sender_spoofing(service: Service) -> Iterator[Finding]:
    """Users who logged in may send with anybody's address, or with none at all.

    Why: Whoever has got one password can write in the name of everybody here, and the receivers
        see correct SPF and DKIM. The restrictions against that need to know who owns which
        address: with smtpd_sender_login_maps empty they refuse every user.
    Fix: Set smtpd_sender_login_maps, and for submission
        smtpd_sender_restrictions = reject_sender_login_mismatch.
    Bad:
        smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
    Good:
        smtpd_sender_login_maps = hash:/etc/postfix/sender_login
        smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
    References: RFC 6409 section 6.1, SASL_README, postconf(5) smtpd_sender_login_maps
    """
    if auth_of(service).offer not in ("after-tls", "cleartext"):
        return
    maps = service["smtpd_sender_login_maps"]
    checked = False
    unknown = False
    for name, facts in LISTS.items():
        if not facts.exists_in(service.version):
            continue
        unknown = unknown or service[name].empty is None
        for item in _items(service, name):
            word = _name(item)
            unknown = unknown or item.kind == "unknown" or word == "check_policy_service"
            checked = checked or word in _OWNED
            place = item.element.location
            if word in _REJECTS_UNOWNED and maps.empty is True and place is not None:
                yield Finding(
                    place,
                    f"{word} refuses every user: smtpd_sender_login_maps is empty",
                    severity=Severity.ERROR,
                    parameter=name,
                )
    location = service.location
    if checked or unknown or location is None or service_role(service) != "msa":
        return
    if is_public(service) is False or service["smtpd_milters"].empty is not True:
        return
    yield Finding(
        location,
        "users who logged in may use any sender address",
        severity=Severity.INFO,
        security_severity=5.4,
        parameter="smtpd_sender_login_maps",
    )
