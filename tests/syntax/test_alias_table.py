"""Alias files searched in stretches say what reading them entry by entry says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax.alias_table import AliasTable
from postlint.syntax.aliases import read_aliases
from postlint.syntax.source import SourceFile

PIECES = [
    *("a", "B", "a.b", "x+y", "root", ":", ": ", ":\t", ",", ", ", " ", "\t", "\n", "\n\n", "\n "),
    *("@", "example.com", "|cmd", "/dev/null", "~", ":include:/l", '"q u"', "(c)", "\\", "#", "%"),
    *("\r", "\v", "\0", "é", "\udc80", "a: b\n", "A: c, d\n", "# x\n", "b: e@example.com\n", "!"),
]

texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def table(text: str, stretch: int, *, utf8: bool) -> AliasTable:
    return AliasTable(SourceFile("aliases", text), utf8=utf8, stretch=stretch)


@given(texts, st.integers(1, 30), st.booleans())
def test_same_as_one_by_one(text: str, stretch: int, utf8: bool) -> None:
    found = table(text, stretch, utf8=utf8)
    plain = list(read_aliases(found.source, utf8=utf8))
    counted = [alias for alias in plain if alias.problem is None]
    assert sorted(found.names()) == sorted(alias.key.lower() for alias in counted)

    unusual = {alias.line.source_offset(0) for alias in found.unusual()}
    for alias in plain:
        if alias.line.source_offset(0) not in unusual:
            assert alias.problem is None
            assert "#" not in alias.value.text
            assert {target.kind for target in alias.targets()} <= {"address"}

    first: dict[str, int] = {}
    again = []
    for alias in counted:
        offset = alias.line.source_offset(0)
        above = first.setdefault(alias.key.lower(), offset)
        if above != offset:
            again.append((above, offset))
    pairs, number = found.duplicates(3)
    assert number == len(again)
    assert [(one.line.source_offset(0), two.line.source_offset(0)) for one, two in pairs] == again[
        :3
    ]


def test_plain_entries_are_not_read() -> None:
    text = "".join(f"user{at}: box{at}@example.com, other\n" for at in range(1000))
    found = table(text + "odd: |command\n", 4096, utf8=False)
    assert [alias.key for alias in found.unusual()] == ["odd"]
