"""Tables of regular expressions with millions of rules, of which few need a second look.

The ordinary ones (see ordinary_rules) are found by an expression that runs in C over a stretch of
the table; the others are read one by one, once for all who ask. Nothing is kept but their places
and a number per pattern: some 80 bytes per rule beside the text.
"""

from __future__ import annotations

import re
from array import array
from itertools import islice
from typing import TYPE_CHECKING

from postlint.syntax.ordinary_rules import (
    count_groups,
    references,
    results_expression,
    rules_expression,
)
from postlint.syntax.pattern_facts import impossible_part, matches_everything, perl_escape
from postlint.syntax.pattern_table import PatternTable, Repeated, RulesAbove, pattern_key
from postlint.syntax.regexp_table import UNCLOSED, PatternReader, read_patterns
from postlint.syntax.stretches import STRETCH, repeated, stretch_text, stretches
from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.pattern import Dialect
    from postlint.syntax.patterns import LazyPattern
    from postlint.syntax.regexp_table import PatternRule
    from postlint.syntax.source import SourceFile, SourceText

_ENTRY = re.compile(r"\n[^ \t\v\f\r\n#]")
_INDENTED = re.compile(r"\n[ \t\v\f\r]")
_LATE = re.compile(r"\n(?:#[^\n]*+)?\n[ \t\v\f\r]")
"""An indented line that may continue a rule which is not in the line above it."""


_Place = tuple[str, int, "SourceText | None"]
"""(key of an ordinary rule, offset, the line of a rule that is not ordinary).

A rule that is ordinary but for plain references in its result has a key and its line.
"""


class SurveyedPatterns(PatternTable):
    """The rules of a big file."""

    __slots__ = ("_dialect", "_expression", "_reader", "_size", "_source", "_surveyed")

    def __init__(self, dialect: Dialect, source: SourceFile, *, stretch: int = STRETCH) -> None:
        """``stretch``: the size of a stretch."""
        self._dialect: Dialect = dialect
        self._source = source
        self._size = stretch
        self._expression = rules_expression(dialect)
        self._reader = PatternReader(dialect, quick=True)
        self._surveyed: _Survey | None = None

    def __iter__(self) -> Iterator[PatternRule]:
        return read_patterns(logical_lines(self._source), self._dialect, quick=True)

    def has_more_than(self, number: int) -> bool:
        return self._survey().rules > number

    def odd(
        self, *, references: bool = False, among: LazyPattern | None = None
    ) -> Iterator[PatternRule]:
        survey = self._survey()
        places = sorted([*survey.odd, *survey.referring]) if references else survey.odd
        for place in places:
            line = self._line_at(place >> 1)
            if among is None or among.match(line.text) is not None:
                yield self._rule(line, place & 1)
        for offset in reversed(survey.open_ifs):
            yield self._rule(self._line_at(offset), 0)._replace(problem=UNCLOSED)

    def find(self, candidate: LazyPattern, hint: str = "") -> Iterator[PatternRule]:
        for line in self._candidates(candidate, hint):
            rule = self._reader.read_one(line, 1)
            if rule is not None and rule.kind == "match":
                yield rule

    def repeated(self, limit: int) -> tuple[list[Repeated], int]:
        number = self._survey().repeated
        places = islice(self._repeated(), limit) if number else ()
        found = [
            Repeated(
                self._rule(self._line_at(above), 1), self._rule(self._line_at(again), 1), behind
            )
            for above, again, behind in places
        ]
        return found, number

    def _repeated(self) -> Iterator[tuple[int, int, bool]]:
        """As Repeated, with the offsets of the rules."""
        survey = self._survey()
        above: RulesAbove[int] = RulesAbove()
        reader = PatternReader(self._dialect, quick=True)
        for start, end in stretches(self._source, self._size):
            for written, offset, line in self._places(start, end):
                key = written
                if line is not None and not key:
                    rule = reader.read(line)
                    if rule is None or rule.problem is not None:
                        continue
                    if rule.kind != "match":
                        above.enter_or_leave(rule.kind)
                    if rule.first is None or rule.second is not None or rule.kind != "match":
                        continue
                    key = pattern_key(rule.first)
                if above.ended or hash(key) in survey.twice:
                    told = above.take(key, offset)
                    if told is not None:
                        yield told[0], offset, told[1]
                    if above.ended:
                        return
                if offset == survey.everything:
                    above.end(offset)

    def _rule(self, line: SourceText, nesting: int) -> PatternRule:
        rule = self._reader.read_one(line, nesting)
        assert rule is not None
        return rule

    def _line_at(self, offset: int) -> SourceText:
        """The logical line that begins at an offset."""
        return next(logical_lines(self._source, offset))

    def _survey(self) -> _Survey:
        if self._surveyed is None:
            survey = self._surveyed = _Survey(self._dialect)
            ordinary = True
            for start, end in stretches(self._source, self._size):
                keys = self._ordinary_keys(start, end) if ordinary else None
                if keys is not None:
                    survey.take_ordinary(keys)
                    continue
                ordinary = True  # the next one, unless there is something odd in this one
                keys = []
                for key, offset, line in self._places(start, end):
                    if key:
                        keys.append(key)
                        if line is not None:
                            survey.referring.append(offset * 2)
                            ordinary = False
                    elif line is not None:
                        survey.take_ordinary(keys)
                        survey.take(line, offset)
                        keys = []
                        ordinary = False
                survey.take_ordinary(keys)
            survey.finish()
        return self._surveyed

    def _ordinary_keys(self, start: int, end: int) -> list[str] | None:
        """The keys of a stretch of nothing but ordinary rules."""
        text = stretch_text(self._source, start, end)
        if _LATE.search(text) is not None:
            return None
        keys: list[str] = self._expression.findall(text)
        return None if "" in keys else keys

    def _places(self, start: int, end: int) -> Iterator[_Place]:
        """All rules of a stretch."""
        text = stretch_text(self._source, start, end)
        expression = results_expression(self._dialect)
        if _LATE.search(text) is None:
            for match in expression.finditer(text):
                offset = start + match.start()
                if match.lastindex == 1:
                    yield match[1], offset, None
                else:
                    yield _key(match), offset, self._line_at(offset)
            return
        for line in logical_lines(self._source, start, end):
            found = expression.match(f"\n{line.text}")
            if found is not None and found.lastindex == 1:
                yield found[1], line.source_offset(0), None
            else:
                yield "" if found is None else _key(found), line.source_offset(0), line

    def _candidates(self, candidate: LazyPattern, hint: str) -> Iterator[SourceText]:
        for start, end in stretches(self._source, self._size):
            text = stretch_text(self._source, start, end)
            if hint and hint not in text.lower():
                continue
            if _INDENTED.search(text) is None:
                for match in candidate.finditer(text):
                    if _ENTRY.match(text, match.start()) is not None:
                        yield self._line_at(start + match.start())
            else:
                for line in logical_lines(self._source, start, end):
                    if candidate.match(f"\n{line.text}") is not None:
                        yield line


