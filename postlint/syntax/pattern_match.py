"""Whether a pattern of a lookup table matches a text, found in time that grows with both.

A table's pattern may be hostile, so that it is never run by an engine that goes back. What this
one does not know (back references, recursion, atomic groups) has the answer None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple
from postlint.syntax.pattern_set import character_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.syntax.pattern import Dialect, Pattern, PatternToken

PROGRAM_LIMIT = 4_000
"""Instructions of one pattern, its counted repetitions written out."""

TEXT_LIMIT = 1_000
"""Characters of a text; no address is longer."""

STEPS = 2_000_000
"""Instructions looked at for all searches of one budget: about two seconds."""

_DEEPEST = 40
"""Groups in groups."""

_GROUP = re.compile(r"\((?:\?(?::|\||<[A-Za-z_]\w*>|P<\w+>|'\w+'))?\Z", re.ASCII)
_LOOK = {"(?=": (1, True), "(?!": (1, False), "(?<=": (-1, True), "(?<!": (-1, False)}
_REPEAT = re.compile(r"(?:[*+?]|\\[+?]|\\?\{([0-9]*)(,?)([0-9]*)\\?\})\??\Z")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_HARMLESS = frozenset("imsUJ^-")

Kind: TypeAlias = Literal["test", "split", "begin", "end", "boundary", "look", "match"]


class Budget:
    """How many more instructions may be looked at, for all the patterns of a table together."""

    __slots__ = ("left",)

    def __init__(self, left: int = STEPS) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Take some; raises _UnknownError when there are no more."""
        self.left -= steps
        if self.left < 0:
            raise _UnknownError


class _UnknownError(Exception):
    """The pattern has something that this module does not know, or it takes too long."""


class _Step(NamedTuple):
    """An instruction: what it tests, and the ones that follow (two for ``split``)."""

    kind: Kind
    follow: tuple[int, ...] = ()
    test: re.Pattern[str] | None = None
    text: str = ""
    inside: Matcher | None = None


class Matcher:
    """Searches texts for one pattern, as the ``regexp`` and ``pcre`` types do."""

    __slots__ = ("_back", "_budget", "_needle", "_steps")

    def __init__(
        self, tokens: Sequence[PatternToken], steps: list[_Step], budget: Budget, *, back: bool
    ) -> None:
        """``back``: it is a look behind, which ends where it is asked."""
        self._steps = steps
        self._budget = budget
        self._back = back
        self._needle = _needle(tokens)

    def search(self, text: str) -> bool | None:
        """Whether the pattern is found in the text; None where that can not be told."""
        if not is_searchable(text):
            return None
        if self._needle and self._needle not in text.lower():
            return False
        try:
            return self._run(text, 0, everywhere=True)
        except _UnknownError:
            return None

    def holds(self, text: str, at: int) -> bool:
        """Whether it matches from there on, or up to there if it looks back."""
        if not self._back:
            return self._run(text, at, everywhere=False)
        return any(self._run(text, start, everywhere=False, end=at) for start in range(at + 1))

    def _run(self, text: str, start: int, *, everywhere: bool, end: int | None = None) -> bool:
        active: set[int] = set()
        stop = len(text) if end is None else end
        for at in range(start, stop + 1):
            if everywhere or at == start:
                active.add(0)
            self._budget.spend(len(active) + 1)
            active, found = self._spread(active, text, at)
            if found and (end is None or at == end):
                return True
            if at == stop:
                break
            active = {
                step.follow[0]
                for step in map(self._steps.__getitem__, active)
                if step.test is None or step.test.match(text, at) is not None
            }
            if not active and not everywhere:
                return False
        return False

    def _spread(self, places: Iterable[int], text: str, at: int) -> tuple[set[int], bool]:
        """The instructions that take a character, and whether the end is reached without one."""
        seen: set[int] = set()
        waiting = list(places)
        found = False
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            self._budget.spend(1)
            step = self._steps[place]
            if step.kind == "match":
                found = True
            elif step.kind != "test" and _passes(step, text, at):
                waiting += step.follow
        return {place for place in seen if self._steps[place].kind == "test"}, found


