"""RST001: words that no restriction list knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.restrictions import restriction_lists, suggestion
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import Item, RestrictionList, RestrictionLists
    from postlint.config.service import Service

_WORDS_REPORTED = 20
"""Unknown words of one list that are named; more of them are text that strayed in."""


@rule("RST001", programs=("smtpd",), severity=Severity.ERROR, tags=("SMTPD_ACCESS_README",))
def unknown_restriction(service: Service) -> Iterator[Finding]:
    """A word in a restriction list is nothing that smtpd knows.

    Why: smtpd finds out only when a client gets as far as that word. It then answers "451
        Server configuration error", whatever the mail is, and the sender tries again until it
        gives up. The rest of the list is not looked at.
    Fix: Correct the spelling. A restriction class of your own has to be listed in
        smtpd_restriction_classes, too.
    Bad:
        smtpd_relay_restrictions = permit_mynetwork, reject_unauth_destination
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: postconf(5) smtpd_recipient_restrictions, SMTPD_ACCESS_README, smtpd_check.c
    """
    lists = restriction_lists(service)
    reported: set[tuple[int, int]] = set()
    for start in lists:
        for part in lists.with_classes(start):
            yield from _unknown_words(lists, part, start, reported)


def _unknown_words(
    lists: RestrictionLists,
    part: RestrictionList,
    start: RestrictionList,
    reported: set[tuple[int, int]],
) -> Iterator[Finding]:
    words = (item for item in part.items if item.kind == "word" and item.certain)
    for number, item in enumerate(words):
        if number == _WORDS_REPORTED or not (lists.classes_known or item.restriction):
            return
        location = item.element.location or part.value.value_location or start.value.value_location
        if location is None or location.span in reported:
            continue
        reported.add(location.span)
        where = part.name if part is start else f"restriction class {part.name}"
        meant = None if item.restriction else suggestion(item.element.text, lists)
        problem = f'"{item.element.text}" in {where} {_problem(lists, item, meant)}'
        dead = item.dead_after
        end = (
            "smtpd answers 451 to every client that gets this far"
            if dead is None
            else f'it does no harm only because "{dead.text}" comes before it'
        )
        related: tuple[Related, ...] = ()
        if dead is not None and dead.location is not None:
            related = (Related("the list ends here", dead.location),)
        yield Finding(
            location,
            f"{problem}: {end}",
            severity=None if dead is None else Severity.WARNING,
            parameter=start.name,
            related=related,
            fix=_fix(item, meant),
        )
        if item.element.text.startswith("#"):
            return


def _problem(lists: RestrictionLists, item: Item, meant: tuple[str, bool] | None) -> str:
    """What is wrong with a word, in words."""
    text = item.element.text
    restriction = item.restriction
    if restriction is not None:
        if not restriction.implemented:
            return "is documented, but no smtpd knows it"
        return f"needs Postfix {restriction.first} or later"
    if text.startswith("#"):
        return "starts no comment, comments stand on lines of their own"
    if text == "\\":
        return "is read as a restriction, lines need no backslash to go on"
    if meant is not None:
        return f'is no restriction (did you mean "{meant[0]}"?)'
    if lists.scope.explicit(text) is not None:
        return "is no restriction, and smtpd_restriction_classes does not list it"
    return "is no restriction"


def _fix(item: Item, meant: tuple[str, bool] | None) -> Fix | None:
    if meant is None or item.element.location is None:
        return None
    word, sure = meant
    edit = Edit(item.element.location, word)
    return Fix(f'replace it by "{word}"', (edit,), "safe" if sure else "unsafe")
