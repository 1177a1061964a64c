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


def skip_back(text: str, at: int, characters: str) -> int:
    """Where the run of characters begins that ends before an offset."""
    while at > 0 and text[at - 1] in characters:
        at -= 1
    return at


def skip_on(text: str, at: int, characters: str) -> int:
    """Where the run of characters ends that begins at an offset."""
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def delete_element(location: Location) -> Edit:
    """Delete an item of a list with the separator that belongs to it; its line if it is alone."""
    source = location.source
    text = source.text
    start, end = location.span
    before = skip_back(text, start, _BETWEEN)
    after = skip_on(text, end, _BETWEEN)
    first = before == 0 or text[before - 1] == "\n"
    last = after == len(text) or text[after] == "\n"
    if first and last and before:
        return Edit(Location(source, Span(before, min(after + 1, len(text)))), "")
    if first or text[before - 1] == "=":  # the first on its line: take what follows
        return Edit(Location(source, Span(start, after)), "")
    return Edit(Location(source, Span(before, end)), "")
