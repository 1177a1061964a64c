"""main.cf and master.cf are read as Lark reads them with the grammars, whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Token, Tree

from postlint.syntax import grammar
from postlint.syntax import value as values_of
from postlint.syntax.compile import lark_parser
from postlint.syntax.lines import Entry, LeadingWhitespace
from postlint.syntax.main_cf import Assignment, MissingEquals, MissingName, parse_main_cf
from postlint.syntax.master_cf import BadFieldCount, ServiceEntry, parse_master_cf
from postlint.syntax.source import SourceFile, SourceText
from tests.syntax.strategies import texts, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Placed: TypeAlias = list[tuple[str, int]]
"""Characters, and where in the file each stands."""

LARK = {name: lark_parser(grammar.path(name), ["start"]) for name in ("main_cf", "master_cf")}
BETWEEN_LINES = {"INNER_TRIVIA", "JOIN", "GROUP_JOIN"}
WHITE_SPACE = " \t\n\v\f\r"

PIECES = [
    *"a =#\t\v\f\n\r\0{}",
    "\n ",
    "\n\t#",
    "\n\n",
    "b = c",
    "\n  = x",
    "lone",
    "s inet n - n - - smtpd",
    "\n -o d = e",
    " -oa=b -vo",
    " -o { f = g }",
    " ${h}x",
    "{ i",
    "}",
    "\n  ",
    "\n\vjoined",
]
lines = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
files = st.one_of(lines, texts)


def tokens(node: Tree[Token]) -> Iterator[Token]:
    return node.scan_values(lambda _: True)


def characters(found: Iterable[Token]) -> Placed:
    """The text of tokens, of a gap the blanks before its first and behind its last line end."""
    placed: Placed = []
    for token in found:
        assert token.start_pos is not None
        if token.type in BETWEEN_LINES:
            continue
        lines = token.split("\n")
        at = token.start_pos
        for number, line in enumerate(lines):
            if number in (0, len(lines) - 1):
                placed += [(character, at + index) for index, character in enumerate(line)]
            at += len(line) + 1
    return placed


def until_null(placed: Placed) -> Placed:
    ends = [index for index, (character, _) in enumerate(placed) if character == "\0"]
    return placed[: ends[0]] if ends else placed


def stripped(placed: Placed) -> Placed:
    inside = [index for index, (character, _) in enumerate(placed) if character not in WHITE_SPACE]
    return placed[inside[0] : inside[-1] + 1] if inside else []


def places(text: SourceText) -> Placed:
    return [(character, text.source_offset(at)) for at, character in enumerate(text.text)]


def written(node: Tree[Token]) -> str:
    return "".join(tokens(node))


def by_grammar(name: str, text: str) -> list[Tree[Token]]:
    """The entries of a file, by Lark; nothing of the file is lost."""
    tree = LARK[name].parse(text)
    assert written(tree) == text
    return [child for child in tree.children if isinstance(child, Tree)]


def check_lines(entries: list[Entry], nodes: list[Tree[Token]]) -> None:
    assert len(entries) == len(nodes)
    for entry, node in zip(entries, nodes, strict=True):
        assert entry.start == next(tokens(node)).start_pos
        assert entry.written.removesuffix("\n") == written(node).removesuffix("\n")
        assert isinstance(entry, LeadingWhitespace) == (node.data == "leading_whitespace")


@settings(max_examples=1000)
@given(files)
@example("a\n#\n = b")
@example("a b\n = c")
@example("a\0 = b\n c = d")
@example(" a\n#\n b = c\nd = e")
def test_main_cf(text: str) -> None:
    tree = parse_main_cf(SourceFile("main.cf", text))
    assert tree.text() == text
    entries, nodes = list(tree.entries), by_grammar("main_cf", text)
    check_lines(entries, nodes)
    for entry, node in zip(entries, nodes, strict=True):
        line = until_null(characters(tokens(node)))
        assert places(entry.line) == line
        equals = [index for index, (character, _) in enumerate(line) if character == "="]
        if node.data == "setting" and equals:
            assert isinstance(entry, Assignment)
            assert places(entry.name) == stripped(line[: equals[0]])
            assert places(entry.value) == stripped(line[equals[0] + 1 :])
            if not entry.value.text:
                assert entry.value.span.start <= len(text)
        elif node.data in ("setting", "missing_equals"):
            assert isinstance(entry, MissingEquals)
        elif node.data == "missing_name":
            assert isinstance(entry, MissingName)


@settings(max_examples=1000)
@given(files)
@example("a b\v\n\vc {d\n#\n e} f\n # g\n\n\t-o\n h i j k l")
def test_master_cf(text: str) -> None:
    tree = parse_master_cf(SourceFile("master.cf", text))
    assert tree.text() == text
    entries, nodes = list(tree.entries), by_grammar("master_cf", text)
    check_lines(entries, nodes)
    for entry, node in zip(entries, nodes, strict=True):
        assert places(entry.line) == until_null(characters(tokens(node)))
        if isinstance(entry, LeadingWhitespace):
            continue
        assert isinstance(entry, ServiceEntry | BadFieldCount)
        words: list[Placed] = []
        for child in node.children:
            if isinstance(child, Tree):
                word = characters(tokens(child))
                words += [until_null(word)] if until_null(word) else []
                if until_null(word) != word:
                    break
        assert [places(word) for word in entry.words] == words
        assert isinstance(entry, ServiceEntry) == (len(words) >= 8)


@settings(max_examples=1000)
@given(
    st.one_of(values, st.lists(st.sampled_from(["$a", "${b}", "$(c)", "$$", "d "])).map("".join))
)
def test_values(text: str) -> None:
    quick = values_of.parse_value.__wrapped__(text, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values_of, "_plain_parts", lambda *_: None)
        values_of.parse_value.cache_clear()
        assert values_of.parse_value(text, 5) == quick
    values_of.parse_value.cache_clear()
