"""Macro expansion as mac_expand.c and dict_eval() do it, by version, keeping positions.

What Postfix refuses is an ExpansionError, what is too much to be looked at a LimitError. What
nobody can know before Postfix runs (template placeholders, host-dependent defaults) becomes
UNKNOWN, and so does what depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.effective import UNKNOWN, Piece
from postlint.config.limits import PIECE_LIMIT, TEXT_LIMIT, LimitError, excess
from postlint.config.placeholders import has_placeholder, placeholders
from postlint.numbers import integer
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.value import (
    NESTING_LIMIT,
    Call,
    Comparison,
    Conditional,
    Literal,
    Malformed,
    Reference,
    Test,
    Unread,
    Value,
    parse_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from postlint.config.settings import Setting
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import SourceText

_IN_PROGRESS = -1
_MASK = LazyPattern(f"{UNKNOWN}+")
_LEVEL = LazyPattern(r"[0-9]+(?:\.[0-9]+){0,2}\Z")


class ExpansionError(Exception):
    """A macro error that ends every Postfix program; the text is the reason it logs."""


def literal(setting: Setting) -> tuple[Piece, ...] | None:
    """The pieces of a setting that holds no macro and no placeholder; None for any other."""
    text = setting.text
    if "$" in text or has_placeholder(text):
        return None
    return (Piece(text, setting.value),) if text else ()


class Expander:
    """Expands values in one scope.

    ``lookup`` gives the setting of a name (None: not defined, expands to nothing); ``unknown``
    tells the names whose value nobody can know.
    """

    __slots__ = ("_expanding", "_lookup", "_names", "_unknown", "_version")

    def __init__(
        self,
        version: PostfixVersion,
        lookup: Callable[[str], Setting | None],
        unknown: Callable[[str], bool],
    ) -> None:
        self._version = version
        self._lookup = lookup
        self._unknown = unknown
        self._names: dict[str, tuple[Sequence[Piece], int]] = {}
        """What a name expands to, and the levels of macro calls below it."""
        self._expanding: list[int] = []
        """For every name that is being expanded: the levels seen below it so far."""

    def expand(self, setting: Setting) -> Sequence[Piece]:
        """The pieces of an expanded setting; raises ExpansionError or LimitError."""
        self._expanding.clear()
        pieces = self._setting(setting, 0)
        if len(pieces) > 1:
            limit = excess("".join(piece.text for piece in pieces))
            if limit is not None:
                raise LimitError(limit)
        return pieces

    def _setting(self, setting: Setting, depth: int) -> Sequence[Piece]:
        """Expand each name once: ``a = $b$b``, ``b = $c$c`` and so on must not double the work."""
        name = setting.name
        known = self._names.get(name)
        if known is not None:
            pieces, height = known
            if height == _IN_PROGRESS or depth + height > NESTING_LIMIT:
                raise ExpansionError(f'unreasonable macro call nesting: "{name}"')
        elif not setting.explicit and self._unknown(name):
            pieces, height = [Piece(UNKNOWN, None)], 0
        else:
            if depth > NESTING_LIMIT:
                raise ExpansionError(f'unreasonable macro call nesting: "{name}"')
            if setting.limit is not None:
                raise LimitError(setting.limit)
            plain = literal(setting)
            if plain is not None:
                pieces, height = plain, 0
            else:
                self._names[name] = ([], _IN_PROGRESS)
                self._expanding.append(0)
                value = parse_value(_masked(setting.text))
                pieces = list(self._value(value, setting.value, depth))
                height = self._expanding.pop()
            self._names[name] = (pieces, height)
        if self._expanding:
            self._expanding[-1] = max(self._expanding[-1], height + 1)
        return pieces

    def _value(self, value: Value, origin: SourceText | None, depth: int) -> Iterator[Piece]:
        if depth > NESTING_LIMIT:
            raise ExpansionError("unreasonable macro call nesting")
        growth = count = 0
        for part in value:
            match part:
                case Literal():
                    yield from self._literal(part, origin)
                case Reference(_, _, name):
                    pieces = self._name(name, depth)
                    growth += sum(len(piece.text) for piece in pieces)
                    count += len(pieces)
                    if growth > TEXT_LIMIT or count > PIECE_LIMIT:
                        raise LimitError("macros that add more and more text")
                    yield from pieces
                case Conditional():
                    yield from self._conditional(part, origin, depth)
                case Test(_, _, comparison):
                    outcome = self._compare(comparison, origin, depth)
                    yield Piece(UNKNOWN if outcome is None else "true" if outcome else "", None)
                case Call():
                    if self._version < (3, 11):
                        raise ExpansionError(f'attribute name syntax error: "{part.function}"')
                    yield Piece(UNKNOWN, None)
                case Malformed(_, _, message):
                    raise ExpansionError(message)
                case Unread(_, _, message):
                    raise LimitError(message)

    def _literal(self, part: Literal, origin: SourceText | None) -> Iterator[Piece]:
        if origin is None or part.end - part.start != len(part.text):
            yield Piece(part.text, None)
            return
        at = 0
        for match in _MASK.finditer(part.text):
            start, end = match.span()
            if start > at:
                yield Piece(part.text[at:start], origin.cut(part.start + at, part.start + start))
            yield Piece(UNKNOWN, None)
            at = end
        if at < len(part.text):
            yield Piece(part.text[at:], origin.cut(part.start + at, part.end))

    def _name(self, name: str, depth: int) -> Sequence[Piece]:
        setting = self._lookup(name)
        if setting is not None:
            return self._setting(setting, depth + 1)
        return [Piece(UNKNOWN, None)] if self._unknown(name) else []

    def _text(self, value: Value, origin: SourceText | None, depth: int) -> str:
        return "".join(piece.text for piece in self._value(value, origin, depth + 1))

    def _conditional(
        self, part: Conditional, origin: SourceText | None, depth: int
    ) -> Iterator[Piece]:
        if isinstance(part.test, Comparison):
            outcome = self._compare(part.test, origin, depth)
        else:
            setting = self._lookup(part.test)
            if setting is None:
                outcome = None if self._unknown(part.test) else False
            elif not setting.explicit and self._unknown(part.test):
                outcome = None
            else:  # the raw text decides, as dict_eval_lookup() gives it
                outcome = bool(setting.text)
        if part.braced and self._version < (3, 0):
            yield from self._old_conditional(part, outcome, depth)
            return
        if outcome is None:
            yield Piece(UNKNOWN, None)
            return
        branch = part.when_true if outcome else part.when_false
        if branch:
            yield from self._value(branch, origin, depth + 1)

    def _old_conditional(
        self, part: Conditional, outcome: bool | None, depth: int
    ) -> Iterator[Piece]:
        """Before 3.0 braces are text, and a comparison is no name."""
        if part.unbraced_text is None:
            raise ExpansionError("attribute name syntax error")
        operator, text = part.unbraced_text
        if outcome is None:
            yield Piece(UNKNOWN, None)
        elif outcome == (operator == "?"):
            yield from self._value(parse_value(text), None, depth + 1)

    def _compare(self, test: Comparison, origin: SourceText | None, depth: int) -> bool | None:
        if self._version < (3, 0):
            raise ExpansionError("attribute name syntax error")
        level = test.operator.endswith("level")
        if level and self._version < (3, 6):
            raise ExpansionError(f'"{{expression}}" expected after "{test.operator}"')
        left = self._text(test.left, origin, depth)
        right = self._text(test.right, origin, depth)
        if UNKNOWN in left or UNKNOWN in right:
            return None
        return compare(left, test.operator, right)


def _masked(text: str) -> str:
    """The text with UNKNOWN for every character of a placeholder: those may contain ``$``."""
    masked, at = [], 0
    for start, end in placeholders(text):
        masked += [text[at:start], UNKNOWN * (end - start)]
        at = end
    return "".join((*masked, text[at:])) if masked else text


def compare(left: str, operator: str, right: str) -> bool:
    """A comparison of mac_exp_eval(), or of compat_level_relop_eval() with suffix ``level``.

    Raises ExpansionError for a malformed compatibility level.
    """
    plain = operator.removesuffix("level")
    order: int
    if plain != operator:
        a, b = _level(left), _level(right)
        order = (a > b) - (a < b)
    elif _all_digits(left) and _all_digits(right):
        order = (integer(left) > integer(right)) - (integer(left) < integer(right))
    else:
        a_bytes = left.encode("utf-8", "surrogateescape")
        b_bytes = right.encode("utf-8", "surrogateescape")
        order = (a_bytes > b_bytes) - (a_bytes < b_bytes)
    match plain:
        case "==":
            return order == 0
        case "!=":
            return order != 0
        case "<":
            return order < 0
        case "<=":
            return order <= 0
        case ">=":
            return order >= 0
        case _:
            return order > 0


def _level(text: str) -> tuple[int, ...]:
    if not _LEVEL.match(text):
        raise ExpansionError(f'malformed compatibility level syntax: "{text}"')
    numbers = tuple(integer(part) for part in text.split("."))
    return numbers + (0,) * (3 - len(numbers))


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
