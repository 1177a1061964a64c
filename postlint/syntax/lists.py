"""Lists: words between commas and blanks, braces keeping their inside together (mystrtok.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATORS = ", \t\r\n"
"""CHARS_COMMA_SP of Postfix."""

_PLAIN_ITEM = re.compile(r"[^, \t\r\n]+")
_BREAK = re.compile(r"[{}]|[, \t\r\n]+")


def split_list(text: str, *, braces: bool = True) -> Iterator[tuple[int, int]]:
    """The (start, end) of every item. ``braces``: text in braces is not split (since 3.0)."""
    if not braces or "{" not in text:
        for match in _PLAIN_ITEM.finditer(text):
            yield match.span()
        return
    level = start = 0
    for match in _BREAK.finditer(text):
        at = match.start()
        if text[at] == "{":
            level += 1
        elif text[at] == "}":
            level -= level > 0
        elif level == 0:
            if at > start:
                yield start, at
            start = match.end()
    if start < len(text):
        yield start, len(text)
