"""Lookups in tables whose contents can be seen: access tables, and lists of domains and hosts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from postlint.config.derived import once
from postlint.config.tables import INDEXED_TYPES
from postlint.postfix import tables
from postlint.records import NamedTuple
from postlint.syntax.source import Location, SourceFile, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.access_keys import Key
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table
    from postlint.syntax.cidr_table import CidrRule, Network
    from postlint.syntax.late_matcher import LateMatcher
    from postlint.syntax.pattern import Dialect
    from postlint.syntax.regexp_table import PatternRule
    from postlint.syntax.source import Span
    from postlint.syntax.table import TableEntry

    _Place = tuple[SourceFile, Span]

ENTRY_LIMIT = 20_000
"""Entries that are kept of one table; what a longer one says is not known."""

IN_BRACES_SINCE = (3, 7)
"""The first version with ``cidr:{ … }``, ``pcre:{ … }`` and ``regexp:{ … }``."""

_COMPILED = (".db", ".lmdb", ".cdb", ".dir", ".pag")
"""What postmap(1) makes of the source of a table."""

_PATTERN_TYPES = ("cidr", "pcre", "regexp")


class Found(NamedTuple):
    """The answer of a table. ``unknown``: it can not be read; ``error``: why the lookup fails.

    ``filled_in``: the value still has ``$1``, for which a part of the key will stand.
    """

    value: str | None = None
    key: str = ""
    location: Location | None = None
    unknown: bool = False
    error: str = ""
    filled_in: bool = False


class KeyTest(NamedTuple):
    """What a key must be: inside a network, or matched by a pattern."""

    negated: bool
    network: Network | None
    matcher: LateMatcher | None

    def holds(self, key: str, address: Network | None) -> bool | None:
        """Whether it is; ``address`` is the key as one."""
        if self.network is not None:
            inside = address is not None and self.network.covers(address)
            return address is not None and inside != self.negated
        found = None if self.matcher is None else self.matcher.search(key)
        return None if found is None else found != self.negated


class Entry(NamedTuple):
    """What a table holds, in its order. ``tests`` are those of patterns and networks.

    ``key`` is the key, the pattern without its delimiters, or the network.
    """

    key: str
    value: str
    location: Location | None
    tests: tuple[KeyTest, ...] = ()
    filled_in: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether its key is a regular expression."""
        return any(test.network is None for test in self.tests)

    @property
    def negated(self) -> bool:
        """Whether it answers where its own test fails."""
        return any(test.negated for test in self.tests[-1:])

    def matches(self, key: str, address: Network | None = None) -> bool | None:
        """Whether all tests hold for a key; None where that can not be told."""
        doubtful = False
        for test in self.tests:
            holds = test.holds(key, address)
            if holds is False:
                return False
            doubtful = doubtful or holds is None
        return None if doubtful else True


def key_entry(entry: TableEntry) -> Entry:
    """The entry of a table of keys and values."""
    return Entry(entry.key.text, entry.value.text, entry.line.location)


def network_entry(
    rule: CidrRule, location: Location | None = None, tests: tuple[KeyTest, ...] = ()
) -> Entry:
    """The entry that a rule of a CIDR table is; ``location``: where it has none of its own."""
    return Entry(str(rule.network), rule.value.text, location or rule.line.location, tests)


def pattern_entry(
    rule: PatternRule, location: Location | None = None, tests: tuple[KeyTest, ...] = ()
) -> Entry:
    """The same of a table of regular expressions."""
    key = "" if rule.first is None else rule.first.text.text
    value = rule.value.text.replace("$$", "$")
    return Entry(key, value, location or rule.line.location, tests, bool(rule.references))


