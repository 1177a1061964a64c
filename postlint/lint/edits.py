"""The edits that fixes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Edit
from postlint.syntax.source import Location, Span

if TYPE_CHECKING:
    from postlint.config.settings import Setting

_BETWEEN = ", \t\r"
"""What separates the items of a list on a line."""


def whole_lines(location: Location) -> Location:
    """The location widened to whole physical lines, the last LF included."""
    source = location.source
    start = source.offset(location.start.line)
    end = source.text.find("\n", max(location.span.end - 1, location.span.start))
    return Location(source, Span(start, len(source.text) if end < 0 else end + 1))


def delete_lines(location: Location) -> Edit:
    """Delete the lines that a setting or service stands on."""
    return Edit(whole_lines(location), "")


def replace_value(setting: Setting, text: str) -> Edit | None:
    """Give an explicit setting another value; None for a default."""
    if setting.value is None or setting.location is None:
        return None
    if setting.value.text:
        return Edit(setting.value.location, text)
    end = setting.location.span.end
    return Edit(Location(setting.location.source, Span(end, end)), f" {text}")


def rename(setting: Setting, name: str) -> Edit | None:
    """Give an explicit setting another name; None for a default."""
    return None if setting.name_text is None else Edit(setting.name_text.location, name)


def insert_line_after(location: Location, line: str) -> Edit:
    """A new line of its own behind the lines of a location."""
    lines = whole_lines(location)
    end = lines.span.end
    text = lines.source.text
    newline = "" if end == 0 or text[end - 1 : end] == "\n" else "\n"
    return Edit(Location(lines.source, Span(end, end)), f"{newline}{line}\n")


def delete_element(location: Location) -> Edit:
    """Delete an item of a list with the separator that belongs to it; its line if it is alone."""
    source = location.source
    text = source.text
    start, end = location.span
    line_start = source.offset(location.start.line)
    before = start
    while before > line_start and text[before - 1] in _BETWEEN:
        before -= 1
    after = end
    while text[after : after + 1] and text[after] in _BETWEEN:
        after += 1
    first = before == line_start
    if first and line_start and text[after : after + 1] in ("", "\n"):
        return Edit(Location(source, Span(line_start, min(after + 1, len(text)))), "")
    if first or text[before - 1] == "=":  # the first on its line: take what follows
        return Edit(Location(source, Span(start, after)), "")
    return Edit(Location(source, Span(before, end)), "")
