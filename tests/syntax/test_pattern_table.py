"""Tables of regular expressions searched in stretches say what reading them rule by rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postlint.syntax.late_matcher import LateMatcher
from postlint.syntax.ordinary_rules import needle, rules_expression
from postlint.syntax.pattern_facts import impossible_part, matches_everything, perl_escape
from postlint.syntax.pattern_match import Budget, matcher
from postlint.syntax.pattern_survey import SurveyedPatterns
from postlint.syntax.pattern_table import KeptPatterns
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.regexp_table import read_patterns
from postlint.syntax.source import SourceFile
from postlint.syntax.table import logical_lines
from tests.pattern_lines import pattern_tables

if TYPE_CHECKING:
    from postlint.syntax.pattern import Dialect
    from postlint.syntax.regexp_table import PatternRule, PatternText
    from postlint.syntax.source import SourceText

dialects = st.sampled_from(["regexp", "pcre"])
_FILTER = LazyPattern(r"\n[^\n]*?FILTER")
KEYS = ("a", "bc", "user@example.com", "mail.example.com", "example.com", "xexample-com", "")


def both(text: str, dialect: Dialect, stretch: int) -> tuple[SurveyedPatterns, KeptPatterns]:
    source = SourceFile("table", text)
    kept = KeptPatterns(read_patterns(logical_lines(source), dialect))
    return SurveyedPatterns(dialect, source, stretch=stretch), kept


def shown(rule: PatternRule) -> tuple[object, ...]:
    """Everything about a rule."""
    return (
        _place(rule.line),
        rule.kind,
        *map(_part, (rule.first, rule.second)),
        _place(rule.value),
        *(rule.references, rule.problem, rule.remark),
        None if rule.at is None else _place(rule.at),
    )


def _place(text: SourceText) -> tuple[object, ...]:
    return text.text, text.span


def _part(part: PatternText | None) -> tuple[object, ...]:
    if part is None:
        return ()
    pattern = part.pattern
    known = () if pattern is None else (pattern.error, pattern.groups, pattern.tokens)
    return part.negated, part.delimiter, _place(part.text), part.flags, known


def is_odd(rule: PatternRule, dialect: Dialect) -> bool:
    """Whether a rule that asks for odd ones may say something of it."""
    return (
        rule.problem is not None
        or rule.remark is not None
        or impossible_part(rule) is not None
        or (dialect == "regexp" and perl_escape(rule) is not None)
    )


@given(pattern_tables(), dialects, st.sampled_from([1, 15, 60, 1 << 20]))
@example("/^a$/ x\n#\n  y\n/^a$/ z", "regexp", 1 << 20)
@example("if /a/\n/b/ x\nif /c/\n/b/ x\nendif\n/.*/ y\nendif\n/b/ x\n/.*/ x\n/b/ x", "pcre", 15)
def test_same_as_rule_by_rule(text: str, dialect: Dialect, stretch: int) -> None:
    big, small = both(text, dialect, stretch)
    rules = [shown(rule) for rule in small]
    assert [shown(rule) for rule in big] == rules
    number = sum(rule.problem != "IF has no matching ENDIF" for rule in small)
    assert big.has_more_than(number - 1)
    assert not big.has_more_than(number)

    for references in (False, True):
        odd = [
            shown(rule)
            for rule in small
            if is_odd(rule, dialect) or (references and rule.references)
        ]
        assert [shown(rule) for rule in big.odd(references=references)] == odd

    for limit in (1, 3, 100):
        found, count = small.repeated(limit)
        again, number = big.repeated(limit)
        assert number == count
        assert [(shown(a), shown(b), told) for a, b, told in again] == [
            (shown(a), shown(b), told) for a, b, told in found
        ]

    wanted = [
        shown(rule)
        for rule in small.find(_FILTER)
        if _FILTER.match(f"\n{rule.line.text}") is not None
    ]
    assert [shown(rule) for rule in big.find(_FILTER)] == wanted


@given(pattern_tables(), dialects)
def test_ordinary_rules(text: str, dialect: Dialect) -> None:
    """What looks ordinary is taken without a word, and nothing about it is odd."""
    source = SourceFile("table", text)
    for line in logical_lines(source):
        found = rules_expression(dialect).match(f"\n{line.text}")
        if found is None or found[1] is None:
            continue
        (rule,) = read_patterns([line], dialect)
        assert not is_odd(rule, dialect)
        assert not rule.references
        assert not matches_everything(rule)
        assert rule.first is not None
        assert found[1] == f"{rule.first.text.text}/{rule.first.flags}"


@given(pattern_tables(), dialects)
def test_late_matchers(text: str, dialect: Dialect) -> None:
    """A matcher that is compiled late answers like one that is compiled at once."""
    big, _ = both(text, dialect, 1 << 20)
    for rule in big:
        part = rule.first
        if part is None or part.pattern is None or part.pattern.error is not None:
            continue
        late = LateMatcher(part, dialect, Budget())
        eager = matcher(part.pattern, dialect, ignore_case=part.folds_case(), flags=part.flags)
        for key in (*KEYS, part.text.text, part.text.text.replace("\\", "")):
            assert late.search(key) == (None if eager is None else eager.search(key))
        if eager is not None and part.pattern.ordinary:
            assert needle(part.text.text) in part.text.text.lower()


@pytest.mark.parametrize("dialect", ["regexp", "pcre"])
def test_ordinary_rules_are_not_taken_apart(dialect: Dialect) -> None:
    written = (
        *("/^user@example\\.com$/ OK", "/(^|\\.)example\\.(com|net)$/i REJECT no", "/a{2}b+/ x"),
        *("/^Subject:.*\\s(buy|get)[^a-z]*now/ REJECT", "/[[:alpha:]_-]+@/\tDUNNO", "/a\\/b/ x"),
        *("/^(a|(b|c$))|d$/ x", "/\\bword\\b/ x", "/[-]/ x", "/[a\\/b]/ x"),
    )
    for line in written:
        found = rules_expression(dialect).match(f"\n{line}")
        assert found is not None
        assert found[1] is not None, line


def test_hostile_patterns_end() -> None:
    hostile = ("(a+)+" * 200, "(" * 900, "(a|" * 300, "[" * 900, "a" * 200_000, "(^|(a*)*)*" * 90)
    text = "".join(f"/{pattern}$/ x\n" for pattern in hostile)
    for dialect in ("regexp", "pcre"):
        big, small = both(text * 3, dialect, 1 << 20)  # type: ignore[arg-type]
        assert [rule.problem for rule in big] == [rule.problem for rule in small]
        assert big.repeated(100)[1] == small.repeated(100)[1]


def test_many_open_ifs() -> None:
    """Nesting is no reason to compare every rule with every block."""
    text = "if /a/\n" * 20_000 + "".join(f"/b{at}/ x\n" for at in range(20_000))
    big, small = both(text, "regexp", 1 << 20)
    assert small.repeated(3) == ([], 0)
    assert big.repeated(3) == ([], 0)
    assert sum(rule.problem is not None for rule in big.odd()) == 20_000
