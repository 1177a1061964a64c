"""The edits that fixes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Edit
from postlint.syntax.source import Location, Span

if TYPE_CHECKING:
    from postlint.config.settings import Setting


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
    line_start = text.rfind("\n", 0, start) + 1
    newline = text.find("\n", end)
    line_end = len(text) if newline < 0 else newline
    before = text[line_start:start].rstrip(", \t\r")
    after = text[end:line_end]
    rest = after.lstrip(", \t\r")
    if not before.strip() and not rest and line_start:
        return Edit(Location(source, Span(line_start, min(line_end + 1, len(text)))), "")
    if not before.strip() or before.endswith("="):  # the first on its line: take what follows
        return Edit(Location(source, Span(start, line_end - len(rest))), "")
    return Edit(Location(source, Span(line_start + len(before), end)), "")
