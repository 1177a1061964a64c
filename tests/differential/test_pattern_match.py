"""The matcher of patterns against postmap(1), which asks the libraries that Postfix uses."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from postlint.syntax.pattern_match import matcher
from postlint.syntax.regexp_table import read_patterns
from postlint.syntax.source import SourceFile
from postlint.syntax.table import logical_lines
from tests.postfix_here import require_postfix, run

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.syntax.pattern import Dialect

pytestmark = pytest.mark.postfix

_ATOMS = {
    "regexp": (
        *("a", "b", ".", "[ab]", "[^a]", "\\.", "(a|b)", "(ab|c)", "^", "$", "x", "[a-c]"),
        *("-", "[[:alpha:]]", "[]a]", "[^]a-]", "\\w", "\\W", "\\bab", "\\<a", "b\\>", "()"),
    ),
    "pcre": (
        *("a", "b", ".", "[ab]", "[^a]", "\\.", "(a|b)", "(?:ab|c)", "^", "$", "x", "[a-c]"),
        *("-", "[[:alpha:]]", "[^\\w.]", "\\d", "\\D", "\\w", "\\b", "(?!a)", "(?=b)"),
        *("(?<!a)", "(?<=b)", "\\Aa", "b\\z", "(?i)", "(?#no)", "\\x61", "(?<n>a)"),
    ),
}
_REPEATS = ("", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}")
_FLAGS = ("", "", "", "i")
_NUMBER = 120


def _pattern(chance: random.Random, dialect: Dialect) -> str:
    parts = []
    for _ in range(chance.randrange(1, 6)):
        atom = chance.choice(_ATOMS[dialect])
        plain = not atom.startswith(("^", "$", "(?", "\\b", "\\<", "\\A")) and "\\z" not in atom
        parts.append(atom + (chance.choice(_REPEATS) if plain and "\\>" not in atom else ""))
        if chance.random() < 0.12:
            parts.append("|")
    return "".join(parts)


@pytest.mark.parametrize("dialect", ["regexp", "pcre"])
def test_agrees_with_postmap(tmp_path: Path, dialect: Dialect) -> None:
    """Each pattern stands in a table of its own line, asked for with every text."""
    postfix = require_postfix()
    if dialect not in run([postfix.postconf, "-m"]).output.split():
        pytest.skip(f"this Postfix has no {dialect} tables")
    chance = random.Random(7)
    lines = [
        f"/{_pattern(chance, dialect)}/{chance.choice(_FLAGS)} {number}"
        for number in range(_NUMBER)
    ]
    keys = sorted(
        {"".join(chance.choices("abcABx.-1_", k=chance.randrange(1, 9))) for _ in range(60)}
    )
    known = 0
    source = SourceFile("x", "".join(f"{line}\n" for line in lines))
    rules = [rule for rule in read_patterns(logical_lines(source), dialect) if not rule.problem]
    for rule in rules:
        written = rule.first
        assert written is not None
        assert written.pattern is not None
        found = matcher(
            written.pattern, dialect, ignore_case=written.folds_case(), flags=written.flags
        )
        if found is None:
            continue
        file = tmp_path / "table"
        file.write_text(f"{rule.line.text}\n", encoding="utf-8")
        said = run([postfix.postmap, "-q", "-", f"{dialect}:{file}"], stdin="\n".join(keys) + "\n")
        matched = {line.partition("\t")[0] for line in said.output.splitlines()}
        for key in keys:
            known += 1
            assert found.search(key) == (key in matched), (rule.line.text, key)
    assert known > 3_000
