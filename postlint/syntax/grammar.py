"""The Lark parsers of this package, each built once per process, when first needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

_START_RULES = {
    "main_cf": ["start"],
    "master_cf": ["start"],
    "value": ["value", "expression", "list"],
}


@cache
def parser(name: str) -> Lark:
    """The LALR parser of ``<name>.lark``; every token is kept, so trees are lossless."""
    from lark import Lark

    grammar = Path(__file__).with_name(f"{name}.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=_START_RULES[name],
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
