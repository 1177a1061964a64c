"""Lookup tables of an instance, opened when they are first looked at."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from postlint.config.effective import UNKNOWN
from postlint.config.limits import NESTING_LIMIT
from postlint.config.tables import INDEXED_TYPES
from postlint.postfix import tables as table_types
from postlint.records import NamedTuple
from postlint.syntax.source import Location, SourceFile, SourceText
from postlint.syntax.stretches import contains_any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.table_uses import Purpose, Word
    from postlint.syntax.alias_table import AliasTable
    from postlint.syntax.cidr_survey import CidrTable
    from postlint.syntax.cidr_table import CidrRule
    from postlint.syntax.client_file import ClientFile
    from postlint.syntax.indexed_table import IndexedTable
    from postlint.syntax.pattern import Dialect
    from postlint.syntax.pattern_table import PatternTable
    from postlint.syntax.table import TableEntry

CLIENT_TYPES = frozenset({"ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite"})

_TEMPLATE_MARKS = ("{%", "{{ ", "{#", "<%")

KEPT_PATTERNS = 1 << 14
"""Characters of a table of regular expressions whose rules are kept, taken apart."""

LONGEST_TEXT = 1 << 16
"""Characters of a table in main.cf whose places are worked out one by one."""


class TableUse(NamedTuple):
    """One place that names a table. ``service``: that of an override; None: main.cf.

    ``proxied``: what the proxymap service is asked for, with the type; "" without ``proxy:``.
    ``piped``: the keys are the results of another table.
    """

    word: Word
    service: Service | None
    proxied: str = ""
    piped: bool = False

    @property
    def parameter(self) -> str:
        return self.word.value.name

    @property
    def purpose(self) -> Purpose:
        return "other" if self.piped else self.word.purpose

    @property
    def restriction(self) -> str:
        """The check_…_access that the table is for, or nothing."""
        return self.word.restriction

    @property
    def location(self) -> Location | None:
        """The word, else the value or setting that it is in; None for a default."""
        return self.word.location or self.word.value.value_location

    @property
    def service_label(self) -> str | None:
        return None if self.service is None else self.service.label


class Table:
    """A table, by whatever parameters it is named.

    ``text`` is what stands in braces behind the type, for a table in main.cf itself.
    """

    def __init__(self, instance: Instance, kind: str, name: str, text: SourceText | None) -> None:
        self.instance = instance
        self.type = kind
        self.name = name
        self.text = text
        self.uses: list[TableUse] = []

    def __repr__(self) -> str:
        return f"<Table {self.type}:{self.name}>"

    @property
    def label(self) -> str:
        """``type:name`` as people write it, cut where it is long."""
        text = f"{self.type}:{self.name}"
        return text if len(text) <= 60 else f"{text[:57]}..."

    @property
    def facts(self) -> table_types.TableType | None:
        """What is known of the type; None for one that no version has."""
        return table_types.get(self.type)

    @cached_property
    def purposes(self) -> frozenset[Purpose]:
        """What it is used for."""
        return frozenset(use.purpose for use in self.uses)

    @property
    def is_alias_file(self) -> bool:
        """Whether postalias(1) compiles it."""
        return self.type in INDEXED_TYPES - {"texthash"} and "aliases" in self.purposes

    @property
    def in_place(self) -> bool:
        """Whether its contents stand in main.cf or master.cf."""
        return self.text is not None

    @cached_property
    def path(self) -> Path | None:
        """Where its file lies here; None when it has none or it may not be looked at."""
        return self.instance.files.locate(self.name) if self._in_file else None

    @property
    def _in_file(self) -> bool:
        facts = self.facts
        return self.text is None and facts is not None and facts.file_based

    @cached_property
    def source(self) -> SourceFile | None:
        """The file that people edit; None when it can not be read, or there is none."""
        if not self._in_file:
            return None
        source = self.instance.files.read(self.name)
        if source is not None and "passwords" in self.purposes:
            source.secret = self.type not in CLIENT_TYPES
        return source

    @property
    def loaded(self) -> SourceFile | None:
        """The source, if it has been asked for."""
        found: SourceFile | None = self.__dict__.get("source")
        return found

    @property
    def readable(self) -> bool:
        """Whether its contents can be seen: those of a template are not yet there."""
        if self.text is not None:
            return True
        return self.source is not None and not self._is_template

    @cached_property
    def _is_template(self) -> bool:
        if self.source is None:
            return False
        text = self.source.text
        if self.dialect is not None:  # marks may be what a pattern looks for
            return text.startswith(("{%", "{{")) or "\n{%" in text or "\n{{" in text
        return contains_any(text, _TEMPLATE_MARKS)

    @cached_property
    def indexed(self) -> IndexedTable | None:
        """The contents of a table of keys and values in a file; not those of alias files."""
        if self.type not in INDEXED_TYPES or self.is_alias_file or self.source is None:
            return None
        from postlint.syntax.indexed_table import IndexedTable

        quoted = self.instance.version >= (3, 2)
        return IndexedTable(self.source, quoted_keys=quoted, utf8=self._utf8)

    @cached_property
    def cidr(self) -> CidrTable | None:
        """The contents of a CIDR table in a file."""
        if self.type != "cidr" or self.source is None:
            return None
        from postlint.syntax.cidr_survey import CidrTable

        return CidrTable(self.source)

    @cached_property
    def patterns(self) -> PatternTable | None:
        """The contents of a table of regular expressions, in a file or in braces."""
        if self.dialect is None:
            return None
        if self.source is not None and len(self.source.text) > KEPT_PATTERNS:
            from postlint.syntax.pattern_survey import SurveyedPatterns

            return SurveyedPatterns(self.dialect, self.source)
        from postlint.syntax.pattern_table import KeptPatterns
        from postlint.syntax.regexp_table import read_patterns

        return KeptPatterns(read_patterns(self.lines(), self.dialect))

    @cached_property
    def client(self) -> ClientFile | None:
        """The settings of a database client in a file."""
        if self.type not in CLIENT_TYPES or self.source is None:
            return None
        from postlint.syntax.client_file import ClientFile

        return ClientFile(self.source)

    @property
    def dialect(self) -> Dialect | None:
        """Of a table of regular expressions."""
        return self.type if self.type in ("pcre", "regexp") else None  # type: ignore[return-value]

    def lines(self) -> Iterator[SourceText]:
        """The logical lines of a file, or the rules in braces."""
        if self.text is not None:
            from postlint.syntax.inline_table import rules

            yield from rules(self.text).items
        elif self.source is not None:
            from postlint.syntax.table import logical_lines

            yield from logical_lines(self.source)

    def networks(self) -> Iterator[CidrRule]:
        """The rules of a CIDR table."""
        if self.type != "cidr":
            return iter(())
        from postlint.syntax.cidr_table import read_cidr

        return read_cidr(self.lines())

    @cached_property
    def aliases(self) -> AliasTable | None:
        """The contents of an alias file."""
        if not self.is_alias_file or self.source is None:
            return None
        from postlint.syntax.alias_table import AliasTable

        return AliasTable(self.source, utf8=self._utf8)

    def entries(self) -> Iterator[TableEntry]:
        """The entries of a table of keys and values, in a file or in braces."""
        if self.indexed is not None:
            yield from self.indexed
        elif self.type == "inline" and self.text is not None:
            from postlint.syntax.inline_table import entries

            yield from entries(self.text)[0]

    def locate(self, text: SourceText) -> Location | None:
        """Where a part of the contents stands: in its file, or in the setting that names it."""
        if text.source.path:
            return text.location
        return self.uses[0].location

    @property
    def _utf8(self) -> bool:
        if self.instance.version < (3, 0):
            return False
        return self.instance.main["smtputf8_enable"].yes is True


def mark_secrets(instance: Instance) -> None:
    """Let the sources of password tables that have been read know what they are."""
    for table in instance.tables:
        if "passwords" in table.purposes and table.path is not None:
            source = instance.files.opened(table.name)
            if source is not None:
                source.secret = table.type not in CLIENT_TYPES


def tables_of(instance: Instance) -> tuple[Table, ...]:
    """The tables that the settings of an instance name, each once, in the order of their names."""
    from postlint.config.table_uses import words_of

    found: dict[tuple[object, ...], Table] = {}
    for word, service in words_of(instance):
        if UNKNOWN in word.text:
            continue
        for use, kind, start, end in _unwrap(word, service):
            name = word.value.text[start:end]
            text = None
            key: tuple[object, ...] = (kind, name)
            if _is_in_place(kind, name):
                text = _text_of(word, start, end)
                location = use.location
                if location is not None:  # equal texts in two places are two tables
                    key = (kind, name, location.path, location.span)
            table = found.get(key)
            if table is None:
                table = found[key] = Table(instance, kind, name, text)
            table.uses.append(use)
    return tuple(found.values())


def _is_in_place(kind: str, name: str) -> bool:
    return kind in ("inline", "static", "randmap") or name.startswith("{")


def _unwrap(word: Word, service: Service | None) -> Iterator[tuple[TableUse, str, int, int]]:
    """(use, type, where the name begins and ends) of a word, and of the tables in its braces."""
    from postlint.syntax.lists import split_list

    waiting: list[tuple[int, int, str, bool, int]] = [(word.start, word.end, "", False, 0)]
    text = word.value.text
    while waiting:
        start, end, proxied, piped, depth = waiting.pop()
        if depth > NESTING_LIMIT:
            continue
        depth += 1
        if text[start:end].startswith("{") and text[start:end].endswith("}"):
            # check_ccert_access { type:name, { search_order = … } }
            inside = next(split_list(text[start + 1 : end - 1]), None)
            if inside is not None:
                waiting.append(
                    (start + 1 + inside[0], start + 1 + inside[1], proxied, piped, depth)
                )
            continue
        kind, colon, name = text[start:end].partition(":")
        if not colon or not kind or not name:
            continue
        start += len(kind) + 1
        if kind == "debug":
            waiting.append((start, end, proxied, piped, depth))
        elif kind == "proxy":
            while name.startswith("proxy:"):
                name = name.removeprefix("proxy:")
            waiting.append((start, end, proxied or name, piped, depth))
        elif kind in ("unionmap", "pipemap") and name.startswith("{") and name.endswith("}"):
            members = list(split_list(name[1:-1]))
            for number, (first, last) in reversed(list(enumerate(members))):
                later = piped or (kind == "pipemap" and number > 0)
                waiting.append((start + 1 + first, start + 1 + last, proxied, later, depth))
        else:
            yield TableUse(word, service, proxied, piped), kind, start, end


def _text_of(word: Word, start: int, end: int) -> SourceText:
    """A part of a value with its places; of no file when it is not written in one.

    ``$$`` stands for one character, whose place is the first of them.
    """
    text = word.value.text[start:end]
    whole = word.value.locate(start, end)
    if whole is not None and whole.source.text[whole.span.start : whole.span.end] == text:
        return SourceText(whole.source, text, whole.span.start)
    if len(text) > LONGEST_TEXT:
        return _nowhere(text)
    source: SourceFile | None = None
    places: list[tuple[int, int]] = []
    following = 0
    for index, character in enumerate(text):
        location = word.value.locate(start + index, start + index + 1)
        if location is None:
            if source is None or character != "$":
                return _nowhere(text)
            places.append((index, following))
            following += 2
            continue
        if location.source is not (source or location.source) or location.span.start < following:
            return _nowhere(text)
        if source is None or location.span.start != following or text[index - 1] == "$":
            places.append((index, location.span.start))
        source = location.source
        following = location.span.end
    return SourceText(source, text, tuple(places)) if source is not None else _nowhere(text)


def _nowhere(text: str) -> SourceText:
    return SourceText(SourceFile("", text), text, 0)
