"""Lists: words between commas and blanks, braces keeping their inside together (mystrtok.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from postlint.syntax.grammar import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.lalr import Token

SEPARATORS = ", \t\r\n"
"""CHARS_COMMA_SP of Postfix."""

_PLAIN_ITEM = re.compile(r"[^, \t\r\n]+")


def split_list(text: str, *, braces: bool = True) -> Iterator[tuple[int, int]]:
    """The (start, end) of every item. ``braces``: text in braces is not split (since 3.0)."""
    if not braces or "{" not in text:
        for match in _PLAIN_ITEM.finditer(text):
            yield match.span()
        return
    for node in parser("value").parse(text, start="list").children:
        if not isinstance(node, str):
            tokens = cast("list[Token]", node.children)
            yield tokens[0].start_pos, tokens[-1].end_pos
