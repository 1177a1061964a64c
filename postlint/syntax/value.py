"""The value language: ``$name`` macros and lists (mac_parse.c, mac_expand.c, mystrtok.c).

Offsets are those of the text given. The trees say what is written; what it means in a scope
(and which forms a Postfix version knows) is decided where values are expanded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, cast

from postlint.records import NamedTuple
from postlint.syntax.grammar import parser
from postlint.syntax.lalr import UnexpectedTextError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.lalr import Node, Token

NESTING_LIMIT = 100
"""Macro calls inside macro calls that Postfix takes (mac_expand.c)."""

VALUE_LIMIT = 1 << 20
"""Characters of a value with macros that are read here; Postfix has no limit but memory."""

_LONG = 4096
"""Longer values are measured before they are parsed: every level is read once more."""

_WORK_LIMIT = 1 << 23
"""Characters to read, each as often as it is nested."""

_PLAIN = re.compile(r"[^$]++|\$\$|\$(?:([A-Za-z0-9_]++)|\{([A-Za-z0-9_]++)\}|\(([A-Za-z0-9_]++)\))")
_BRACKET = re.compile(r"\$[({]|[)}]")


class Literal(NamedTuple):
    """Text that stands for itself (``$$`` already turned into ``$``)."""

    start: int
    end: int
    text: str


class Reference(NamedTuple):
    """``$name``, ``${name}`` or ``$(name)``."""

    start: int
    end: int
    name: str


class Comparison(NamedTuple):
    """``{left} operator {right}``; the operator with its suffix, such as ``<level`` (3.0, 3.6)."""

    left: Value
    operator: str
    right: Value


class Conditional(NamedTuple):
    """``${test?text}``, ``${test:text}``, ``${test?{text}:{text}}``.

    ``braced`` tells that a branch is written in braces, which Postfix before 3.0 does not know:
    it takes everything after ``?`` or ``:`` as text.
    """

    start: int
    end: int
    test: str | Comparison
    when_true: Value | None
    when_false: Value | None
    braced: bool
    unbraced_text: tuple[str, str] | None
    """For a name test: its ``?`` or ``:`` and the text after it, as Postfix 2.x reads it."""


class Test(NamedTuple):
    """``${{left} operator {right}}`` without branches: "true" or nothing."""

    start: int
    end: int
    comparison: Comparison


class Call(NamedTuple):
    """``${function{argument}}`` (3.11)."""

    start: int
    end: int
    function: str
    argument: Value


class Malformed(NamedTuple):
    """What Postfix refuses with "macro processing error"; ``message`` is the reason it logs."""

    start: int
    end: int
    message: str


class Unread(NamedTuple):
    """What is too much to be read here, whatever Postfix makes of it; ``message`` says why."""

    start: int
    end: int
    message: str


Part: TypeAlias = Literal | Reference | Conditional | Test | Call | Malformed | Unread
Value: TypeAlias = tuple[Part, ...]


@lru_cache(maxsize=4096)
def parse_value(text: str, offset: int = 0, depth: int = 0) -> Value:
    """Parse any text; offsets in the parts count from ``offset`` at the beginning of ``text``."""
    if "$" not in text:
        return (Literal(offset, offset + len(text), text),) if text else ()
    if depth == 0 and len(text) > _LONG:
        end = offset + len(text)
        if end - offset > VALUE_LIMIT:
            return (Unread(offset, end, f"more than {VALUE_LIMIT} characters"),)
        nesting = _nesting(text)
        if nesting > NESTING_LIMIT:
            message = f'unreasonable macro call nesting: "{text[:_LONG]}"'
            return (Malformed(offset, end, message),)
        if nesting * len(text) > _WORK_LIMIT:
            return (Unread(offset, end, f"macros in macros, {nesting} deep, in a long text"),)
    plain = _plain_parts(text, offset) if depth < NESTING_LIMIT else None
    return tuple(_parts_by_grammar(text, offset, depth)) if plain is None else plain


def _plain_parts(text: str, offset: int) -> Value | None:
    """The parts of a text that has no macros but mere names; None for any other."""
    found: list[Part] = []
    at = 0
    for match in _PLAIN.finditer(text):
        start, end = match.span()
        if start != at:
            return None
        at = end
        if text[start] != "$":
            found.append(Literal(start + offset, end + offset, match[0]))
        elif match.lastindex:
            found.append(Reference(start + offset, end + offset, match[match.lastindex]))
        else:
            found.append(Literal(start + offset, end + offset, "$"))
    return tuple(found) if at == len(text) else None


def _nesting(text: str) -> int:
    """How deep macros stand in each other's brackets, whether or not Postfix gets there."""
    deepest = 0
    closers: list[str] = []
    for match in _BRACKET.finditer(text):
        bracket = match[0]
        if bracket[0] == "$":
            closers.append("}" if bracket[1] == "{" else ")")
            deepest = max(deepest, len(closers))
        elif closers and bracket == closers[-1]:
            closers.pop()
    return deepest


def walk(value: Value) -> Iterator[Part]:
    """Every part of a value, those in untaken branches and in tests too."""
    stack = [value]
    while stack:
        for part in stack.pop():
            yield part
            match part:
                case Conditional():
                    if isinstance(part.test, Comparison):
                        stack += [part.test.left, part.test.right]
                    stack += [branch for branch in (part.when_true, part.when_false) if branch]
                case Test():
                    stack += [part.comparison.left, part.comparison.right]
                case Call():
                    stack.append(part.argument)


def references(value: Value) -> Iterator[Reference]:
    """Every name that a value mentions, those that are only tested too."""
    for part in walk(value):
        if isinstance(part, Reference):
            yield part
        elif isinstance(part, Conditional) and isinstance(part.test, str):
            yield Reference(part.start, part.end, part.test)


