"""Lookups in access tables: which keys smtpd asks for, and what a readable table answers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.config.tables import INDEXED_TYPES
from postlint.postfix import tables
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.table import logical_lines, read_indexed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.syntax.source import Location

Key = tuple[str, bool]
"""A key, and whether it is a part of the name or address: pattern tables never see those."""

ENTRY_LIMIT = 20_000
"""Entries that are kept of one table; what a longer one says is not known."""


class Found(NamedTuple):
    """The answer of a table. ``unknown``: it can not be read; ``error``: why the lookup fails."""

    value: str | None = None
    key: str = ""
    location: Location | None = None
    unknown: bool = False
    error: str = ""


class Entry(NamedTuple):
    """What a table holds, in its order; ``pattern`` is None where the key is text."""

    key: str
    value: str
    location: Location | None
    pattern: re.Pattern[str] | None = None
    negated: bool = False


class AccessTable:
    """A table of which everything is known. ``partial``: it is asked for parts of addresses."""

    __slots__ = ("_entries", "_index", "kind", "partial")

    def __init__(self, kind: str, entries: Iterable[Entry]) -> None:
        self.kind = kind
        self._entries = tuple(entries)
        self.partial = kind not in ("cidr", "pcre", "regexp")
        self._index: dict[str, Entry] = {}
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
            if found is not None:
                if not found.value:
                    return Found(key=key, location=found.location, error="its value is empty")
                return Found(found.value, key, found.location)
        return Found()

    def find(self, key: str) -> Entry | None:
        """The entry for one key."""
        if not key:
            return None
        if self.kind == "static":
            return self._entries[0] if self._entries else None
        if self.partial:
            return self._index.get(key.lower())
        return self._find_address(key) if self.kind == "cidr" else self._find_pattern(key)

    def _find_address(self, key: str) -> Entry | None:
        from ipaddress import ip_address, ip_network

        try:
            address = ip_address(key)
        except ValueError:
            return None
        for entry in self._entries:
            network = ip_network(entry.key)
            if network.version == address.version and (address in network) != entry.negated:
                return entry
        return None

    def _find_pattern(self, key: str) -> Entry | None:
        for entry in self._entries:
            match = entry.pattern.search(key) if entry.pattern is not None else None
            if (match is None) == entry.negated:
                if match is None or "$" not in entry.value:
                    return entry
                return entry._replace(value=_substitute(entry.value, match))
        return None


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


UNREADABLE = UnreadableTable()


def access_table(scope: Scope, element: Element) -> AccessTable:
    """The table that a word of a restriction list or a match list names."""
    if not element.known:
        return UNREADABLE
    instance: Instance | None = getattr(scope, "instance", None)
    text = element.text.removeprefix("proxy:")
    kind, _, name = text.partition(":")
    if kind in ("static", "inline", "fail"):
        return _in_place(kind, name, element)
    if tables.get(kind, scope.version) is None or not name:
        return UnreadableTable(f'"{kind}" is no table type')
    if instance is None:
        return UNREADABLE
    return table_of(instance, kind, name)


@lru_cache(maxsize=256)
def table_of(instance: Instance, kind: str, name: str) -> AccessTable:
    """A table of a file, read once."""
    if kind in INDEXED_TYPES:
        return _indexed(instance, kind, name)
    if kind in ("cidr", "pcre", "regexp") and not name.startswith("{"):
        return _patterns(instance, kind, name)
    return UNREADABLE


def domain_keys(domain: str, parents: bool | None) -> Iterator[Key]:
    """The keys for a host name: itself, then its parent domains (check_domain_access()).

    ``parents``: subdomains match ``example.com``; else ``.example.com``; None: either may be.
    """
    name = domain
    if not name:
        return
    yield name, False
    if _is_address(domain):
        return
    dot = name.find(".", 1)
    while dot >= 0:
        if parents is not True:
            yield name[dot:], True
        if parents is not False:
            yield name[dot + 1 :], True
        name = name[dot + 1 :]
        dot = name.find(".", 1)


def address_keys(address: str) -> Iterator[Key]:
    """The keys for an address: itself, then its networks (check_addr_access())."""
    delimiter = ":" if ":" in address else "."
    yield address, False
    rest = address
    while delimiter in rest:
        rest = rest.rpartition(delimiter)[0]
        if rest:
            yield rest, True


def mail_keys(address: str, parents: bool | None, delimiters: str) -> Iterator[Key]:
    """The keys for a mail address (check_mail_access(), mail_addr_find_strategy())."""
    local, at, domain = address.rpartition("@")
    if not at:
        return
    bare = _without_extension(local, delimiters)
    yield address, False
    if bare != local:
        yield f"{bare}@{domain}", True
    for name, _ in domain_keys_of_mail(domain, parents):
        yield name, True
    yield f"{local}@", True
    if bare != local:
        yield f"{bare}@", True


def domain_keys_of_mail(domain: str, parents: bool | None) -> Iterator[Key]:
    """The keys for the domain of a mail address; one that is an address has parents too."""
    name = domain
    while name:
        yield name, True
        dot = name.find(".", 1)
        if dot < 0:
            return
        if parents is None:
            yield name[dot:], True
        name = name[dot:] if parents is False else name[dot + 1 :]


def _without_extension(local: str, delimiters: str) -> str:
    """strip_addr_internal(): the local part up to its first delimiter."""
    if not delimiters or local.lower() in ("mailer-daemon", "postmaster", "double-bounce"):
        return local
    if local.lower().startswith("owner-") and "-" in delimiters:
        return local
    for at, letter in enumerate(local):
        if letter in delimiters:
            return local[:at] if at else local
    return local


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _in_place(kind: str, name: str, element: Element) -> AccessTable:
    if kind == "fail":
        return UnreadableTable("a fail: table always fails")
    if kind == "static":
        text = name
        if text.startswith("{"):
            text = text.rstrip()
            if not text.endswith("}"):
                return UnreadableTable("static: has unbalanced braces")
            text = text[1:-1].strip(" \t\r\n")
        return AccessTable("static", (Entry("", text, element.location),))
    inside = name.strip()
    if not inside.startswith("{") or not inside.endswith("}"):
        return UnreadableTable("inline: needs braces")
    inside = inside[1:-1]
    entries: list[Entry] = []
    for start, end in split_list(inside):
        item = inside[start:end]
        if item.startswith("{"):
            item = item[1:-1].strip(" \t\r\n")
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            return UnreadableTable("inline: has an item without key and value")
        entries.append(Entry(key.strip(), value.strip(), element.location))
    if not entries:
        return UnreadableTable("inline: is empty")
    return AccessTable("inline", entries)


def _indexed(instance: Instance, kind: str, name: str) -> AccessTable:
    source = instance.files.read(name)
    if source is None:
        return UNREADABLE
    entries: list[Entry] = []
    for entry in read_indexed(source, quoted_keys=instance.version >= (3, 2)):
        if len(entries) > ENTRY_LIMIT:
            return UNREADABLE
        if entry.problem is None:
            entries.append(Entry(entry.key.text, entry.value.text, entry.line.location))
    return AccessTable(kind, entries)


def _patterns(instance: Instance, kind: str, name: str) -> AccessTable:
    source = instance.files.read(name)
    if source is None:
        return UNREADABLE
    entries: list[Entry] = []
    for line in logical_lines(source):
        if len(entries) > ENTRY_LIMIT or line.text[:2].lower() in ("if", "en"):
            return UNREADABLE
        entry = (_network if kind == "cidr" else _pattern)(line.text, kind, line.location)
        if entry is not None and entry.pattern is None and kind != "cidr":
            return UNREADABLE
        if entry is not None:
            entries.append(entry)
    return AccessTable(kind, entries)


def _network(text: str, _: str, location: Location) -> Entry | None:
    """A line of a cidr table; None for one that smtpd skips."""
    from ipaddress import ip_network

    negated = text.startswith("!")
    key, _, value = text.removeprefix("!").lstrip().partition(" ")
    if "\t" in key:
        key, _, value = text.removeprefix("!").lstrip().partition("\t")
    try:
        network = ip_network(key.replace("[", "").replace("]", ""))
    except ValueError:
        return None
    value = value.strip()
    return Entry(str(network), value, location, negated=negated) if value else None


_FLAGS = LazyPattern(r"[imxsAEUX]*(?=[ \t]|\Z)")


def _pattern(text: str, kind: str, location: Location) -> Entry | None:
    """A line of a regexp or pcre table; its pattern is None where Python can not read it."""
    negated = text.startswith("!")
    text = text.removeprefix("!").lstrip()
    mark = text[:1]
    end = 1
    while end < len(text) and text[end] != mark:
        end += 2 if text[end] == "\\" else 1
    if not mark or end >= len(text):
        return None
    body, rest = text[1:end], text[end + 1 :]
    match = _FLAGS.match(rest)
    if match is None:
        return None
    value = rest[match.end() :].strip()
    flags = 0 if match[0].count("i") % 2 else re.IGNORECASE
    if kind == "regexp":
        body = _posix(body)
    try:
        pattern = re.compile(body, flags)
    except (re.error, OverflowError, RecursionError):
        return Entry(body, value, location, None, negated)
    return Entry(body, value, location, pattern, negated)


_POSIX = {"[:alpha:]": "a-zA-Z", "[:digit:]": "0-9", "[:alnum:]": "a-zA-Z0-9"} | {
    "[:space:]": r"\s",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:blank:]": " \t",
    "[:xdigit:]": "0-9a-fA-F",
}


def _posix(text: str) -> str:
    for name, letters in _POSIX.items():
        text = text.replace(name, letters)
    return text


def _substitute(value: str, match: re.Match[str]) -> str:
    def group(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        try:
            return match[int(found[1])] or ""
        except (IndexError, ValueError):
            return ""

    return re.sub(r"\$(?:\$|[({]?([0-9]+)[)}]?)", group, value)
