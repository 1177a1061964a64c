"""Readers of lookup tables: spans, and big tables against the plain readers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postlint.syntax import inline_table
from postlint.syntax.aliases import alias_entry, read_aliases
from postlint.syntax.cidr_survey import CidrTable
from postlint.syntax.cidr_table import (
    CidrRule,
    NetworkError,
    parse_network,
    read_cidr,
    shadows,
)
from postlint.syntax.client_file import ClientFile
from postlint.syntax.indexed_table import IndexedTable, Search
from postlint.syntax.list_file import read_list
from postlint.syntax.regexp_table import read_patterns
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import TableEntry, logical_lines, read_indexed

ODD = 'ab:"\\ \t\r\n#,=@/.*\x00\xa0é\udcff'
files = st.text(ODD, max_size=60)


def whole(text: str) -> SourceText:
    return SourceText(SourceFile("t", text), text, 0)


@settings(max_examples=500)
@given(files, st.booleans(), st.booleans())
def test_spans_hold_what_they_say(text: str, quoted: bool, utf8: bool) -> None:
    source = SourceFile("t", text)
    for entry in read_indexed(source, quoted_keys=quoted, utf8=utf8):
        for part in (entry.line, entry.key, entry.value):
            assert 0 <= part.span.start <= part.span.end <= len(text)
            if "\n" not in text[part.span.start : part.span.end]:
                assert text[part.span.start : part.span.end] == part.text


def keys(entries: list[TableEntry]) -> list[tuple[int, str | None]]:
    return [(entry.line.source_offset(0), entry.problem or entry.remark) for entry in entries]


def folded(entry: TableEntry, *, utf8: bool) -> str:
    text = entry.key.text
    if text.isascii():
        return text.lower()
    if utf8:
        return text.casefold()
    return text.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


plain_lines = st.sampled_from(
    ["a x", "A y", "b  z", "lone", "a: b", "é x", "É y", "# c", "", "c\t"]
)


@settings(max_examples=500)
@given(
    st.one_of(files, st.lists(plain_lines, max_size=12).map("\n".join)),
    st.booleans(),
    st.sampled_from([1, 8, 1000]),
)
def test_big_indexed_table(text: str, utf8: bool, stretch: int) -> None:
    source = SourceFile("t", text)
    entries = list(read_indexed(source, utf8=utf8))
    table = IndexedTable(source, utf8=utf8, stretch=stretch)
    assert keys(list(table)) == keys(entries)
    assert keys(list(table.odd())) == keys(
        [entry for entry in entries if entry.problem or entry.remark]
    )
    search = Search(re.compile(r"\na"), lambda entry: entry.key.text.startswith("a"), ("a",))
    assert keys(list(table.find(search))) == keys(
        [entry for entry in entries if entry.key.text.startswith("a")]
    )
    first: dict[str, TableEntry] = {}
    repeated = []
    for entry in entries:
        if entry.problem is None:
            above = first.setdefault(folded(entry, utf8=utf8), entry)
            if above is not entry:
                repeated.append((above.line.source_offset(0), entry.line.source_offset(0)))
    found, number = table.duplicates(limit=1000)
    assert number == len(repeated)
    places = [
        (item.first.line.source_offset(0), item.again.line.source_offset(0)) for item in found
    ]
    assert sorted(places) == sorted(repeated)


def test_duplicates_are_limited() -> None:
    table = IndexedTable(SourceFile("t", "a x\n" * 50))
    found, number = table.duplicates(limit=3)
    assert (len(found), number) == (3, 49)
    assert found[0].first.line.span.start == 0


networks = st.one_of(
    st.tuples(st.integers(0, 3), st.sampled_from([8, 9, 16, 24, 30, 32])).map(
        lambda pair: f"10.{pair[0]}.0.0/{pair[1]}"
    ),
    st.sampled_from(["10.0.0.1", "0.0.0.0/0", "2001:db8::/32", "2001:db8::1", "::/0", "10.0.0.0"]),
    st.sampled_from(["10.0.0.1/8", "host", "!10.0.0.0/8", "[::1]", "10.0.0.0/33", "01.2.3.4"]),
)
cidr_files = st.lists(
    st.one_of(
        networks.map("{} OK".format),
        networks.map("{}\tREJECT".format),
        networks,
        networks.map("if {}".format),
        st.sampled_from(["endif", "# comment", "", "  more"]),
    ),
    max_size=14,
).map("\n".join)


def naive_shadows(rules: list[CidrRule]) -> list[tuple[int, int]]:
    """(offset of a rule, offset of the one that hides it), every pair looked at."""
    blocks: list[list[CidrRule]] = [[]]
    found = []
    for rule in rules:
        if rule.problem is not None:
            continue
        if rule.kind == "if":
            blocks.append([])
        elif rule.kind == "endif":
            blocks.pop()
        elif not rule.negated:
            assert rule.network is not None
            hiding = [
                other
                for block in blocks
                for other in block
                if other.network is not None and other.network.covers(rule.network)
            ]
            if hiding:
                offsets = {other.line.source_offset(0) for other in hiding}
                found.append((rule.line.source_offset(0), offsets))
            else:
                blocks[-1].append(rule)
    return found  # type: ignore[return-value]


@settings(max_examples=1000)
@given(cidr_files, st.sampled_from([1, 30, 1000]))
def test_big_cidr_table(text: str, stretch: int) -> None:
    source = SourceFile("t", text)
    rules = list(read_cidr(logical_lines(source)))
    table = CidrTable(source, stretch=stretch)
    conditions = any(rule.kind != "match" for rule in rules)
    odd = [(rule.line.span, rule.problem) for rule in table.odd()]
    assert odd == [(rule.line.span, rule.problem) for rule in rules if rule.problem]
    found, number = table.shadowed(limit=1000)
    expected = naive_shadows(rules)
    assert number == len(expected)
    few = [shadow.rule.line.source_offset(0) for shadow in shadows(rules)]
    assert few == [offset for offset, _ in expected]
    for shadow, (offset, covers) in zip(found, expected, strict=True):
        assert shadow.rule.line.source_offset(0) == offset
        cover = shadow.cover.line.source_offset(0)
        assert cover in covers or conditions


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("[10.0.0.0]/8", "10.0.0.0/8"),
        ("[2001:db8::/32]", "2001:db8::/32"),
        ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.1/8", 'use "10.0.0.0/8" instead'),
        ("10.0.0.0/33", "bad mask length"),
        ("10/8", "bad network value"),
        ("10.0.0", "bad address pattern"),
        ("example.com", "bad address pattern"),
        ("10.0.0.0/", "bad mask value"),
        ("[10.0.0.0", "missing ']' character"),
        ("[10.0.0.0]x", "garbage after"),
    ],
)
def test_networks(pattern: str, answer: str) -> None:
    try:
        assert str(parse_network(pattern)) == answer
    except NetworkError as error:
        assert answer in str(error)


def test_cidr_spans() -> None:
    source = SourceFile("t", "# x\nif !10.0.0.0/8\n! 192.0.2.0/24   REJECT no mail\nendif\n")
    condition, rule, end = read_cidr(logical_lines(source))
    assert (condition.kind, condition.negated, condition.pattern.text) == ("if", True, "10.0.0.0/8")
    assert rule.negated
    span = rule.pattern.span
    assert source.text[span.start : span.end] == "192.0.2.0/24"
    assert rule.value.text == "REJECT no mail"
    assert (end.kind, end.problem) == ("endif", None)


def test_pattern_spans() -> None:
    source = SourceFile("t", "if !/^x/\n/^(a)\\.b$/i  OK $1\nendif\n/a/q no\n")
    condition, rule, end, bad = read_patterns(logical_lines(source), "pcre")
    assert condition.first is not None
    assert condition.first.negated
    assert rule.first is not None
    assert (rule.first.text.text, rule.first.flags, rule.value.text) == ("^(a)\\.b$", "i", "OK $1")
    assert rule.references == (1,)
    assert rule.first.pattern is not None
    kinds = [token.kind for token in rule.first.pattern.tokens]
    assert kinds == ["begin", "open", "literal", "close", "literal", "literal", "end"]
    assert end.kind == "endif"
    assert bad.problem == 'unknown regexp option "q"'
    assert bad.at is not None
    assert bad.at.text == "q"


def test_hostile_patterns_are_not_run() -> None:
    text = f"/{'(a+)+' * 10_000}$/ x\n/{'(' * 60_000}/ x\n/{'[' * 60_000}/ y\n/{'a' * 200_000}/ z\n"
    for dialect in ("regexp", "pcre"):
        rules = list(read_patterns(logical_lines(SourceFile("t", text)), dialect))  # type: ignore[arg-type]
        assert [rule.problem is None for rule in rules] == [True, False, False, True]


def test_alias_targets() -> None:
    text = (
        'list: joe, "|/bin/x -y", :include:/etc/list,\n  /var/mail/x, J. Doe <j@example.com> (c) b'
    )
    (alias,) = read_aliases(SourceFile("t", text))
    assert [(target.kind, target.name) for target in alias.targets()] == [
        ("address", "joe"),
        ("command", "/bin/x -y"),
        ("include", "/etc/list"),
        ("file", "/var/mail/x"),
        ("address", "j@example.com"),
        ("address", "b"),
    ]
    include = list(alias.targets())[2]
    assert text[include.text.span.start : include.text.span.end] == ":include:/etc/list"


@given(st.text('ab:,@"\\()<>[];| \t\x00é', max_size=30))
def test_any_alias_line(text: str) -> None:
    entry = alias_entry(whole(text))
    if entry is not None and entry.problem is None:
        for target in entry.targets():
            assert target.text.text in text


def test_inline_tables() -> None:
    entries, problem = inline_table.entries(whole('{ a=b, { c = d e }, {"x y"=z} }'))
    assert problem is None
    assert [(entry.key.text, entry.value.text) for entry in entries] == [
        ("a", "b"),
        ("c", "d e"),
        ('"x y"', "z"),
    ]
    assert inline_table.entries(whole("{ }"))[1] == "empty table"
    assert inline_table.entries(whole("a=b"))[1] == "bad syntax"
    rules = inline_table.rules(whole("{ { /a b/ OK }, {10.0.0.0/8 x} }"))
    assert [rule.text for rule in rules.items] == ["/a b/ OK", "10.0.0.0/8 x"]
    assert rules.items[1].span.start == 17
    inside = inline_table.members(whole("{ hash:/a, pipemap:{ static:x, static:y } }"))
    assert [item.text for item in inside.items] == ["hash:/a", "pipemap:{ static:x, static:y }"]
    assert inline_table.static_value(whole("{ a b }"))[0].text == "a b"


def test_client_files() -> None:
    text = "# x\nhosts = db.example.com\nuser=a\nuser = b\npassword =\n  secret\nnonsense\n= y\n"
    client = ClientFile(SourceFile("t", text))
    assert client.text("hosts") == "db.example.com"
    assert client.text("user") == "b"
    assert client.text("password") == "secret"
    assert client.get("nothing") is None
    problems = [setting.problem for setting in client.settings if setting.problem]
    assert problems == ["missing '=' after attribute name", "missing attribute name"]


def test_list_files() -> None:
    text = "# comment\n10.0.0.0/8, !192.0.2.1\n  # no comment\nexample.com # rest\n"
    items = list(read_list(SourceFile("t", text)))
    assert [(item.text.text, item.negated, bool(item.problem)) for item in items] == [
        ("10.0.0.0/8", False, False),
        ("192.0.2.1", True, False),
        ("# no comment", False, True),
        ("example.com", False, False),
        ("# rest", False, True),
    ]
