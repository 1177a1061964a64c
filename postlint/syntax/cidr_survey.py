"""CIDR tables with millions of rules: which ones Postfix refuses, which ones are never reached.

A stretch of plain networks of one family is judged as a whole, by functions that run in C; where
something in it hides or is hidden, network by network; any other stretch, rule by rule.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import defaultdict
from functools import partial
from socket import AF_INET, AF_INET6, inet_aton, inet_pton
from typing import TYPE_CHECKING

from postlint.numbers import integer
from postlint.syntax.cidr_table import Shadow, read_cidr
from postlint.syntax.stretches import (
    STRETCH,
    count_entries,
    is_regular,
    stretch_text,
    stretches,
)
from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.cidr_table import CidrRule, Network
    from postlint.syntax.patterns import LazyPattern
    from postlint.syntax.source import SourceFile

SHADOW_LIMIT = 1000
"""Rules that are never reached whose places are remembered."""

_OCTETS = r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})"
_TAIL = r"[ \t\v\f\r]++[^\n]"
_PLAIN = re.compile(rf"\n([0-9A-Fa-f.:]++)(?:/([0-9]{{1,3}}))?{_TAIL}")
_IPV4 = re.compile(rf"\n({_OCTETS})(?:/([0-9]{{1,2}}))?{_TAIL}")
_IPV6 = re.compile(rf"\n((?=[0-9A-Fa-f]*:)[0-9A-Fa-f.:]++)(?:/([0-9]{{1,3}}))?{_TAIL}")
_FIRST_LENGTH = re.compile(r"\n[0-9A-Fa-f.:]++(/[0-9]{1,3})[ \t]")


class CidrTable:
    """The file of a CIDR table, which may have millions of rules."""

    __slots__ = ("_size", "_surveyed", "source")

    def __init__(self, source: SourceFile, *, stretch: int = STRETCH) -> None:
        """``stretch``: the size of a stretch."""
        self.source = source
        self._size = stretch
        self._surveyed: _Survey | None = None

    def __iter__(self) -> Iterator[CidrRule]:
        return read_cidr(logical_lines(self.source))

    def odd(self) -> Iterator[CidrRule]:
        """The rules of which Postfix complains."""
        for start, end in self._survey().unusual:
            rules = read_cidr(logical_lines(self.source, start, end))
            yield from (rule for rule in rules if rule.problem is not None)

    def find(self, candidate: LazyPattern) -> Iterator[CidrRule]:
        """At least the rules whose logical line, behind a LF, an expression matches.

        They are read each for itself: nothing is said of IFs.
        """
        for start, end in stretches(self.source, self._size):
            text = stretch_text(self.source, start, end)
            if is_regular(text):
                for match in candidate.finditer(text):
                    yield self._rule_at(start + match.start())
            else:
                yield from read_cidr(logical_lines(self.source, start, end))

    def shadowed(self, limit: int) -> tuple[list[Shadow], int]:
        """Rules that are never reached: the first ``limit``, and how many there are."""
        survey = self._survey()
        found = [
            Shadow(self._rule_at(offset), self._rule_at(cover))
            for offset, cover in survey.shadowed(limit)
        ]
        return found, survey.number

    def _rule_at(self, offset: int) -> CidrRule:
        return next(read_cidr(logical_lines(self.source, offset)))

    def _survey(self) -> _Survey:
        if self._surveyed is None:
            self._surveyed = _Survey(self.source, self._size)
        return self._surveyed


class _Survey:
    """What one pass over the rules tells.

    ``unusual``: stretches in which Postfix may refuse something; ``number``: how many rules are
    never reached.
    """

    __slots__ = ("_blocks", "_shadowed", "_source", "number", "unusual")

    def __init__(self, source: SourceFile, size: int) -> None:
        self._source = source
        self.unusual: list[tuple[int, int]] = []
        self.number = 0
        self._shadowed: list[tuple[int, int, int, int]] = []
        """(offset of the rule; bits, length and leading bits of what hides it)"""
        self._blocks = [_Seen()]
        """What the IFs around the present rule have brought, the outermost first."""
        parts = list(stretches(source, size))
        if any(_has_condition(stretch_text(source, start, end)) for start, end in parts):
            # What a rule hides depends on the conditions around it.
            self.unusual.append((0, len(source.text)))
            self._read_exactly(read_cidr(logical_lines(source)))
            return
        for start, end in parts:
            text = stretch_text(source, start, end)
            if not is_regular(text):
                self.unusual.append((start, end))
                self._read_exactly(read_cidr(logical_lines(source, start, end)))
                continue
            number = count_entries(text)
            if self._take_whole(text, number) or self._read_plain(text, start, number):
                continue
            self.unusual.append((start, end))
            self._read_exactly(read_cidr(logical_lines(source, start, end)))

    def shadowed(self, limit: int) -> Iterator[tuple[int, int]]:
        """(offset of a rule, offset of the one that hides it) of the first that are hidden."""
        wanted = self._shadowed[:limit]
        first: dict[tuple[int, int, int], int] = {}
        missing = {tuple(cover) for _, *cover in wanted}
        if missing:
            for offset, network in self._networks():
                shift = network.bits - network.length
                key = (network.bits, network.length, network.address >> shift)
                if key in missing:
                    first[key] = offset
                    missing.discard(key)
                    if not missing:
                        break
        for offset, bits, length, prefix in wanted:
            yield offset, first[bits, length, prefix]

    def _networks(self) -> Iterator[tuple[int, Network]]:
        for rule in read_cidr(logical_lines(self._source)):
            if rule.kind == "match" and rule.problem is None and not rule.negated:
                assert rule.network is not None
                yield rule.line.source_offset(0), rule.network

    def _take_whole(self, text: str, number: int) -> bool:
        """Judge a stretch of networks of one family that hide nothing; else nothing is taken."""
        by_length = _numbers_by_length(text, number)
        if by_length is None:
            return False
        bits, networks = by_length
        seen = self._blocks[0]
        fresh: dict[int, set[int]] = {}
        for length, numbers in networks.items():
            shift = bits - length
            if length > bits or (shift and any(map(((1 << shift) - 1).__and__, numbers))):
                return False
            prefixes = [value >> shift for value in numbers] if shift else numbers
            fresh[length] = set(prefixes)
            if len(fresh[length]) < len(numbers):
                return False
        for length, prefixes_of in fresh.items():
            if not seen.of(bits, length).isdisjoint(prefixes_of):
                return False
            for shorter in {*seen.lengths[bits], *fresh}:
                if shorter < length:
                    wider = {value >> length - shorter for value in prefixes_of}
                    if not (
                        wider.isdisjoint(seen.of(bits, shorter))
                        and wider.isdisjoint(fresh.get(shorter, ()))
                    ):
                        return False
        for length, prefixes_of in fresh.items():
            seen.of(bits, length).update(prefixes_of)
        return True

    def _read_plain(self, text: str, start: int, number: int) -> bool:
        """Judge a stretch of plain networks one by one; False, and nothing taken, for others."""
        networks: list[tuple[int, int, int, int]] = []
        for match in _PLAIN.finditer(text):
            address, digits = match[1], match[2]
            bits, family = (128, AF_INET6) if ":" in address else (32, AF_INET)
            length = integer(digits) if digits else bits
            if length > bits:
                return False
            try:
                value = int.from_bytes(inet_pton(family, address))
            except OSError:
                return False
            shift = bits - length
            prefix = value >> shift
            if prefix << shift != value:
                return False
            networks.append((start + match.start(), bits, length, prefix))
        if len(networks) != number:
            return False
        for network in networks:
            self._add(*network)
        return True

    def _read_exactly(self, rules: Iterable[CidrRule]) -> None:
        for rule in rules:
            if rule.problem is not None:
                continue
            if rule.kind == "if":
                self._blocks.append(_Seen())
            elif rule.kind == "endif":
                self._blocks.pop()
            elif rule.network is not None and not rule.negated:
                bits, address, length = rule.network
                self._add(rule.line.source_offset(0), bits, length, address >> (bits - length))

    def _add(self, offset: int, bits: int, length: int, prefix: int) -> None:
        """Take one network, or note that it is never reached."""
        for block in self._blocks:
            for shorter in block.lengths[bits]:
                if shorter <= length:
                    wider = prefix >> length - shorter
                    if wider in block.of(bits, shorter):
                        self.number += 1
                        if len(self._shadowed) < SHADOW_LIMIT:
                            self._shadowed.append((offset, bits, shorter, wider))
                        return
        self._blocks[-1].of(bits, length).add(prefix)


class _Seen:
    """The leading bits of the networks seen, by family and length."""

    __slots__ = ("_sets", "lengths")

    def __init__(self) -> None:
        self.lengths: dict[int, list[int]] = {32: [], 128: []}
        self._sets: dict[tuple[int, int], set[int]] = {}

    def of(self, bits: int, length: int) -> set[int]:
        found = self._sets.get((bits, length))
        if found is None:
            found = self._sets[bits, length] = set()
            self.lengths[bits].append(length)
        return found


def _has_condition(text: str) -> bool:
    folded = text.lower()
    return "\nif" in folded or "\nendif" in folded


def _numbers_by_length(text: str, number: int) -> tuple[int, dict[int, list[int]]] | None:
    """(bits, addresses by prefix length) of a stretch of plain networks of one family."""
    first = _FIRST_LENGTH.match(text)
    if first is not None and ":" not in first[0]:
        same = _of_length(first[1]).findall(text)
        if len(same) == number:
            numbers = _ipv4_numbers(same)
            return None if numbers is None else (32, {int(first[1][1:]): numbers})
    rules = _IPV4.findall(text)
    bits = 32
    if not rules:
        rules = _IPV6.findall(text)
        bits = 128
    if len(rules) != number or not number:
        return None
    addresses = [address for address, _ in rules]
    values = _ipv4_numbers(addresses) if bits == 32 else _ipv6_numbers(addresses)
    if values is None:
        return None
    by_length: defaultdict[str, list[int]] = defaultdict(list)
    for (_, digits), value in zip(rules, values, strict=True):
        by_length[digits].append(value)
    found: dict[int, list[int]] = {}
    for digits, some in by_length.items():
        found.setdefault(integer(digits) if digits else bits, []).extend(some)
    return bits, found


def _of_length(suffix: str) -> re.Pattern[str]:
    return re.compile(rf"\n({_OCTETS}){suffix}{_TAIL}")


def _ipv4_numbers(addresses: list[str]) -> list[int] | None:
    try:
        numbers = array("I", b"".join(map(inet_aton, addresses)))
    except OSError:
        return None
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tolist()


def _ipv6_numbers(addresses: list[str]) -> list[int] | None:
    try:
        return list(map(int.from_bytes, map(partial(inet_pton, AF_INET6), addresses)))
    except OSError:
        return None