def _key(match: re.Match[str]) -> str:
    """The key of a rule that is ordinary but for plain references, or nothing."""
    if match[1] is None:
        return ""
    key: str = match[1]
    numbers = references(match[2], count_groups(key[: key.rindex("/")]))
    return key if numbers else ""


class _Survey:
    """What one pass over the rules tells.

    ``rules``: how many there are; ``odd`` and ``referring``: places of those that have something
    to look at, and of those that are just fine but for a ``$number`` in the result. A place is
    twice the offset of a line, and one more inside of an IF. ``open_ifs``: the offsets of those
    without ENDIF; ``repeated``: how many rules repeat a pattern; ``twice``: the hashes of those
    patterns; ``everything``: the offset of the first rule that matches everything, or -1.
    """

    __slots__ = (
        "_blocks",
        "_dialect",
        "_reader",
        "_seen",
        "_told",
        "everything",
        "odd",
        "open_ifs",
        "referring",
        "repeated",
        "rules",
        "twice",
    )

    def __init__(self, dialect: Dialect) -> None:
        self.rules = 0
        self.odd = array("q")
        self.referring = array("q")
        self.open_ifs = array("q")
        self.repeated = 0
        self.twice: set[int] = set()
        self.everything = -1
        self._dialect = dialect
        self._reader = PatternReader(dialect, quick=True)
        self._seen: set[int] = set()
        self._blocks: list[list[int]] = []
        """The patterns that have come in every open IF."""
        self._told = False

    def take_ordinary(self, keys: list[str]) -> None:
        """Ordinary rules in a row."""
        self.rules += len(keys)
        if not keys or self._ends_here():
            return
        hashes = list(map(hash, keys))
        if self._blocks:
            for value in hashes:
                self._is_repeated(value)
        else:
            self.repeated += repeated(hashes, self._seen, self.twice)

    def take(self, line: SourceText, offset: int) -> None:
        """A rule that is not ordinary, or none."""
        place = offset * 2 + (self._reader.nesting > 0)
        rule = self._reader.read(line)
        if rule is None:
            return
        self.rules += 1
        if self._is_odd(rule):
            self.odd.append(place)
        elif rule.references:
            self.referring.append(place)
        if rule.problem is not None:
            return
        if rule.kind == "if":
            self.open_ifs.append(offset)
            self._blocks.append([])
        elif rule.kind == "endif":
            self.open_ifs.pop()
            self._seen.difference_update(self._blocks.pop())
        else:
            self._take_match(rule, offset)

    def _take_match(self, rule: PatternRule, offset: int) -> None:
        if rule.first is None or rule.second is not None or self._ends_here():
            return
        again = self._is_repeated(hash(pattern_key(rule.first)))
        if not again and not self._blocks and matches_everything(rule):
            self.everything = offset

    def finish(self) -> None:
        """Let go of what only the pass needs."""
        self._seen = set()
        self._blocks = []

    def _is_odd(self, rule: PatternRule) -> bool:
        return (
            rule.problem is not None
            or rule.remark is not None
            or impossible_part(rule) is not None
            or (self._dialect == "regexp" and perl_escape(rule) is not None)
        )

    def _ends_here(self) -> bool:
        """Whether a rule is behind one that matches everything; the first one counts."""
        if self.everything < 0:
            return False
        self.repeated += not self._told
        self._told = True
        return True

    def _is_repeated(self, value: int) -> bool:
        if value in self._seen:
            self.twice.add(value)
            self.repeated += 1
            return True
        self._seen.add(value)
        if self._blocks:
            self._blocks[-1].append(value)
        return False
