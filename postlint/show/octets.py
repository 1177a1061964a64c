"""Octets as text, and the small string functions of Postfix that messages depend on."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from postlint.syntax.lines import WHITE_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENCODING = "latin-1"

SPACE = " \t\r\n"
"""CHARS_SPACE of Postfix."""

_NOT_PRINTABLE = re.compile(r"[^ -~]")
_WORD = re.compile(r"[^, \t\r\n]+")
_SEPARATOR_OR_BRACE = re.compile(r"[, \t\r\n{}]")


def octets(name: str | bytes) -> str:
    """A command-line argument or path as octets."""
    return os.fsencode(name).decode(ENCODING)


def file_name(text: str) -> str:
    """A path to open, from octets."""
    return os.fsdecode(text.encode(ENCODING))


def printable(text: str) -> str:
    """Message text: what is not printable ASCII becomes ``?`` (printable.c)."""
    return _NOT_PRINTABLE.sub("?", text)


def split_name_value(
    text: str, *, name_required: bool = True
) -> tuple[str, str, None] | tuple[None, None, str]:
    """(name, value, None), or what is wrong (split_nameval.c).

    ``name_required``: an empty name before the "=" is an error (3.4).
    """
    start = text.lstrip(WHITE_SPACE)
    if not start or (name_required and start[0] == "="):
        return None, None, "missing attribute name"
    name, equals, value = start.partition("=")
    name = name.rstrip(WHITE_SPACE)
    if not equals or any(blank in name for blank in WHITE_SPACE):
        return None, None, "missing '=' after attribute name"
    return name, value.strip(WHITE_SPACE), None


def words(text: str) -> list[str]:
    """Words between commas and blanks (mystrtok.c)."""
    return _WORD.findall(text)


def braced_words(text: str, comment: Callable[[str, str], None] | None = None) -> Iterator[str]:
    """Words between commas and blanks, braces keeping them together (mystrtokq_cw()).

    ``comment`` is told of a word that begins with ``#``, and of the text after it; it ends the
    list. Without it such a word is one like the others.
    """
    at = 0
    length = len(text)
    while at < length:
        while at < length and text[at] in ", \t\r\n":
            at += 1
        if at == length:
            return
        start = at
        level = 0
        for match in _SEPARATOR_OR_BRACE.finditer(text, at):
            character = match[0]
            if character == "{":
                level += 1
            elif character == "}":
                level -= level > 0
            elif level == 0:
                at = match.start()
                break
        else:
            at = length
        word = text[start:at]
        at += 1
        if comment is not None and word[0] == "#":
            comment(word, text[at:])
            return
        yield word


def extract_braced(text: str, *, strip: bool = False) -> tuple[str, str | None]:
    """The text inside the braces, and what is wrong with them (extpar.c)."""
    level = 0
    error: str | None = f"missing '}}' in \"{text}\""
    inside = text[1:]
    for match in re.finditer(r"[{}]", text):
        level += 1 if match[0] == "{" else -1
        if level == 0:
            end = match.end()
            inside = text[1 : end - 1]
            error = None if end == len(text) else f"syntax error after '}}' in \"{text}\""
            break
    return (inside.strip(WHITE_SPACE) if strip else inside), error
