"""main.cf as a lossless tree: settings and what Postfix would refuse (postconf(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from postlint.syntax.grammar import parser
from postlint.syntax.lines import WHITE_SPACE, Entry, LeadingWhitespace, Tree, Trivia, join_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.lalr import Node, Token
    from postlint.syntax.source import SourceFile, SourceText


class Assignment(Entry):
    """``name = value``; both without the white space around them."""

    __slots__ = ("name", "value")

    def __init__(self, line: SourceText, tokens: tuple[Token, ...], equals: int) -> None:
        super().__init__(line, tokens)
        self.name = line.cut(0, equals).strip(WHITE_SPACE)
        value = line.cut(equals + 1, len(line))
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
    tree = parser("main_cf").parse(source.text)
    items: list[Trivia | Entry] = []
    for child in tree.children:
        if isinstance(child, str):
            items.append(Trivia((child,)))
        else:
            items.append(_entry(source, child))
    return MainCf(source, tuple(items))


def _entry(source: SourceFile, node: Node) -> Entry:
    tokens = cast("tuple[Token, ...]", tuple(node.children))
    line = join_line(source, tokens)
    match node.data:
        case "setting":
            equals = line.text.find("=")
            if equals < 0:  # a NUL byte cut it off
                return MissingEquals(line, tokens)
            return Assignment(line, tokens, equals)
        case "missing_equals":
            return MissingEquals(line, tokens)
        case "missing_name":
            return MissingName(line, tokens)
        case _:
            return LeadingWhitespace(line, tokens)
