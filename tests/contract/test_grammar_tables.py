"""The shipped parser tables are Lark's of the grammars as they are, and run as Lark runs them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import lark
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postlint.syntax import grammar
from postlint.syntax.compile import compile_grammar, lark_parser
from postlint.syntax.lalr import Node, Parser, UnexpectedTextError
from tests.installed import ROOT, environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(grammar.START_RULES)
TABLES = ROOT / "postlint" / "syntax" / "tables"
STARTS = [(name, start) for name in NAMES for start in grammar.START_RULES[name]]


@pytest.fixture(autouse=True)
def _fresh_parsers() -> None:
    grammar.parser.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_made_from_the_grammar_as_it_is(name: str) -> None:
    table = import_module(f"postlint.syntax.tables.{name}").TABLE
    assert table["fingerprint"] == grammar.fingerprint(name), "make grammars"


@pytest.mark.skipif(
    f"Lark {lark.__version__}" != import_module("postlint.syntax.tables.main_cf").MADE_WITH,
    reason="the tables were made with another Lark",
)
def test_generated_again_they_are_the_same(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "build_grammars.py"), "--output", str(tmp_path)],
        check=True,
        env=environment(),
        timeout=120,
    )
    for name in ("__init__", *NAMES):
        made = (tmp_path / f"{name}.py").read_text()
        assert (TABLES / f"{name}.py").read_text() == made, f"{name}: make grammars"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_used_instead_of_compiling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(grammar, "compiled")
    assert isinstance(grammar.parser(name), Parser)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_another_grammar_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"postlint.syntax.tables.{name}")
    monkeypatch.setattr(module, "TABLE", {**module.TABLE, "fingerprint": "x", "states": ()})
    parser = grammar.parser(name)
    assert parser.parse("", start=grammar.START_RULES[name][0]) is not None


def test_without_tables_everything_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setitem(sys.modules, f"postlint.syntax.tables.{name}", None)
        parser = grammar.parser(name)
        assert parser.parse("", start=grammar.START_RULES[name][0]) is not None


LARK = {name: lark_parser(grammar.path(name), grammar.START_RULES[name]) for name in NAMES}

PIECES = {
    "main_cf": ["a", " ", "\t", "\v", "\n", "=", "#", "\r", "\0", "b = c\n", "  d\n", "# e\n"],
    "master_cf": ["a", " ", "\t", "\v", "\n", "{", "}", "#", "-o ", "s inet n - n - - smtpd\n"],
    "value": [*"a ,$(){}?:=<!\t\n", "$$", "${", "==", "level", "{a}", "${{a} == {b} ? {c} : {d}}"],
}


def lark_tree(name: str, start: str, text: str) -> Node | int:
    """What Lark makes of a text, as nodes and tokens of our own; the offset of an error."""

    def own(item: object) -> Node | tuple[str, str, int, int]:
        if isinstance(item, lark.Tree):
            return Node(str(item.data), [own(child) for child in item.children])  # type: ignore[misc]
        assert isinstance(item, lark.Token)
        return (item.type, str(item), item.start_pos or 0, item.end_pos or 0)

    try:
        tree = own(LARK[name].parse(text, start=start))
    except lark.UnexpectedInput as error:
        return error.pos_in_stream or 0
    assert isinstance(tree, Node)
    return tree


def our_tree(name: str, start: str, text: str) -> Node | int:
    def plain(item: object) -> object:
        if isinstance(item, Node):
            return Node(item.data, [plain(child) for child in item.children])  # type: ignore[misc]
        return (item.type, str(item), item.start_pos, item.end_pos)  # type: ignore[attr-defined]

    try:
        tree = plain(grammar.parser(name).parse(text, start=start))
    except UnexpectedTextError as error:
        return error.position
    assert isinstance(tree, Node)
    return tree


@pytest.mark.parametrize(("name", "start"), STARTS)
def test_same_as_lark(name: str, start: str) -> None:
    @settings(max_examples=400)
    @given(st.lists(st.sampled_from(PIECES[name]), max_size=14).map("".join))
    @example("")
    @example("{a} ? {b}")
    @example("{a} ?= {b}")
    @example("{a} == {b} ?c:d")
    def compare(text: str) -> None:
        assert repr(our_tree(name, start, text)) == repr(lark_tree(name, start, text))

    compare()


def test_what_the_tables_can_not_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.lark"
    for rules in ("start: A -> b", "start: x A\n?x: A | x A", 'start: A "a"i'):
        path.write_text(f"{rules}\nA: /a/")
        with pytest.raises(ValueError, match="not supported"):
            compile_grammar(path, ["start"], "x")
