"""Selecting rules."""

from __future__ import annotations

import pytest

from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import Rule
from postlint.lint.selection import UnknownSelectorError, parse_selectors, select
from postlint.syntax.main_cf import MainCf


def make(code: str, name: str, *, opt_in: bool = False) -> Rule:
    def check(main_cf: MainCf) -> list[Finding]:
        return []

    check.__name__ = name
    check.__annotations__ = {"main_cf": "MainCf"}
    return Rule(check, code, Severity.INFO, None, (), opt_in=opt_in)


RULES = (
    make("AAA001", "first_rule"),
    make("AAA011", "second_rule"),
    make("BBB001", "third_rule"),
    make("BBB002", "optional_rule", opt_in=True),
)


def codes(chosen: str = "", ignored: str = "", extended: str = "") -> list[str]:
    lists = [parse_selectors([text] if text else [], RULES) for text in (chosen, ignored, extended)]
    return [rule.code for rule in select(RULES, *lists)]


def test_the_default_is_all_but_the_opt_in_ones() -> None:
    assert codes() == ["AAA001", "AAA011", "BBB001"]


@pytest.mark.parametrize(
    ("chosen", "ignored", "extended", "expected"),
    [
        ("AAA", "", "", ["AAA001", "AAA011"]),
        ("aaa00", "", "", ["AAA001"]),
        ("third-rule", "", "", ["BBB001"]),
        ("BBB", "", "", ["BBB001", "BBB002"]),
        ("ALL", "", "", ["AAA001", "AAA011", "BBB001", "BBB002"]),
        ("", "AAA", "", ["BBB001"]),
        ("AAA011", "AAA", "", ["AAA011"]),
        ("AAA", "AAA011", "", ["AAA001"]),
        ("", "", "BBB002", ["AAA001", "AAA011", "BBB001", "BBB002"]),
        ("AAA001,BBB001", "", "", ["AAA001", "BBB001"]),
    ],
)
def test_the_more_specific_selector_decides(
    chosen: str, ignored: str, extended: str, expected: list[str]
) -> None:
    assert codes(chosen, ignored, extended) == expected


def test_an_unknown_selector_gets_a_suggestion() -> None:
    with pytest.raises(UnknownSelectorError, match=r"'AAB001'.*did you mean AAA001"):
        codes("AAB001")


def test_a_rule_needs_a_code_and_a_scope() -> None:
    with pytest.raises(ValueError, match="not a rule code"):
        make("A1", "x")

    def check(value: int) -> list[Finding]:
        return []

    with pytest.raises(ValueError, match="first parameter"):
        Rule(check, "AAA001", Severity.INFO, None, ())
