"""The shipped parser tables are those of the grammars, and nothing else is ever used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import lark
import pytest

from postlint.syntax import grammar
from tests.installed import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(grammar.START_RULES)
TABLES = ROOT / "postlint" / "syntax" / "tables"


@pytest.fixture(autouse=True)
def _fresh_parsers() -> None:
    grammar.parser.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_made_from_the_grammar_as_it_is(name: str) -> None:
    module = import_module(f"postlint.syntax.tables.{name}")
    assert module.FINGERPRINT == grammar.fingerprint(name), "make grammars"


@pytest.mark.skipif(
    lark.__version__ != import_module("postlint.syntax.tables.main_cf").LARK_VERSION,
    reason="the tables are for another Lark: make grammars",
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
def test_a_table_is_used_instead_of_building(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"postlint.syntax.tables.{name}")
    monkeypatch.setattr(module, "LARK_VERSION", lark.__version__)
    monkeypatch.delattr(grammar, "build")
    assert isinstance(grammar.parser(name), lark.Lark)


@pytest.mark.parametrize("attribute", ["LARK_VERSION", "FINGERPRINT"])
@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_does_not_fit_is_refused(
    name: str, attribute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(f"postlint.syntax.tables.{name}")
    monkeypatch.setattr(module, attribute, "other")
    monkeypatch.setattr(module, "TABLE", {})
    built = []
    build = grammar.build
    monkeypatch.setattr(grammar, "build", lambda name: built.append(name) or build(name))
    assert isinstance(grammar.parser(name), lark.Lark)
    assert built == [name]


def test_without_tables_everything_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setitem(sys.modules, f"postlint.syntax.tables.{name}", None)
        assert isinstance(grammar.parser(name), lark.Lark)


TEXTS = {
    "main_cf": "# c\na = b\n  c\n\n d\nx\n=y\n",
    "master_cf": "smtp inet n - n - - smtpd\n  -o { a = b }\n # c\n -o c={d\n",
    "value": "a $b ${c?{d}:e} $(f) $$ ${{x} == {y} ? z : {w}}, {q r",
}


@pytest.mark.parametrize("name", NAMES)
def test_loaded_and_built_parsers_do_the_same(name: str) -> None:
    for start in grammar.START_RULES[name]:
        trees = []
        for parser in (grammar.parser(name), grammar.build(name)):
            try:
                trees.append(parser.parse(TEXTS[name], start=start))
            except lark.UnexpectedInput as error:
                trees.append(str(error))
        assert trees[0] == trees[1]
