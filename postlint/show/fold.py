"""Lines of ``name = value`` with white space normalized, folded or not (postconf_print.c)."""

from __future__ import annotations

import re

LINE_LIMIT = 80
INDENT = "    "

_WORD = re.compile(r"[^ \t\r\n]+")


def print_line(text: str, *, fold: bool) -> str:
    """The line to print, its newline included."""
    words = _WORD.findall(text)
    if not fold:
        return " ".join(words) + "\n"
    parts: list[str] = []
    length = 0
    for word in words:
        if length > 0:
            if length + len(word) < LINE_LIMIT:
                parts.append(" ")
                length += 1
            else:
                parts.append("\n" + INDENT)
                length = len(INDENT)
        parts.append(word)
        length += len(word)
    return "".join(parts) + "\n"
