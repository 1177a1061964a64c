"""Character classes of Perl-compatible regular expressions (pcre2_compile.c)."""

from __future__ import annotations

import re

from postlint.syntax.pattern import PatternSyntaxError
from postlint.syntax.pcre_escape import read_escape

OPEN_CLASS = "missing terminating ] for character class"
UNKNOWN_CLASS = "unknown POSIX class name"
COLLATION = "POSIX collating elements are not supported"
BAD_RANGE = "range out of order in character class"
NO_RANGE = "invalid range in character class"
NOT_IN_CLASS = "escape sequence is invalid in character class"
NO_N = "\\N is not supported in a class"

_POSIX = re.compile(r"\[([:.=])((?:[^\\\]\[]|\\.)*?)\1\]")
_NAMES = frozenset(
    {
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    }
)


def class_end(text: str, start: int) -> int:
    """Where the class that begins at ``start`` ends."""
    if text.startswith(("[[:<:]]", "[[:>:]]"), start):
        return start + 7
    at = start + 1
    at += text.startswith("^", at)
    literal = False  # inside \Q … \E
    first = True
    before: int | None = None
    """The code of a character that could begin a range; None for a class."""
    can_range = False
    while at < len(text):
        if text.startswith("\\E", at):
            literal = False
            at += 2
            continue
        if not literal and text.startswith("\\Q", at):
            literal = True
            at += 2
            continue
        if text[at] == "]" and not first and not literal:
            return at + 1
        if text[at] == "-" and can_range and not literal and _ends_range(text, at + 1):
            code, at = _element(text, at + 1)
            if code is None or before is None:
                raise PatternSyntaxError(NO_RANGE, at)
            if code >= 0 and before > code:
                raise PatternSyntaxError(BAD_RANGE, at)
            can_range = False
            continue
        first = False
        if literal:
            before, at = ord(text[at]), at + 1
        else:
            before, at = _element(text, at)
        can_range = True
    raise PatternSyntaxError(OPEN_CLASS, len(text))


def _ends_range(text: str, at: int) -> bool:
    """Whether what stands behind a hyphen can be the end of a range."""
    return text[at : at + 1] not in ("]", "") and not text.startswith("\\E", at)


def _element(text: str, at: int) -> tuple[int | None, int]:
    """(code of a character, -1 if not known, None for a class; where the element ends)."""
    if text[at] == "[":
        posix = _POSIX.match(text, at)
        if posix is not None:
            if posix[1] != ":":
                raise PatternSyntaxError(COLLATION, at)
            if posix[2].removeprefix("^") not in _NAMES:
                raise PatternSyntaxError(UNKNOWN_CLASS, at)
            return None, posix.end()
    if text[at] != "\\":
        return (ord(text[at]) if text[at].isascii() else -1), at + 1
    letter = text[at + 1 : at + 2]
    if letter == "N":
        raise PatternSyntaxError(NO_N, at)
    if letter and letter in "ABGKRXZz":
        raise PatternSyntaxError(NOT_IN_CLASS, at)
    escape = read_escape(text, at, 0, in_class=True)
    if escape.kind == "class":
        return None, escape.end
    if escape.kind != "literal" or escape.text is None or not escape.text.isascii():
        return -1, escape.end
    return ord(escape.text), escape.end