def _passes(step: _Step, text: str, at: int) -> bool:
    match step.kind:
        case "begin":
            return at == 0
        case "end":
            return at == len(text)
        case "look":
            inside = step.inside
            return inside is not None and inside.holds(text, at) == (step.text == "yes")
        case "boundary":
            before = at > 0 and text[at - 1] in _WORD
            after = at < len(text) and text[at] in _WORD
            wanted = {"\\b": before != after, "\\B": before == after}
            wanted |= {"\\<": after and not before, "\\>": before and not after}
            return wanted[step.text]
    return True


def is_searchable(text: str) -> bool:
    """Whether a text is one that can be searched."""
    return len(text) <= TEXT_LIMIT and text.isascii() and "\n" not in text and "\0" not in text


def matcher(
    pattern: Pattern,
    dialect: Dialect,
    *,
    ignore_case: bool,
    flags: str = "",
    budget: Budget | None = None,
) -> Matcher | None:
    """The matcher of a pattern; None where there is something that it can not do.

    ``budget``: what its searches may take, together with those of others.
    """
    if pattern.error is not None:
        return None
    try:
        budget = budget or Budget()
        compiler = _Compiler(pattern.tokens, dialect, budget, ignore_case=ignore_case)
        steps = compiler.compile(anchored="A" in flags and dialect == "pcre")
    except _UnknownError:
        return None
    return Matcher(pattern.tokens, steps, budget, back=False)


