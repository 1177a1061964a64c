"""What the trees of main.cf and master.cf have in common: entries, comments, lossless tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.source import SourceFile, SourceText, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from postlint.syntax.lalr import Token

WHITE_SPACE = " \t\n\v\f\r"
"""C isspace() in ASCII: what Postfix skips around names and values."""

DROPPED_TOKENS = frozenset({"INNER_TRIVIA", "JOIN", "GROUP_JOIN"})
"""Tokens between the physical lines of one logical line; they add nothing to its text."""

# A gap between fields holds blanks, the ends of physical lines and the comments after them.
_GAP_PIECE = re.compile(r"[ \t\r]+|\n(?:[ \t\v\f\r]*+(?:#[^\n]*+)?\n)*+")


class Comment(NamedTuple):
    """One comment line; ``offset`` is that of its ``#`` and ``text`` runs to the line's end."""

    offset: int
    text: str


class Trivia:
    """Comment lines and blank lines between entries."""

    __slots__ = ("tokens",)

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens


class Entry:
    """One logical line: ``line`` is its text as Postfix joins it, ``tokens`` all of it."""

    __slots__ = ("line", "span", "tokens")

    def __init__(self, line: SourceText, tokens: tuple[Token, ...]) -> None:
        self.line = line
        self.tokens = tokens
        self.span: Span = line.strip(WHITE_SPACE).span
        """From the first to the last character that is not white space."""

    def comments(self) -> Iterator[Comment]:
        """The comments inside the logical line."""
        for token in self.tokens:
            if token.type in DROPPED_TOKENS or (token.type == "GAP" and "#" in token):
                yield from comments_in(token)


class LeadingWhitespace(Entry):
    """A logical line that starts with white space: Postfix warns and skips it (readlline.c)."""

    __slots__ = ()


class Tree:
    """A parsed file. The tokens of its items, joined, are the text of the file."""

    __slots__ = ("items", "source")

    def __init__(self, source: SourceFile, items: tuple[Trivia | Entry, ...]) -> None:
        self.source = source
        self.items = items

    @property
    def entries(self) -> Iterator[Entry]:
        return (item for item in self.items if isinstance(item, Entry))

    def text(self) -> str:
        """The file again, from the tokens."""
        return "".join(token for item in self.items for token in item.tokens)

    def comments(self) -> Iterator[tuple[Comment, Entry | None]]:
        """Every comment with the entry that it stands in or before (none after the last one)."""
        waiting: list[Comment] = []
        for item in self.items:
            if isinstance(item, Trivia):
                for token in item.tokens:
                    waiting += comments_in(token)
                continue
            for comment in waiting:
                yield comment, item
            waiting.clear()
            for comment in item.comments():
                yield comment, item
        for comment in waiting:
            yield comment, None


def comments_in(token: Token) -> Iterator[Comment]:
    """The comment lines of a token that spans physical lines."""
    if "#" not in token:
        return
    offset = token.start_pos
    for line in token.split("\n"):
        text = line.lstrip(WHITE_SPACE)
        if text.startswith("#"):
            yield Comment(offset + len(line) - len(text), text.rstrip(WHITE_SPACE))
        offset += len(line) + 1


def join_line(source: SourceFile, tokens: Sequence[Token]) -> SourceText:
    """The logical text of tokens: line ends and inner comments gone, cut at a NUL byte.

    Postfix handles the joined line as a C string, so that text after NUL is lost.
    """
    line = SourceText.join(source, _chunks(tokens))
    end = line.text.find("\0")
    return line if end < 0 else line.cut(0, end)


def _chunks(tokens: Iterable[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        if token.type in DROPPED_TOKENS:
            continue
        start = token.start_pos
        if "\n" not in token:
            yield start, str(token)
        elif token.type != "GAP":
            yield start, token[:-1]
        else:
            for piece in _GAP_PIECE.finditer(token):
                if piece[0][-1] != "\n":
                    yield start + piece.start(), piece[0]
