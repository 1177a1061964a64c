"""Choosing rules, and listing and explaining them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from postlint.lint.registry import bundled_rules
from tests.cli.conftest import ERROR, MASTER, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

CODES = [rule.code for rule in bundled_rules()]


def listed(run: Run) -> list[str]:
    assert (run.status, run.err) == (0, "")
    return [line.split()[0] for line in run.lines]


def test_rules_lists_every_rule(postlint: Callable[..., Run]) -> None:
    assert listed(postlint("rules")) == CODES
    report = json.loads(postlint("rules", "--format", "json").out)
    assert [row["code"] for row in report["rules"]] == CODES
    table = postlint("rules", "--format", "markdown").lines[2:]
    assert [line.split()[1] for line in table] == CODES


def family(*beginnings: str) -> list[str]:
    return [code for code in CODES if code.startswith(beginnings)]


def test_selectors(postlint: Callable[..., Run]) -> None:
    assert listed(postlint("rules", "--select", "DUP")) == family("DUP")
    assert listed(postlint("rules", "--select", "dup00")) == family("DUP")
    assert listed(postlint("rules", "--select", "DUP001,LNT")) == family("DUP001", "LNT")
    assert listed(postlint("rules", "--select", "DUP", "--select", "LNT")) == family("DUP", "LNT")
    assert listed(postlint("rules", "--select", "duplicate-parameter")) == ["DUP001"]
    assert listed(postlint("rules", "--select", "DUP", "--ignore", "DUP001")) == family(
        "DUP002", "DUP003", "DUP004", "DUP005"
    )
    assert listed(postlint("rules", "--select", "LNT", "--extend-select", "DUP001")) == family(
        "DUP001", "LNT"
    )
    assert listed(postlint("rules", "--select", "DUP001", "--ignore", "DUP")) == ["DUP001"]


def test_selection_of_check(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "a/master.cf": MASTER + MASTER})

    def codes(*options: str) -> set[str]:
        report = json.loads(postlint("check", "a", "--format", "json", *options).out)
        return {item["code"] for item in report["findings"]}

    assert codes("--select", "DUP") == {"DUP001", "DUP003"}
    assert codes("--select", "DUP", "--ignore", "DUP001") == {"DUP003"}
    assert codes("--select", "LNT", "--extend-select", "duplicate-service") == {"DUP003"}
    assert "DUP001" not in codes("--ignore", "DUP")


@pytest.mark.parametrize("code", CODES)
def test_every_rule_is_explained(postlint: Callable[..., Run], code: str) -> None:
    run = postlint("rule", code)
    assert (run.status, run.err) == (0, "")
    for heading in ("Why", "Bad", "Good", "Fix", "References"):
        assert f"\n## {heading}\n" in run.out
    assert postlint("rule", code.lower()) == run
    assert postlint("rule", run.lines[0].split()[2]) == run
