"""From a Lark grammar to the table that ``lalr.py`` runs; Lark does the work."""

from __future__ import annotations

import pickle
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lark import Lark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.syntax.lalr import Lexer, Reduction, Row, Table

_SHIFT = 0


def lark_parser(path: Path, starts: list[str]) -> Lark:
    """Lark's own parser of the grammar, which the table does the same as."""
    return Lark(
        path.read_text(encoding="utf-8"),
        start=starts,
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def compile_grammar(path: Path, starts: list[str], made_from: str) -> Table:
    """The table of a grammar; raises ValueError for what ``lalr.py`` can not do."""
    stream = BytesIO()
    lark_parser(path, starts).save(stream)
    saved = pickle.loads(stream.getvalue())  # noqa: S301 - made two lines above
    return _Compiler(saved).table(made_from)


class _Compiler:
    """Turns what Lark saves of a parser into a table.

    Lark numbers states in the order of hashes; here they are numbered as they are reached, so
    that a table is the same every time.
    """

    def __init__(self, saved: dict[str, Any]) -> None:
        memo = saved["memo"]
        parser = saved["data"]["parser"]["parser"]
        self._names: dict[int, str] = parser["tokens"]
        self._rows: dict[int, dict[int, tuple[int, Any]]] = parser["states"]
        self._starts: dict[str, int] = parser["start_states"]
        self._ends: dict[str, int] = parser["end_states"]
        self._terminals = {
            entry["name"]: entry for entry in memo.values() if entry["__type__"] == "TerminalDef"
        }
        self._memo = memo
        self._rules: dict[int, int] = {}
        self._lexers: dict[Lexer, int] = {}

    def table(self, made_from: str) -> Table:
        order = self._order()
        number = {state: index for index, state in enumerate(order)}
        states = tuple(self._row(state, number) for state in order)
        return {
            "fingerprint": made_from,
            "lexers": tuple(self._lexers),
            "rules": tuple(self._reduction(self._memo[key]) for key in self._rules),
            "states": states,
            "starts": {
                name: (number[state], number[self._ends[name]])
                for name, state in sorted(self._starts.items())
            },
        }

    def _order(self) -> list[int]:
        """All states, those of the start rules first."""
        order = dict.fromkeys(self._starts[name] for name in sorted(self._starts))
        waiting = list(order)
        for state in waiting:  # grows
            for _, (action, target) in self._sorted(state):
                if action == _SHIFT and target not in order:
                    order[target] = None
                    waiting.append(target)
        return list(order)

    def _sorted(self, state: int) -> Iterator[tuple[str, tuple[int, Any]]]:
        row = self._rows[state]
        yield from sorted((self._names[symbol], action) for symbol, action in row.items())

    def _row(self, state: int, number: dict[int, int]) -> Row:
        actions: dict[str, int] = {}
        for name, (action, target) in self._sorted(state):
            if action == _SHIFT:
                actions[name] = number[target]
            else:
                actions[name] = ~self._rules.setdefault(target["@"], len(self._rules))
        lexer = self._lexer([name for name in actions if name in self._terminals])
        return self._lexers.setdefault(lexer, len(self._lexers)), actions

    def _lexer(self, names: list[str]) -> Lexer:
        """What a state can read, in Lark's order: first the more important, then the longer.

        Text of a regular expression that is just that of a string is the string's token.
        """
        terminals = [self._terminals[name] for name in names]
        strings = tuple(
            (other["name"], literal["pattern"]["value"], literal["name"])
            for literal in terminals
            for other in terminals
            if _is_literal(literal) and not _is_literal(other) and _takes(other, literal)
        )
        taken = {name for _, _, name in strings}
        terminals = [entry for entry in terminals if entry["name"] not in taken]
        terminals.sort(
            key=lambda entry: (
                -entry["priority"],
                -_longest(entry),
                -len(entry["pattern"]["value"]),
                entry["name"],
            )
        )
        groups = [f"(?P<{entry['name']}>{_regex(entry)})" for entry in terminals]
        return "|".join(groups) or "(?!)", strings

    @staticmethod
    def _reduction(rule: dict[str, Any]) -> Reduction:
        name: str = rule["origin"]["name"]
        if rule["alias"] or rule["options"]["expand1"]:
            raise ValueError(f"{name}: aliases and ? are not supported")
        symbols = rule["expansion"]
        inline = tuple(
            symbol["__type__"] == "NonTerminal" and symbol["name"].startswith("_")
            for symbol in symbols
        )
        return name, len(symbols), not name.startswith("_"), inline if any(inline) else None


def _is_literal(terminal: dict[str, Any]) -> bool:
    return bool(terminal["pattern"]["__type__"] == "PatternStr")


def _longest(terminal: dict[str, Any]) -> int:
    pattern = terminal["pattern"]
    longest: int = len(pattern["value"]) if _is_literal(terminal) else pattern["_width"][1]
    return longest


def _regex(terminal: dict[str, Any]) -> str:
    pattern = terminal["pattern"]
    if pattern["flags"]:
        raise ValueError(f"{terminal['name']}: flags are not supported")
    value: str = pattern["value"]
    return re.escape(value) if _is_literal(terminal) else value


def _takes(terminal: dict[str, Any], literal: dict[str, Any]) -> bool:
    """Whether Lark would turn a terminal's token into the literal's: at equal priority."""
    same = terminal["priority"] == literal["priority"]
    return same and re.fullmatch(_regex(terminal), literal["pattern"]["value"]) is not None
