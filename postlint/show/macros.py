"""Macro expansion with the warnings of Postfix, in their order (mac_parse.c, mac_expand.c).

``postlint.config.expansion`` expands for rules and keeps positions. Here a broken macro is
read just as far as Postfix reads it, since its messages depend on that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.config.expansion import compare
from postlint.numbers import integer
from postlint.show.messages import FatalError, Messages
from postlint.show.octets import SPACE
from postlint.syntax.value import NESTING_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from postlint.postfix.versions import PostfixVersion

_GROWTH_LIMIT = 1 << 22
"""Octets that macros may add to a value; Postfix has no limit but memory."""

_MACRO_COST = 16
"""What each macro takes of that, so that macros that double each other come to an end."""

_OPERATORS = ("==", "!=", "<", "<=", ">=", ">")
_ANY_OPERATOR = '"==" or "!="" or "<"" or "<="" or ">="" or ">"'
_OPERATOR = re.compile(r"[<>!=?+\-*/~&|%]*")
_SUFFIX = re.compile(r"[A-Za-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9_]*")
_BLANKS = re.compile(r"[ \t\r\n]*")
_LONG_MAX = (1 << 63) - 1
_LEVEL = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_LEVEL_BITS = 10
_BRACES = re.compile(r"[{}]")
_PARENTHESES = re.compile(r"[()]")


class _SyntaxError(Exception):
    """A macro error whose warning is out."""


class _Run:
    """One call of mac_expand()."""

    __slots__ = ("failed", "level", "lookup", "raw", "result", "scan")

    def __init__(
        self,
        lookup: Callable[[str], str | None],
        raw: Callable[[str], bool] | None,
        *,
        scan: bool,
    ) -> None:
        self.lookup = lookup
        self.raw = raw
        self.scan = scan
        self.result: list[str] = []
        self.failed = False
        self.level = 0


class Macros:
    """Expands values as one version does."""

    def __init__(self, version: PostfixVersion, messages: Messages) -> None:
        self._warning = messages.warning
        self._braces = version >= (3, 0)
        self._wide_numbers = version < (3, 2)
        self._blanks = version >= (3, 3)
        self._levels = version >= (3, 6)
        self._functions = version >= (3, 11)
        self._budget = 0

    def expand(
        self,
        text: str,
        lookup: Callable[[str], str | None],
        raw: Callable[[str], bool] | None = None,
    ) -> tuple[str, bool]:
        """The expanded text and whether all went well. ``raw``: names not to expand (3.11)."""
        if "$" not in text:
            return text, True
        run = _Run(lookup, raw if self._functions else None, scan=False)
        good = self._start(text, run)
        return "".join(run.result), good

    def scan(self, text: str, lookup: Callable[[str], str | None]) -> None:
        """Tell ``lookup`` every name in a text, those of untaken branches too."""
        if "$" in text:
            self._start(text, _Run(lookup, None, scan=True))

    def _start(self, text: str, run: _Run) -> bool:
        self._budget = _GROWTH_LIMIT
        try:
            return self._parse(text, run)
        except RecursionError:
            raise FatalError("comparisons are nested too deeply") from None

    def _parse(self, text: str, run: _Run) -> bool:
        """mac_parse(): literal text and macros one after the other; False after an error."""
        good = True
        literal: list[str] = []
        at = 0
        while at < len(text):
            dollar = text.find("$", at)
            if dollar < 0:
                literal.append(text[at:])
                break
            if dollar > at:
                literal.append(text[at:dollar])
            at = dollar + 1
            follower = text[at : at + 1]
            if follower == "$":
                literal.append("$")
                at += 1
                continue
            if literal:
                good = self._literal("".join(literal), run) and good
                literal.clear()
            if follower in ("{", "("):
                end = _closing(text, at, _BRACES if follower == "{" else _PARENTHESES)
                if end < 0:
                    self._warning(f'truncated macro reference: "{text}"')
                    return False
                if not good:
                    return False
                inside = text[at + 1 : end - 1]
                at = end
            else:
                match = _NAME.match(text, at)
                inside = match[0] if match is not None else ""
                at += len(inside)
            if not inside:
                self._warning(f'empty macro name: "{text}"')
                return False
            good = self._macro(inside, run) and good
        if literal and good:
            good = self._literal("".join(literal), run)
        return good

    def _enter(self, text: str, run: _Run) -> bool:
        """The beginning of mac_expand_callback()."""
        run.level += 1
        if run.level > NESTING_LIMIT + 1:
            self._warning(f'unreasonable macro call nesting: "{text}"')
            run.failed = True
        self._spend(_MACRO_COST)
        return not run.failed

    def _spend(self, cost: int) -> None:
        self._budget -= cost
        if self._budget < 0:
            raise FatalError(f"the expanded value is longer than {_GROWTH_LIMIT} characters")

    def _literal(self, text: str, run: _Run) -> bool:
        if not self._enter(text, run):
            return False
        if not run.scan:
            self._spend(len(text))
            run.result.append(text)
        run.level -= 1
        return True

    def _macro(self, text: str, run: _Run) -> bool:
        if not self._enter(text, run):
            return False
        try:
            if self._braces:
                self._expression(text, run)
            else:
                self._old_expression(text, run)
        except _SyntaxError:
            run.failed = True
            return False
        run.level -= 1
        return not run.failed

    def _error(self, text: str) -> _SyntaxError:
        self._warning(text)
        return _SyntaxError()

    def _branch(self, text: str, run: _Run) -> None:
        if not self._parse(text, run):
            run.failed = True

    def _value(self, name: str, value: str | None, run: _Run) -> None:
        """``$name`` on its own: its value, expanded again."""
        if not value or run.scan:
            return
        if run.raw is not None and run.raw(name):
            self._spend(len(value))
            run.result.append(value)
        else:
            self._branch(value, run)

    def _old_expression(self, text: str, run: _Run) -> None:
        """Before 3.0: a name, then ``?`` or ``:`` and text up to the end."""
        match = _NAME.match(text)
        name = match[0] if match is not None else ""
        operator = text[len(name) : len(name) + 1]
        if operator not in ("", "?", ":"):
            raise self._error(f'macro name syntax error: "{text}"')
        value = run.lookup(name)
        rest = text[len(name) + 1 :]
        # What goes wrong inside is warned about and, where only mac_parse() sees it, forgotten.
        if not operator:
            if value and not run.scan:
                self._parse(value, run)
        elif run.scan or bool(value) == (operator == "?"):
            self._parse(rest, run)

    def _expression(self, text: str, run: _Run) -> None:
        blanks = _skip(text, 0)
        name = ""
        if text[blanks : blanks + 1] == "{":
            value, at = self._comparison(text, blanks, run)
            operator = text[at : at + 1]
            if operator not in ("", "?", ":"):
                raise self._error(f'"?" or ":" expected at: "...}}>>>{text[at : at + 20]}"')
            at += 1
        else:
            start = blanks if self._blanks else 0
            match = _NAME.match(text, start)
            name = match[0] if match is not None else ""
            end = start + len(name)
            at = _skip(text, end) if self._blanks else end
            operator = text[at : at + 1]
            if operator == "{" and self._functions:
                self._function(name, text, at, run)
                return
            if operator not in ("", "?", ":"):
                raise self._error(
                    f'attribute name syntax error at: "...{text[:end]}>>>{text[end : end + 20]}"'
                )
            at += 1
            value = run.lookup(name)
        if not operator:
            if name or value is not None:
                self._value(name, value, run)
            return
        if operator == "?":
            branch, at = self._operand_or_rest(text, at)
            if value or run.scan:
                self._branch(branch, run)
            if at >= len(text):
                return
            if text[at] != ":":
                raise self._error(f'":" expected at: "...{branch}}}>>>{text[at : at + 20]}"')
            at += 1
        branch, at = self._operand_or_rest(text, at)
        if not value or run.scan:
            self._branch(branch, run)
        if at < len(text):
            raise self._error(f'unexpected input at: "...{branch}}}>>>{text[at : at + 20]}"')

    def _operand_or_rest(self, text: str, at: int) -> tuple[str, int]:
        """Text in braces and where it ends, else all the rest."""
        blanks = _skip(text, at)
        if text[blanks : blanks + 1] == "{":
            return self._operand(text, blanks)
        return text[at:], len(text)

    def _operand(self, text: str, at: int) -> tuple[str, int]:
        """The text inside the braces at an offset, and where the blanks after them end."""
        end = _closing(text, at, _BRACES)
        if end < 0:
            raise self._error(f'unbalanced {{}} in attribute expression: "{text[at:]}"')
        return text[at + 1 : end - 1], _skip(text, end)

    def _comparison(self, text: str, at: int, run: _Run) -> tuple[str | None, int]:
        """What it gives ("true", "", None while scanning), and where it ends."""
        left, at = self._operand(text, at)
        match = _OPERATOR.match(text, at)
        operator = match[0] if match is not None else ""
        if operator not in _OPERATORS:
            raise self._error(f'{_ANY_OPERATOR} expected at: "...{left}}}>>>{text[at : at + 20]}"')
        at += len(operator)
        suffix = _SUFFIX.match(text, at) if self._levels else None
        if suffix is not None:
            if suffix[0] != "level":
                raise self._error(f'bad operator suffix at: "...{operator}>>>{suffix[0]}"')
            at = suffix.end()
        blanks = _skip(text, at)
        if text[blanks : blanks + 1] != "{":
            raise self._error(
                f'"{{expression}}" expected at: "...{{{left}}} {operator}>>>{text[at : at + 20]}"'
            )
        right, at = self._operand(text, blanks)
        left_value = self._side(left, run)
        right_value = self._side(right, run)
        if run.scan:
            holds: bool | None = None
        elif suffix is not None:
            holds = self._compare_levels(left_value, operator, right_value)
            run.failed |= holds is None
        else:
            holds = self._compare(left_value, operator, right_value)
        if run.failed:  # but the comparison was made, and its complaints count
            raise _SyntaxError
        return None if holds is None else "true" if holds else "", at

    def _side(self, text: str, run: _Run) -> str:
        """One side of a comparison, in a call of its own."""
        inner = _Run(run.lookup, None, scan=run.scan)
        if not self._parse(text, inner):
            run.failed = True
        return "".join(inner.result)

    def _compare(self, left: str, operator: str, right: str) -> bool:
        """mac_exp_eval(): numbers as numbers, everything else as strings."""
        if _is_number(left) and _is_number(right):
            for side in (left, right):
                if integer(side) > _LONG_MAX and not self._wide_numbers:
                    raise FatalError(f"mac_exp_eval: bad conversion: {side}")
            left, right = (str(min(integer(side), _LONG_MAX)) for side in (left, right))
            return compare(left, operator, right)
        return compare("x" + left, operator, "x" + right)

    def _compare_levels(self, left: str, operator: str, right: str) -> bool | None:
        """compat_relop_eval(): None after a warning about the first bad level."""
        left_level = self._level(left)
        right_level = None if left_level is None else self._level(right)
        if left_level is None or right_level is None:
            return None
        return compare(str(left_level), operator, str(right_level))

    def _level(self, text: str) -> int | None:
        """A compatibility level as one number (compat_level_from_string())."""
        result = 0
        at = 0
        for shift, largest in (
            (2 * _LEVEL_BITS, _LONG_MAX >> 2 * _LEVEL_BITS),
            (_LEVEL_BITS, (1 << _LEVEL_BITS) - 1),
            (0, (1 << _LEVEL_BITS) - 1),
        ):
            match = _LEVEL.match(text, at)
            if match is None or not 0 <= integer(match[0]) <= largest:
                break
            result |= integer(match[0]) << shift
            at = match.end()
            if at == len(text):
                return result
            if text[at] != ".":
                break
            at += 1
        self._warning(f'malformed compatibility level syntax: "{text}"')
        return None

    def _function(self, name: str, text: str, at: int, run: _Run) -> None:
        argument, at = self._operand(text, at)
        argument = argument.strip(SPACE)
        if at < len(text):
            raise self._error(f'unexpected input at: "...{argument}}}>>>{text[at : at + 20]}"')
        if name not in ("domain_to_ascii", "domain_to_utf8"):
            raise self._error(f'unknown function "{name}" at"...>>>{name}{{{argument}}}"')
        value = self._side(argument, run)
        if run.failed:
            raise _SyntaxError
        if not run.scan:
            from postlint.show.domains import convert

            result = convert(name, value)
            if result is None:
                raise self._error(f"bad domain argument in: '{name}{{{value}}}'")
            run.result.append(result)


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match is not None else at


def _closing(text: str, at: int, brackets: re.Pattern[str]) -> int:
    """The offset after the bracket that closes the one at an offset; -1 without one."""
    level = 0
    for match in brackets.finditer(text, at):
        level += 1 if match[0] in "{(" else -1
        if level == 0:
            return match.end()
    return -1


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
