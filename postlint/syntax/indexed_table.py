"""Indexed tables with millions of lines: finding the few entries that matter without reading all.

A table is cut into stretches of whole logical lines. A stretch in which every logical line is one
physical line, with a plain key, is searched with patterns that run in C; any other is read entry
by entry. Both give the same answers. Memory is some 70 bytes per line beside the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.source import SourceText
from postlint.syntax.stretches import (
    STRETCH,
    contains_any,
    count_entries,
    is_regular,
    repeated,
    stretch_text,
    stretches,
)
from postlint.syntax.table import TableEntry, read_indexed, table_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postlint.syntax.source import SourceFile

_QUOTED_KEY = re.compile(r'\n[^ \t\v\f\r\n#][^ \t\v\f\r\n"\\]*+["\\]|\n["\\]')
_KEPT = re.compile(r"\n([^ \t\v\f\r\n#][^ \t\v\f\r\n]*+)[ \t\v\f\r]++[^\n]")
_LONE_KEY = re.compile(r"\n[^ \t\v\f\r\n#][^ \t\v\f\r\n]*+[ \t\v\f\r]*+(?=\n|\Z)")
_COLON_KEY = re.compile(r"\n(?!#)(?:[^ \t\v\f\r\n:]*+:)++(?=[ \t\v\f\r\n]|\Z)")


class Search(NamedTuple):
    """What to look for in a table.

    ``candidate`` starts with the LF before a key and matches at least where ``accept`` is true,
    in one physical line; ``hints``: a stretch without any of them has none (empty: no hints).
    """

    candidate: re.Pattern[str]
    accept: Callable[[TableEntry], bool]
    hints: tuple[str, ...] = ()


class Duplicate(NamedTuple):
    """An entry whose key stands above already, in whatever case; Postfix keeps the first."""

    first: TableEntry
    again: TableEntry


class _Stretch(NamedTuple):
    """Part of a table. ``plain``: searched in C; ``lone_keys``: some entries have no value."""

    start: int
    end: int
    plain: bool
    lone_keys: bool


class _Survey(NamedTuple):
    """What one pass over the keys tells. ``twice`` are the hashes that occur again."""

    stretches: list[_Stretch]
    duplicates: int
    twice: frozenset[int]


class IndexedTable:
    """A postmap(1) source. ``quoted_keys`` and ``utf8`` as in read_indexed()."""

    __slots__ = ("_quoted_keys", "_size", "_surveyed", "_utf8", "source")

    def __init__(
        self,
        source: SourceFile,
        *,
        quoted_keys: bool = True,
        utf8: bool = False,
        stretch: int = STRETCH,
    ) -> None:
        """``stretch``: the size of a stretch."""
        self.source = source
        self._quoted_keys = quoted_keys
        self._utf8 = utf8
        self._size = stretch
        self._surveyed: _Survey | None = None

    def __iter__(self) -> Iterator[TableEntry]:
        return self._entries(0, len(self.source.text))

    def odd(self) -> Iterator[TableEntry]:
        """The entries of which postmap(1) complains, in their order."""
        for stretch in self._survey().stretches:
            if not stretch.plain:
                found = self._entries(stretch.start, stretch.end)
                yield from (entry for entry in found if entry.problem or entry.remark)
                continue
            text = stretch_text(self.source, stretch.start, stretch.end)
            offsets = [match.start() for match in _LONE_KEY.finditer(text)] * stretch.lone_keys
            if contains_any(text, (": ", ":\t", ":\v", ":\f", ":\r")):
                offsets += [match.start() for match in _COLON_KEY.finditer(text)]
            for offset in sorted(set(offsets)):
                entry = self._entry_at(stretch.start + offset)
                if entry.problem or entry.remark:
                    yield entry

    def find(self, search: Search) -> Iterator[TableEntry]:
        """The entries that a search accepts, in their order."""
        for stretch in self._survey().stretches:
            if not stretch.plain:
                yield from filter(search.accept, self._entries(stretch.start, stretch.end))
                continue
            text = stretch_text(self.source, stretch.start, stretch.end)
            if not search.hints or contains_any(text, search.hints):
                for match in search.candidate.finditer(text):
                    entry = self._entry_at(stretch.start + match.start())
                    if search.accept(entry):
                        yield entry

    def duplicates(self, limit: int) -> tuple[list[Duplicate], int]:
        """Entries whose key stands above already: the first ``limit``, and how many there are."""
        survey = self._survey()
        first: dict[str, int] = {}
        found: list[Duplicate] = []
        if survey.duplicates:
            for key, offset in self._places(survey):
                above = first.setdefault(key, offset)
                if above != offset:
                    found.append(Duplicate(self._entry_at(above), self._entry_at(offset)))
                    if len(found) == limit:
                        break
        return found, survey.duplicates

    def _entries(self, start: int, end: int) -> Iterator[TableEntry]:
        return read_indexed(
            self.source, quoted_keys=self._quoted_keys, utf8=self._utf8, start=start, end=end
        )

    def _entry_at(self, offset: int) -> TableEntry:
        """The entry that begins at an offset."""
        text = self.source.text
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end
        if text[end + 1 : end + 2] in tuple(" \t\v\f\r\n#"):
            return next(self._entries(offset, len(text)))
        line = SourceText(self.source, text[offset:end], offset)
        return table_entry(line, quoted_keys=self._quoted_keys, utf8=self._utf8)

    def _survey(self) -> _Survey:
        if self._surveyed is None:
            parts: list[_Stretch] = []
            seen: set[int] = set()
            twice: set[int] = set()
            number = 0
            for start, end in stretches(self.source, self._size):
                text = stretch_text(self.source, start, end)
                plain = _is_plain(text)
                keys = self._keys(text, start, end, plain=plain)
                lone_keys = plain and len(keys) < count_entries(text)
                parts.append(_Stretch(start, end, plain, lone_keys))
                number += repeated(list(map(hash, keys)), seen, twice)
            self._surveyed = _Survey(parts, number, frozenset(twice))
        return self._surveyed

    def _keys(self, text: str, start: int, end: int, *, plain: bool) -> list[str]:
        """The keys of a stretch that postmap(1) stores, as it stores them."""
        if plain:
            return _KEPT.findall(self._fold(text))
        entries = self._entries(start, end)
        return [self._fold(entry.key.text) for entry in entries if entry.problem is None]

    def _places(self, survey: _Survey) -> Iterator[tuple[str, int]]:
        """(key, where its entry begins) of the keys that may occur again."""
        for stretch in survey.stretches:
            if not stretch.plain:
                for entry in self._entries(stretch.start, stretch.end):
                    key = self._fold(entry.key.text)
                    if entry.problem is None and hash(key) in survey.twice:
                        yield key, entry.line.source_offset(0)
                continue
            text = stretch_text(self.source, stretch.start, stretch.end)
            for key, at in self._places_in(self._fold(text), text, survey.twice):
                yield key, stretch.start + at

    def _places_in(
        self, folded: str, text: str, hashes: frozenset[int]
    ) -> Iterator[tuple[str, int]]:
        keys = _KEPT.findall(folded)
        wanted = [key for key in keys if hash(key) in hashes]
        if len(folded) != len(text) or len(wanted) > len(keys) // 16:
            for match in _KEPT.finditer(text):
                key = self._fold(match[1])
                if hash(key) in hashes:
                    yield key, match.start()
            return
        at = 0
        for key in wanted:
            at = _next_key(folded, key, at)
            yield key, at
            at += 1

    def _fold(self, text: str) -> str:
        """Keys are stored in lower case; letters beyond ASCII only where they are UTF-8."""
        if text.isascii():
            return text.lower()
        if self._utf8:
            return text.casefold()
        return text.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


def _is_plain(text: str) -> bool:
    """Whether every logical line of a stretch is one physical line with a plain key."""
    if not is_regular(text):
        return False
    return not (('"' in text or "\\" in text) and _QUOTED_KEY.search(text))


def _next_key(text: str, key: str, start: int) -> int:
    """Where the next entry with a key and a value begins, with its LF."""
    at = text.find(f"\n{key}", start)
    while at >= 0:
        match = _KEPT.match(text, at)
        if match is not None and match.end(1) == at + 1 + len(key):
            break
        at = text.find(f"\n{key}", at + 1)
    return at
