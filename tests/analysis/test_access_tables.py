"""Access tables that can be read: what they answer, and patterns that must not hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.access_tables import table_of
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.syntax.pattern_match import STEPS, Budget, matcher
from postlint.syntax.regexp_table import read_patterns
from postlint.syntax.source import SourceFile
from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.syntax.pattern import Dialect

HOSTILE = [
    *("(a+)+$", "(a*)*b", "(a|aa)+$", "(.*)*(.*)*(.*)*x", "(a?){40}a{40}$", "(a?){2000}!"),
    *("((a{1,9}){1,9}){1,9}!", "(){30000}{30000}b", "(" * 2000 + "a" + ")" * 2000),
    *("(?<=" * 12 + "a" + ")" * 12, "(?=.*" * 12 + "a" + ")" * 12),
]


@pytest.mark.parametrize("dialect", ["pcre", "regexp"])
@pytest.mark.parametrize("pattern", HOSTILE, ids=lambda pattern: pattern[:20])
def test_hostile_patterns_end(pattern: str, dialect: Dialect) -> None:
    """Each of them keeps an engine that goes back busy for years."""
    (rule,) = read_patterns(logical_lines(SourceFile("t", f"/{pattern}/ OK")), dialect)
    if rule.problem is not None:
        return  # refused by the library
    assert rule.first is not None
    assert rule.first.pattern is not None
    budget = Budget()
    found = matcher(rule.first.pattern, dialect, ignore_case=True, budget=budget)
    for text in ("a" * 300 + "!", "a" * 900):
        answer = None if found is None else found.search(text)
        assert answer in (True, False, None)
    assert budget.left > -STEPS


def test_a_table_has_one_budget(tmp_path: Path) -> None:
    table = "/^(a?){300}(b|c)$/ no\n" * 2000 + "/^a/ OK\n"
    (tmp_path / "main.cf").write_text("")
    (tmp_path / "t").write_text(table)
    instance = load_instance(Discovery().find([str(tmp_path)], bytes)[0])
    access = table_of(instance, "pcre", "/etc/postfix/t")
    answers = [access.find("a" * number + "!b") for number in range(200, 220)]
    assert all(answer.unknown for answer in answers)


LONG = {
    "pcre": ("/^a{at}$/ REJECT\n", "/(/ broken\n", "/^b$/ OK\n"),
    "regexp": ("/^a{at}$/ REJECT\n", "if /^b/\n", "/^b$/ OK\n"),
    "cidr": ("10.0.{at}.1/32 REJECT\n", "broken x\n", "192.0.2.1 OK\n"),
    "hash": ("a{at} REJECT\n", "broken\n", "b OK\n"),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_table_is_known_to_its_end_or_not_at_all(kind: str, tmp_path: Path) -> None:
    """Lines that are no entries do not hide that there are more entries than are kept."""
    line, odd, last = LONG[kind]
    entries = "".join(line.format(at=at % 250 if kind == "cidr" else at) for at in range(20_000))
    (tmp_path / "main.cf").write_text("")
    (tmp_path / "t").write_text(odd + entries + last)
    instance = load_instance(Discovery().find([str(tmp_path)], bytes)[0])
    access = table_of(instance, kind, "/etc/postfix/t")
    assert access.find("192.0.2.1" if kind == "cidr" else "b").unknown
