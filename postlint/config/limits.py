"""How long a value may be to be looked at: no list that somebody runs comes near.

Postfix has no limit but memory. Rules that work off a million words, each for every service,
would never end.
"""

from __future__ import annotations

from postlint.syntax.lists import split_list

TEXT_LIMIT = 1 << 20
"""Characters of a value, and those that macros may add to it."""

PIECE_LIMIT = 1 << 14
"""Pieces that macros may add to a value: ``a = $b$b``, ``b = $c$c`` and so on."""

WORD_LIMIT = 10_000
"""Words of a list; the longest of real configurations have some 200."""

NESTING_LIMIT = 50
"""Tables in the braces of others, one in the other: deeper ones are not looked for."""


class LimitError(Exception):
    """A value that is too much to be looked at; the text says what there is too much of."""


def excess(text: str) -> str | None:
    """What there is too much of in a value; None when it is not too long."""
    if len(text) <= WORD_LIMIT:
        return None
    if len(text) > TEXT_LIMIT:
        return f"more than {TEXT_LIMIT} characters"
    words = sum(1 for _ in split_list(text, braces=False))
    return f"{words} words" if words > WORD_LIMIT else None
