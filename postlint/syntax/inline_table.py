"""Tables written in main.cf itself: ``inline:{ … }``, ``pcre:{ { … }, … }``, ``unionmap:{ … }``.

Sources: dict_inline.c, dict_stream.c, dict_static.c, dict_random.c, dict_pipe.c, dict_union.c,
extpar.c, split_qnameval.c. Since Postfix 3.0; regular expressions and networks since 3.7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.lists import split_list
from postlint.syntax.table import UNBALANCED, TableEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceText

EMPTY = "empty table"
BAD_SYNTAX = "bad syntax"
NO_KEY = "no key found; expected format: key = value"
NO_EQUALS = "missing '=' after attribute name"

_BRACE = re.compile(r"[{}]")
_KEY = re.compile(r'(?:[^ \t\n\v\f\r="\\]++|\\.|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)


class InlineTable(NamedTuple):
    """What stands between the braces. ``problem``: why the table can not be opened.

    Of several entries with the same key the last one counts.
    """

    items: tuple[SourceText, ...]
    problem: str | None = None


def closing_brace(text: str, start: int = 0) -> int:
    """Where the brace that opens at ``start`` is closed; -1 when it is not."""
    depth = 0
    for match in _BRACE.finditer(text, start):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.start()
    return -1


def between_braces(text: SourceText, *, strip: bool = True) -> tuple[SourceText, str | None]:
    """The text inside ``{ … }``, and what extpar() says of anything else."""
    if not text.text.startswith("{"):
        return text, f"no '{{' at start of text in \"{text.text}\""
    end = closing_brace(text.text)
    if end < 0:
        return text, f"missing '}}' in \"{text.text}\""
    if end + 1 < len(text.text):
        return text, f"syntax error after '}}' in \"{text.text}\""
    inside = text.cut(1, end)
    return inside.strip(WHITE_SPACE) if strip and inside.text else inside, None


def members(text: SourceText) -> InlineTable:
    """The items of ``unionmap:{ … }``, ``pipemap:{ … }`` and ``randmap:{ … }``."""
    if closing_brace(text.text) != len(text.text) - 1 or not text.text.startswith("{"):
        return InlineTable((), BAD_SYNTAX)
    items = tuple(_items(text.cut(1, len(text.text) - 1)))
    return InlineTable(items, None if items else BAD_SYNTAX)


def rules(text: SourceText) -> InlineTable:
    """The rules of ``cidr:{ … }``, ``pcre:{ … }`` and ``regexp:{ … }``, each in its own braces."""
    inside, problem = between_braces(text, strip=False)
    found = []
    for item in _items(inside) if problem is None else ():
        rule, problem = between_braces(item)
        if problem is not None:
            break
        if rule.text and not rule.text.startswith("#"):
            found.append(rule)
    return InlineTable(tuple(found), problem)


def entries(text: SourceText) -> tuple[tuple[TableEntry, ...], str | None]:
    """The entries of ``inline:{ … }``, and why the table can not be opened."""
    table = members(text)
    found: list[TableEntry] = []
    if table.problem is not None:
        closed = text.text.startswith("{") and closing_brace(text.text) == len(text.text) - 1
        return (), EMPTY if closed and len(text.text) > len("{}") else BAD_SYNTAX
    for item in table.items:
        pair = item
        if item.text.startswith("{"):
            pair, problem = between_braces(item)
            if problem is not None:
                return tuple(found), problem
        entry = _entry(pair)
        if entry.problem is not None:
            return tuple(found), entry.problem
        found.append(entry)
    return tuple(found), None


def static_value(text: SourceText) -> tuple[SourceText, str | None]:
    """The one result of ``static:value`` and ``static:{ value }``."""
    return between_braces(text) if text.text.startswith("{") else (text, None)


def _items(text: SourceText) -> Iterator[SourceText]:
    for start, end in split_list(text.text):
        yield text.cut(start, end)


def _entry(pair: SourceText) -> TableEntry:
    """``key = value``; the key may have quotes."""
    text = pair.text
    nothing = pair.cut(len(text), len(text))
    start = len(text) - len(text.lstrip(WHITE_SPACE))
    if start == len(text):
        return TableEntry(pair, pair, nothing, NO_KEY)
    match = _KEY.match(text, start)
    end = match.end() if match is not None else start
    if text[end : end + 1] == '"':
        return TableEntry(pair, pair, nothing, UNBALANCED)
    rest = text[end:].lstrip(WHITE_SPACE)
    if not rest.startswith("="):
        return TableEntry(pair, pair, nothing, NO_EQUALS)
    value = pair.cut(len(text) - len(rest) + 1, len(text))
    value = value.strip(WHITE_SPACE) if value.text else value
    return TableEntry(pair, pair.cut(start, end), value)
