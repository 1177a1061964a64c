"""TLS policy tables of any size: their different policies, and the entries that have one.

Tables of a million destinations have a handful of policies. Those are read once; the entries
are looked at again only for the policies that a rule has something to say about.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from postlint.config.derived import once
from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import parse_policy, table_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from postlint.config.tables import PolicyTable
    from postlint.syntax.table import Policy, TableEntry

MANY = 20_000
"""Different policies that are remembered; a table with more is read again for every question."""

ENTRY_LIMIT = 1_000
"""Entries of one table that one rule reports."""

_STRETCH = 1 << 20
_SMALL = 1 << 15
"""Characters of a table that is read sooner than a pattern for it is compiled."""
_ALTERNATIVES = 200
_KEY_START = r"^(?=[^ \t\v\f\r\n#])[^ \t\v\f\r\n]*?"
_KEY = r"^[^ \t\v\f\r\n#][^ \t\v\f\r\n]*+"
_VALUE = LazyPattern(_KEY + r"[ \t\v\f\r]++([^\n]*)", re.MULTILINE)
_NOT_PLAIN = LazyPattern(r'\n[ \t\v\f\r]|["\\\0]')
_BRACKETED = LazyPattern(r"\[([^\]]*)\](?::(.*))?\Z", re.DOTALL)


class Destination(NamedTuple):
    """A key of a policy table taken apart: ``[host]:port``, ``host:port``, ``.parent``, ``host``.

    ``style`` is the spelling with the parts taken out.
    """

    host: str
    port: str | None
    style: str


class Policies:
    """The entries of one policy table."""

    def __init__(self, table: PolicyTable) -> None:
        version = table.instance.version
        self.table = table
        self._source = table.source
        self._quoted_keys = version >= (3, 2)
        self._braces = version >= (3, 10)
        self._plain: bool | None = None
        self._different: dict[str, Policy] | None = None
        self._counted = False

    def different(self) -> Iterator[Policy]:
        """Every policy of the table once, in no order but always the same."""
        remembered = self._remembered()
        if remembered is not None:
            yield from remembered.values()
            return
        for values in self._values():
            for text in sorted(values):
                yield self._parse_text(text)

    def entries(self, wanted: Callable[[Policy], bool]) -> Iterator[tuple[TableEntry, Policy]]:
        """The entries whose policy is wanted, the first ENTRY_LIMIT of them."""
        return islice(self._entries(wanted), ENTRY_LIMIT)

    def first(self, wanted: Callable[[Policy], bool]) -> TableEntry | None:
        """The first entry whose policy is wanted."""
        return next((entry for entry, _ in self._entries(wanted)), None)

    def with_key(
        self, pattern: str, hints: tuple[str, ...] = ()
    ) -> Iterator[tuple[TableEntry, Policy]]:
        """The entries whose key a pattern finds in any case, the first ENTRY_LIMIT of them.

        ``hints``: a table without any of these texts has no such key.
        """
        in_file = self.table.inline is None
        if in_file and hints and not any(hint in self._source.text for hint in hints):
            return
        key = re.compile(pattern, re.IGNORECASE)
        lines = pattern if pattern.startswith("^") else f"{_KEY_START}(?:{pattern})"
        candidates = self._candidates(LazyPattern(lines, re.IGNORECASE | re.MULTILINE))
        found = (entry for entry in candidates if key.search(entry.key.text))
        for entry in islice(found, ENTRY_LIMIT):
            yield entry, parse_policy(entry.value, braces=self._braces)

    def _entries(self, wanted: Callable[[Policy], bool]) -> Iterator[tuple[TableEntry, Policy]]:
        remembered = self._remembered()
        if remembered is None:
            for entry in self._candidates(None):
                policy = parse_policy(entry.value, braces=self._braces)
                if wanted(policy):
                    yield entry, policy
            return
        texts = frozenset(text for text, policy in remembered.items() if wanted(policy))
        if texts:
            for entry in self._candidates(_with_values(texts)):
                if entry.value.text in texts:
                    yield entry, parse_policy(entry.value, braces=self._braces)

    def _candidates(self, lines: LazyPattern | None) -> Iterator[TableEntry]:
        """The entries that count; where lines tell all, only those that a pattern finds."""
        if lines is None or len(self._source.text) < _SMALL or not self._is_plain():
            for entry in self.table.entries():
                if entry.problem is None:
                    yield entry
            return
        text = self._source.text
        for match in lines.finditer(text):
            start = match.start()
            end = text.find("\n", start)
            line = SourceText(self._source, text[start : None if end < 0 else end], start)
            entry = table_entry(line, quoted_keys=self._quoted_keys)
            if entry.problem is None:
                yield entry

    def _is_plain(self) -> bool:
        """Whether every entry is one physical line without quotes in it."""
        if self.table.inline is not None:
            return False
        if self._plain is None:
            text = self._source.text
            self._plain = not _NOT_PLAIN.search(text) and text[:1] not in WHITE_SPACE
        return self._plain

    def _remembered(self) -> dict[str, Policy] | None:
        if not self._counted:
            self._counted = True
            found: set[str] = set()
            for values in self._values():
                found |= values
                if len(found) > MANY:
                    return None
            self._different = {text: self._parse_text(text) for text in sorted(found)}
        return self._different

    def _values(self) -> Iterator[set[str]]:
        """The right-hand sides, stretch by stretch, each once in its stretch."""
        if len(self._source.text) < _SMALL or not self._is_plain():
            for entry in self._candidates(None):
                yield {entry.value.text}
            return
        text = self._source.text
        start = 0
        while start < len(text):
            end = text.find("\n", start + _STRETCH)
            end = len(text) if end < 0 else end + 1
            found = set(_VALUE.compiled.findall(text, start, end))
            yield {value.strip(WHITE_SPACE) for value in found} - {""}
            start = end

    def _parse_text(self, text: str) -> Policy:
        source = SourceFile("", text)
        return parse_policy(SourceText(source, text, 0), braces=self._braces)


@once
def policies_of(table: PolicyTable) -> Policies:
    """The entries of a policy table, read once."""
    return Policies(table)


def destination(key: str) -> Destination:
    """Take a key apart."""
    match = _BRACKETED.match(key)
    if match is not None:
        port = match[2]
        return Destination(match[1].lower(), port, "[host]" if port is None else "[host]:port")
    host, colon, port = key.partition(":")
    if colon:
        return Destination(host.lower(), port, "host:port")
    if host.startswith("."):
        return Destination(host[1:].lower(), None, ".parent")
    return Destination(host.lower(), None, "host")


def level_of(policy: Policy) -> str:
    """The level in lower case; empty when there is none."""
    return policy.level.text.lower() if policy.level is not None else ""


def _with_values(texts: Collection[str]) -> LazyPattern:
    """What matches at least the lines with one of some right-hand sides."""
    if len(texts) > _ALTERNATIVES:
        return _VALUE
    values = "|".join(map(re.escape, sorted(texts)))
    return LazyPattern(rf"{_KEY}[ \t\v\f\r]++(?:{values})[ \t\v\f\r]*+$", re.MULTILINE)
