"""RST: the right-hand sides of access tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_results import AccessResult, parse_access_result
from postlint.analysis.access_tables import access_table
from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import Use, uses
from postlint.analysis.odd_results import odd_results
from postlint.analysis.restrictions import restriction_lists
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import RestrictionList
    from postlint.config.effective import Element
    from postlint.config.service import Service
    from postlint.lint.finding import Applicability

_REPORTED = 30
"""Entries of one table that are named."""


def _asked(service: Service) -> Iterator[tuple[Use, Element]]:
    """The uses of access tables of a service, each table once, and the words that name them."""
    seen: set[str] = set()
    for use in uses(service):
        item = use.item
        if item.restriction is None or item.argument is None or item.flaw is not None:
            continue
        if item.restriction.argument != "table" or item.argument.text in seen:
            continue
        seen.add(item.argument.text)
        yield use, item.argument


@rule(
    "RST019", programs=("smtpd",), severity=Severity.ERROR, tags=("CWE-284", "SMTPD_ACCESS_README")
)
def access_rhs_invalid(service: Service) -> Iterator[Finding]:
    """An access table answers what smtpd reads in another way than it looks.

    Why: Digits alone mean OK, also 550: the client that was to be refused is permitted, and
        before reject_unauth_destination it may relay. An unknown word, a table, or nothing at all
        answers 451. REDIRECT, BCC, FILTER and PREPEND without what they need do nothing.
    Fix: Write REJECT, or a reply code with a text behind it, such as "550 5.7.1 go away".
    Bad:
        smtpd_client_restrictions = check_client_access inline:{192.0.2.7=550}
    Good:
        smtpd_client_restrictions = check_client_access inline:{{192.0.2.7=550 go away}}
    References: access(5), SMTPD_ACCESS_README, smtpd_check.c
    """
    for use, word in _asked(service):
        count = 0
        said_of: dict[str, tuple[str, bool] | None] = {}
        for entry in odd_results(service.instance, word):
            result = parse_access_result(entry.value, service.version)
            if entry.value not in said_of:
                said_of[entry.value] = _complaint(service, result)
            said = said_of[entry.value]
            if said is None:
                continue
            count += 1
            location = entry.location or use.location
            if count > _REPORTED or location is None:
                break
            message, grave = said
            key = f"{entry.key}: " if entry.key else ""
            digits = result.problem == "digits"
            related: tuple[Related, ...] = ()
            place = use.location
            if place is not None and place.source is not location.source:
                related = (Related(f"asked by {use.start.name}", place),)
            yield Finding(
                location,
                f"{key}{message}",
                severity=None if grave else Severity.WARNING,
                security_severity=8.1 if digits else None,
                parameter=use.start.name,
                related=related,
                fix=_fix(location, result),
            )


def _complaint(service: Service, result: AccessResult) -> tuple[str, bool] | None:
    """What is wrong with a right-hand side, and whether mail suffers."""
    text = result.text
    match result.problem:
        case "digits":
            number = f'"{text}" alone means OK'
            reply = len(text) == 3 and text[0] in "45"
            return f"{number}, not a refusal" if reply else number, reply
        case "empty":
            return "an empty answer is an error: smtpd answers 451", True
        case "table":
            return f'"{text}" names a table, and none is allowed here: smtpd answers 451', True
        case "no transport":
            return f'"{text}" does nothing: FILTER needs transport:destination', False
        case "no address":
            return f'"{text}" does nothing: it needs an address, user@domain', False
        case "no header":
            return f'"{text}" does nothing: PREPEND needs a header, Name: text', False
    if result.kind != "list":
        return None
    lists = restriction_lists(service)
    if not lists.classes_known:
        return None
    for item in lists.items_of(text, None, None):
        if item.kind == "word" or (item.kind == "restriction" and item.flaw is not None):
            return f'"{item.element.text}" is no answer that smtpd knows: smtpd answers 451', True
    return None


def _fix(location: Location, result: AccessResult) -> Fix | None:
    """550 was meant to refuse; only in a file of its own the entry's place is exact."""
    if result.problem != "digits" or len(result.text) != 3 or result.text[0] not in "45":
        return None
    word = "REJECT" if result.text[0] == "5" else "DEFER"
    return _ending(location, result.text, word, "safe")


def _ending(location: Location, value: str, word: str, applicability: Applicability) -> Fix | None:
    """Write another value at the end of an entry of a file."""
    written = location.source.text[location.span.start : location.span.end]
    if not written.endswith(value) or written == value:
        return None
    end = location.span.end
    place = Location(location.source, Span(end - len(value), end))
    return Fix(f"write {word}", (Edit(place, word),), applicability)


_SPAM_CHECKS = (
    "reject_rbl",
    "reject_rhsbl",
    "reject_unknown",
    "check_policy_service",
    "reject_non_fqdn",
)


@rule(
    "RST015",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.4,
    tags=("CWE-290", "SMTPD_ACCESS_README"),
)
def ok_for_own_domain_sender(service: Service) -> Iterator[Finding]:
    """A table permits senders of your own domain, or all, before the spam checks.

    Why: The sender address is what the client says it is. Spam that claims to come from your own
        domain then gets past every check behind it in the list.
    Fix: Answer DUNNO, and let permit_mynetworks and permit_sasl_authenticated tell your people
        from others.
    Bad:
        mydestination = example.com
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = check_sender_access inline:{example.com=OK}, reject_rbl_client bl.example.org
    Good:
        mydestination = example.com
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = check_sender_access inline:{example.com=DUNNO}, reject_rbl_client bl.example.org
    References: SMTPD_ACCESS_README, access(5)
    """  # noqa: E501
    destinations = destinations_of(service.instance)
    early: dict[int, frozenset[int]] = {}
    for use in uses(service):
        item = use.item
        if use.name != "check_sender_access" or item.argument is None or item.flaw is not None:
            continue
        if id(use.within) not in early:
            early[id(use.within)] = _before_checks(use.within)
        if item.dead_after is not None or id(item) not in early[id(use.within)]:
            continue
        table = access_table(service.instance, item.argument)
        for entry in table.entries[:1000]:
            if parse_access_result(entry.value, service.version).kind != "permit":
                continue
            location = entry.location or use.location
            if location is None:
                continue
            if table.kind == "static":
                what = "every sender"
            elif entry.tests:
                if not entry.matches("somebody@some-domain.example"):
                    continue
                what = "every sender"
            elif _own(destinations.address_class(f"x@{entry.key.lstrip('@.')}"), entry.key):
                what = f"every sender who claims {entry.key}"
            else:
                continue
            yield Finding(
                location,
                f"{what} gets past the checks behind this table in {use.where}",
                parameter=use.start.name,
                fix=_ending(location, entry.value, "DUNNO", "unsafe"),
            )


def _own(found: str | None, key: str) -> bool:
    return "@" not in key.lstrip("@") and found in ("local", "alias", "mailbox", "relay")


def _before_checks(within: RestrictionList) -> frozenset[int]:
    """The identities of the items of a list behind which there is a check for spam."""
    last = max(
        (
            number
            for number, item in enumerate(within.items)
            if item.restriction is not None
            and item.restriction.name.startswith(_SPAM_CHECKS)
            and item.dead_after is None
        ),
        default=0,
    )
    return frozenset(map(id, within.items[:last]))
