"""Which characters a token of a regular expression stands for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.syntax.pattern import PatternSyntaxError

if TYPE_CHECKING:
    from postlint.syntax.pattern import Dialect, PatternToken

_NAMED = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "ascii": r"\x00-\x7f",
    "blank": r"\ \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"!-~",
    "lower": "a-z",
    "print": r"\ -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\ \t\n\v\f\r",
    "upper": "A-Z",
    "word": "a-zA-Z0-9_",
    "xdigit": "0-9a-fA-F",
}
_ESCAPED = {
    "d": r"\d",
    "D": r"\D",
    "w": r"\w",
    "W": r"\W",
    "s": r"\s",
    "S": r"\S",
    "h": r"\ \t",
}
_POSIX = re.compile(r"\[([:.=])(\^?)([^\]]*?)\1\]")


def character_test(
    token: PatternToken, dialect: Dialect, *, ignore_case: bool
) -> re.Pattern[str] | None:
    """An expression for the one character of a literal, set or class; None: not known."""
    if not token.text.isascii():
        return None
    return _test(token.kind, token.text, dialect, ignore_case)


@lru_cache(maxsize=4096)
def _test(kind: str, text: str, dialect: Dialect, ignore_case: bool) -> re.Pattern[str] | None:
    if kind == "literal":
        written = re.escape(text)
    elif kind == "class":
        inside = _ESCAPED.get(text[1:])
        if inside is None and text not in ("\\H", "\\N"):
            return None
        written = f"[{inside}]" if inside is not None else r"[^\ \t]" if text == "\\H" else "."
    elif kind == "set":
        members = _members(text, dialect)
        if members is None:
            return None
        written = members
    else:
        return None
    flags = re.ASCII | re.DOTALL
    return re.compile(written, flags | re.IGNORECASE if ignore_case else flags)


def _members(text: str, dialect: Dialect) -> str | None:
    """The set in Python's spelling."""
    at = 1
    negated = text.startswith("^", at)
    at += negated
    parts: list[str] = []
    end = len(text) - 1
    while at < end:
        element = _element(text, at, dialect)
        if element is None:
            return None
        low, following, one = element
        if one and text[following : following + 1] == "-" and following + 1 < end:
            second = _element(text, following + 1, dialect)
            if second is None or not second[2]:
                return None
            low = f"{low}-{second[0]}"
            following = second[1]
        parts.append(low)
        at = following
    if not parts:
        return None
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _element(text: str, at: int, dialect: Dialect) -> tuple[str, int, bool] | None:
    """(Python's spelling, where it ends, whether it is one character)."""
    posix = _POSIX.match(text, at) if text[at] == "[" else None
    if posix is not None:
        name = posix[3]
        if posix[1] == ":" and not posix[2] and name in _NAMED:
            return _NAMED[name], posix.end(), False
        if posix[1] != ":" and len(name) == 1:
            return re.escape(name), posix.end(), posix[1] == "."
        return None
    if text[at] != "\\" or dialect == "regexp":
        return re.escape(text[at]), at + 1, True
    from postlint.syntax.pcre_escape import read_escape

    letter = text[at + 1 : at + 2]
    if letter in ("Q", "E"):
        return None
    try:
        escape = read_escape(text, at, 0, in_class=True)
    except PatternSyntaxError:
        return None
    if escape.kind == "literal" and escape.text is not None and escape.text.isascii():
        return re.escape(escape.text), escape.end, True
    inside = _ESCAPED.get(letter)
    return None if inside is None or escape.end != at + 2 else (inside, escape.end, False)
