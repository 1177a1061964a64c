"""Effective values: what a parameter is after macro expansion, and where each part stands."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from postlint.numbers import integer
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Location, SourceText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.config.settings import Setting

UNKNOWN = "\ufdd0"
"""Stands in an expanded text for a part that can not be known; no valid text contains it."""

KEPT_ELEMENTS = 1 << 18
"""Items of a list that are kept; those of a longer one are made anew each time."""

_INTEGER = LazyPattern(r"[ \t\n\v\f\r]*[+-]?[0-9]+\Z")


class Piece(NamedTuple):
    """A stretch of expanded text; ``source`` tells where it is written literally, if it is."""

    text: str
    source: SourceText | None


class Element:
    """One item of a list value; ``location`` is None when no one place holds all of it."""

    __slots__ = ("_location", "text")

    def __init__(self, text: str, location: Location | None) -> None:
        self.text = text
        self._location = location

    def __repr__(self) -> str:
        return f"<Element {self.text!r}>"

    @property
    def location(self) -> Location | None:
        """Where it is written."""
        return self._location

    @property
    def known(self) -> bool:
        return UNKNOWN not in self.text


class _ElementOf(Element):
    """An item that looks its place up only when it is asked for: lists can be long."""

    __slots__ = ("_end", "_owner", "_start")

    def __init__(self, text: str, owner: Effective, start: int, end: int) -> None:
        super().__init__(text, None)
        self._owner = owner
        self._start = start
        self._end = end

    @property
    def location(self) -> Location | None:
        return self._owner.locate(self._start, self._end)


class Effective:
    """The value of a parameter in a scope.

    ``text`` may contain UNKNOWN. ``problem`` is the macro error that makes it fatal to Postfix,
    ``limit`` what there is too much of to look at it; both leave it unknown.
    """

    __slots__ = (
        "_elements",
        "_offsets",
        "_pieces",
        "limit",
        "mentions",
        "problem",
        "setting",
        "text",
    )

    def __init__(
        self,
        setting: Setting,
        pieces: Sequence[Piece],
        problem: str | None = None,
        limit: str | None = None,
    ) -> None:
        self.setting = setting
        self.problem = problem
        self.limit = limit
        self.mentions: tuple[str, ...] = ()
        """The other names that went into it."""
        self._pieces = tuple(pieces)
        self._offsets: list[int] | None = None
        self._elements: tuple[Element, ...] | None = None
        self.text = "".join([piece.text for piece in pieces])

    def __repr__(self) -> str:
        return f"<{self.setting.name} = {self.text!r}>"

    @property
    def name(self) -> str:
        return self.setting.name

    @property
    def known(self) -> bool:
        """Whether nothing in the text is unknown and no macro error spoils it."""
        return self.problem is None and UNKNOWN not in self.text

    @property
    def explicit(self) -> bool:
        """Whether the setting itself is written down, not a default."""
        return self.setting.explicit

    @property
    def location(self) -> Location | None:
        """Where the setting stands; None for a default."""
        return self.setting.location

    @property
    def value_location(self) -> Location | None:
        """Where the value of the setting stands; None for a default."""
        return self.setting.value_location

    @property
    def empty(self) -> bool | None:
        """Whether the value is empty; None when that can not be known."""
        if self.problem is not None:
            return None
        text = self.text.strip(" \t\n\v\f\r")
        if not text:
            return True
        return False if text.replace(UNKNOWN, "").strip() else None

    @property
    def yes(self) -> bool | None:
        """A boolean as mail_conf_bool.c reads it; None for anything but yes and no."""
        match self.text.lower():
            case "yes":
                return True
            case "no":
                return False
            case _:
                return None

    @property
    def integer(self) -> int | None:
        """A number as mail_conf_int.c reads it; None for anything else."""
        return integer(self.text) if self.known and _INTEGER.match(self.text) else None

    def word(self) -> str | None:
        """The text in lower case, white space around it gone; None when it is not known."""
        return self.text.strip(" \t\n\v\f\r").lower() if self.known else None

    def elements(self, *, braces: bool = True, separators: str = "") -> tuple[Element, ...]:
        """The items of a list. ``separators``: more characters that separate (``:``)."""
        plain = braces and not separators
        if plain and self._elements is not None:
            return self._elements
        text = self.text
        for character in separators:
            text = text.replace(character, " ")
        found = tuple(
            _ElementOf(self.text[start:end], self, start, end)
            for start, end in split_list(text, braces=braces)
        )
        if plain and len(found) <= KEPT_ELEMENTS:
            self._elements = found
        return found

    def locate(self, start: int, end: int) -> Location | None:
        """Where ``text[start:end]`` is written, when one piece of one file holds it."""
        if len(self._pieces) == 1:
            written = self._pieces[0].source
            if written is None or end > len(self.text):
                return None
            return Location(written.source, written.sub_span(start, end))
        if self._offsets is None:
            self._offsets = []
            length = 0
            for piece in self._pieces:
                self._offsets.append(length)
                length += len(piece.text)
        at = bisect_right(self._offsets, start) - 1
        if at < 0:
            return None
        piece = self._pieces[at]
        first = start - self._offsets[at]
        last = end - self._offsets[at]
        if piece.source is None or last > len(piece.text):
            return None
        return Location(piece.source.source, piece.source.sub_span(first, last))