class AccessTable:
    """A table of which everything is known. ``partial``: it is asked for parts of addresses."""

    __slots__ = ("_answers", "_entries", "_index", "kind", "partial")

    def __init__(self, kind: str, entries: Iterable[Entry]) -> None:
        """``entries`` of a table of patterns are read when somebody asks for them."""
        self.kind = kind
        self.partial = kind not in _PATTERN_TYPES
        self._entries = tuple(entries) if self.partial else entries
        self._index: dict[str, Entry] = {}
        self._answers: dict[str, Found] = {}
        for entry in self.entries if self.partial else ():
            if kind == "inline":  # the last of several counts
                self._index[entry.key.lower()] = entry
            else:
                self._index.setdefault(entry.key.lower(), entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything that it holds."""
        if not isinstance(self._entries, tuple):
            self._entries = tuple(self._entries)
        return self._entries

    def look_up(self, keys: Iterable[Key]) -> Found:
        """The first answer to any of the keys, in their order."""
        for key, part in keys:
            if part and not self.partial:
                continue
            found = self.find(key)
            if found.value is not None or found.unknown or found.error:
                return found
        return Found()

    def find(self, key: str) -> Found:
        """The answer to one key."""
        if not key:
            return Found()
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._find(key)
        return found

    def _find(self, key: str) -> Found:
        if self.kind == "static":
            return _answer(self.entries[0], key) if self.entries else Found()
        if self.partial:
            entry = self._index.get(key.lower())
            return Found() if entry is None else _answer(entry, key)
        address = _address(key) if self.kind == "cidr" else None
        for entry in self.entries:
            matches = entry.matches(key, address)
            if matches is None:
                return Found(key=key, location=entry.location, unknown=True)
            if matches:
                return _answer(entry, key)
        return Found()


def _answer(entry: Entry, key: str) -> Found:
    if not entry.value:
        return Found(key=key, location=entry.location, error="its value is empty")
    return Found(entry.value, key, entry.location, filled_in=entry.filled_in)


class UnreadableTable(AccessTable):
    """A table whose contents nobody can tell, or one that always fails."""

    __slots__ = ("_answer",)

    def __init__(self, error: str = "") -> None:
        super().__init__("", ())
        self._answer = Found(unknown=not error, error=error)

    def look_up(self, keys: Iterable[Key]) -> Found:
        """The same for every key."""
        del keys
        return self._answer

    def find(self, key: str) -> Found:
        """The same for every key."""
        del key
        return self._answer


UNREADABLE = UnreadableTable()


def access_table(instance: Instance, element: Element) -> AccessTable:
    """The table that a word of a restriction list or a match list of an instance names."""
    if not element.known:
        return UNREADABLE
    kind, name = _kind_and_name(element.text)
    if kind in ("static", "inline", "fail"):
        return _in_place(instance, kind, name, _place(element))
    if tables.get(kind, instance.version) is None or not name:
        return UnreadableTable(f'"{kind}" is no table type')
    if kind in _PATTERN_TYPES and name.startswith("{"):
        if instance.version < IN_BRACES_SINCE:
            return UNREADABLE
        return _rules_in_place(instance, kind, name, _place(element))
    return table_of(instance, kind, name)


def table_in_file(instance: Instance, element: Element) -> Table | None:
    """The same, if it is one of a file whose entries can be seen, however many they are."""
    kind, name = _kind_and_name(element.text)
    if not element.known or name.startswith("{") or kind not in (*INDEXED_TYPES, *_PATTERN_TYPES):
        return None
    table = _file(instance, kind, name)
    return table if table.readable else None


def _kind_and_name(text: str) -> tuple[str, str]:
    while text.startswith(("proxy:", "debug:")):
        text = text[len("proxy:") :]
    kind, _, name = text.partition(":")
    return kind, name


@once
def _file(instance: Instance, kind: str, name: str) -> Table:
    from postlint.config.lookup_table import Table

    named = instance.tables_named(kind, name)
    table = next((table for table in named if not table.in_place), None)
    return table or Table(instance, kind, name, None)


@once
def table_of(instance: Instance, kind: str, name: str) -> AccessTable:
    """A table of a file, read once."""
    table = _file(instance, kind, name)
    if not table.readable:
        return UNREADABLE if _may_exist(table) else UnreadableTable("it can not be opened")
    if kind in INDEXED_TYPES:
        some = list(islice(table.entries(), ENTRY_LIMIT + 1))
        if len(some) > ENTRY_LIMIT:
            return UNREADABLE
        return AccessTable(kind, (key_entry(entry) for entry in some if entry.problem is None))
    if kind == "cidr":
        return _networks(table.networks(), None)
    rules = table.patterns
    if rules is None or table.dialect is None or rules.has_more_than(ENTRY_LIMIT):
        return UNREADABLE
    return AccessTable(kind, _of_patterns(rules, table.dialect, None))


def _may_exist(table: Table) -> bool:
    """Whether a table may be there, though it can not be read: all files of the host are here."""
    files, facts = table.instance.files, table.facts
    if facts is None or not facts.file_based:
        return True
    return not all(files.is_missing(f"{table.name}{suffix}") for suffix in ("", *_COMPILED))


def _place(element: Element) -> _Place | None:
    location = element.location
    return None if location is None else (location.source, location.span)


@once
def _in_place(instance: Instance, kind: str, name: str, place: _Place | None) -> AccessTable:
    """A table of keys and values in a setting; what it says is at the place of the setting."""
    from postlint.syntax.inline_table import entries, static_value

    del instance  # whose answer it is
    location = None if place is None else Location(*place)
    if kind == "fail":
        return UnreadableTable("a fail: table always fails")
    text = _written(name)
    if kind == "static":
        value, problem = static_value(text)
        if problem is not None:
            return UnreadableTable("static: has unbalanced braces")
        return AccessTable("static", (Entry("", value.text, location),))
    found, problem = entries(text)
    if problem is not None:
        return UnreadableTable(f"inline: {problem}")
    return AccessTable(
        "inline", [Entry(entry.key.text, entry.value.text, location) for entry in found]
    )


@once
def _rules_in_place(instance: Instance, kind: str, name: str, place: _Place | None) -> AccessTable:
    from postlint.syntax.cidr_table import read_cidr
    from postlint.syntax.inline_table import rules
    from postlint.syntax.regexp_table import read_patterns

    del instance
    location = None if place is None else Location(*place)
    inside = rules(_written(name))
    if inside.problem is not None:
        return UnreadableTable(f"{kind}: {inside.problem}")
    if kind == "cidr":
        return _networks(read_cidr(inside.items), location)
    dialect: Dialect = "pcre" if kind == "pcre" else "regexp"
    return pattern_table(read_patterns(inside.items, dialect), dialect, location)


def _written(text: str) -> SourceText:
    return SourceText(SourceFile("", text), text, 0)


def _networks(rules: Iterable[CidrRule], location: Location | None) -> AccessTable:
    """The rules of a table of networks. ``location``: of all of them; None: each has its own."""
    some = list(islice(rules, ENTRY_LIMIT + 1))
    return (
        UNREADABLE if len(some) > ENTRY_LIMIT else AccessTable("cidr", _of_networks(some, location))
    )


def _of_networks(rules: Iterable[CidrRule], location: Location | None) -> Iterator[Entry]:
    conditions: list[tuple[KeyTest, ...]] = []
    for rule in rules:
        if rule.problem is None:
            tests = (KeyTest(rule.negated, rule.network, None),)
            yield from _within(conditions, rule.kind, network_entry(rule, location, tests))


def pattern_table(
    rules: Iterable[PatternRule], dialect: Dialect, location: Location | None
) -> AccessTable:
    """A table of regular expressions; ``location`` as for networks."""
    some = list(islice(rules, ENTRY_LIMIT + 1))
    if len(some) > ENTRY_LIMIT:
        return UNREADABLE
    return AccessTable(dialect, _of_patterns(some, dialect, location))


def _of_patterns(
    rules: Iterable[PatternRule], dialect: Dialect, location: Location | None
) -> Iterator[Entry]:
    from postlint.syntax.late_matcher import LateMatcher
    from postlint.syntax.pattern_match import Budget

    conditions: list[tuple[KeyTest, ...]] = []
    budget = Budget()
    for rule in rules:
        if rule.problem is None:
            tests = tuple(
                KeyTest(part.negated, None, LateMatcher(part, dialect, budget))
                for part in (rule.first, rule.second)
                if part is not None
            )
            yield from _within(conditions, rule.kind, pattern_entry(rule, location, tests))


def _within(conditions: list[tuple[KeyTest, ...]], kind: str, entry: Entry) -> Iterator[Entry]:
    """The next rule, in which Postfix sees no error, with the IFs that it stands in."""
    if kind == "if":
        conditions.append(entry.tests)
    elif kind == "endif":
        conditions.pop()
    elif kind == "match":
        if conditions:
            outer = (test for tests in conditions for test in tests)
            entry = entry._replace(tests=(*outer, *entry.tests))
        yield entry


def _address(key: str) -> Network | None:
    from postlint.syntax.cidr_table import NetworkError, parse_network

    if "/" in key:
        return None
    try:
        return parse_network(key)
    except NetworkError:
        return None
