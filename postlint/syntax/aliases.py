"""Alias files: ``name: value, …`` in RFC 822 tokens (postalias.c, tok822_parse.c, token.c)."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple
from postlint.syntax.table import NOT_UTF8, logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.syntax.source import SourceFile, SourceText

NEED_PAIR = "need name:value pair"
NOT_LOCAL = "name must be local"

_OPERATORS = '|%!()<>@,;:\\".[]'
_BLANKS = " \t\r\n"
_ATOM = re.compile(r'(?:[^ \t\r\n|%!()<>@,;:\\".\[\]]++|\\.)++', re.DOTALL)
_QUOTED = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_DOMAIN_LITERAL = re.compile(r"(?:[^\]\\]++|\\.)*+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[\x00-\x20\x7f|%!()<>@,;:\\".\[\]]')
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_INCLUDE = ":include:"

TokenKind: TypeAlias = Literal["atom", "quoted", "literal", "comment", "operator"]
TargetKind: TypeAlias = Literal["command", "file", "include", "address"]


class Token(NamedTuple):
    """``text`` is without quotes and backslashes (of a comment: as it stands)."""

    kind: TokenKind
    text: str
    start: int
    end: int

    def is_operator(self, text: str) -> bool:
        """Whether it is that one character."""
        return self.kind == "operator" and self.text == text

    @property
    def is_word(self) -> bool:
        """Whether it can be an address by itself."""
        return self.kind in ("atom", "quoted", "literal")


class Alias(NamedTuple):
    """One logical line of an alias file. ``problem``: why postalias(1) ignores the line.

    ``name`` spans what stands before the colon, ``key`` is what postalias(1) makes of it (until
    Postfix 3.11; later ones keep the quotes).
    """

    line: SourceText
    name: SourceText
    key: str
    value: SourceText
    problem: str | None = None

    def targets(self) -> Iterator[Target]:
        """Where local(8) delivers to."""
        return targets(self.value)


class Target(NamedTuple):
    """One destination of an alias. ``name``: the command, path or address without its mark."""

    kind: TargetKind
    name: str
    text: SourceText


def read_aliases(
    source: SourceFile, *, utf8: bool = False, start: int = 0, end: int | None = None
) -> Iterator[Alias]:
    """The entries of a postalias(1) source. ``utf8``: lines in another encoding are ignored."""
    for line in logical_lines(source, start, end):
        entry = alias_entry(line, utf8=utf8)
        if entry is not None:
            yield entry


def alias_entry(line: SourceText, *, utf8: bool = False) -> Alias | None:
    """One logical line of a postalias(1) source; None for one without any token."""
    text = line.text
    if "\0" in text:  # a C string ends there
        line = line.cut(0, text.index("\0"))
    if utf8 and not (line.text and line.text.isascii()) and _UNDECODABLE.search(text):
        return _ignored(line, NOT_UTF8)
    tokens = list(tokenize(line.text))
    if not tokens:
        return None
    colon = next((at for at, token in enumerate(tokens) if token.is_operator(":")), 0)
    before, after = tokens[:colon], tokens[colon + 1 :]
    if not before or not after or any(token.is_operator(",") for token in before):
        return _ignored(line, NEED_PAIR)
    name = line.cut(before[0].start, before[-1].end)
    value = line.cut(after[0].start, after[-1].end)
    foreign = any(token.is_operator("@") or token.is_operator("%") for token in before)
    return Alias(line, name, internal(before), value, NOT_LOCAL if foreign else None)


def _ignored(line: SourceText, problem: str) -> Alias:
    end = len(line.text)
    return Alias(line, line, line.text, line.cut(end, end), problem)


def tokenize(text: str) -> Iterator[Token]:
    """Tokens as tok822_scan() makes them; any text has some."""
    at = 0
    length = len(text)
    while at < length:
        character = text[at]
        if character in _BLANKS:
            at += 1
        elif character == "(":
            end = _comment_end(text, at + 1)
            yield Token("comment", text[at:end], at, end)
            at = end
        elif character in '["':
            pattern = _QUOTED if character == '"' else _DOMAIN_LITERAL
            match = pattern.match(text, at + 1)
            inside_end = match.end() if match is not None else at + 1
            end = _closed(text, inside_end)
            inside = _unescape(text[at + 1 : inside_end])
            yield Token("quoted" if character == '"' else "literal", inside, at, end)
            at = end
        elif character != "\\" and character in _OPERATORS:
            yield Token("operator", character, at, at + 1)
            at += 1
        else:
            match = _ATOM.match(text, at)
            end = match.end() if match is not None else at
            inside = _unescape(text[at:end])
            if text[end : end + 1] == "\\":  # the last character; it protects nothing
                end += 1
            kind: TokenKind = "quoted" if _NEEDS_QUOTES.search(inside) else "atom"
            yield Token(kind, inside, at, end)
            at = end


def _closed(text: str, at: int) -> int:
    """The end of a quoted string or domain literal: past what closes it, or the text's end."""
    return len(text) if text[at : at + 1] == "\\" else min(at + 1, len(text))


