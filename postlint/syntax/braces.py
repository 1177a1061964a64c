"""Braces that keep words of a list together (mystrtok.c, extpar.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SEPARATOR_OR_BRACE = LazyPattern(r"[, \t\r\n{}]")
_BRACE = LazyPattern(r"[{}]")


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
        for match in _SEPARATOR_OR_BRACE.compiled.finditer(text, at):
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
    for match in _BRACE.finditer(text):
        level += 1 if match[0] == "{" else -1
        if level == 0:
            end = match.end()
            inside = text[1 : end - 1]
            error = None if end == len(text) else f"syntax error after '}}' in \"{text}\""
            break
    return (inside.strip(WHITE_SPACE) if strip else inside), error
