"""The Lark parsers of this package, each made once per process, when first needed.

The LALR tables are shipped ready-made (``tables/``, written by ``tools/build_grammars.py``):
computing them takes longer than everything else at start-up. They count only for the very
grammar text and Lark release that they were made from; otherwise the parser is built anew, in
memory. Nothing is ever read from a cache outside the installed package.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

START_RULES = {
    "main_cf": ["start"],
    "master_cf": ["start"],
    "value": ["value", "expression", "list"],
}
"""The grammars by name, and where parsing may begin in them."""

_OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "contextual",
    "keep_all_tokens": True,  # trees are lossless
    "maybe_placeholders": False,
}


@cache
def parser(name: str) -> Lark:
    """The LALR parser of ``<name>.lark``; every token is kept, so trees are lossless."""
    from lark import Lark

    table = _ready_made(name)
    return build(name) if table is None else Lark.load(table)


def build(name: str) -> Lark:
    """The parser, made from the grammar's text."""
    from lark import Lark

    text = _path(name).read_text(encoding="utf-8")
    return Lark(text, start=START_RULES[name], **_OPTIONS)


def fingerprint(name: str) -> str:
    """Identifies the text and the options that a parser is made from."""
    from hashlib import sha256

    digest = sha256(_path(name).read_bytes())
    digest.update(repr((START_RULES[name], _OPTIONS)).encode())
    return digest.hexdigest()


def _ready_made(name: str) -> dict[str, Any] | None:
    """The shipped table, unless it is missing or made from something else."""
    import lark

    try:
        module = import_module(f"postlint.syntax.tables.{name}")
    except ImportError:
        return None
    made_from = (module.LARK_VERSION, module.FINGERPRINT)
    table: dict[str, Any] = module.TABLE
    return table if made_from == (lark.__version__, fingerprint(name)) else None


def _path(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.lark")