def _unescape(text: str) -> str:
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    return text.translate(_SPACES)


_SPACES = str.maketrans("\t\r\n", "   ")


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends whose ``(`` stands before ``at``; comments nest."""
    depth = 1
    while at < len(text):
        character = text[at]
        at += 2 if character == "\\" else 1
        depth += (character == "(") - (character == ")")
        if not depth:
            break
    return min(at, len(text))


def internal(tokens: Sequence[Token]) -> str:
    """Tokens as a string without quotes: the form of lookup keys (tok822_internalize())."""
    parts = []
    for token, following in zip_longest(tokens, tokens[1:]):
        parts.append(f"[{token.text}]" if token.kind == "literal" else token.text)
        if following is not None and (token.is_operator(",") or _spaced(token, following)):
            parts.append(" ")
    return "".join(parts)


def external(tokens: Sequence[Token]) -> str:
    """Tokens as a string with quotes: the form of stored values (tok822_externalize())."""
    parts = []
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.is_operator(","):
            parts.append(", ")
            continue
        if token.kind == "quoted":
            parts.append('"' + re.sub(r'["\\\r\n]', r"\\\g<0>", token.text) + '"')
        elif token.kind == "literal":
            parts.append("[" + re.sub(r"[\\\r\n]", r"\\\g<0>", token.text) + "]")
        else:
            parts.append(token.text)
        if following is not None and _spaced(token, following):
            parts.append(" ")
    return "".join(parts)


def _spaced(token: Token, following: Token) -> bool:
    if following.is_operator("<"):
        return True
    return token.kind != "operator" and following.kind != "operator"


def targets(value: SourceText) -> Iterator[Target]:
    """The destinations in the value of an alias, as local(8) takes them."""
    address: list[Token] = []
    for token in tokenize(value.text):
        if token.kind == "comment":
            continue
        if token.is_operator(",") or token.is_operator(";"):
            yield from _target(address, value)
            address = []
            continue
        if address and token.is_word and address[-1].is_word:  # a comma is missing
            yield from _target(address, value)
            address = []
        address.append(token)
        if token.is_operator(">"):
            yield from _target(address, value)
            address = []
    yield from _target(address, value)


def _target(tokens: list[Token], value: SourceText) -> Iterator[Target]:
    opening = next((at for at, token in enumerate(tokens) if token.is_operator("<")), None)
    if opening is not None:
        tokens = [token for token in tokens[opening + 1 :] if not token.is_operator(">")]
    if not tokens:
        return
    text = value.cut(tokens[0].start, tokens[-1].end)
    name = internal(tokens)
    if name.startswith("|"):
        yield Target("command", name[1:].strip(), text)
    elif name.startswith(("/", "~")):
        yield Target("file", name, text)
    elif name[: len(_INCLUDE)].lower() == _INCLUDE:
        yield Target("include", name[len(_INCLUDE) :], text)
    else:
        yield Target("address", name, text)
