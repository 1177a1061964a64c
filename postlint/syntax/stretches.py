"""Cutting big tables into stretches of whole logical lines, to search them with patterns in C."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.source import SourceFile

STRETCH = 1 << 20
"""Characters of a stretch, about."""

_CONTINUATION = re.compile(r"\n[ \t\v\f\r]")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_ENTRY = re.compile(r"\n(?=[^ \t\v\f\r\n#])")


def stretches(source: SourceFile, size: int = STRETCH) -> Iterator[tuple[int, int]]:
    """The (start, end) of consecutive stretches; each but the first begins with an entry."""
    text = source.text
    start = 0
    while start < len(text):
        boundary = _ENTRY.search(text, start + size)
        end = boundary.end() if boundary else len(text)
        yield start, end
        start = end


def stretch_text(source: SourceFile, start: int, end: int) -> str:
    """A stretch with a LF before it, so that every entry in it stands behind a LF.

    The position of that LF in the text is the position of its entry in the stretch.
    """
    return "\n" + source.text[start:end]


def is_regular(text: str) -> bool:
    """Whether every logical line of a stretch is one physical line of decodable characters."""
    if not text.isascii() and _UNDECODABLE.search(text):
        return False
    return "\0" not in text and _CONTINUATION.search(text) is None


def contains_any(text: str, hints: Iterable[str]) -> bool:
    """Whether some hint is in a long text. One character is found ten times as fast as two."""
    return any(
        hint in text
        for hint in hints
        if all(mark in text for mark in hint if not (mark.isalnum() or mark.isspace()))
    )


def count_entries(text: str) -> int:
    """The logical lines of a regular stretch."""
    if "\n\n\n" in text:
        return len(_ENTRY.findall(text))
    comments = text.count("\n#") if "#" in text else 0
    others = comments + text.count("\n\n") + text.endswith("\n")
    return text.count("\n") - others


def repeated(hashes: list[int], seen: set[int], twice: set[int]) -> int:
    """Add numbers to those seen; how many were there already, and which."""
    new = set(hashes)
    if len(new) == len(hashes) and seen.isdisjoint(new):
        seen |= new
        return 0
    number = 0
    for value in hashes:
        if value in seen:
            twice.add(value)
            number += 1
        else:
            seen.add(value)
    return number
