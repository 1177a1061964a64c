"""The options of postconf(1), by version, and which of them go together (postconf.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.show.messages import FatalError
from postlint.show.names import ALL_CLASSES, CLASS_NAMES
from postlint.show.octets import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.postfix.versions import PostfixVersion

WITH_ARGUMENT = "cCoT"

SINCE: dict[str, tuple[int, int]] = {
    **dict.fromkeys("CfM", (2, 9)),
    **dict.fromkeys("oxX", (2, 10)),
    **dict.fromkeys("FpP", (2, 11)),
    **dict.fromkeys("HT", (3, 1)),
    "q": (3, 9),
    "j": (3, 11),
}
"""Letters that came after 2.6."""

LETTERS = "aAbcCdefFhHjlmMnopPqtTvxX#"

TWICE = "PP"
"""-P given twice: all parameters of a service (3.11)."""

EDITING = "eX#"
"""Options that change files."""

OF_THE_PROGRAM = "aAblmtT"
"""Options that tell what the installed program is built with."""

_ORDER = (*"aAbdefFhHjlmMnopPtTxX#", TWICE)
_MAJOR = "aAbtlmpMFPT"
_EXCLUSIVE = ("dn", "hH")
_ALLOWED = (
    ("p", "fhCxdnoHj"),
    ("M", "foxj"),
    ("F", "fhoxHj"),
    ("P", ("f", "h", "o", "x", "H", "j", TWICE)),
    (TWICE, "fhoxHjP"),
    ("j", "pMFPoxnd"),
)


class Options:
    """What a command line asks for; letters as postconf(1) has them."""

    __slots__ = ("arguments", "classes", "given", "names", "overrides")

    def __init__(self) -> None:
        self.given: set[str] = set()
        self.arguments: dict[str, str] = {}
        """The last argument of an option that takes one."""
        self.overrides: list[str] = []
        self.classes = ALL_CLASSES
        self.names: Sequence[str] = ()

    def add(self, letter: str, argument: str, version: PostfixVersion) -> None:
        """One option; raises FatalError for what this version does not take."""
        if letter == "C":  # goes with everything, whatever the tables of postconf say
            self.classes = _classes(argument)
            return
        if letter == "o":
            self.overrides.append(argument)
        elif letter == "P" and "P" in self.given and version >= (3, 11):
            letter = TWICE
        self.given.add(letter)
        self.arguments[letter] = argument

    def __contains__(self, letter: object) -> bool:
        return letter in self.given

    def check(self, version: PostfixVersion) -> None:
        """Refuse combinations as the version does; raises FatalError."""
        if version < (2, 11):
            self._check_old(version)
            return
        if self.given.isdisjoint(_MAJOR):
            self.given.add("p")
        given = self.given.difference("qvc")
        for group in (_MAJOR, *_EXCLUSIVE):
            both = [letter for letter in _ORDER if letter in given and letter in group]
            if len(both) > 1:
                raise FatalError(f"specify one of {_dashed(both, comma=version >= (3, 11))}")
        if "o" in given and "d" in given:
            raise FatalError(f"specify one of {_dashed('do', comma=version >= (3, 11))}")
        for letter, allowed in _ALLOWED:
            excess = given.difference(allowed) - {letter}
            if letter in given and excess:
                listed = [other for other in _ORDER if other in excess]
                raise FatalError(f"with option -{letter}, do not specify {_dashed(listed)}")

    def _check_old(self, version: PostfixVersion) -> None:
        if version >= (2, 10):
            if {"d", "M"} <= self.given:
                raise FatalError("specify one of -a, -A, -b, -d, -e, -#, -l, -m, -M, and -X")
            if "n" in self.given and self.given & {"d", "M"}:
                raise FatalError("do not specify -n with -a, -A, -b, -d, -e, -#, -l, -m, -M, or -X")
            if {"o", "d"} <= self.given:
                raise FatalError("do not specify -o with -a, -A, -b, -d, -e, -#, -l, -m, or -X")
        elif len(self.given & {"d", "n", "M"}) > 1:
            modes = "-l, -m, -M" if version >= (2, 9) else "-m, -l"
            raise FatalError(f"specify one of -a, -A, -b, -d, -e, -#, {modes} and -n")


def knows(letter: str, version: PostfixVersion) -> bool:
    """Whether the version has the option."""
    return letter in LETTERS and letter != ":" and version >= SINCE.get(letter, (2, 6))


def _dashed(letters: Sequence[str], *, comma: bool = False) -> str:
    return (", " if comma else " ").join(f"-{letter}" for letter in letters)


def _classes(text: str) -> int:
    result = 0
    for word in words(text):
        bits = CLASS_NAMES.get(word.lower())
        if bits is None:
            raise FatalError(f'unknown -C option value "{word}" in "{text}"')
        result |= bits
    return result
