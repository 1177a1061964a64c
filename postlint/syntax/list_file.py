"""Files that a match list names (``mynetworks = /etc/postfix/networks``): more of its patterns.

They are no tables: match_list.c reads physical lines, and only a ``#`` in the first column makes
one a comment; the words of a line are separated by blanks and commas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.lists import split_list
from postlint.syntax.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceFile

_LINE = re.compile(r"[^\n]*+\n|[^\n]++")  # an open brace takes in the end of its line

COMMENT = "comment at end of line is not supported"
"""The rest of the line is ignored, with a warning."""

NO_PATTERN = "no pattern after '!'"
"""Every program that reads the list dies."""


class ListItem(NamedTuple):
    """One pattern. ``text`` is without the ``!`` of ``word``; ``problem``: COMMENT, NO_PATTERN."""

    word: SourceText
    text: SourceText
    negated: bool
    problem: str | None = None


def list_words(source: SourceFile, *, braces: bool = True) -> Iterator[SourceText]:
    """The words of a file that are patterns. ``braces``: they keep words together (3.0)."""
    for item in read_list(source, braces=braces):
        if item.problem != COMMENT:
            yield item.word


def read_list(source: SourceFile, *, braces: bool = True) -> Iterator[ListItem]:
    """The patterns of a file, in their order. ``braces`` as for list_words()."""
    offset = 0
    for physical in _LINE.findall(source.text):
        line = physical.partition("\0")[0]
        if not line.startswith("#"):
            yield from _items(SourceText(source, line, offset), braces=braces)
        offset += len(physical)


def _items(line: SourceText, *, braces: bool) -> Iterator[ListItem]:
    for start, end in split_list(line.text, braces=braces):
        word = line.cut(start, end)
        if word.text.startswith("#"):
            rest = line.cut(start, len(line.text)).strip(WHITE_SPACE)
            yield ListItem(rest, rest, negated=False, problem=COMMENT)
            return
        marks = len(word.text) - len(word.text.lstrip("!"))
        pattern = word.cut(marks, len(word.text))
        yield ListItem(word, pattern, marks % 2 == 1, None if pattern.text else NO_PATTERN)
