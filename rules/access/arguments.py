"""RST: restrictions without an argument, with the wrong one, or with none where one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.list_use import Use, uses
from postlint.analysis.relay import relay_verdict
from postlint.analysis.relay_answers import valid_filter
from postlint.lint.edits import delete_element
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import restrictions
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Element
    from postlint.config.service import Service
    from postlint.lint.finding import Applicability

_WANTED = {
    "table": "a table, type:name",
    "domain": "the name of a DNS list",
    "endpoint": "a policy server, such as unix:private/policy",
    "number": "a number of seconds",
    "restriction": "a restriction",
}
_CHECKS_DESTINATION = frozenset(
    {"reject_unauth_destination", "defer_unauth_destination", "check_relay_domains"}
)
_REFUSES = _CHECKS_DESTINATION | {"reject", "defer"}


@rule(
    "RST002",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=4.3,
    tags=("CWE-284", "SMTPD_ACCESS_README"),
)
def missing_argument(service: Service) -> Iterator[Finding]:
    """A restriction lacks its argument, or takes the next restriction for it.

    Why: smtpd takes the word behind the restriction, whatever it is. "reject_rbl_client
        reject_unauth_destination" asks a DNS list of that name and relays for everybody, and
        smtpd starts nevertheless, because it only looks for the word. A check of a table without
        one answers 451 to every client; a DNS list without a name is passed over.
    Fix: Write the argument behind the restriction.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject_rbl_client, reject_unauth_destination
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_rbl_client zen.spamhaus.org, reject_unauth_destination
    References: postconf(5) smtpd_recipient_restrictions, SMTPD_ACCESS_README, smtpd_check.c
    """  # noqa: E501
    for use in uses(service):
        finding = _missing(service, use)
        if finding is not None:
            yield finding


def _missing(service: Service, use: Use) -> Finding | None:
    item, location = use.item, use.location
    restriction = item.restriction
    if item.kind != "restriction" or restriction is None or location is None:
        return None
    if restriction.argument in ("none", "restriction") or item.flaw == "removed":
        return None
    name, wanted = item.element.text, _WANTED[restriction.argument]
    if item.flaw == "no argument":
        skipped = restriction.argument == "domain"
        end = "it does nothing" if skipped else "smtpd answers 451 to every client"
        if item.dead_after is not None:
            end = f'"{item.dead_after.text}" keeps smtpd from getting there'
        return Finding(
            location,
            f"{name} at the end of {use.where} lacks {wanted}: {end}",
            security_severity=4.3 if skipped else None,
            severity=Severity.ERROR,
            parameter=use.start.name,
        )
    argument = item.argument
    if argument is None or not argument.known:
        return None
    swallowed = _swallowed(service, argument)
    if item.flaw == "bad argument":
        end = (
            "smtpd does not start"
            if restriction.argument == "endpoint"
            else "smtpd answers 451 to every client"
        )
        taken = f'takes "{argument.text}" for it' if swallowed else f'"{argument.text}" is none'
        return Finding(
            location,
            f"{name} in {use.where} wants {wanted}, and {taken}: {end}",
            severity=Severity.ERROR,
            parameter=use.start.name,
            related=_place("taken for its argument", argument),
        )
    if restriction.argument == "domain" and not valid_filter(argument.text):
        if service.version < (2, 8) or item.dead_after is not None:
            return None
        return Finding(
            argument.location or location,
            f'the filter behind "=" in "{argument.text}" ({use.where}) can not be read: smtpd dies '
            "of it as soon as it asks the list",
            severity=Severity.ERROR,
            parameter=use.start.name,
        )
    if restriction.argument == "domain" and swallowed:
        lost = argument.text.lower()
        guards = lost in _REFUSES and use.start.name in (
            "smtpd_relay_restrictions",
            "smtpd_recipient_restrictions",
        )
        end = f"{lost} is never carried out"
        if guards:
            end += ", and strangers may relay unless something else refuses"
        return Finding(
            location,
            f'{name} in {use.where} takes "{argument.text}" for the name of a DNS list: {end}',
            severity=Severity.ERROR,
            security_severity=9.1 if guards else 4.3,
            parameter=use.start.name,
            related=_place("taken for its argument", argument),
        )
    return None


def _swallowed(service: Service, argument: Element) -> bool:
    return "." not in argument.text and restrictions.get(argument.text, service.version) is not None


def _place(message: str, element: Element) -> tuple[Related, ...]:
    return () if element.location is None else (Related(message, element.location),)


@rule("RST005", programs=("smtpd",), severity=Severity.WARNING, tags=("SMTPD_ACCESS_README",))
def bare_table(service: Service) -> Iterator[Finding]:
    """A table in a restriction list stands without the check that it is for.

    Why: In the client, HELO, sender and recipient lists smtpd takes a bare table for the check of
        that list; who moves the line to another list changes what is looked up. At DATA and at
        the end of data there is no such check, and smtpd answers 451.
    Fix: Write the check before the table, for example check_sender_access.
    Bad:
        smtpd_sender_restrictions = hash:/etc/postfix/senders
    Good:
        smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
    References: postconf(5) smtpd_sender_restrictions, SMTPD_ACCESS_README, smtpd_check.c
    """
    for use in uses(service):
        item, location = use.item, use.location
        if item.kind != "table" or location is None or not item.element.known:
            continue
        if item.restriction is None:
            yield Finding(
                location,
                f'"{item.element.text}" in {use.where} lacks its check, and this list has none '
                "of its own: smtpd answers 451",
                severity=Severity.ERROR,
                parameter=use.start.name,
            )
            continue
        check = item.restriction.name
        fix = None
        if item.element.location is not None and use.within is use.start:
            edit = Edit(item.element.location, f"{check} {item.element.text}")
            fix = Fix(f"write {check} before it", (edit,), "safe")
        yield Finding(
            location,
            f'"{item.element.text}" in {use.where} means {check} {item.element.text}: say so',
            severity=Severity.INFO if _matches_list(use.start.name, check) else None,
            parameter=use.start.name,
            fix=fix,
        )


def _matches_list(parameter: str, check: str) -> bool:
    """Whether the check is the one that the list's name lets expect."""
    return parameter.removeprefix("smtpd_").startswith(check.split("_")[1])


