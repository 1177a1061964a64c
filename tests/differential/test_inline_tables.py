"""Tables in main.cf itself, and those that wrap others, against the real postmap(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax import inline_table
from postlint.syntax.cidr_table import read_cidr
from postlint.syntax.source import SourceFile, SourceText
from tests.differential.table_sources import (
    ODD,
    ask,
    compared,
    configuration,
    fold,
    generated,
    printable,
)
from tests.differential.test_tables import look_up
from tests.postfix_here import require_postfix

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_postfix()
    return tmp_path_factory.mktemp("inline")


@generated
@given(
    items=st.lists(
        st.one_of(
            st.tuples(st.text(ODD, min_size=1, max_size=4), st.text(ODD, max_size=4)).map("=".join),
            st.tuples(st.text("aAb", min_size=1, max_size=2), st.text("xyz", max_size=2)).map(
                lambda pair: f"{{ {pair[0]} = {pair[1]} x }}"
            ),
            st.sampled_from(["a", "{a}", "{}", "{ }", "{a=b}c", '"a b"=c', '{"a b"=c}', "{", "="]),
        ),
        max_size=4,
    )
)
def test_inline(place: Path, items: list[str]) -> None:
    compared["inline"] += 1
    text = "{ " + ", ".join(items) + " }"
    if "\0" in text or "\udcff" in text:
        return
    said = ask("postmap", configuration(place, utf8=False), "-s", f"inline:{text}")
    source = SourceFile("t", text)
    entries, problem = inline_table.entries(SourceText(source, text, ((0, 0),)))
    if problem is not None:
        assert printable(problem) in said.errors
        return
    assert "error" not in said.errors and "fatal" not in said.errors
    last = {fold(entry.key.text, utf8=False): entry.value.text for entry in entries}
    assert sorted(said.output.split("\n")[:-1]) == sorted(f"{k}\t{v}" for k, v in last.items())


@pytest.mark.parametrize(
    "text",
    [
        "{{10.0.0.0/8 OK}, {192.0.2.0/24 x y}}",
        "{ { 10.0.0.0/8   OK } }",
        "{{10.0.0.1/8 OK}, {10.0.0.0/8 yes}}",
        "{{if 10.0.0.0/8}, {10.0.0.0/9 low}, {endif}}",
        "{{10.0.0.0/8 OK}x}",
        "{{10.0.0.0/8 OK}}x",
        "{10.0.0.0/8 OK}",
        "{{10.0.0.0/8 OK}",
        "{, }",
        "{{# 10.0.0.0/8 OK}}",
    ],
)
def test_inline_cidr(place: Path, text: str) -> None:
    if require_postfix().version < (3, 7):
        pytest.skip("inline rules need Postfix 3.7")
    keys = ["10.0.0.0", "10.128.0.0", "192.0.2.1"]
    said = ask("postmap", configuration(place, utf8=False), "-q", "-", f"cidr:{text}", keys=keys)
    table = inline_table.rules(SourceText(SourceFile("t", text), text, ((0, 0),)))
    if table.problem is not None:
        assert table.problem in said.errors
        return
    rules = list(read_cidr(table.items))
    answers = dict(line.split("\t", 1) for line in said.output.split("\n")[:-1])
    assert answers == {key: value for key in keys if (value := look_up(key, rules))}
    assert all(printable(rule.problem) in said.errors for rule in rules if rule.problem is not None)
