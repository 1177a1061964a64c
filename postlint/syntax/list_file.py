"""Files that a match list names (``mynetworks = /etc/postfix/networks``): more of its patterns.

They are no tables: match_list.c reads physical lines, and only a ``#`` in the first column makes
one a comment; the words of a line are separated by blanks and commas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.lists import split_list
from postlint.syntax.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceFile

COMMENT = "comment at end of line is not supported"
"""The rest of the line is ignored, with a warning."""


class ListItem(NamedTuple):
    """One pattern. ``text`` is without its ``!``; ``problem``: why the rest is ignored."""

    text: SourceText
    negated: bool
    problem: str | None = None


def read_list(source: SourceFile) -> Iterator[ListItem]:
    """The patterns of a file, in their order."""
    offset = 0
    for physical in source.text.split("\n"):
        line = physical.partition("\0")[0]
        if not line.startswith("#"):
            yield from _items(SourceText(source, line, ((0, offset),)))
        offset += len(physical) + 1


def _items(line: SourceText) -> Iterator[ListItem]:
    for start, end in split_list(line.text):
        word = line.cut(start, end)
        if word.text.startswith("#"):
            yield ListItem(line.cut(start, len(line.text)), negated=False, problem=COMMENT)
            return
        marks = len(word.text) - len(word.text.lstrip("!"))
        pattern = word.cut(marks, len(word.text)) if marks < len(word.text) else word
        yield ListItem(pattern, marks % 2 == 1)
