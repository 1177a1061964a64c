"""Regular expressions of lookup tables, taken apart but never run.

A table's pattern may be hostile, and Python's engine is not the one that Postfix uses: only the
structure is judged, in linear time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Dialect: TypeAlias = Literal["regexp", "pcre"]

TokenKind: TypeAlias = Literal[
    "literal",  # one character, ``text`` without its backslash
    "any",  # .
    "set",  # [ … ]
    "class",  # \d, \w, \p{…} …
    "begin",  # ^ and \A
    "end",  # $, \z and \Z
    "boundary",  # \b, \< … and other empty assertions
    "open",  # ( and its relatives
    "close",
    "or",  # |
    "repeat",  # *, +?, {1,2} …
    "reference",  # \1, (?&name) …
    "ignored",  # comments, options, white space under x
]


class PatternToken(NamedTuple):
    """A token of a pattern. ``text`` of an ``open`` is all of it: ``(``, ``(?:``, ``(?<=`` …"""

    kind: TokenKind
    start: int
    end: int
    text: str


class PatternError(NamedTuple):
    """Why the library refuses a pattern; ``offset`` is where it noticed."""

    message: str
    offset: int


class Pattern:
    """A pattern. ``groups``: how many ``$1`` … there are; None for ``error``: it compiles."""

    __slots__ = ("_read", "_tokens", "error", "groups")

    def __init__(
        self,
        tokens: tuple[PatternToken, ...] | None,
        groups: int,
        error: PatternError | None,
        read: Callable[[], Pattern] | None = None,
    ) -> None:
        """``read``: takes the pattern of an ordinary rule apart, whose tokens few ask for."""
        self._tokens = tokens
        self._read = read
        self.groups = groups
        self.error = error

    @property
    def ordinary(self) -> bool:
        """Whether it has been recognised as that of an ordinary rule (see ordinary_rules)."""
        return self._read is not None

    @property
    def tokens(self) -> tuple[PatternToken, ...]:
        """All of it, up to the error if there is one."""
        if self._tokens is None:
            assert self._read is not None
            self._tokens = self._read().tokens
        return self._tokens

    @property
    def alternatives(self) -> list[list[PatternToken]]:
        """The tokens of the alternatives on the outermost level, without what is ignored."""
        depth = 0
        found: list[list[PatternToken]] = [[]]
        for token in self.tokens:
            if token.kind == "or" and not depth:
                found.append([])
                continue
            depth += (token.kind == "open") - (token.kind == "close")
            if token.kind != "ignored":
                found[-1].append(token)
        return found


class PatternSyntaxError(Exception):
    """Raised while a pattern is taken apart."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class TokenReader:
    """What the readers of both dialects share. They append to ``tokens``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[PatternToken] = []
        self.groups = 0

    def take(self, kind: TokenKind, end: int, text: str | None = None) -> None:
        """Append a token that ends at ``end``, and go on behind it."""
        self.tokens.append(
            PatternToken(kind, self.at, end, self.text[self.at : end] if text is None else text)
        )
        self.at = end

    def take_literals(self, end: int) -> None:
        """Append a token for each character up to ``end``, and go on behind them."""
        start, text = self.at, self.text
        self.tokens += [PatternToken("literal", at, at + 1, text[at]) for at in range(start, end)]
        self.at = end

    def run(self, read: Callable[[], None]) -> Pattern:
        """The pattern that ``read`` takes apart."""
        error = None
        try:
            read()
        except PatternSyntaxError as problem:
            error = PatternError(str(problem), problem.offset)
        return Pattern(tuple(self.tokens), self.groups, error)
