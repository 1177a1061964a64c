"""Source files, spans in them, and logical text that remembers where it came from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ENCODING = "utf-8"
"""Postfix treats configuration files as bytes; undecodable ones survive as lone surrogates."""


SHORT = 1 << 14
"""Characters of a text whose lines are counted each time: an index of them would cost more."""


class Span(NamedTuple):
    """A half-open range of a file, in Unicode code points from its beginning."""

    start: int
    end: int


class Position(NamedTuple):
    """A place in a file; line and column count from 1, columns in Unicode code points."""

    line: int
    column: int


class SourceFile:
    """The text of one file and the index of its lines.

    ``path`` is the name that reports print. Lines end at LF only, as in Postfix.
    """

    __slots__ = ("_line_starts", "path", "secret", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.secret = False
        """Whether the results in it, as those of a lookup table, are secrets."""
        self._line_starts: list[int] | None = None

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> SourceFile:
        """Decode without loss: ``to_bytes`` gives ``data`` back whatever it was."""
        return cls(path, data.decode(ENCODING, "surrogateescape"))

    def renamed(self, path: str) -> SourceFile:
        """The same text as another file's; what is known of its lines is shared."""
        other = SourceFile(path, self.text)
        other.secret = self.secret
        other._line_starts = self._line_starts
        return other

    def to_bytes(self) -> bytes:
        return self.text.encode(ENCODING, "surrogateescape")

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._line_starts = starts
        return self._line_starts

    def position(self, offset: int) -> Position:
        """Line and column of the code point at ``offset`` (the end of the text is allowed)."""
        text = self.text
        if len(text) <= SHORT:
            before = text.rfind("\n", 0, offset)
            return Position(text.count("\n", 0, offset) + 1, offset - before)
        starts = self._starts()
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a line and column; raises IndexError for a line that does not exist."""
        return self._start(line) + column - 1

    def line_count(self) -> int:
        """Number of lines; a last line without LF counts, the nothing after a last LF does not."""
        return self.text.count("\n") + (self.text[-1:] not in ("", "\n"))

    def line(self, number: int) -> str:
        """The text of a line without its LF."""
        start = self._start(number)
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def _start(self, line: int) -> int:
        if len(self.text) > SHORT:
            return self._starts()[line - 1]
        start = 0
        for _ in range(line - 1):
            start = self.text.find("\n", start) + 1
            if start == 0:
                raise IndexError(line)
        return start


class Location:
    """A span of a file."""

    __slots__ = ("source", "span")

    def __init__(self, source: SourceFile, span: Span) -> None:
        self.source = source
        self.span = span

    @property
    def path(self) -> str:
        """The file as reports name it."""
        return self.source.path

    @property
    def start(self) -> Position:
        return self.source.position(self.span.start)

    @property
    def end(self) -> Position:
        """Exclusive."""
        return self.source.position(self.span.end)


class SourceText:
    """Logical text (physical lines joined, comments between them gone) over its source.

    Every character knows its offset in the file. Slicing gives a SourceText again.
    """

    __slots__ = ("_place", "source", "text")

    def __init__(
        self, source: SourceFile, text: str, place: int | tuple[tuple[int, int], ...]
    ) -> None:
        """``place``: the file offset of text that stands in one piece; else the pieces.

        Those are (offset in ``text``, offset in the file), ascending, the first at 0.
        """
        self.source = source
        self.text = text
        self._place = place

    @classmethod
    def join(cls, source: SourceFile, chunks: Iterable[tuple[int, str]]) -> SourceText:
        """Join chunks of (file offset, text); at least one chunk is needed."""
        pieces: list[tuple[int, int]] = []
        texts: list[str] = []
        length = 0
        for offset, text in chunks:
            pieces.append((length, offset))
            texts.append(text)
            length += len(text)
        if len(pieces) == 1:
            return cls(source, texts[0], pieces[0][1])
        return cls(source, "".join(texts), tuple(pieces))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"SourceText({self.text!r} at {self.span})"

    def __len__(self) -> int:
        return len(self.text)

    def source_offset(self, index: int) -> int:
        """File offset of character ``index``; the end of the text is just past its last one."""
        place = self._place
        if isinstance(place, int):
            return place + index
        if index == len(self.text) and index:
            return self.source_offset(index - 1) + 1
        text_offset, source_offset = place[bisect_right(place, (index, len(self.source.text))) - 1]
        return source_offset + index - text_offset

    @property
    def span(self) -> Span:
        """The range of the file from the first to the last character."""
        place = self._place
        if isinstance(place, int):
            return Span(place, place + len(self.text))
        return Span(self.source_offset(0), self.source_offset(len(self.text)))

    @property
    def location(self) -> Location:
        """Where it stands."""
        return Location(self.source, self.span)

    def sub_span(self, start: int, end: int) -> Span:
        """The range of the file that ``text[start:end]`` covers."""
        place = self._place
        if isinstance(place, int):
            return Span(place + start, place + end)
        first = self.source_offset(start)
        return Span(first, self.source_offset(end - 1) + 1 if end > start else first)

    def cut(self, start: int, end: int) -> SourceText:
        """``text[start:end]`` with its positions."""
        if start == 0 and end == len(self.text):
            return self
        text = self.text[start:end]
        place = self._place
        if isinstance(place, int):
            return SourceText(self.source, text, place + start)
        first = bisect_right(place, (start, len(self.source.text)))
        last = bisect_left(place, (end, 0), first)
        begin = self.source_offset(start)
        if first == last:
            return SourceText(self.source, text, begin)
        inside = [(at - start, offset) for at, offset in place[first:last]]
        return SourceText(self.source, text, ((0, begin), *inside))

    def strip(self, characters: str) -> SourceText:
        """Without leading and trailing ``characters``."""
        stripped = self.text.strip(characters)
        if len(stripped) == len(self.text):
            return self
        start = len(self.text) - len(self.text.lstrip(characters)) if stripped else 0
        return self.cut(start, start + len(stripped))
