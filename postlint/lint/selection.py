"""Selecting rules by code, by prefix and by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.lint.rule import Rule

ALL = "ALL"


class UnknownSelectorError(Exception):
    """A selector that fits no rule; the text suggests what was meant."""


class Selector:
    """A code (``TLS001``), a prefix of codes (``TLS``, ``TLS0``), a rule name, or ``ALL``."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def matches(self, rule: Rule) -> bool:
        upper = self.text.upper()
        return upper == ALL or rule.code.startswith(upper) or rule.name == self.text.lower()

    @property
    def weight(self) -> int:
        """How specific it is: of two selectors that fit a rule the heavier one decides."""
        if self.text.upper() == ALL:
            return 0
        return len(self.text)


def parse_selectors(texts: Iterable[str], rules: Sequence[Rule]) -> list[Selector]:
    """Read selectors, separated by commas or blanks; raises UnknownSelectorError."""
    selectors = []
    for text in texts:
        for word in text.replace(",", " ").split():
            selector = Selector(word)
            if not any(selector.matches(rule) for rule in rules):
                raise UnknownSelectorError(_complaint(word, rules))
            selectors.append(selector)
    return selectors


def select(
    rules: Sequence[Rule],
    chosen: Sequence[Selector] = (),
    ignored: Sequence[Selector] = (),
    extended: Sequence[Selector] = (),
) -> tuple[Rule, ...]:
    """The rules to run: ``chosen`` (all but the opt-in ones if empty) and ``extended``.

    ``ignored`` takes rules away, unless a more specific selector chooses them.
    """
    selected = []
    for rule in rules:
        wanted = [selector.weight for selector in (*chosen, *extended) if selector.matches(rule)]
        if not chosen and not rule.opt_in:
            wanted.append(0)
        unwanted = [selector.weight for selector in ignored if selector.matches(rule)]
        if wanted and (not unwanted or max(wanted) > max(unwanted)):
            selected.append(rule)
    return tuple(selected)


def _complaint(word: str, rules: Sequence[Rule]) -> str:
    from difflib import get_close_matches

    names = [rule.code for rule in rules] + [rule.name for rule in rules]
    close = get_close_matches(word.lower(), [name.lower() for name in names], 1)
    hint = ""
    if close:
        match = next(name for name in names if name.lower() == close[0])
        hint = f"; did you mean {match}?"
    return f"no rule has the code, prefix or name {word!r}{hint}"
