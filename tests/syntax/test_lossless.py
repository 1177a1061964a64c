"""Any text parses, the tokens joined give it back, and every span lies inside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax import value as values_of
from postlint.syntax.lists import split_list
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import ServiceEntry, parse_master_cf
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import logical_lines
from postlint.syntax.value import Value, malformed, parse_value, references
from tests.syntax.strategies import texts, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.lines import Tree


@given(st.binary(max_size=80))
def test_bytes_survive(data: bytes) -> None:
    source = SourceFile.from_bytes("main.cf", data)
    assert source.to_bytes() == data
    assert parse_main_cf(source).text() == source.text
    assert parse_master_cf(source).text() == source.text


@given(texts)
def test_main_cf_is_lossless(text: str) -> None:
    tree = parse_main_cf(SourceFile("main.cf", text))
    assert tree.text() == text
    check_spans(tree)
    for entry in tree.assignments:
        assert_is_in(entry.name, text)
        assert_is_in(entry.value, text)
        assert entry.name.text
        assert "=" not in entry.name.text


@given(texts)
def test_master_cf_is_lossless(text: str) -> None:
    tree = parse_master_cf(SourceFile("master.cf", text))
    assert tree.text() == text
    check_spans(tree)
    for entry in tree.services:
        for word in entry_texts(entry):
            assert_is_in(word, text)


@given(texts)
def test_main_and_master_have_the_same_lines(text: str) -> None:
    """readlline(3) is the same for both, and for tables."""
    source = SourceFile("file", text)
    main = [entry.line.text for entry in parse_main_cf(source).entries]
    master = [entry.line.text for entry in parse_master_cf(source).entries]
    assert main == master


@given(texts.filter(lambda text: "\0" not in text))
def test_tables_have_the_same_lines(text: str) -> None:
    source = SourceFile("file", text)
    lines = [entry.line.text for entry in parse_main_cf(source).entries]
    if lines and lines[0][0] in " \t\v\f\r":
        del lines[0]
    assert [line.text for line in logical_lines(source)] == lines


@given(values)
def test_values_are_total(text: str) -> None:
    value = parse_value(text)
    assert list(parts_in(value, text)) is not None
    list(references(value))
    list(malformed(value))
    covered = 0
    for part in value:
        assert part.start == covered
        covered = part.end
    assert covered == len(text)


@given(values, st.booleans())
def test_list_items_do_not_overlap(text: str, braces: bool) -> None:
    at = 0
    between = []
    for start, end in split_list(text, braces=braces):
        assert at <= start < end <= len(text)
        between.append(text[at:start])
        at = end
    between.append(text[at:])
    assert not "".join(between).strip(", \t\r\n")


@given(st.text(alphabet="ab, \t\r\n}\v\xa0", max_size=30))
def test_plain_lists_need_no_grammar(text: str) -> None:
    """The fast path for text without braces finds what the grammar finds."""
    marked = text + ",{}"
    expected = [item for item in split_list(marked) if item[1] <= len(text)]
    assert list(split_list(text)) == expected


def check_spans(tree: Tree) -> None:
    text = tree.source.text
    for entry in tree.entries:
        assert_is_in(entry.line, text)
        assert 0 <= entry.span.start <= entry.span.end <= len(text)
    for comment, _ in tree.comments():
        assert text.startswith(comment.text, comment.offset)


def assert_is_in(piece: SourceText, text: str) -> None:
    """Every character of logical text stands where the text says."""
    start, end = piece.span
    assert 0 <= start <= end <= len(text)
    for index, character in enumerate(piece.text):
        assert text[piece.source_offset(index)] == character


def entry_texts(entry: ServiceEntry) -> Iterator[SourceText]:
    yield from entry.words
    yield from entry.options
    for argument in entry.arguments:
        yield argument.raw
        yield argument.text
    for override in entry.overrides:
        yield override.argument.text
        if override.name is not None and override.value is not None:
            yield override.name
            yield override.value


def parts_in(value: Value, text: str) -> Iterator[None]:
    """Walk a value; literal text must stand where its part says."""
    for part in value:
        assert 0 <= part.start <= part.end <= len(text)
        match part:
            case values_of.Literal():
                assert part.text in (text[part.start : part.end], "$")
            case values_of.Conditional():
                if isinstance(part.test, values_of.Comparison):
                    yield from parts_in(part.test.left, text)
                    yield from parts_in(part.test.right, text)
                for branch in (part.when_true, part.when_false):
                    yield from parts_in(branch or (), text)
            case values_of.Test():
                yield from parts_in(part.comparison.left, text)
                yield from parts_in(part.comparison.right, text)
            case values_of.Call():
                yield from parts_in(part.argument, text)
        yield
