"""main.cf as a lossless tree: settings and what Postfix would refuse (postconf(5))."""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, cast

from postlint.syntax.grammar import parser
from postlint.syntax.lines import WHITE_SPACE, Entry, Tree, join_line, read_items
from postlint.syntax.source import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.lalr import Node
    from postlint.syntax.source import SourceFile

# What nearly every logical line begins with: its name, and "=" in the same physical line.
_NAME = re.compile(r"([^ \t\v\f\r\n#=][^ \t\v\f\r\n=]*+)[ \t\v\f\r]*+=")


class Assignment(Entry):
    """``name = value``; both without the white space around them."""

    __slots__ = ("name", "value")

    def __init__(
        self, source: SourceFile, start: int, end: int, name: SourceText, value: SourceText
    ) -> None:
        super().__init__(source, start, end)
        self.name = name
        self.value = value.strip(WHITE_SPACE) if value.text else value


class MissingEquals(Entry):
    """Text without ``=`` after its first word: fatal to every Postfix program."""

    __slots__ = ()


class MissingName(Entry):
    """A logical line that begins with ``=``: fatal to every Postfix program."""

    __slots__ = ()


class MainCf(Tree):
    """A parsed main.cf."""

    __slots__ = ()

    @property
    def assignments(self) -> Iterator[Assignment]:
        return (item for item in self.items if isinstance(item, Assignment))


def parse_main_cf(source: SourceFile) -> MainCf:
    """Parse any text; nothing is refused."""
    read_entry = _read_by_grammar if "\0" in source.text else _read
    return MainCf(source, read_items(source, read_entry))


def _read(source: SourceFile, start: int, end: int) -> Entry:
    """A logical line without NUL bytes."""
    match = _NAME.match(source.text, start, end)
    if match is None:
        return _read_by_grammar(source, start, end)
    name = SourceText(source, intern(match[1]), start)
    line = join_line(source, start, end)
    value = line.cut(match.end() - start, len(line))
    return Assignment(source, start, end, name, value)


def _read_by_grammar(source: SourceFile, start: int, end: int) -> Entry:
    """Any logical line."""
    (node,) = cast(
        "list[Node]", parser("main_cf").parse(source.text, begin=start, end=end).children
    )
    if node.data == "missing_name":
        return MissingName(source, start, end)
    line = join_line(source, start, end)
    equals = line.text.find("=")
    if node.data == "missing_equals" or equals < 0:  # a NUL byte cut it off
        return MissingEquals(source, start, end)
    name = line.cut(0, equals).strip(WHITE_SPACE)
    return Assignment(source, start, end, name, line.cut(equals + 1, len(line)))
