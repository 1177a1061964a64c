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
    entries, problem = inline_table.entries(SourceText(source, text, 0))
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
    table = inline_table.rules(SourceText(SourceFile("t", text), text, 0))
    if table.problem is not None:
        assert table.problem in said.errors
        return
    rules = list(read_cidr(table.items))
    answers = dict(line.split("\t", 1) for line in said.output.split("\n")[:-1])
    assert answers == {key: value for key in keys if (value := look_up(key, rules))}
    assert all(printable(rule.problem) in said.errors for rule in rules if rule.problem is not None)


ITEMS = st.one_of(
    st.sampled_from(
        [
            *("static:a", "static:{ b c }", "static:{}", "inline:{k=v}", "inline:{ {k = v w} }"),
            *("inline:{a=z}", "inline:{v=k, b=c}", "inline:{}", "static", "static:{a", "x"),
            *("unionmap:{static:a, inline:{k=v}}", "pipemap:{inline:{k=a}, inline:{a=b}}"),
            *("{static:a}", "static:a}", "inline:{k = v}x", "static:{a}b"),
        ]
    ),
    st.text("ak{}=, ", min_size=1, max_size=5).map("static:{}".format),
)
WRAPPED = st.tuples(
    st.sampled_from(["unionmap", "pipemap"]),
    st.lists(ITEMS, max_size=3).map(", ".join),
    st.sampled_from(["{{{}}}", "{{ {} }}", "{{{}", "{{{}}}x"]),
).map(lambda parts: f"{parts[0]}:{parts[2].format(parts[1])}")


class Refused(Exception):
    """The table can not be opened."""


def answer(text: str, key: str) -> str | None:
    """What a table in main.cf answers, as postlint reads it."""
    kind, colon, name = text.partition(":")
    if not colon or not name or kind not in ("inline", "pipemap", "static", "unionmap"):
        raise Refused(text)
    inside = SourceText(SourceFile("t", name), name, 0)
    if kind == "static":
        value, problem = inline_table.static_value(inside)
        if problem is not None:
            raise Refused(problem)
        return value.text
    if kind == "inline":
        entries, problem = inline_table.entries(inside)
        if problem is not None:
            raise Refused(problem)
        return {fold(item.key.text, utf8=False): item.value.text for item in entries}.get(key)
    table = inline_table.members(inside)
    if table.problem is not None:
        raise Refused(table.problem)
    members = [item.text for item in table.items]
    for member in members:
        answer(member, key)  # all of them are opened first
    if kind == "unionmap":
        found = [value for member in members if (value := answer(member, key)) is not None]
        union = ""
        for value in found:  # an empty one leaves no trace but a comma behind others
            union += f",{value}" if union else value
        return union or None
    result: str | None = key
    for member in members:
        result = None if result is None else answer(member, fold(result, utf8=False))
    return result


@generated
@given(text=WRAPPED)
def test_wrapped_tables(place: Path, text: str) -> None:
    compared["unionmap and pipemap"] += 1
    said = ask("postmap", configuration(place, utf8=False), "-q", "k", text)
    try:
        expected = answer(text, "k")
    except Refused:
        assert "fatal: " in said.errors
        return
    assert "bad syntax" not in said.errors and "unsupported" not in said.errors
    assert "static:name syntax" not in said.errors
    printed = said.output.removesuffix("\n") if said.output else None
    if "empty string result" not in said.errors:
        assert printed == expected


@generated
@given(
    values=st.lists(
        st.one_of(
            st.text("ab", min_size=1, max_size=3),
            st.sampled_from(["{ b c }", "{}", "{a}b", "a{b", "a}b", "{", "}", "{a b"]),
        ),
        max_size=3,
    ),
    around=st.sampled_from(["{{{}}}", "{{ {} }}", "{{{}", "{{{}}}x"]),
)
def test_random_values(place: Path, values: list[str], around: str) -> None:
    compared["randmap"] += 1
    text = around.format(", ".join(values))
    said = ask("postmap", configuration(place, utf8=False), "-q", "k", f"randmap:{text}")
    table = inline_table.members(SourceText(SourceFile("t", text), text, 0))
    assert ("bad syntax" in said.errors) is (table.problem is not None)
    if table.problem is None and "empty string result" not in said.errors:
        assert said.output.removesuffix("\n") in [item.text for item in table.items]
