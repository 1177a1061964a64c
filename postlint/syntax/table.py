"""Lookup-table sources, streamed line by line: indexed tables and TLS policies.

postmap(1) sources have no grammar beyond "key white-space value", and they have millions of
lines; one compiled pattern finds the logical lines, nothing is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

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
_KEY = re.compile(r"[^ \t\v\f\r\n]+")
_QUOTED_KEY = re.compile(r'(?:[^ \t\v\f\r\n"\\]|\\.|"(?:[^"\\]|\\.)*")+', re.DOTALL)


class TableEntry(NamedTuple):
    """One logical line of an indexed table. ``problem``: why postmap(1) ignores the line."""

    line: SourceText
    key: SourceText
    value: SourceText
    problem: str | None = None


def logical_lines(source: SourceFile) -> Iterator[SourceText]:
    """The logical lines of any Postfix text file (readlline.c), those that it skips left out."""
    for match in _LOGICAL_LINE.finditer(source.text):
        start, end = match.span(1)
        rest = match[2]
        if not rest or not rest.strip(WHITE_SPACE):
            yield SourceText(source, match[1], ((0, start),))
            continue
        chunks = [(start, match[1])]
        at = end
        for physical in rest[1:].split("\n"):
            at += 1
            if not _BLANK_OR_COMMENT.match(physical):
                chunks.append((at, physical))
            at += len(physical)
        yield SourceText.join(source, chunks)


def read_indexed(source: SourceFile, *, quoted_keys: bool = True) -> Iterator[TableEntry]:
    """The entries of a postmap(1) source. ``quoted_keys``: double quotes protect blanks (3.2)."""
    pattern = _QUOTED_KEY if quoted_keys else _KEY
    for line in logical_lines(source):
        text = line.text
        match = pattern.match(text)
        if match is None or (match.end() < len(text) and text[match.end()] not in WHITE_SPACE):
            yield TableEntry(line, line, line.cut(len(text), len(text)), "unbalanced '\"'")
            continue
        key = line.cut(0, match.end())
        value = (
            line.cut(match.end(), len(text)).strip(WHITE_SPACE) if match.end() < len(text) else None
        )
        if value is None or not value.text:
            end = len(text)
            yield TableEntry(line, key, line.cut(end, end), "expected format: key whitespace value")
        else:
            yield TableEntry(line, key, value)


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
