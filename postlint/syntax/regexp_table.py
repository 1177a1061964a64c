"""Tables of regular expressions: ``/pattern/flags result`` (dict_regexp.c, dict_pcre.c)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.ordinary_rules import (
    count_groups,
    is_ordinary,
    references,
    results_expression,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.pattern import Dialect, Pattern
    from postlint.syntax.source import SourceText

RuleKind: TypeAlias = Literal["match", "if", "endif", "unknown"]

PATTERN_LIMIT = 1 << 16
"""Characters of a pattern; longer ones are not judged."""

UNRECOGNIZED = "ignoring unrecognized request"
NO_PATTERN = "no regexp"
UNKNOWN_OPTION = "unknown regexp option"
NO_RESULT = "no replacement text"
NEGATED_NUMBER = "$number found in negative match replacement text"
BAD_INDEX = "out of range replacement index"
NOT_NUMERIC = "non-numeric replacement index"
BAD_REPLACEMENT = "bad replacement syntax"
ENDIF_WITHOUT_IF = "ignoring ENDIF without matching IF"
UNCLOSED = "IF has no matching ENDIF"
TEXT_AFTER_IF = "ignoring extra text after IF statement"
TEXT_AFTER_ENDIF = "ignoring extra text after ENDIF"
OBSOLETE_OPTION = "ignoring obsolete regexp option"

_KEYWORD = re.compile(r"(IF|ENDIF)(?![A-Za-z0-9])", re.IGNORECASE)
_NEGATION = re.compile(r"[! \t\n\v\f\r]*+")
_PAIRS = re.compile(r"(?:[^\\]++|\\.)*+", re.DOTALL)
_BLANKS = re.compile(r"[ \t\n\v\f\r]*+")
_NUMBER = re.compile(r"[A-Za-z0-9_]*+")
_OPTIONS: dict[Dialect, str] = {"regexp": "imx", "pcre": "imsxAEUX"}


class PatternText(NamedTuple):
    """``/pattern/flags``. ``text`` is what stands between the delimiters."""

    negated: bool
    delimiter: str
    text: SourceText
    flags: str
    pattern: Pattern | None
    """None for a pattern that is too long to be judged."""

    def folds_case(self) -> bool:
        """Whether case is ignored; each ``i`` toggles it."""
        return self.flags.count("i") % 2 == 0


class PatternRule(NamedTuple):
    """One logical line. ``problem``: why Postfix skips the rule; ``remark``: what else it says.

    ``second`` is the pattern of the old form ``/first/!/second/``; ``references`` are the
    ``$number`` of the result.
    """

    line: SourceText
    kind: RuleKind
    first: PatternText | None
    second: PatternText | None
    value: SourceText
    references: tuple[int, ...] = ()
    problem: str | None = None
    remark: str | None = None
    at: SourceText | None = None
    """What the problem is about, if that is less than the line."""


class _SkippedError(Exception):
    def __init__(self, message: str, at: SourceText | None = None) -> None:
        super().__init__(message)
        self.at = at


def read_patterns(
    lines: Iterable[SourceText], dialect: Dialect, *, quick: bool = False
) -> Iterator[PatternRule]:
    """The rules of a table; the IFs without ENDIF come once more at the end, innermost first.

    ``lines``: the logical lines of a file, or the rules of an inline table; ``quick``: see
    PatternReader.
    """
    reader = PatternReader(dialect, quick=quick)
    open_ifs: list[PatternRule] = []
    for line in lines:
        rule = reader.read(line)
        if rule is None:
            continue
        yield rule
        if rule.problem is None and rule.kind == "if":
            open_ifs.append(rule)
        elif rule.problem is None and rule.kind == "endif":
            open_ifs.pop()
    for rule in reversed(open_ifs):
        yield rule._replace(problem=UNCLOSED)


class PatternReader:
    """Reads the logical lines of a table; ordinary rules may be left out (see ordinary_rules).

    ``quick``: the pattern of an ordinary rule is taken apart when somebody asks for its tokens.
    ``nesting``: how many IFs are open.
    """

    __slots__ = ("_dialect", "_quick", "nesting")

    def __init__(self, dialect: Dialect, *, quick: bool = False) -> None:
        self._dialect: Dialect = dialect
        self._quick = quick
        self.nesting = 0

    def read(self, line: SourceText) -> PatternRule | None:
        """The rule in the next line; None for one that is empty."""
        rule = self.read_one(line, self.nesting)
        if rule is not None and rule.problem is None:
            self.nesting += (rule.kind == "if") - (rule.kind == "endif")
        return rule

    def read_one(self, line: SourceText, nesting: int) -> PatternRule | None:
        """The rule in any line; ``nesting``: how many IFs are open there."""
        if not self._quick:
            return _Rule(line, self._dialect, quick=False).read(nesting)
        found = results_expression(self._dialect).match(f"\n{line.text}")
        rule = None if found is None or found[1] is None else _ordinary(line, self._dialect, found)
        return rule or _Rule(line, self._dialect, quick=True).read(nesting)


def _ordinary(line: SourceText, dialect: Dialect, found: re.Match[str]) -> PatternRule | None:
    """An ordinary rule, or one that is but for plain references in the result."""
    text, _, flags = found[1].rpartition("/")
    groups = count_groups(text)
    numbers = () if found[2] is None else references(found[2], groups)
    if numbers is None:
        return None
    end = len(text) + 1
    pattern = _ordinary_pattern(text, flags, dialect, groups)
    first = PatternText(False, "/", line.cut(1, end), flags, pattern)
    result = line.text[found.end(1) - 1 :]
    start = len(line.text) - len(result.lstrip(WHITE_SPACE))
    value = line.cut(start, len(line.text.rstrip(WHITE_SPACE)))
    return PatternRule(line, "match", first, None, value, numbers)


class _Rule:
    """Reads one logical line."""

    __slots__ = ("_dialect", "_end", "_line", "_quick", "_text")

    def __init__(self, line: SourceText, dialect: Dialect, *, quick: bool) -> None:
        self._line = line
        self._quick = quick
        self._dialect: Dialect = dialect
        text = line.text
        nul = text.find("\0")  # a C string ends there
        self._text = text if nul < 0 else text[:nul]
        self._end = len(self._text.rstrip(WHITE_SPACE))

    def read(self, nesting: int) -> PatternRule | None:
        text = self._text
        if not self._end:
            return None
        if not (text[0].isascii() and text[0].isalnum()):
            return self._match()
        keyword = _KEYWORD.match(text, 0, self._end)
        if keyword is None:
            return self._made("unknown", problem=UNRECOGNIZED)
        if keyword[1].upper() == "IF":
            return self._condition(keyword.end())
        if not nesting:
            return self._made("endif", problem=ENDIF_WITHOUT_IF)
        extra = text[keyword.end() : self._end].strip(WHITE_SPACE)
        return self._made("endif", remark=TEXT_AFTER_ENDIF if extra else None)

    def _made(
        self,
        kind: RuleKind,
        first: PatternText | None = None,
        *,
        problem: str | None = None,
        remark: str | None = None,
        at: SourceText | None = None,
    ) -> PatternRule:
        nothing = self._line.cut(self._end, self._end)
        return PatternRule(self._line, kind, first, None, nothing, (), problem, remark, at)

    def _condition(self, start: int) -> PatternRule:
        try:
            pattern, at, remark = self._pattern(start)
        except _SkippedError as skipped:
            return self._made("if", problem=str(skipped), at=skipped.at)
        if at < self._end:
            remark = TEXT_AFTER_IF
        problem = _refusal(pattern)
        return self._made("if", pattern, problem=problem, remark=remark, at=pattern.text)

    def _match(self) -> PatternRule:
        second = None
        try:
            first, at, remark = self._pattern(0)
            if self._dialect == "regexp" and self._text[at : at + 1] == "!":
                second, at, _ = self._pattern(at)
        except _SkippedError as skipped:
            return self._made("match", problem=str(skipped), at=skipped.at)
        blanks = _BLANKS.match(self._text, at, self._end)
        start = blanks.end() if blanks is not None else at
        value = self._line.cut(start, self._end)
        numbers: tuple[int, ...] = ()
        problem: str | None
        about: SourceText | None
        try:
            numbers = tuple(_references(value))
        except _SkippedError as skipped:
            problem, about = str(skipped), value
        else:
            problem, about = _flaw(first, second, value, numbers)
        remark = remark if value.text else NO_RESULT
        return PatternRule(
            self._line, "match", first, second, value, numbers, problem, remark, about
        )

    def _pattern(self, start: int) -> tuple[PatternText, int, str | None]:
        """The pattern at ``start``, where it ends, and a remark."""
        text, end = self._text, self._end
        negation = _NEGATION.match(text, start, end)
        at = negation.end() if negation is not None else start
        negated = text.count("!", start, at) % 2 == 1
        if at >= end:
            raise _SkippedError(NO_PATTERN)
        delimiter = text[at]
        if not delimiter.isascii():  # Postfix takes its first byte, and the next one for a flag
            raise _SkippedError(f'{UNKNOWN_OPTION} "?"', self._line.cut(at, at + 1))
        first = at + 1
        at = _closing(text, delimiter, first, end, self._dialect)
        if at < 0:
            raise _SkippedError(f'no closing regexp delimiter "{delimiter}"')
        inside = self._line.cut(first, at)
        at += 1
        flags = at
        stop = WHITE_SPACE + ("!" if self._dialect == "regexp" else "")
        remark = None
        while at < end and text[at] not in stop:
            if text[at] not in _OPTIONS[self._dialect]:
                option = self._line.cut(at, at + 1)
                raise _SkippedError(f'{UNKNOWN_OPTION} "{text[at]}"', option)
            if text[at] == "X":
                remark = OBSOLETE_OPTION
            at += 1
        options = text[flags:at]
        pattern = _parse(inside.text, options, self._dialect, quick=self._quick)
        return PatternText(negated, delimiter, inside, options, pattern), at, remark


def _closing(text: str, delimiter: str, start: int, end: int, dialect: Dialect) -> int:
    """Where the closing delimiter stands; a backslash protects the character behind it.

    To dict_regexp.c a backslash at the end of the line, which protects nothing, is one too.
    """
    at = start
    while True:
        close = -1 if delimiter == "\\" else text.find(delimiter, at, end)
        if close < 0:
            pairs = _PAIRS.match(text, at, end)
            last = pairs.end() if pairs is not None else at
            return last if dialect == "regexp" and last < end else -1
        backslash = text.find("\\", at, close)
        if backslash < 0:
            return close
        at = backslash + 2


def _parse(text: str, flags: str, dialect: Dialect, *, quick: bool) -> Pattern | None:
    if len(text) > PATTERN_LIMIT:
        return None
    if quick and "x" not in flags and is_ordinary(text, dialect):
        return _ordinary_pattern(text, flags, dialect, count_groups(text))
    return _take_apart(text, flags, dialect)


def _ordinary_pattern(text: str, flags: str, dialect: Dialect, groups: int) -> Pattern:
    from postlint.syntax.pattern import Pattern

    return Pattern(None, groups, None, partial(_take_apart, text, flags, dialect))


def _take_apart(text: str, flags: str, dialect: Dialect) -> Pattern:
    toggled = flags.count("x") % 2 == 1
    if dialect == "pcre":
        from postlint.syntax.pcre_pattern import parse_pcre

        return parse_pcre(text, extended=toggled)
    from postlint.syntax.posix_pattern import parse_posix

    return parse_posix(text, extended=not toggled, ignore_case=flags.count("i") % 2 == 0)


def _flaw(
    first: PatternText, second: PatternText | None, value: SourceText, numbers: tuple[int, ...]
) -> tuple[str | None, SourceText | None]:
    """Why Postfix skips a rule, and what of it that is about."""
    if numbers and first.negated:
        return NEGATED_NUMBER, value
    problem = _refusal(first)
    if problem is not None:
        return problem, first.text
    if numbers and first.pattern is not None and max(numbers) > first.pattern.groups:
        return f'{BAD_INDEX} "{max(numbers)}"', value
    problem = None if second is None else _refusal(second)
    return problem, None if second is None or problem is None else second.text


def _refusal(pattern: PatternText) -> str | None:
    if pattern.pattern is None or pattern.pattern.error is None:
        return None
    return pattern.pattern.error.message


def _references(value: SourceText) -> Iterator[int]:
    """The numbers in ``$1``, ``${1}`` and ``$(1)`` (mac_parse.c); raises _SkippedError."""
    text = value.text
    at = text.find("$")
    while at >= 0:
        following = text[at + 1 : at + 2]
        if following == "$":
            at = text.find("$", at + 2)
            continue
        if following in ("{", "("):
            end = _bracket_end(text, at + 1)
            if end < 0:
                raise _SkippedError(f'{BAD_REPLACEMENT}: truncated macro reference: "{text}"')
            name = text[at + 2 : end - 1]
        else:
            match = _NUMBER.match(text, at + 1)
            end = match.end() if match is not None else at + 1
            name = text[at + 1 : end]
        if not name:
            raise _SkippedError(f'{BAD_REPLACEMENT}: empty macro name: "{text}"')
        if not (name.isascii() and name.isdigit()):
            raise _SkippedError(f'{NOT_NUMERIC} "{name}"')
        number = int(name[:9])
        if number < 1:
            raise _SkippedError(f'{BAD_INDEX} "{name}"')
        yield number
        at = text.find("$", end)


def _bracket_end(text: str, start: int) -> int:
    """The end of the bracket at ``start``, with those inside it; -1 when it is not closed."""
    opening = text[start]
    closing = "}" if opening == "{" else ")"
    depth = 0
    for match in re.compile(f"[{opening}{closing}]").finditer(text, start):
        depth += 1 if match[0] == opening else -1
        if not depth:
            return match.end()
    return -1