def malformed(value: Value) -> Iterator[Malformed]:
    """Every syntax error in a value."""
    return (part for part in walk(value) if isinstance(part, Malformed))


def _parts_by_grammar(text: str, offset: int, depth: int) -> Iterator[Part]:
    for child in parser("value").parse(text, start="value").children:
        if isinstance(child, str):
            token = child
            start = token.start_pos + offset
            end = start + len(token)
            match token.type:
                case "TEXT":
                    yield Literal(start, end, str(token))
                case "DOLLARS":
                    yield Literal(start, end, "$")
                case "NAME_MACRO":
                    yield Reference(start, end, token[1:])
                case _:
                    yield Malformed(start, end, f'empty macro name: "{text}"')
            continue
        tokens = cast("list[Token]", child.children)
        start = tokens[0].start_pos + offset
        end = tokens[-1].end_pos + offset
        if child.data in ("open_braced", "open_parenthesized"):
            yield Malformed(start, len(text) + offset, f'truncated macro reference: "{text}"')
        elif end - start == len("${}"):
            yield Malformed(start, end, f'empty macro name: "{text}"')
        elif depth >= NESTING_LIMIT:
            message = f'unreasonable macro call nesting: "{text}"'
            yield Malformed(start, end, message)
        else:
            inside = text[start - offset + 2 : end - offset - 1]
            yield _expression(inside, start, end, depth + 1)


def _expression(inside: str, start: int, end: int, depth: int) -> Part:
    """Parse the text inside the brackets of a macro that spans start to end."""
    offset = start + 2
    try:
        tree = parser("value").parse(inside, start="expression")
    except UnexpectedTextError as error:
        return Malformed(start, end, _complaint(inside, error.position))
    node = tree.children[-1] if tree.children else tree
    reader = _Reader(inside, offset, depth)
    if isinstance(node, str):  # pragma: no cover - the grammar gives a node below expression
        raise TypeError(node)
    match node.data:
        case "reference":
            return Reference(start, end, _name(node))
        case "call":
            argument = reader.operand(cast("Node", node.children[-1]), strip=True)
            return Call(start, end, _name(node), argument)
        case "comparison":
            comparison = reader.comparison(node)
            if isinstance(comparison, str):
                return Malformed(start, end, comparison)
            return Test(start, end, comparison)
        case _:
            return reader.conditional(node, start, end)


class _Reader:
    """Turns nodes of the text inside a macro into parts."""

    __slots__ = ("depth", "inside", "offset")

    def __init__(self, inside: str, offset: int, depth: int) -> None:
        self.inside = inside
        self.offset = offset
        self.depth = depth

    def operand(self, node: Node, *, strip: bool = False) -> Value:
        """The value between the outermost braces."""
        tokens = cast("list[Token]", node.children)
        start = tokens[0].end_pos
        last = tokens[-2] if tokens[-1].type == "BLANKS" else tokens[-1]
        text = self.inside[start : last.start_pos]
        if strip:
            start += len(text) - len(text.lstrip(" \t\r\n"))
            text = text.strip(" \t\r\n")
        return parse_value(text, self.offset + start, self.depth)

    def comparison(self, node: Node) -> Comparison | str:
        """The comparison, or what Postfix says of its operator."""
        operands = [child for child in node.children if not isinstance(child, str)]
        tokens = [child for child in node.children if isinstance(child, str)]
        operator = "".join(token for token in tokens if token.type in ("OPERATOR", "LEVEL"))
        plain = next(str(token) for token in tokens if token.type == "OPERATOR")
        left = operands[0]
        if plain not in ("==", "!=", "<", "<=", ">=", ">"):
            return _complaint(self.inside, tokens[0].start_pos)
        if operator[len(plain) :] not in ("", "level"):
            suffix = operator[len(plain) :]
            return f'bad operator suffix at: "...{plain}>>>{suffix}"'
        right = operands[1]
        return Comparison(self.operand(left), operator, self.operand(right))

    def conditional(self, node: Node, start: int, end: int) -> Part:
        test: str | Comparison = _name(node)
        branches: dict[str, Value] = {}
        braced = False
        first: Token | None = None
        for child in node.children:
            if isinstance(child, str):
                continue
            if child.data == "comparison":
                comparison = self.comparison(child)
                if isinstance(comparison, str):
                    return Malformed(start, end, comparison)
                test = comparison
                continue
            first = first or cast("Token", child.children[0])
            branches[child.data], in_braces = self._branch(child)
            braced = braced or in_braces
        unbraced_text = None
        if first is not None and isinstance(test, str):
            unbraced_text = (str(first), self.inside[first.end_pos :])
        return Conditional(
            start,
            end,
            test,
            branches.get("when_true"),
            branches.get("when_false"),
            braced,
            unbraced_text,
        )

    def _branch(self, node: Node) -> tuple[Value, bool]:
        last = node.children[-1]
        if not isinstance(last, str):
            return self.operand(last), True
        token = last
        if token.type != "UNBRACED":
            return (), False
        return parse_value(str(token), self.offset + token.start_pos, self.depth), False


def _name(node: Node) -> str:
    for child in node.children:
        if isinstance(child, str) and child.type == "NAME":
            return str(child)
    return ""


def _complaint(inside: str, at: int) -> str:
    """What is wrong at an offset, in Postfix's manner: the place marked with ``>>>``."""
    before, after = inside[:at], inside[at : at + 20]
    if not inside.lstrip(" \t\r\n").startswith("{") and not before.rstrip().endswith("}"):
        return f'attribute name syntax error at: "...{before}>>>{after}"'
    if not after:
        return f'unbalanced {{}} in attribute expression: "{inside}"'
    return f'unexpected input at: "...{before}>>>{after}"'
