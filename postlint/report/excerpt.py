"""One source line with its span underlined, cut to a width; for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from postlint.records import NamedTuple
from postlint.report import redact
from postlint.report.escape import visible
from postlint.syntax.source import Position

if TYPE_CHECKING:
    from postlint.lint.finding import Location

_TAB = 8
_AROUND = 1000
"""How many characters on either side of a span's start can matter to what is shown."""


class Excerpt(NamedTuple):
    """``text`` is cut in three: before, in and after the span; ``underline`` is below it."""

    number: int
    before: str
    marked: str
    after: str
    underline: str
    continues: bool


class _Unit:
    """What one source character (with the combining ones after it) looks like."""

    __slots__ = ("cells", "marked", "text")

    def __init__(self, text: str, marked: bool) -> None:
        self.text = text
        self.marked = marked
        self.cells = cell_len(text)


def excerpt(location: Location, width: int) -> Excerpt:
    """The first line of a location; secrets masked, everything else visible."""
    source, span = location.source, location.span
    number, column = location.start
    line_start = span.start - column + 1
    low = max(line_start, span.start - _AROUND)
    high, cut_right = _line_end(source.text, line_start, span.start)
    units = _units(location, number, low, high)
    shown, cut_left, cut_right = _window(
        units, width, cut_left=low > line_start, cut_right=cut_right
    )
    marks = [index for index, unit in enumerate(shown) if unit.marked]
    first, last = (marks[0], marks[-1] + 1) if marks else (len(shown), len(shown))
    before = ("…" if cut_left else "") + _text(shown[:first])
    marked = _text(shown[first:last])
    after = _text(shown[last:]) + ("…" if cut_right else "")
    return Excerpt(
        number,
        before,
        marked,
        after,
        " " * cell_len(before) + "^" * max(1, cell_len(marked)),
        continues=location.end > Position(number + 1, 1),
    )


def _line_end(text: str, start: int, near: int) -> tuple[int, bool]:
    """Where the line ends without its CR and LF, or where it is cut far behind ``near``."""
    end = text.find("\n", near, near + _AROUND)
    if end < 0:
        end = min(len(text), near + _AROUND)
        if end < len(text):
            return end, True
    return (end - 1 if end > start and text[end - 1] == "\r" else end), False


def _units(location: Location, number: int, low: int, high: int) -> list[_Unit]:
    span = location.span
    # A span without width points at a place: mark the character that stands there.
    end = max(span.end, span.start + 1)
    secrets = redact.spans_in_line(location.source, number)
    text = location.source.text
    units: list[_Unit] = []
    column = 0
    at = low
    while at < high:
        secret = next((part for part in secrets if part.start <= at < part.end), None)
        until = min(secret.end, high) if secret else at + 1
        if secret:
            shown = redact.MASK
        elif text[at] == "\t":
            shown = " " * (_TAB - column % _TAB)
        else:
            shown = visible(text[at])
        unit = _Unit(shown, marked=at < end and span.start < until)
        if units and not unit.cells:
            previous = units[-1]
            unit = _Unit(previous.text + shown, marked=previous.marked or unit.marked)
            column -= previous.cells
            units[-1] = unit
        else:
            units.append(unit)
        column += unit.cells
        at = until
    return units


def _window(
    units: list[_Unit], width: int, *, cut_left: bool, cut_right: bool
) -> tuple[list[_Unit], bool, bool]:
    """The units that fit, a third of the width before the span if there is that much."""
    if not cut_left and not cut_right and sum(unit.cells for unit in units) <= width:
        return units, False, False
    room = max(1, width - 2)  # for the ellipses
    mark = next((index for index, unit in enumerate(units) if unit.marked), len(units))
    begin = _back(units, mark, room // 3)
    end, used = begin, 0
    while end < len(units) and used + units[end].cells <= room:
        used += units[end].cells
        end += 1
    if end == len(units):
        begin = _back(units, begin, room - used)
    return units[begin:end], cut_left or begin > 0, cut_right or end < len(units)


def _back(units: list[_Unit], begin: int, room: int) -> int:
    """As far before ``begin`` as ``room`` cells reach."""
    used = 0
    while begin and used + units[begin - 1].cells <= room:
        begin -= 1
        used += units[begin].cells
    return begin


def _text(units: list[_Unit]) -> str:
    return "".join(unit.text for unit in units)
