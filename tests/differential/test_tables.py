"""The readers of lookup tables against the real postmap(1) and postalias(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis.access_tables import pattern_table
from postlint.syntax.aliases import external, read_aliases, tokenize
from postlint.syntax.cidr_survey import CidrTable
from postlint.syntax.cidr_table import read_cidr
from postlint.syntax.pattern_survey import SurveyedPatterns
from postlint.syntax.regexp_table import NO_RESULT, OBSOLETE_OPTION, TEXT_AFTER_IF, read_patterns
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import logical_lines, read_indexed
from tests.differential.table_sources import (
    ALIAS_LINES,
    CIDR_LINES,
    INDEXED_LINES,
    ask,
    compared,
    configuration,
    fold,
    generated,
    pattern_lines,
    printable,
    require_type,
    text_files,
    write_file,
)
from tests.postfix_here import require_postfix

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.syntax.pattern import Dialect
    from postlint.syntax.pattern_table import PatternTable

pytestmark = pytest.mark.postfix


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_postfix()
    return tmp_path_factory.mktemp("tables")


def line_of(text: SourceText) -> int:
    return text.source.position(text.source_offset(0)).line


def is_duplicate(text: str) -> bool:
    return text.startswith("duplicate entry")


@generated
@given(text=text_files(INDEXED_LINES), utf8=st.booleans())
def test_texthash(place: Path, text: str, utf8: bool) -> None:
    compare_texthash(place, text, utf8=utf8)


def compare_texthash(place: Path, text: str, *, utf8: bool) -> None:
    compared["texthash"] += 1
    path = write_file(place, "texthash", text)
    said = ask("postmap", configuration(place, utf8=utf8), "-s", f"texthash:{path}", path=path)
    source = SourceFile.from_bytes("t", path.read_bytes())
    entries: dict[str, str] = {}
    problems = []
    repeated = []
    for entry in read_indexed(source, utf8=utf8):
        line = line_of(entry.line)
        if entry.problem or entry.remark:
            problems.append((line, entry.problem or entry.remark))
        if entry.problem is None:
            key = fold(entry.key.text, utf8=utf8)
            if key in entries:
                repeated.append(line)
            entries.setdefault(key, entry.value.text)
    assert sorted(said.output.split("\n")[:-1]) == sorted(f"{k}\t{v}" for k, v in entries.items())
    assert [line for line, word in said.warnings if is_duplicate(word)] == repeated
    others = [item for item in said.warnings if not is_duplicate(item[1])]
    assert len(others) == len(problems)
    for (line, words), (mine, problem) in zip(others, problems, strict=True):
        assert line == mine
        assert problem is not None
        assert words.startswith(problem)


@pytest.mark.parametrize("kind", ["cdb", "hash", "lmdb"])
@generated
@given(text=text_files(INDEXED_LINES), utf8=st.booleans())
def test_postmap(place: Path, kind: str, text: str, utf8: bool) -> None:
    compare_postmap(place, kind, text, utf8=utf8)


def compare_postmap(place: Path, kind: str, text: str, *, utf8: bool) -> None:
    require_type(kind)
    compared[kind] += 1
    path = write_file(place, kind, text)
    settings = configuration(place, utf8=utf8)
    built = ask("postmap", settings, f"{kind}:{path}", path=path)
    entries: dict[str, str] = {}
    problems = []
    repeated = []
    for entry in read_indexed(SourceFile.from_bytes("t", path.read_bytes()), utf8=utf8):
        if entry.problem or entry.remark:
            problems.append((line_of(entry.line), entry.problem or entry.remark or ""))
        if entry.problem is None:
            key = fold(entry.key.text, utf8=utf8)
            if key in entries:
                repeated.append(printable(key))
            entries.setdefault(key, entry.value.text)
    if kind == "cdb":  # it can not be listed
        keys = [key for key in entries if key and "\n" not in key and not key.startswith(" ")]
        said = ask("postmap", settings, "-q", "-", f"cdb:{path}", keys=keys)
        entries = {key: entries[key] for key in keys}
    else:
        said = ask("postmap", settings, "-s", f"{kind}:{path}")
    assert sorted(said.output.split("\n")[:-1]) == sorted(f"{k}\t{v}" for k, v in entries.items())
    assert built.duplicates == repeated
    assert [line for line, _ in built.warnings] == [line for line, _ in problems]
    for (_, words), (_, problem) in zip(built.warnings, problems, strict=True):
        assert words.startswith(problem)


@generated
@given(text=text_files(ALIAS_LINES), utf8=st.booleans())
def test_postalias(place: Path, text: str, utf8: bool) -> None:
    compare_postalias(place, text, utf8=utf8)


def compare_postalias(place: Path, text: str, *, utf8: bool) -> None:
    compared["aliases"] += 1
    path = write_file(place, "aliases", text)
    settings = configuration(place, utf8=utf8)
    built = ask("postalias", settings, f"lmdb:{path}", path=path)
    said = ask("postalias", settings, "-s", f"lmdb:{path}")
    entries: dict[str, str] = {}
    problems = []
    repeated: list[str] = []
    for alias in read_aliases(SourceFile.from_bytes("t", path.read_bytes()), utf8=utf8):
        if alias.problem is not None:
            problems.append((line_of(alias.line), alias.problem))
            continue
        value = external(list(tokenize(alias.value.text)))
        key = fold(alias.key, utf8=utf8)
        if key in entries:
            repeated.append(printable(key))
        entries.setdefault(key, value)
    answers = [line for line in said.output.split("\n")[:-1] if not line.startswith("YP_")]
    assert sorted(answers) == sorted([*(f"{k}:\t{v}" for k, v in entries.items()), "@:\t@"])
    assert built.duplicates == repeated
    assert [line for line, _ in built.warnings] == [line for line, _ in problems]
    for (_, words), (_, problem) in zip(built.warnings, problems, strict=True):
        assert words.startswith(problem)


ADDRESSES = [
    *("10.0.0.0", "10.1.0.0", "10.255.255.255", "192.0.2.1", "0.0.0.0", "255.255.255.255"),
    *("2001:db8::", "2001:db8::1", "::", "::1", "::ffff:192.0.2.1", "fe80::1", "example.com"),
]


@generated
@given(text=text_files(CIDR_LINES))
def test_cidr(place: Path, text: str) -> None:
    compare_cidr(place, text)


def compare_cidr(place: Path, text: str) -> None:
    compared["cidr"] += 1
    path = write_file(place, "cidr", text)
    settings = configuration(place, utf8=False)
    said = ask("postmap", settings, "-q", "-", f"cidr:{path}", keys=ADDRESSES, path=path)
    source = SourceFile.from_bytes("t", path.read_bytes())
    rules = list(read_cidr(logical_lines(source)))
    skipped = ": skipping this rule"
    assert [(line, words.removesuffix(skipped)) for line, words in said.warnings] == [
        (line_of(rule.line), printable(rule.problem)) for rule in rules if rule.problem is not None
    ]
    answers = dict(line.split("\t", 1) for line in said.output.split("\n")[:-1])
    assert answers == {key: value for key in ADDRESSES if (value := look_up(key, rules))}
    # The survey of big tables must say the same as the reader.
    for stretch in (1, 20, 1000):
        table = CidrTable(source, stretch=stretch)
        assert list(table.odd()) == [] or any(rule.problem for rule in rules)


def look_up(key: str, rules: list) -> str | None:  # type: ignore[type-arg]
    """cidr_match_execute(), for the rules as postlint reads them."""
    from postlint.syntax.cidr_table import NetworkError, parse_network

    try:
        wanted = parse_network(key)
    except NetworkError:
        return None
    open_ifs: list[bool] = []
    unclosed = {id(rule.line) for rule in rules if rule.problem == "IF has no matching ENDIF"}
    for rule in rules:
        if rule.problem is not None:
            continue
        if rule.kind == "endif":
            open_ifs.pop()
            continue
        same = rule.network.bits == wanted.bits
        matches = same and rule.network.covers(wanted) != rule.negated
        if rule.kind == "if":
            if id(rule.line) in unclosed and all(open_ifs) and not matches:
                return None
            open_ifs.append(matches)
        elif matches and all(open_ifs):
            return rule.value.text
    return None


@generated
@given(text=text_files(pattern_lines(perl=False)))
def test_regexp(place: Path, text: str) -> None:
    compare_patterns(place, text, "regexp")


@generated
@given(text=text_files(pattern_lines(perl=True)))
def test_pcre(place: Path, text: str) -> None:
    compare_patterns(place, text, "pcre")


KEYS = [
    *("a", "b", "ab", "ba", "aab", "abab", "A", "AB", "z", "0", "10", "a.b", "a b", "user"),
    *("user@example.com", "xexample.com", "x.example.org", "()", "a{1}", "_", "-", "[x]", "^a$"),
]


def compare_patterns(place: Path, text: str, dialect: Dialect) -> None:
    compared[dialect] += 1
    path = write_file(place, dialect, text)
    settings = configuration(place, utf8=False)
    said = ask("postmap", settings, "-q", "-", f"{dialect}:{path}", keys=KEYS, path=path)
    warned: dict[int, list[str]] = {}
    for line, words in said.warnings:
        if not words.startswith("nested recursion"):  # only when a key is looked up
            warned.setdefault(line, []).append(words)
    source = SourceFile.from_bytes("t", path.read_bytes())
    rules = SurveyedPatterns(dialect, source, stretch=30)
    shown = [(rule.line.span, rule.problem, rule.remark) for rule in rules]
    assert shown == [
        (rule.line.span, rule.problem, rule.remark)
        for rule in read_patterns(logical_lines(source), dialect)
    ]
    for rule in rules:
        line = line_of(rule.line)
        words = warned.pop(line, [])
        if rule.problem is None and rule.remark is None:
            # An unclosed IF is told of when everything has been read.
            warned[line] = [word for word in words if word.startswith("IF has no")]
            words = [word for word in words if not word.startswith("IF has no")]
            assert not words, (rule.line.text, words)
        elif rule.problem is None:
            assert rule.remark is not None
            assert any(rule.remark in word for word in words), (rule, words)
            warned[line] = [word for word in words if word.startswith("IF has no")]
            known = (NO_RESULT, OBSOLETE_OPTION, TEXT_AFTER_IF, "do not prepend", "IF has no")
            assert all(word.startswith((*known, "ignoring extra")) for word in words), (rule, words)
        else:
            assert words, rule
    assert not any(warned.values()), warned
    if "error" not in said.errors and "recursion" not in said.errors:
        compare_answers(said.output, rules, dialect)


def compare_answers(output: str, rules: PatternTable, dialect: Dialect) -> None:
    """What the table answers, as far as postlint knows."""
    answers = dict(line.split("\t", 1) for line in output.split("\n")[:-1])
    table = pattern_table(rules, dialect, None)
    for key in KEYS:
        looked_up = table.find(key)
        if looked_up.unknown:
            compared[f"({dialect} answers not known)"] += 1
            continue
        compared[f"({dialect} answers)"] += 1
        if looked_up.filled_in:
            assert key in answers, key
        else:
            value = "" if looked_up.error else looked_up.value  # an empty one is an error
            assert value == answers.get(key), key
