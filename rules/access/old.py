"""RST: restrictions that are gone, and old spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.list_use import uses
from postlint.analysis.versions import Interval
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service
    from postlint.postfix.restrictions import Restriction

_REPLACEMENTS = {"check_relay_domains": "reject_unauth_destination"}


@rule("RST003", programs=("smtpd",), severity=Severity.ERROR, tags=("DEPRECATION_README",))
def removed_restriction(service: Service) -> Iterator[Finding]:
    """A restriction was taken out of Postfix, or has another name today.

    Why: From Postfix 3.9 on check_relay_domains, reject_maps_rbl and permit_naked_ip_address
        answer 451 to every client that gets as far. The old spellings of other restrictions work,
        but the documentation knows them no more.
    Fix: Write reject_unauth_destination, reject_rbl_client with a list, permit_mynetworks; and
        the new names.
    Bad (Postfix 3.9):
        smtpd_relay_restrictions = permit_mynetworks, check_relay_domains
    Good (Postfix 3.9):
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: DEPRECATION_README, postconf(5) smtpd_recipient_restrictions
    """
    interval = Interval(service.instance)
    for use in uses(service):
        restriction, location = use.item.restriction, use.location
        if restriction is None or location is None or use.item.kind != "restriction":
            continue
        severity = _severity(restriction, interval)
        if severity is None:
            continue
        word = use.item.element.text
        yield Finding(
            location,
            _message(word, restriction, severity, interval),
            severity=severity,
            parameter=use.start.name,
            fix=_fix(use.item.element.location, word, restriction),
        )


def _severity(restriction: Restriction, interval: Interval) -> Severity | None:
    removed = restriction.removed_in
    if removed is not None:
        gone = interval.holds(lambda version: version.at_least(removed))
        if gone == "always":
            return Severity.ERROR
        return Severity.WARNING
    return Severity.INFO if restriction.alias_of is not None else None


def _message(word: str, restriction: Restriction, severity: Severity, interval: Interval) -> str:
    if restriction.alias_of is not None and restriction.removed_in is None:
        return f"{word} is called {restriction.alias_of} today"
    instead = restriction.replacement or restriction.alias_of
    remedy = f": write {instead}" if instead else ""
    if severity is Severity.ERROR:
        return f"{word} is gone since Postfix 3.9, smtpd answers 451 to every client{remedy}"
    sometimes = interval.holds(lambda version: version.at_least("3.9")) == "sometimes"
    ending = " (depends on the version)" if sometimes else ""
    return f"{word} is deprecated, and from Postfix 3.9 on smtpd answers 451{remedy}{ending}"


def _fix(location: object, word: str, restriction: Restriction) -> Fix | None:
    from postlint.lint.finding import Location

    if not isinstance(location, Location):
        return None
    if restriction.removed_in is None and restriction.alias_of is not None:
        edit = Edit(location, restriction.alias_of)
        return Fix(f"write {restriction.alias_of}", (edit,), "safe")
    name = _REPLACEMENTS.get(word.lower())
    return None if name is None else Fix(f"write {name}", (Edit(location, name),), "unsafe")
