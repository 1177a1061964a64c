"""Lookup-table sources, streamed line by line: indexed tables and TLS policies.

postmap(1) sources have no grammar beyond "key white-space value", and they have millions of
lines; one compiled pattern finds the logical lines, nothing is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceFile

# A logical line: its first physical line, then continuation, comment and blank lines.
_LOGICAL_LINE = re.compile(
    r"^([^ \t\v\f\r\n#][^\n]*+)((?:\n[ \t\v\f\r]++[^\n]*+|\n#[^\n]*+|\n(?=\n|\Z))*+)", re.MULTILINE
)
_BLANK_OR_COMMENT = re.compile(r"[ \t\v\f\r]*(?:#|\Z)")
_PLAIN_KEY = re.compile(r'[^ \t\n\v\f\r"\\]++(?=[ \t\n\v\f\r]|\Z)')
_KEY = re.compile(r"[^ \t\v\f\r\n]++")
_QUOTED_KEY = re.compile(r'(?:[^ \t\v\f\r\n"\\]++|\\.|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_UNDECODABLE = re.compile("[\udc80-\udcff]")

NO_VALUE = "expected format: key whitespace value"
UNBALANCED = "unbalanced '\"'"
NOT_UTF8 = "non-UTF-8 input"
ALIAS_FORMAT = 'record is in "key: value" format; is this an alias file?'


class TableEntry(NamedTuple):
    """One logical line of an indexed table. ``problem``: why postmap(1) ignores the line.

    ``remark``: what postmap(1) says of a line that it takes nevertheless.
    """

    line: SourceText
    key: SourceText
    value: SourceText
    problem: str | None = None
    remark: str | None = None


def logical_lines(
    source: SourceFile, start: int = 0, end: int | None = None
) -> Iterator[SourceText]:
    """The logical lines of any Postfix text file (readlline.c), those that it skips left out.

    ``start`` and ``end`` confine it to a part of the text that holds whole logical lines.
    """
    limit = len(source.text) if end is None else end
    for match in _LOGICAL_LINE.finditer(source.text, start, limit):
        first, at = match.span(1)
        rest = match[2]
        if not rest or not rest.strip(WHITE_SPACE):
            yield SourceText(source, match[1], first)
            continue
        chunks = [(first, match[1])]
        for physical in rest[1:].split("\n"):
            at += 1
            if not _BLANK_OR_COMMENT.match(physical):
                chunks.append((at, physical))
            at += len(physical)
        yield SourceText.join(source, chunks)


def read_indexed(
    source: SourceFile,
    *,
    quoted_keys: bool = True,
    utf8: bool = False,
    start: int = 0,
    end: int | None = None,
) -> Iterator[TableEntry]:
    """The entries of a postmap(1) source. ``quoted_keys``: double quotes protect blanks (3.2).

    ``utf8``: lines in another encoding are ignored (smtputf8_enable, 3.0).
    """
    for line in logical_lines(source, start, end):
        yield table_entry(line, quoted_keys=quoted_keys, utf8=utf8)


def table_entry(line: SourceText, *, quoted_keys: bool = True, utf8: bool = False) -> TableEntry:
    """One logical line of a postmap(1) source as postmap.c splits it."""
    text = line.text
    whole = text
    if "\0" in text:  # a C string ends there
        line = line.cut(0, text.index("\0"))
        text = line.text
    if utf8 and not (text and text.isascii()) and _UNDECODABLE.search(whole):
        return _ignored(line, line, NOT_UTF8)
    if not text:
        return _ignored(line, line, NO_VALUE)
    match = _PLAIN_KEY.match(text)
    if match is not None:
        at = match.end()
    elif not quoted_keys:
        plain = _KEY.match(text)
        at = plain.end() if plain is not None else 0
    else:
        at = _quoted_key_end(text)
        if at < 0:
            return _ignored(line, line, UNBALANCED)
    key = line.cut(0, at)
    if at == len(text):
        return _ignored(line, key, NO_VALUE)
    value = line.cut(at, len(text)).strip(WHITE_SPACE)
    if not value.text:
        return _ignored(line, key, NO_VALUE)
    if text[at - 1] == ":":
        return TableEntry(line, key, value, None, ALIAS_FORMAT)
    return TableEntry(line, key, value)


def _ignored(line: SourceText, key: SourceText, problem: str) -> TableEntry:
    end = len(line.text)
    return TableEntry(line, key, line.cut(end, end), problem)


def _quoted_key_end(text: str) -> int:
    """Where a key with quotes or backslashes ends; -1 when a quote is left open."""
    match = _QUOTED_KEY.match(text)
    at = match.end() if match is not None else 0
    if text[at : at + 1] == '"':
        return -1
    return len(text) if text[at : at + 1] == "\\" else at


class PolicyAttribute(NamedTuple):
    """``name=value`` of a TLS policy; ``value`` is None for a word without ``=``."""

    text: SourceText
    name: str
    value: SourceText | None


class Policy(NamedTuple):
    """The right-hand side of a TLS policy table (smtp_tls_policy.c); ``level`` None: empty."""

    level: SourceText | None
    attributes: tuple[PolicyAttribute, ...]


def parse_policy(value: SourceText, *, braces: bool = True) -> Policy:
    """Read a TLS policy. ``braces``: ``{ name = value }`` is one attribute (3.10)."""
    from postlint.syntax.lists import split_list

    words = [value.cut(start, end) for start, end in split_list(value.text, braces=braces)]
    attributes = []
    for word in words[1:]:
        text = word
        if braces and word.text.startswith("{") and word.text.endswith("}"):
            text = word.cut(1, len(word) - 1)
        name, equals, _ = text.text.partition("=")
        if not equals or not name.strip(WHITE_SPACE):
            attributes.append(PolicyAttribute(word, text.text, None))
            continue
        rest = text.cut(len(name) + 1, len(text))
        rest = rest.strip(WHITE_SPACE) if rest.text else rest
        attributes.append(PolicyAttribute(word, name.strip(WHITE_SPACE).lower(), rest))
    return Policy(words[0] if words else None, tuple(attributes))
