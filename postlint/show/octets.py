"""Octets as text, and the small string functions of Postfix that messages depend on."""

from __future__ import annotations

import os
import re

from postlint.syntax.lines import WHITE_SPACE

ENCODING = "latin-1"

SPACE = " \t\r\n"
"""CHARS_SPACE of Postfix."""

_NOT_PRINTABLE = re.compile(r"[^ -~]")
_WORD = re.compile(r"[^, \t\r\n]+")


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
