"""Lookups in tables whose contents can be seen: access tables, and lists of domains and hosts."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from postlint.config.derived import once
from postlint.config.tables import INDEXED_TYPES
from postlint.postfix import tables
from postlint.records import NamedTuple
from postlint.syntax.source import SourceFile, SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.access_keys import Key
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table
    from postlint.syntax.cidr_table import CidrRule, Network
    from postlint.syntax.pattern import Dialect
    from postlint.syntax.pattern_match import Budget, Matcher
    from postlint.syntax.regexp_table import PatternRule, PatternText
    from postlint.syntax.source import Location

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
    """What a key must be: inside a network, or matched by a pattern.

    ``matcher`` is None where nobody can tell what a pattern matches.
    """

    negated: bool
    network: Network | None
    matcher: Matcher | None

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


class AccessTable:
    """A table of which everything is known. ``partial``: it is asked for parts of addresses."""

    __slots__ = ("_answers", "_entries", "_index", "kind", "partial")

    def __init__(self, kind: str, entries: Iterable[Entry]) -> None:
        self.kind = kind
        self._entries = tuple(entries)
        self.partial = kind not in _PATTERN_TYPES
        self._index: dict[str, Entry] = {}
        self._answers: dict[str, Found] = {}
        for entry in self._entries if self.partial else ():
            if kind == "inline":  # the last of several counts
                self._index[entry.key.lower()] = entry
            else:
                self._index.setdefault(entry.key.lower(), entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything that it holds."""
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
            return _answer(self._entries[0], key) if self._entries else Found()
        if self.partial:
            entry = self._index.get(key.lower())
            return Found() if entry is None else _answer(entry, key)
        address = _address(key) if self.kind == "cidr" else None
        for entry in self._entries:
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
    text = element.text
    while text.startswith(("proxy:", "debug:")):
        text = text[len("proxy:") :]
    kind, _, name = text.partition(":")
    if kind in ("static", "inline", "fail"):
        return _in_place(kind, name, element.location)
    if tables.get(kind, instance.version) is None or not name:
        return UnreadableTable(f'"{kind}" is no table type')
    if kind in _PATTERN_TYPES and name.startswith("{"):
        if instance.version < IN_BRACES_SINCE:
            return UNREADABLE
        return _rules_in_place(kind, name, element.location)
    return table_of(instance, kind, name)


@once
def table_of(instance: Instance, kind: str, name: str) -> AccessTable:
    """A table of a file, read once."""
    from postlint.config.lookup_table import Table

    table = Table(instance, kind, name, None)
    if not table.readable:
        return UNREADABLE if _may_exist(table) else UnreadableTable("it can not be opened")
    if kind in INDEXED_TYPES:
        found = [
            Entry(entry.key.text, entry.value.text, entry.line.location)
            for entry in islice(table.entries(), ENTRY_LIMIT + 1)
            if entry.problem is None
        ]
        return UNREADABLE if len(found) > ENTRY_LIMIT else AccessTable(kind, found)
    if kind == "cidr":
        return _networks(table.networks(), None)
    return UNREADABLE if table.dialect is None else _patterns(table.patterns(), table.dialect, None)


def _may_exist(table: Table) -> bool:
    """Whether a table may be there, though it can not be read: all files of the host are here."""
    files, facts = table.instance.files, table.facts
    if facts is None or not facts.file_based:
        return True
    return not all(files.is_missing(f"{table.name}{suffix}") for suffix in ("", *_COMPILED))


@lru_cache(maxsize=512)
def _in_place(kind: str, name: str, location: Location | None) -> AccessTable:
    """A table of keys and values in a setting; what it says is at the place of the setting."""
    from postlint.syntax.inline_table import entries, static_value

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


@lru_cache(maxsize=512)
def _rules_in_place(kind: str, name: str, location: Location | None) -> AccessTable:
    from postlint.syntax.cidr_table import read_cidr
    from postlint.syntax.inline_table import rules
    from postlint.syntax.regexp_table import read_patterns

    inside = rules(_written(name))
    if inside.problem is not None:
        return UnreadableTable(f"{kind}: {inside.problem}")
    if kind == "cidr":
        return _networks(read_cidr(inside.items), location)
    dialect: Dialect = "pcre" if kind == "pcre" else "regexp"
    return _patterns(read_patterns(inside.items, dialect), dialect, location)


def _written(text: str) -> SourceText:
    return SourceText(SourceFile("", text), text, 0)


def _networks(rules: Iterable[CidrRule], location: Location | None) -> AccessTable:
    """The rules of a table of networks. ``location``: of all of them; None: each has its own."""
    table = _Rules()
    for rule in islice(rules, ENTRY_LIMIT + 1):
        if rule.problem is None:
            place = location or rule.line.location
            tests = (KeyTest(rule.negated, rule.network, None),)
            table.add(rule.kind, Entry(str(rule.network), rule.value.text, place, tests))
    return table.finish("cidr")


def _patterns(
    rules: Iterable[PatternRule], dialect: Dialect, location: Location | None
) -> AccessTable:
    """The rules of a table of regular expressions; ``location`` as for networks."""
    from postlint.syntax.pattern_match import Budget

    table = _Rules()
    budget = Budget()
    for rule in islice(rules, ENTRY_LIMIT + 1):
        if rule.problem is None:
            tests = tuple(
                _pattern_test(written, dialect, budget)
                for written in (rule.first, rule.second)
                if written is not None
            )
            key = "" if rule.first is None else rule.first.text.text
            value = rule.value.text.replace("$$", "$")
            place = location or rule.line.location
            table.add(rule.kind, Entry(key, value, place, tests, bool(rule.references)))
    return table.finish(dialect)


class _Rules:
    """Collects rules, each with the IFs that it stands in."""

    __slots__ = ("_conditions", "_entries")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._conditions: list[tuple[KeyTest, ...]] = []

    def add(self, kind: str, entry: Entry) -> None:
        """The next rule, in which Postfix sees no error."""
        if kind == "if":
            self._conditions.append(entry.tests)
        elif kind == "endif":
            self._conditions.pop()
        elif kind == "match":
            tests = (*(test for tests in self._conditions for test in tests), *entry.tests)
            self._entries.append(entry._replace(tests=tests))

    def finish(self, kind: str) -> AccessTable:
        """The table; one that is too long is not known."""
        if len(self._entries) > ENTRY_LIMIT:
            return UNREADABLE
        return AccessTable(kind, self._entries)


def _pattern_test(written: PatternText, dialect: Dialect, budget: Budget) -> KeyTest:
    from postlint.syntax.pattern_match import matcher

    if written.pattern is None:
        return KeyTest(written.negated, None, None)
    folds = written.folds_case()
    found = matcher(written.pattern, dialect, ignore_case=folds, flags=written.flags, budget=budget)
    return KeyTest(written.negated, None, found)


def _address(key: str) -> Network | None:
    from postlint.syntax.cidr_table import NetworkError, parse_network

    if "/" in key:
        return None
    try:
        return parse_network(key)
    except NetworkError:
        return None
