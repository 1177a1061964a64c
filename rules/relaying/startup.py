"""RLY003: what smtpd asks of its lists before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.restrictions import RECIPIENT, RELAY, restriction_lists
from postlint.analysis.templates import has_control_lines
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import restrictions
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service
    from postlint.config.settings import Setting

_GUARDS = "reject_unauth_destination, defer_unauth_destination, reject, defer or defer_if_permit"
_OLD_GUARDS = "reject_unauth_destination, reject, defer or defer_if_permit"


@rule("RLY003", programs=("smtpd",), severity=Severity.ERROR, tags=("SMTPD_ACCESS_README",))
def smtpd_will_not_start(service: Service) -> Iterator[Finding]:
    """No restriction list stops relaying, so smtpd refuses to start.

    Why: Before it takes a connection, smtpd looks through the relay and the recipient
        restrictions for a word that ends relaying. It does not look behind "permit" and passes
        over the word behind "warn_if_reject". If it finds none, it exits; clients get no answer
        and master(8) holds the service back for a minute. Restriction classes that hold each
        other let it crash, then or with the first mail.
    Fix: End smtpd_relay_restrictions with reject_unauth_destination, behind whatever permits
        trusted clients.
    Bad:
        smtpd_relay_restrictions =
        smtpd_recipient_restrictions = permit_mynetworks
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks
    References: postconf(5) smtpd_relay_restrictions, SMTPD_ACCESS_README, smtpd_check.c
    """
    lists = restriction_lists(service)
    guard, obstacles = lists.relay_guard()
    if guard == "present":
        yield from _crashes(lists)
    if guard not in ("missing", "endless"):
        return
    has_relay_list = restrictions.LISTS[RELAY].exists_in(service.version)
    relay = service.explicit(RELAY) if has_relay_list else None
    recipient = service.explicit(RECIPIENT)
    incomplete = recipient is None or (has_relay_list and relay is None)
    instance = service.instance
    if incomplete and (not instance.whole_main_cf or has_control_lines(instance)):
        return
    if relay is None and recipient is None and service.implicit:
        return
    anchor = _anchor(service, relay, recipient)
    if anchor is None:
        return
    location, parameter = anchor
    related = [
        Related(f"{item.element.text}: {item.reason}", item.element.location)
        for item in obstacles
        if item.element.location is not None
    ]
    if guard == "endless":
        message = "smtpd crashes when it starts: restriction classes contain each other"
        yield Finding(location, message, parameter=parameter)
        return
    other = recipient if relay is not None else None
    if other is not None and other.value_location is not None:
        related.append(Related(f"{RECIPIENT} has none either", other.value_location))
    message = _message(has_relay_list, relay, recipient)
    severity = None
    if has_relay_list and relay is None and instance.oldest_version < (3, 0):
        # 2.10 and 2.11 have a safe default, whatever the compatibility level
        message += " (depends on the version)"
        severity = Severity.WARNING
    yield Finding(location, message, severity=severity, parameter=parameter, related=related)


def _crashes(lists: RestrictionLists) -> Iterator[Finding]:
    """A class that holds itself, where smtpd does not come across it before there is mail."""
    for start in lists:
        circle = lists.circle(start)
        location = None if circle is None else circle.element.location
        if circle is not None and location is not None:
            yield Finding(
                location,
                f'smtpd crashes when it gets to "{circle.element.text}": the restriction class '
                "contains itself",
                parameter=start.name,
            )
            return


def _anchor(
    service: Service, relay: Setting | None, recipient: Setting | None
) -> tuple[Location, str] | None:
    """Where the list stands that has to change, or what makes the default empty."""
    for setting in (relay, recipient):
        if setting is not None and setting.value_location is not None:
            return setting.value_location, setting.name
    level = service.explicit("compatibility_level")
    if level is not None and level.value_location is not None:
        return level.value_location, level.name
    main_cf = service.instance.main_cf
    return None if main_cf is None else (Location(main_cf.source, Span(0, 0)), RELAY)


def _message(has_relay_list: bool, relay: Setting | None, recipient: Setting | None) -> str:
    """What smtpd misses and where."""
    if not has_relay_list:
        return f"smtpd will not start: {RECIPIENT} has no working {_OLD_GUARDS}"
    if relay is not None:
        return f"smtpd will not start: {RELAY} and {RECIPIENT} have no working {_GUARDS}"
    own = "is empty" if recipient is None else f"has no working {_GUARDS}"
    default = f"{RELAY} is empty by default below compatibility_level 1"
    return f"smtpd will not start: {RECIPIENT} {own}, and {default}"
