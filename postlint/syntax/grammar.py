"""The parsers of this package, each made once per process, when first needed.

The LALR tables are shipped ready-made (``tables/``, written by ``tools/build_grammars.py``): to
compute them, Lark needs longer than everything else at start-up. They count only for the very
grammar that they were made from; for another Lark compiles it anew, in memory. Nothing is ever
read from a cache outside the installed package.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.syntax.lalr import FORMAT, Parser

if TYPE_CHECKING:
    from postlint.syntax.lalr import Table

START_RULES = {
    "main_cf": ["start"],
    "master_cf": ["start"],
    "value": ["value", "expression"],
}
"""The grammars by name, and where parsing may begin in them."""


@cache
def parser(name: str) -> Parser:
    """The parser of ``<name>.lark``; every token is kept, so trees are lossless."""
    return Parser(_ready_made(name) or compiled(name))


def compiled(name: str) -> Table:
    """The table, made from the grammar's text."""
    from postlint.syntax.compile import compile_grammar

    return compile_grammar(path(name), START_RULES[name], fingerprint(name))


def fingerprint(name: str) -> str:
    """Identifies what a table is made from."""
    from zlib import crc32  # against mistakes, not malice: both files lie side by side

    text = path(name).read_bytes()
    return f"{FORMAT} {' '.join(START_RULES[name])} {len(text)} {crc32(text):08x}"


def path(name: str) -> Path:
    """The grammar's file."""
    return Path(__file__).with_name(f"{name}.lark")


def _ready_made(name: str) -> Table | None:
    """The shipped table, unless it is missing or made from something else."""
    try:
        table: Table = import_module(f"postlint.syntax.tables.{name}").TABLE
    except ImportError:
        return None
    return table if table["fingerprint"] == fingerprint(name) else None
