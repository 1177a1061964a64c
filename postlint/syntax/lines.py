"""What main.cf and master.cf have in common: logical lines, the comments between and in them.

A file is cut into logical lines as readlline(3) does it. Each is read for itself: one that is
as lines mostly are by a pattern, any other by the parser of the grammar. Both find the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from postlint.syntax.source import SourceFile, Span

    ReadEntry: TypeAlias = Callable[[SourceFile, int, int], "Entry"]
    """Reads the logical line between two offsets."""

WHITE_SPACE = " \t\n\v\f\r"
"""C isspace() in ASCII: what Postfix skips around names and values."""

DROPPED_TOKENS = frozenset({"INNER_TRIVIA", "JOIN", "GROUP_JOIN"})
"""Tokens between the physical lines of one logical line; they add nothing to its text."""

_SKIPPED = r"[ \t\v\f\r]*+(?:#[^\n]*+)?"
# Comments and blank lines; or a logical line: a physical one, and those that continue it.
_ITEM = re.compile(
    rf"((?:{_SKIPPED}\n|[ \t\v\f\r]*+#[^\n]*+\Z|[ \t\v\f\r]++\Z)++)"
    rf"|[^\n]++(?:\n(?:{_SKIPPED}\n)*+[ \t\v\f\r]++[^ \t\v\f\r\n#][^\n]*+)*+\n?"
)
_BLANK_OR_COMMENT = re.compile(r"[ \t\v\f\r]*+(?:#|\Z)")


class Comment(NamedTuple):
    """One comment line; ``offset`` is that of its ``#`` and ``text`` runs to the line's end."""

    offset: int
    text: str


class Item:
    """A stretch of a file, from ``start`` up to ``end``."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: SourceFile, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def written(self) -> str:
        """Its text in the file, all of it."""
        return self.source.text[self.start : self.end]

    def comments(self) -> Iterator[Comment]:
        """The comments in it."""
        text = self.written
        if "#" not in text:
            return
        offset = self.start
        for line in text.split("\n"):
            comment = line.lstrip(WHITE_SPACE)
            if comment.startswith("#"):
                yield Comment(offset + len(line) - len(comment), comment.rstrip(WHITE_SPACE))
            offset += len(line) + 1


class Trivia(Item):
    """Comment lines and blank lines between entries."""

    __slots__ = ()


class Entry(Item):
    """One logical line."""

    __slots__ = ()

    @property
    def line(self) -> SourceText:
        """Its text as Postfix joins it: line ends and inner comments gone, cut at a NUL byte."""
        return join_line(self.source, self.start, self.end)

    def physical_lines(self) -> list[tuple[int, str]]:
        """The lines of the file that are its text, not comments: offset, text without the LF."""
        return _physical_lines(self.written, self.start)

    @property
    def span(self) -> Span:
        """From the first to the last character that is not white space."""
        return self.line.strip(WHITE_SPACE).span


class LeadingWhitespace(Entry):
    """A logical line that starts with white space: Postfix warns and skips it (readlline.c)."""

    __slots__ = ()


class Tree:
    """A parsed file. Its items, one after the other, are the whole of it."""

    __slots__ = ("items", "source")

    def __init__(self, source: SourceFile, items: tuple[Trivia | Entry, ...]) -> None:
        self.source = source
        self.items = items

    @property
    def entries(self) -> Iterator[Entry]:
        return (item for item in self.items if isinstance(item, Entry))

    def text(self) -> str:
        """The file again, from the items."""
        return "".join(item.written for item in self.items)

    def comments(self) -> Iterator[tuple[Comment, Entry | None]]:
        """Every comment with the entry that it stands in or before (none after the last one)."""
        waiting: list[Comment] = []
        for item in self.items:
            if isinstance(item, Trivia):
                waiting += item.comments()
                continue
            for comment in waiting:
                yield comment, item
            waiting.clear()
            for comment in item.comments():
                yield comment, item
        for comment in waiting:
            yield comment, None


def read_items(source: SourceFile, read_entry: ReadEntry) -> tuple[Trivia | Entry, ...]:
    """Cut a file into its items; nothing is refused."""
    items: list[Trivia | Entry] = []
    text = source.text
    for match in _ITEM.finditer(text):
        start, end = match.span()
        if match.lastindex:
            items.append(Trivia(source, start, end))
        elif text[start] in WHITE_SPACE:  # before the first entry only
            items.append(LeadingWhitespace(source, start, end))
        else:
            items.append(read_entry(source, start, end))
    return tuple(items)


def join_line(source: SourceFile, start: int, end: int) -> SourceText:
    """The logical text of a stretch that is one logical line.

    Postfix handles the joined line as a C string, so that text after NUL is lost.
    """
    text = source.text
    newline = text.find("\n", start, end)
    if newline < 0 or newline == end - 1:
        line = SourceText(source, text[start : end if newline < 0 else newline], start)
    else:
        line = SourceText.join(source, _physical_lines(text[start:end], start))
    null = line.text.find("\0")
    return line if null < 0 else line.cut(0, null)


def _physical_lines(text: str, offset: int) -> list[tuple[int, str]]:
    found = []
    for line in text.split("\n"):
        if not _BLANK_OR_COMMENT.match(line):
            found.append((offset, line))
        offset += len(line) + 1
    return found