@rule("RST006", programs=("smtpd",), severity=Severity.ERROR, security=4.3, tags=("CWE-284",))
def warn_if_reject_dangling(service: Service) -> Iterator[Finding]:
    """warn_if_reject disarms a check that stops relaying, or stands before nothing.

    Why: It turns the next refusal into a line in the log. Before reject_unauth_destination that
        means: relaying is logged, and done. At the end of a list it does nothing.
    Fix: Take warn_if_reject away, or move it before the check that is to be tried out.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject
        smtpd_recipient_restrictions = permit_mynetworks, warn_if_reject reject_unauth_destination, reject_unlisted_recipient
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = warn_if_reject reject_unlisted_recipient
    References: postconf(5) warn_if_reject, SMTPD_ACCESS_README
    """  # noqa: E501
    for use in uses(service):
        item, location = use.item, use.location
        if location is None or item.dead_after is not None:
            continue
        if use.name == "warn_if_reject" and item.flaw == "no argument":
            yield Finding(
                location,
                f"warn_if_reject at the end of {use.where} does nothing",
                severity=Severity.WARNING,
                parameter=use.start.name,
                fix=_without(use),
            )
        elif item.warned and use.name in _CHECKS_DESTINATION:
            relays = use.start.name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
            if relays:
                closed = relay_verdict(service).by_restrictions in ("refused", "fatal")
                end = ", and only other restrictions refuse it" if closed else ", not refused"
                yield Finding(
                    location,
                    f"warn_if_reject before {use.name} in {use.where}: relaying is logged{end}",
                    severity=Severity.WARNING if closed else None,
                    parameter=use.start.name,
                    fix=_without(use),
                )
        elif item.warned and use.name.startswith("permit"):
            yield Finding(
                location,
                f"warn_if_reject before {use.name} in {use.where} has no effect: it refuses nobody",
                severity=Severity.INFO,
                parameter=use.start.name,
                fix=_without(use, "safe"),
            )
        elif item.warned and item.kind == "class":
            yield Finding(
                location,
                f"warn_if_reject before {item.element.text} in {use.where}: nothing in this class "
                "refuses anybody here",
                severity=Severity.INFO,
                parameter=use.start.name,
            )


def _without(use: Use, applicability: Applicability = "unsafe") -> Fix | None:
    """Take the warn_if_reject before a restriction away, or the one that stands before nothing."""
    place = (use.item.warned_at or use.item.element).location
    if place is None or use.within is not use.start:
        return None
    if use.item.warned_at is None:
        return Fix("take it away", (delete_element(place),), "unsafe")
    after = use.item.element.location
    if after is None or after.source is not place.source:
        return None
    between = Location(place.source, Span(place.span.start, after.span.start))
    if "\n" in place.source.text[between.span.start : between.span.end]:
        return None
    return Fix("take warn_if_reject away", (Edit(between, ""),), applicability)
