"""Alias files with millions of lines: the few entries that matter, found without reading all.

As with indexed tables, stretches of one-line entries are searched with patterns that run in C.
Most entries are plain: a local name and addresses. What is not, is read token by token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.aliases import Alias, alias_entry, read_aliases
from postlint.syntax.source import SourceText
from postlint.syntax.stretches import STRETCH, is_regular, repeated, stretch_text, stretches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.source import SourceFile

_NAME = r"[A-Za-z0-9_.+=-]++"
_VALUE = r"[ \t]*+[A-Za-z0-9_.@+=-][A-Za-z0-9_.@+=, \t-]*+\r?+(?=\n|\Z)"
_PLAIN = re.compile(rf"\n({_NAME}):{_VALUE}")
_UNUSUAL = re.compile(rf"\n(?![ \t\v\f\r\n#]|{_NAME}:{_VALUE})[^\n]++")


class AliasDuplicate(NamedTuple):
    """An entry whose name stands above already, in whatever case; Postfix keeps the first."""

    first: Alias
    again: Alias


class _Stretch(NamedTuple):
    """Part of a file. ``unusual``: where entries begin that are not plain; None: look at all."""

    start: int
    end: int
    unusual: tuple[int, ...] | None


class AliasTable:
    """A postalias(1) source. ``utf8`` as in read_aliases()."""

    __slots__ = ("_size", "_stretches", "_utf8", "source")

    def __init__(self, source: SourceFile, *, utf8: bool = False, stretch: int = STRETCH) -> None:
        """``stretch``: the size of a stretch."""
        self.source = source
        self._utf8 = utf8
        self._size = stretch
        self._stretches: list[_Stretch] | None = None

    def __iter__(self) -> Iterator[Alias]:
        return read_aliases(self.source, utf8=self._utf8)

    def unusual(self) -> Iterator[Alias]:
        """At least the entries that are more than a local name and addresses, in their order."""
        for stretch in self._parts():
            yield from self._unusual_in(stretch)

    def names(self) -> Iterator[str]:
        """The names that have an alias, in small letters; some more than once."""
        for stretch in self._parts():
            yield from self._names_in(stretch)

    def duplicates(self, limit: int) -> tuple[list[AliasDuplicate], int]:
        """Entries whose name stands above already: the first ``limit``, and how many there are."""
        seen: set[int] = set()
        twice: set[int] = set()
        number = 0
        for stretch in self._parts():
            number += repeated(list(map(hash, self._names_in(stretch))), seen, twice)
        found: list[AliasDuplicate] = []
        first: dict[str, Alias] = {}
        if number:
            for alias in self._with_names(twice):
                above = first.setdefault(alias.key.lower(), alias)
                if above is not alias:
                    found.append(AliasDuplicate(above, alias))
                    if len(found) == limit:
                        break
        return found, number

    def _parts(self) -> list[_Stretch]:
        if self._stretches is None:
            self._stretches = []
            for start, end in stretches(self.source, self._size):
                text = stretch_text(self.source, start, end)
                unusual = None
                if is_regular(text):
                    unusual = tuple(start + match.start() for match in _UNUSUAL.finditer(text))
                self._stretches.append(_Stretch(start, end, unusual))
        return self._stretches

    def _unusual_in(self, stretch: _Stretch) -> Iterator[Alias]:
        if stretch.unusual is None:
            yield from read_aliases(
                self.source, utf8=self._utf8, start=stretch.start, end=stretch.end
            )
            return
        for offset in stretch.unusual:
            alias = self._entry_at(offset)
            if alias is not None:
                yield alias

    def _entry_at(self, offset: int) -> Alias | None:
        """The entry of one physical line."""
        text = self.source.text
        end = text.find("\n", offset)
        line = text[offset : None if end < 0 else end]
        return alias_entry(SourceText(self.source, line, offset), utf8=self._utf8)

    def _names_in(self, stretch: _Stretch) -> list[str]:
        names = [alias.key.lower() for alias in self._unusual_in(stretch) if alias.problem is None]
        if stretch.unusual is not None:
            text = stretch_text(self.source, stretch.start, stretch.end)
            names += _PLAIN.findall(text.lower())
        return names

    def _with_names(self, hashes: set[int]) -> Iterator[Alias]:
        """The entries whose names may occur again, in their order."""
        for stretch in self._parts():
            offsets: list[int] = []
            if stretch.unusual is not None:
                text = stretch_text(self.source, stretch.start, stretch.end)
                offsets = [
                    stretch.start + match.start()
                    for match in _PLAIN.finditer(text)
                    if hash(match[1].lower()) in hashes
                ]
                offsets = sorted((*offsets, *stretch.unusual))
                aliases: Iterable[Alias] = filter(None, map(self._entry_at, offsets))
            else:
                aliases = self._unusual_in(stretch)
            yield from (
                alias
                for alias in aliases
                if alias.problem is None and hash(alias.key.lower()) in hashes
            )