class _Compiler:
    """Writes the instructions of a pattern, the last first, so that each knows what follows."""

    def __init__(
        self,
        tokens: Sequence[PatternToken],
        dialect: Dialect,
        budget: Budget,
        *,
        ignore_case: bool,
        depth: int = 0,
    ) -> None:
        self._budget = budget
        self._depth = depth
        self._pieces = 0
        self._tokens = [token for token in tokens if not self._is_nothing(token, ignore_case)]
        self._dialect: Dialect = dialect
        self._ignore_case = ignore_case
        self._steps: list[_Step] = []
        self._close = _brackets(self._tokens)

    @staticmethod
    def _is_nothing(token: PatternToken, ignore_case: bool) -> bool:
        """Comments, white space and options that change nothing."""
        if token.kind != "ignored":
            return False
        if token.text.startswith("(*"):
            raise _UnknownError
        if not token.text.startswith("(?") or token.text.startswith("(?#"):
            return True
        options = token.text[2:-1]
        changes = "i" in options and (not ignore_case or "-" in options or "^" in options)
        if changes or not _HARMLESS.issuperset(options.replace("x", "")):
            raise _UnknownError
        return True

    def compile(self, *, anchored: bool) -> list[_Step]:
        self._steps = [_Step("split", (1,)), _Step("match")]
        start = self._sequence(0, len(self._tokens), 1)
        if anchored:
            start = self._add(_Step("begin", (start,)))
        self._steps[0] = _Step("split", (start,))
        return self._steps

    def _add(self, step: _Step) -> int:
        if len(self._steps) > PROGRAM_LIMIT:
            raise _UnknownError
        self._steps.append(step)
        return len(self._steps) - 1

    def _sequence(self, start: int, end: int, follow: int) -> int:
        """The alternatives between two tokens; where they begin."""
        if self._depth > _DEEPEST:
            raise _UnknownError
        branches = []
        first = at = start
        while at <= end:
            token = self._tokens[at] if at < end else None
            if token is None or token.kind == "or":
                branches.append(self._branch(first, at, follow))
                first = at + 1
            elif token.kind == "open":
                at = self._close[at]
            at += 1
        if len(branches) == 1:
            return branches[0]
        return self._add(_Step("split", tuple(branches)))

    def _branch(self, start: int, end: int, follow: int) -> int:
        pieces: list[tuple[int, int, list[PatternToken]]] = []
        at = start
        while at < end:
            last = self._close[at] if self._tokens[at].kind == "open" else at
            repeats = []
            following = last + 1
            while following < end and self._tokens[following].kind == "repeat":
                repeats.append(self._tokens[following])
                following += 1
            pieces.append((at, last, repeats))
            at = following
        for first, last, repeats in reversed(pieces):
            follow = self._repeated(first, last, repeats, follow)
        return follow

    def _repeated(self, first: int, last: int, repeats: Sequence[PatternToken], follow: int) -> int:
        self._budget.spend(5)
        self._pieces += 1  # a repeated nothing adds no step
        if self._pieces > PROGRAM_LIMIT:
            raise _UnknownError
        if not repeats:
            return self._atom(first, last, follow)
        low, high = _bounds(repeats[-1].text)
        inner = repeats[:-1]
        if high is None:
            again = self._add(_Step("split", (follow,)))
            start = self._repeated(first, last, inner, again)
            self._steps[again] = _Step("split", (start, follow))
            follow = again
        else:
            skip = follow
            for _ in range(high - low):
                start = self._repeated(first, last, inner, follow)
                follow = self._add(_Step("split", (start, skip)))
        for _ in range(low):
            follow = self._repeated(first, last, inner, follow)
        return follow

    def _atom(self, first: int, last: int, follow: int) -> int:
        token = self._tokens[first]
        match token.kind:
            case "begin" | "end":
                return self._add(_Step(token.kind, (follow,)))
            case "boundary" if token.text in ("\\b", "\\B", "\\<", "\\>"):
                return self._add(_Step("boundary", (follow,), text=token.text))
            case "boundary" if token.text in ("\\`", "\\'"):
                return self._add(_Step("begin" if token.text[1] == "`" else "end", (follow,)))
            case "any":
                return self._add(_Step("test", (follow,)))
            case "open":
                return self._group(token, first + 1, last, follow)
        test = character_test(token, self._dialect, ignore_case=self._ignore_case)
        if test is None:
            raise _UnknownError
        return self._add(_Step("test", (follow,), test))

    def _group(self, token: PatternToken, start: int, end: int, follow: int) -> int:
        look = _LOOK.get(token.text)
        if look is None:
            options = re.fullmatch(r"\(\?([a-zA-Z]*):", token.text)
            same = options is not None and _HARMLESS.issuperset(options[1])
            if options is not None and "i" in options[1] and not self._ignore_case:
                same = False
            if not same and _GROUP.match(token.text) is None and token.text != "\\(":
                raise _UnknownError
            self._depth += 1
            begin = self._sequence(start, end, follow)
            self._depth -= 1
            return begin
        direction, wanted = look
        tokens = self._tokens[start:end]
        compiler = _Compiler(
            tokens,
            self._dialect,
            self._budget,
            ignore_case=self._ignore_case,
            depth=self._depth + 1,
        )
        steps = compiler.compile(anchored=False)
        inside = Matcher((), steps, self._budget, back=direction < 0)
        text = "yes" if wanted else "no"
        return self._add(_Step("look", (follow,), text=text, inside=inside))


def _brackets(tokens: Sequence[PatternToken]) -> dict[int, int]:
    """Where each open bracket is closed."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "open":
            waiting.append(at)
        elif token.kind == "close" and waiting:
            found[waiting.pop()] = at
    return found


def _bounds(text: str) -> tuple[int, int | None]:
    """The least and the most of a repetition; possessive ones are not known."""
    match = _REPEAT.match(text)
    if match is None:
        raise _UnknownError
    if "{" not in text:
        sign = text.lstrip("\\")[0]
        return (1 if sign == "+" else 0), (1 if sign == "?" else None)
    low = int(match[1] or 0)
    if not match[2]:
        return low, low
    return low, int(match[3]) if match[3] else None


def _needle(tokens: Sequence[PatternToken]) -> str:
    """The longest text in small letters that every match holds."""
    best = run = ""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "or" and not depth:
            return ""
        depth += (token.kind == "open") - (token.kind == "close")
        repeated = at + 1 < len(tokens) and tokens[at + 1].kind == "repeat"
        if depth or token.kind != "literal" or repeated or not token.text.isascii():
            best, run = max(best, run, key=len), ""
        else:
            run += token.text.lower()
    return max(best, run, key=len)
