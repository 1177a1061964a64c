"""Tables of regular expressions, with the questions that are asked about all of their rules.

A small table keeps its rules, taken apart; big ones are in pattern_survey, and say the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from postlint.records import NamedTuple
from postlint.syntax.pattern_facts import matches_everything

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.patterns import LazyPattern
    from postlint.syntax.regexp_table import PatternRule, PatternText, RuleKind

_Item = TypeVar("_Item")


class Repeated(NamedTuple):
    """A rule with the pattern of one above it, or one behind a rule that matches everything."""

    above: PatternRule
    again: PatternRule
    behind_everything: bool


class PatternTable(ABC):
    """The rules of a table of the type ``regexp`` or ``pcre``."""

    __slots__ = ()

    @abstractmethod
    def __iter__(self) -> Iterator[PatternRule]:
        """All rules, as read_patterns() gives them."""

    @abstractmethod
    def has_more_than(self, number: int) -> bool:
        """Whether there are more rules, those that Postfix skips included."""

    @abstractmethod
    def odd(
        self, *, references: bool = False, among: LazyPattern | None = None
    ) -> Iterator[PatternRule]:
        """At least the rules of which Postfix says something, and those with odd patterns.

        That are patterns that can never match, or that have Perl's escapes in a regexp table;
        with ``references``, also the rules that put a part of the key into the result. IFs
        without ENDIF come once more at the end. ``among``: only lines that it matches matter.
        """

    @abstractmethod
    def find(self, candidate: LazyPattern, hint: str = "") -> Iterator[PatternRule]:
        """At least the rules whose logical line, behind a LF, an expression matches; no IFs.

        ``hint``: a word in small letters that is in every such line, in whatever case.
        """

    @abstractmethod
    def repeated(self, limit: int) -> tuple[list[Repeated], int]:
        """Rules that repeat a pattern: the first ``limit``, and how many there are.

        What stands in an IF is compared with the same IF and with what is above and outside of
        it. Behind a rule that matches everything the first rule is the last one to be told of.
        """


class KeptPatterns(PatternTable):
    """The rules of a small table, taken apart once."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[PatternRule]) -> None:
        self._rules = tuple(rules)

    def __iter__(self) -> Iterator[PatternRule]:
        return iter(self._rules)

    def has_more_than(self, number: int) -> bool:
        return len(self._rules) > number

    def odd(
        self, *, references: bool = False, among: LazyPattern | None = None
    ) -> Iterator[PatternRule]:
        del references, among
        return iter(self._rules)

    def find(self, candidate: LazyPattern, hint: str = "") -> Iterator[PatternRule]:
        del candidate, hint
        return (rule for rule in self._rules if rule.kind == "match")

    def repeated(self, limit: int) -> tuple[list[Repeated], int]:
        above: RulesAbove[PatternRule] = RulesAbove()
        found: list[Repeated] = []
        number = 0
        for rule in self._rules:
            told = None
            if rule.problem is not None:
                continue
            if rule.kind != "match":
                above.enter_or_leave(rule.kind)
            elif rule.first is not None and rule.second is None:
                told = above.take(pattern_key(rule.first), rule)
                if told is None and above.may_end and matches_everything(rule):
                    above.end(rule)
            if told is not None:
                number += 1
                if len(found) < limit:
                    found.append(Repeated(told[0], rule, told[1]))
        return found, number


class RulesAbove(Generic[_Item]):
    """The rules that a rule is compared with, by their patterns."""

    __slots__ = ("_blocks", "_everything", "_keys", "_told")

    def __init__(self) -> None:
        self._keys: dict[str, _Item] = {}
        self._blocks: list[list[str]] = []
        """The keys that have come in every open IF."""
        self._everything: _Item | None = None
        self._told = False

    def enter_or_leave(self, kind: RuleKind) -> None:
        """An IF begins, or ends: what is in it does not matter for what follows."""
        if kind == "if":
            self._blocks.append([])
        else:
            for key in self._blocks.pop():
                del self._keys[key]

    def take(self, key: str, item: _Item) -> tuple[_Item, bool] | None:
        """The rule above with the same pattern, or (and True) one that matches everything."""
        if self._everything is not None:
            told, self._told = self._told, True
            return None if told else (self._everything, True)
        above = self._keys.setdefault(key, item)
        if above is not item:
            return above, False
        if self._blocks:
            self._blocks[-1].append(key)
        return None

    @property
    def ended(self) -> bool:
        """Whether a rule that matches everything is above."""
        return self._everything is not None

    @property
    def may_end(self) -> bool:
        """Whether a rule that matches everything would end the table here."""
        return not self._blocks and self._everything is None

    def end(self, item: _Item) -> None:
        """A rule matches everything: all that follow are not reached."""
        self._everything = item


def pattern_key(part: PatternText) -> str:
    """What equal patterns have in common; that of an ordinary rule is as it is written."""
    flags = part.flags
    if len(flags) > 1:
        flags = "".join(sorted(flag for flag in set(flags) if flags.count(flag) % 2))
    key = f"{part.text.text}/{flags}"
    return f"\n{key}" if part.negated else key
