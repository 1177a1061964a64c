"""Deep nesting and long lines: an answer, no exception, and time that grows with the length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.syntax.lists import split_list
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import parse_master_cf
from postlint.syntax.source import SourceFile
from postlint.syntax.table import logical_lines, parse_policy, read_indexed
from postlint.syntax.value import malformed, parse_value, references

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 10_000


def walk_value(text: str) -> None:
    value = parse_value(text)
    list(references(value))
    list(malformed(value))


def read_all(text: str) -> None:
    source = SourceFile("file", text)
    assert parse_main_cf(source).text() == text
    assert parse_master_cf(source).text() == text
    list(logical_lines(source))
    for entry in read_indexed(source):
        parse_policy(entry.value)


READERS: dict[str, Callable[[str], object]] = {
    "files": read_all,
    "value": walk_value,
    "list": lambda text: list(split_list(text)),
}

DEEP = {
    "closed braces": "{" * DEPTH + "}" * DEPTH,
    "open braces": "{" * DEPTH,
    "macros": "${a?" * DEPTH + "}" * DEPTH,
    "braced macros": "${a?{" * DEPTH + "}}" * DEPTH,
    "comparisons": "${{" * DEPTH + "} == {b}}" * DEPTH,
    "open macros": "${" * DEPTH,
    "parentheses": "$(a:" * DEPTH + ")" * DEPTH,
    "tables": "pipemap:{" * DEPTH + "}" * DEPTH,
    "arguments": "a b c d e f g h -o {" + "{" * DEPTH + "}" * DEPTH + "}",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting(text: str, reader: str) -> None:
    READERS[reader](text)


UNITS = {
    "one value": "x",
    "one list": "word, ",
    "one list in braces": "{ word } ",
    "many macros": "$b",
    "many dollars": "$$",
    "many conditions": "${b?{c}:{d}} ",
    "continuations": " word\n# comment\n",
    "settings": "name = value\n",
    "blanks": " ",
    "comments": "# comment\n",
    "arguments": "-o a=b ",
    "quotes": '"',
    "backslashes": "\\",
}
SIZE = 160_000


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_repetition_is_read(unit: str, reader: str) -> None:
    """What would never end if it took time by the square of its length."""
    READERS[reader]("a = b c d e f g h " + unit * (SIZE // len(unit)))


@pytest.mark.parametrize("reader", READERS)
def test_a_megabyte(reader: str) -> None:
    READERS[reader]("name = " + "x" * 1_000_000)
