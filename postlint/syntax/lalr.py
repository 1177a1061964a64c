"""Runs the LALR tables that Lark makes of a grammar: a lexer per state, and a tree.

Lark is the compiler of the grammars (``compile.py``); importing it takes longer than all the
rest of a run, so a run uses the finished tables and this module. It does what Lark's contextual
lexer and parser do with ``keep_all_tokens``: rules whose names begin with ``_`` have no node, their
children belong to the rule around them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypedDict

    Lexer = tuple[str, tuple[tuple[str, str, str], ...]]
    Row = tuple[int, dict[str, int]]
    _Compiled = tuple[
        Callable[[str, int, int], re.Match[str] | None],
        dict[tuple[str, str], str],
        frozenset[str] | None,
    ]
    Reduction = tuple[str, int, bool, tuple[bool, ...] | None]

    class Table(TypedDict):
        """What a parser is made from, all of it literals."""

        fingerprint: str
        """Of the grammar that it is made from."""
        lexers: tuple[Lexer, ...]
        """A regular expression with a named group for each terminal; and (terminal, text, other):
        tokens that are just this text are the other terminal's."""
        rules: tuple[Reduction, ...]
        """Name, length, whether it has a node, which of its children have none (None: all have)."""
        states: tuple[Row, ...]
        """A lexer, and the action for each symbol: shift to a state, or ``~rule`` to reduce."""
        starts: dict[str, tuple[int, int]]
        """The first and the last state for each rule that a text may be parsed as."""


FORMAT = "1"
"""Of the tables."""

END = "$END"

_LONG = 64
"""Children of a rule without a node that are not copied, but flattened in the end: rules that
nest deeply would copy them again at every level."""


class Token(str):
    """A terminal's text, the terminal's name and its place in the text that was parsed."""

    __slots__ = ("end_pos", "start_pos", "type")

    type: str
    start_pos: int
    end_pos: int


class Node:
    """A rule's name and what it consists of."""

    __slots__ = ("children", "data")

    def __init__(self, data: str, children: list[Node | Token]) -> None:
        self.data = data
        self.children = children

    def __repr__(self) -> str:
        return f"Node({self.data!r}, {self.children!r})"


class UnexpectedTextError(Exception):
    """The text is not in the language; ``position`` is where the token begins that does not fit.

    When the text ends too early, it is that of the last token.
    """

    def __init__(self, position: int) -> None:
        super().__init__(f"unexpected input at {position}")
        self.position = position


class Parser:
    """A parser for the rules that the table has starts for."""

    __slots__ = ("_compiled", "_lexers", "_nested", "_rules", "_starts", "_states")

    def __init__(self, table: Table) -> None:
        self._rules = table["rules"]
        self._states = table["states"]
        self._starts = table["starts"]
        self._lexers = table["lexers"]
        self._compiled: list[_Compiled | None] = [None] * len(self._lexers)
        self._nested = False

    def parse(
        self, text: str, start: str = "start", *, begin: int = 0, end: int | None = None
    ) -> Node:
        """The tree of a text, or of its part from ``begin`` to ``end``.

        Raises UnexpectedTextError. Positions are those in the whole text.
        """
        states = self._states
        first, last = self._starts[start]
        self._nested = False
        stack = [first]
        values: list[Node | Token | list[Node | Token]] = []
        at = begin
        end = len(text) if end is None else end
        while at < end:
            lexer, actions = states[stack[-1]]
            read, strings, borrowed = self._compiled[lexer] or self._borrow(lexer)
            match = read(text, at, end)
            if borrowed is not None and (match is None or match.lastgroup not in borrowed):
                read, strings, _ = self._compile(lexer)
                match = read(text, at, end)
            if match is None:
                raise UnexpectedTextError(at)
            begin, at = at, match.end()
            token = Token(match[0])
            name = match.lastgroup or ""
            if strings:
                name = strings.get((name, token), name)
            token.type = name
            token.start_pos = begin
            token.end_pos = at
            action = actions[name]
            while action < 0:
                self._reduce(~action, stack, values)
                following = states[stack[-1]][1].get(name)
                if following is None:
                    raise UnexpectedTextError(begin)
                action = following
            stack.append(action)
            values.append(token)
        while stack[-1] != last:
            reduction = states[stack[-1]][1].get(END)
            if reduction is None:
                raise UnexpectedTextError(begin)
            self._reduce(~reduction, stack, values)
        (tree,) = values
        if not isinstance(tree, Node):  # pragma: no cover - rules to start with have nodes
            raise TypeError(start)
        return tree

    def _borrow(self, number: int) -> _Compiled:
        """The expression of a wider lexer that is there already: compiling one takes long.

        All lexers try their terminals in the same order. So a terminal of this one that the
        wider one finds is what this one would find; where it finds another, this one is needed.
        """
        own = self._terminals(number)
        wider = [
            (len(found), other)
            for other, compiled in enumerate(self._compiled)
            if compiled is not None and compiled[2] is None
            if own <= (found := self._terminals(other))
        ]
        if not wider:
            return self._compile(number)
        lender = self._compiled[min(wider)[1]]
        assert lender is not None
        compiled = self._compiled[number] = (lender[0], self._strings(number), own)
        return compiled

    def _compile(self, number: int) -> _Compiled:
        read = re.compile(self._lexers[number][0]).match
        compiled = self._compiled[number] = (read, self._strings(number), None)
        return compiled

    def _terminals(self, number: int) -> frozenset[str]:
        """The names of the groups of a lexer's expression."""
        _, *groups = self._lexers[number][0].split("(?P<")
        return frozenset(group.partition(">")[0] for group in groups)

    def _strings(self, number: int) -> dict[tuple[str, str], str]:
        return {(terminal, text): other for terminal, text, other in self._lexers[number][1]}

    def _reduce(
        self, number: int, stack: list[int], values: list[Node | Token | list[Node | Token]]
    ) -> None:
        name, length, has_node, inline = self._rules[number]
        children: list[Node | Token] = []
        if length:
            parts = values[-length:]
            del values[-length:]
            del stack[-length:]
            if inline is None:
                children = parts  # type: ignore[assignment]
            else:
                if inline[0]:
                    children = parts.pop(0)  # type: ignore[assignment]
                    inline = inline[1:]
                for part, spread in zip(parts, inline, strict=True):
                    if not spread:
                        children.append(part)  # type: ignore[arg-type]
                    elif len(part) > _LONG:  # type: ignore[arg-type]
                        children.append(part)  # type: ignore[arg-type]
                        self._nested = True
                    else:
                        children += part  # type: ignore[arg-type]
        if has_node and self._nested:
            children = _flat(children)
        values.append(Node(name, children) if has_node else children)
        stack.append(self._states[stack[-1]][1][name])


def _flat(parts: list[Node | Token]) -> list[Node | Token]:
    """The parts, those in lists in place of the lists."""
    found: list[Node | Token] = []
    stack = [iter(parts)]
    while stack:
        for part in stack[-1]:
            if isinstance(part, list):
                stack.append(iter(part))
                break
            found.append(part)
        else:
            stack.pop()
    return found
