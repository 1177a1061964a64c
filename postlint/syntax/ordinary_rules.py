r"""What an ordinary rule of a table of regular expressions is, told by its looks.

An ordinary rule is ``/pattern/ result`` or ``/pattern/i result`` in one physical line. Postfix
takes it without a word: its pattern compiles and is none that matches everything or that never
can match, a regexp table has no Perl in it, and its result has no ``$``. That is
so for some 97 of 100 rules that people write; any other is read character by character, which
takes fifty times as long.

The expressions here accept patterns of literals, sets, groups in groups, alternatives and
repetitions in their plain forms. Each text is accepted in one way at most, so that no pattern,
however hostile, makes them go back and forth.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postlint.syntax.pattern import Dialect

LONGEST = 1000
"""Characters of an ordinary rule behind its first slash."""

_LITERAL = r"[^\\\[.*+?{()|^$/\n\0]"
_RANGE = "[a-y]-z|a-[b-y]|[A-Y]-Z|A-[B-Y]|[0-8]-9|0-[1-8]|1-[2-8]"
_NAMED = r"\[:(?:al(?:num|pha)|blank|cntrl|digit|graph|lower|p(?:rint|unct)|space|upper|xdigit):\]"
_COUNT = r"\{(?:[0-9]{1,3},?|[01],[1-9])\}"
_PLAIN = rf"\^?(?:{_LITERAL}++|\\[^A-Za-z0-9<>`'\n\0])+\$?(?=/)"
"""Nothing but literals: most of those in tables that programs write, told in half the time."""

_EVERYTHING = r"\^?(?:\.[*+]\??)?\$?/"
"""What matches any text; ``^$`` beside it, which is no loss."""

_END = r"(?=\n(?![ \t\v\f\r])|\Z)"
_RESULT = rf"[ \t]++[^ \t\v\f\r\n$\0][^\n$\0]*+{_END}"
_REFERENCE = re.compile(
    r"\$(?:([1-9][0-9]?)(?![A-Za-z0-9_])|\{([1-9][0-9]?)\}|\(([1-9][0-9]?)\)|(\$))?"
)

_PERL_ESCAPE = r"\\(?:[^A-Za-z0-9\n\0]|[dDnrsStwW])"
_ESCAPE: dict[Dialect, str] = {
    "regexp": r"\\(?:[^A-Za-z0-9<>`'\n\0]|[sSwW])",
    "pcre": _PERL_ESCAPE,
}
_BOUNDARY: dict[Dialect, str] = {"regexp": r"\\[bB<>]", "pcre": r"\\[bB]"}
_ESCAPE_IN_SET: dict[Dialect, str] = {
    "regexp": r"\\[^\]\[\n\0-]",  # two characters, of which the other one may be the delimiter
    "pcre": _PERL_ESCAPE,
}
_REPEAT: dict[Dialect, str] = {
    "regexp": rf"(?:[*+?]|{_COUNT})*",
    "pcre": rf"(?:(?:[*+?]|{_COUNT})\??(?!\+))?",
}
_OPEN: dict[Dialect, str] = {"regexp": r"\(", "pcre": r"\((?:\?[:=!])?"}

_SET_OR_ESCAPE = r"\\.|\[(?:\\.|\[:[a-z]+:\]|[^\]\\])*\]"
_CAPTURE = re.compile(rf"{_SET_OR_ESCAPE}|(\()(?!\?)")
_NO_LITERAL = re.compile(_SET_OR_ESCAPE)
_INNERMOST = re.compile(r"\([^()]*\)")
_RUN = re.compile(r"[A-Za-z0-9@_ :;,=<>%&~!\"'#-]+(?![*+?])")


@cache
def rules_expression(dialect: Dialect) -> re.Pattern[str]:
    """Finds every logical line of a text, each behind a LF; the lines below it are not looked at.

    The group is pattern, slash and flags of an ordinary rule; without it the line is no such rule.
    """
    return re.compile(rf"\n(?:{_key(dialect)}{_RESULT}|(?=[^ \t\v\f\r\n#]))")


@cache
def results_expression(dialect: Dialect) -> re.Pattern[str]:
    """The same, for lines of which some have a ``$`` in the result: that is the second group."""
    result = rf"(?:{_RESULT}|[ \t]++([^ \t\v\f\r\n\0][^\n\0]*+){_END})"
    return re.compile(rf"\n(?:{_key(dialect)}{result}|(?=[^ \t\v\f\r\n#]))")


def _key(dialect: Dialect) -> str:
    pattern = f"(?:{_PLAIN}|(?!{_EVERYTHING}){_pattern(dialect)})"
    return f"/(?![^\\n]{{{LONGEST}}})({pattern}/i?)"


def _pattern(dialect: Dialect) -> str:
    repeat = _REPEAT[dialect]
    members = rf"(?:{_RANGE}|[^\]\[\\\n\0/-]|{_ESCAPE_IN_SET[dialect]}|{_NAMED})+"
    one = rf"{_LITERAL}++|\.|{_ESCAPE[dialect]}|\[(?![:.=])\^?+-?(?:{members}-?|(?<=-))\]"
    piece = rf"(?:{one}){repeat}|{_BOUNDARY[dialect]}(?![*+?{{])"
    inside = rf"{piece}|\|\^?|\$(?=[|)])"
    for _ in range(2):
        inside = rf"{inside}|{_OPEN[dialect]}\^?(?:{inside})*\){repeat}"
    return rf"\^?(?:{inside}|\$(?=[|/]))*"


def is_ordinary(text: str, dialect: Dialect) -> bool:
    """Whether a pattern without the flag ``x`` is that of an ordinary rule."""
    found = rules_expression(dialect).match(f"\n/{text}/ x")
    return found is not None and found[1] == f"{text}/"


def count_groups(text: str) -> int:
    """How many ``$1`` … the pattern of an ordinary rule has."""
    return _CAPTURE.findall(text).count("(") if "(" in text else 0


def references(result: str, groups: int) -> tuple[int, ...] | None:
    """The numbers in the result of an otherwise ordinary rule; None if something may be wrong."""
    found = []
    for plain, braced, bracketed, dollar in _REFERENCE.findall(result):
        if dollar:
            continue
        number = plain or braced or bracketed
        if not number or int(number) > groups:
            return None
        found.append(int(number))
    return tuple(found)


def needle(text: str) -> str:
    """A text in small letters that every match of the pattern of an ordinary rule holds."""
    if not text.isascii() or "{" in text:
        return ""
    text = _NO_LITERAL.sub("\0", text)
    while "(" in text:
        text = _INNERMOST.sub("\0", text)
    return "" if "|" in text else max(_RUN.findall(text), key=len, default="").lower()
