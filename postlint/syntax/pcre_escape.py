"""What follows a backslash in a Perl-compatible regular expression (pcre2_compile.c)."""

from __future__ import annotations

import re

from postlint.records import NamedTuple
from postlint.syntax.pattern import PatternSyntaxError, TokenKind

UNKNOWN_ESCAPE = "unrecognized character follows \\"
NOT_PERL = "PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u"
BAD_PROPERTY = "malformed \\P or \\p sequence"
BAD_HEX = "non-hex character in \\x{} (closing brace missing?)"
BAD_OCTAL = "non-octal character in \\o{} (closing brace missing?)"
NO_OCTAL_BRACE = "missing opening brace after \\o"
TOO_LARGE = "character code point value in \\x{} or \\o{} is too large"
CONTROL_AT_END = "\\c at end of pattern"
BAD_CONTROL = "\\c must be followed by a printable ASCII character"
BAD_NUMBERED = (
    "\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number"
)
BAD_NAMED = "\\k is not followed by a braced, angle-bracketed, or quoted name"
AT_END = "\\ at end of pattern"
BAD_REFERENCE = "reference to non-existent subpattern"

_HEX = re.compile(r"\{([0-9A-Fa-f]*)\}|([0-9A-Fa-f]{0,2})")
_OCTAL = re.compile(r"\{([0-7]*)\}")
_OLD_OCTAL = re.compile(r"[0-7]{1,3}")
_PROPERTY = re.compile(r"[A-Za-z]|\{[^}]*\}")
_NUMBERED = re.compile(r"\{([+-]?[0-9]+)\}|([+-]?[0-9]+)|<([+-]?[0-9]+)>|'([+-]?[0-9]+)'")
_NAMED = re.compile(r"\{(\w+)\}|<(\w+)>|'(\w+)'", re.ASCII)
_DIGITS = re.compile(r"[0-9]+")

CHARACTERS = {"a": 7, "b": 8, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_CLASSES = "dDhHsSvVwWNRXC"


class Escape(NamedTuple):
    """An escape. ``text``: the one character that it stands for, if it does."""

    kind: TokenKind
    end: int
    text: str | None = None
    reference: int | str | None = None


def read_escape(text: str, at: int, groups: int, *, in_class: bool = False) -> Escape:
    """The escape at ``at``; ``groups`` of the pattern are open or closed before it."""
    letter = text[at + 1 : at + 2]
    end = at + 2
    if not letter:
        raise PatternSyntaxError(AT_END, end)
    if not (letter.isascii() and letter.isalnum()):
        return Escape("literal", end, letter)
    if letter.isdigit():
        return _digits(text, at, groups, in_class=in_class)
    if letter in _CLASSES:
        if letter == "N" and text.startswith("{", end) and not _is_count(text, end):
            raise PatternSyntaxError(NOT_PERL, end)
        return Escape("class", end)
    if letter in CHARACTERS and (letter != "b" or in_class):
        return Escape("literal", end, chr(CHARACTERS[letter]))
    match letter:
        case "A":
            return Escape("begin", end)
        case "Z" | "z":
            return Escape("end", end)
        case "b" | "B" | "G" | "K":
            return Escape("boundary", end)
        case "p" | "P":
            match = _PROPERTY.match(text, end)
            if match is None:
                raise PatternSyntaxError(BAD_PROPERTY, end)
            return Escape("class", match.end())
        case "x" | "o" | "c":
            return _character(text, letter, end)
        case "g" | "k":
            return _reference(text, letter, at, groups)
        case "F" | "L" | "l" | "U" | "u":
            raise PatternSyntaxError(NOT_PERL, end)
    raise PatternSyntaxError(UNKNOWN_ESCAPE, at + 1)


def _is_count(text: str, at: int) -> bool:
    return re.compile(r"\{[0-9]+(?:,[0-9]*)?\}").match(text, at) is not None


def _digits(text: str, at: int, groups: int, *, in_class: bool) -> Escape:
    match = _DIGITS.match(text, at + 1)
    assert match is not None
    number = int(match[0][:9])
    first = match[0][0]
    if not in_class and first != "0" and (number < 10 or first >= "8" or number <= groups):
        return Escape("reference", match.end(), None, number)
    octal = _OLD_OCTAL.match(text, at + 1)
    if octal is None:
        return Escape("literal", at + 2, text[at + 1])
    value = int(octal[0], 8)
    if value > 0xFF:
        raise PatternSyntaxError("octal value is greater than \\377 in 8-bit non-UTF-8 mode", at)
    return Escape("literal", octal.end(), chr(value))


def _character(text: str, letter: str, at: int) -> Escape:
    if letter == "c":
        following = text[at : at + 1]
        if not following:
            raise PatternSyntaxError(CONTROL_AT_END, at)
        if not (following.isascii() and following.isprintable()):
            raise PatternSyntaxError(BAD_CONTROL, at)
        return Escape("literal", at + 1, chr(ord(following.upper()) ^ 0x40))
    if letter == "o":
        match = _OCTAL.match(text, at)
        if match is None:
            no_brace = not text.startswith("{", at)
            raise PatternSyntaxError(NO_OCTAL_BRACE if no_brace else BAD_OCTAL, at)
        value = int(match[1] or "0", 8)
    else:
        match = _HEX.match(text, at)
        if match is None or (text.startswith("{", at) and match[1] is None):
            raise PatternSyntaxError(BAD_HEX, at)
        value = int(match[1] or match[2] or "0", 16)
    if value > 0xFF:
        raise PatternSyntaxError(TOO_LARGE, match.end())
    return Escape("literal", match.end(), chr(value))


def _reference(text: str, letter: str, at: int, groups: int) -> Escape:
    end = at + 2
    named = _NAMED.match(text, end)
    if letter == "g":
        numbered = _NUMBERED.match(text, end)
        if numbered is not None:
            digits = next(part for part in numbered.groups() if part is not None)
            number = int(digits[:9])
            if digits[0] in "+-":
                number += groups + (digits[0] == "-")
            if number < 1 and digits[0] == "-":
                raise PatternSyntaxError(BAD_REFERENCE, end)
            return Escape("reference", numbered.end(), None, number)
        if named is None:
            raise PatternSyntaxError(BAD_NUMBERED, end)
    elif named is None:
        raise PatternSyntaxError(BAD_NAMED, end)
    name = next(part for part in named.groups() if part is not None)
    return Escape("reference", named.end(), None, name)
