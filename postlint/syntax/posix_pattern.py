"""POSIX regular expressions as regcomp(3) of the GNU C library takes them."""

from __future__ import annotations

import re

from postlint.syntax.pattern import Pattern, PatternSyntaxError, TokenReader

BAD_REPEAT = "Invalid preceding regular expression"
OPEN_GROUP = "Unmatched ( or \\("
OPEN_SET = "Unmatched [, [^, [:, [., or [="
BAD_CLASS = "Invalid character class name"
BAD_COLLATION = "Invalid collation character"
BAD_RANGE = "Invalid range end"
BAD_INTERVAL = "Invalid content of \\{\\}"
OPEN_INTERVAL = "Unmatched \\{"
BAD_PATTERN = "Invalid regular expression"
TOO_BIG = "Regular expression too big"
BAD_REFERENCE = "Invalid back reference"

CLASSES = frozenset(
    {
        "alnum",
        "alpha",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "xdigit",
    }
)
_REPEAT_LIMIT = 0x7FFF
_INTERVAL = re.compile(r"([0-9]*)(?:(,)([0-9]*))?")
_LITERALS = re.compile(r"[^\\\[.^$*+?{()|]++")
"""What stands for itself, also behind anything else."""
_GNU_ASSERTIONS = "bB<>`'"
_GNU_CLASSES = "wWsS"


def parse_posix(text: str, *, extended: bool = True, ignore_case: bool = True) -> Pattern:
    """Take a pattern of a regexp table apart."""
    reader = _Reader(text, extended=extended, ignore_case=ignore_case)
    return reader.run(reader.read)


class _Reader(TokenReader):
    def __init__(self, text: str, *, extended: bool, ignore_case: bool) -> None:
        super().__init__(text)
        self._extended = extended
        self._ignore_case = ignore_case
        self._open: list[tuple[int, int, int]] = []
        """The groups that are open: number, and ``_before`` and ``_alternatives`` outside."""
        self._complete = 0
        """The groups that a back reference may name, as bits."""
        self._before = 0
        """Those of the time when the present alternatives began."""
        self._alternatives = 0
        """Those of the alternatives before the present one."""
        self._repeatable = False
        """Whether a repetition may follow."""

    def read(self) -> None:
        while self.at < len(self.text):
            literals = _LITERALS.match(self.text, self.at)
            if literals is not None:
                self.take_literals(literals.end())
                self._repeatable = True
                continue
            character = self.text[self.at]
            if character == "\\":
                self._escape()
            elif character == "[":
                self.take("set", self._set_end())
                self._repeatable = True
            elif character == ".":
                self._atom("any")
            elif character == "^" and self._is_caret():
                self._assertion("begin")
            elif character == "$" and self._is_dollar():
                self._assertion("end")
            elif character == "*" or (character in "+?{" and self._extended):
                self._repetition(character)
            elif character in "()|" and self._extended:
                self._operator(character)
            else:
                self._atom("literal")
        if self._open:
            raise PatternSyntaxError(OPEN_GROUP, len(self.text))

    def _atom(self, kind: str, length: int = 1) -> None:
        end = min(self.at + length, len(self.text))
        self.take(kind, end, self.text[end - 1])  # type: ignore[arg-type]
        self._repeatable = True

    def _assertion(self, kind: str, length: int = 1) -> None:
        self.take(kind, self.at + length)  # type: ignore[arg-type]
        self._repeatable = False

    def _is_caret(self) -> bool:
        if self._extended:
            return True
        return not self.tokens or self.tokens[-1].kind in ("open", "or")

    def _is_dollar(self) -> bool:
        following = self.at + 1
        if self._extended or following == len(self.text):
            return True
        return self.text.startswith(("\\)", "\\|"), following)

    def _operator(self, character: str, length: int = 1) -> None:
        if character == "(":
            self.groups += 1
            self._open.append((self.groups, self._before, self._alternatives))
            self._before, self._alternatives = self._complete, 0
            self.take("open", self.at + length)
            self._repeatable = False
        elif character == "|":
            self._alternatives |= self._complete
            self._complete = self._before
            self.take("or", self.at + length)
            self._repeatable = False
        elif self._open:
            number, before, alternatives = self._open.pop()
            self._complete |= self._alternatives | (1 << number if number < 10 else 0)
            self._before, self._alternatives = before, alternatives
            self.take("close", self.at + length)
            self._repeatable = True
        elif self._extended:
            self._atom("literal", length)
        else:
            raise PatternSyntaxError(OPEN_GROUP, self.at)

    def _repetition(self, character: str, length: int = 1) -> None:
        if not self._repeatable:
            if self._extended:
                raise PatternSyntaxError(BAD_REPEAT, self.at)
            if character != "{":
                self._atom("literal", length)
                return
            raise PatternSyntaxError(BAD_REPEAT, self.at)
        if not self._extended and self.tokens[-1].kind == "repeat" and character in "*{":
            raise PatternSyntaxError(BAD_REPEAT, self.at)
        end = self.at + length
        if character == "{":
            end = self._interval_end(end)
        self.take("repeat", end)

    def _interval_end(self, start: int) -> int:
        match = _INTERVAL.match(self.text, start)
        assert match is not None
        close = "}" if self._extended else "\\}"
        if not self.text.startswith(close, match.end()):
            closed = close in self.text[match.end() :]
            raise PatternSyntaxError(BAD_INTERVAL if closed else OPEN_INTERVAL, match.end())
        low = int(match[1][:9]) if match[1] else 0
        high = int(match[3][:9]) if match[3] else low if match[2] is None else None
        if not match[1] and match[2] is None:
            raise PatternSyntaxError(BAD_INTERVAL, start)
        if high is not None and low > high:
            raise PatternSyntaxError(BAD_INTERVAL, start)
        if max(low, high or 0) > _REPEAT_LIMIT:
            raise PatternSyntaxError(TOO_BIG, start)
        return match.end() + len(close)

    def _escape(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            raise PatternSyntaxError("Trailing backslash", self.at)
        if following.isascii() and following.isdigit() and following != "0":
            if not self._complete >> int(following) & 1:
                raise PatternSyntaxError(BAD_REFERENCE, self.at)
            self.take("reference", self.at + 2)
            self._repeatable = True
        elif following in _GNU_ASSERTIONS:
            self._assertion("boundary", 2)
        elif following in _GNU_CLASSES:
            self.take("class", self.at + 2)
            self._repeatable = True
        elif following in "()|" and not self._extended:
            self._operator(following, 2)
        elif following in "+?{" and not self._extended:
            self._repetition(following, 2)
        else:
            self._atom("literal", 2)

    def _set_end(self) -> int:
        """Where the bracket expression ends that begins here."""
        text = self.text
        at = self.at + 1
        at += text.startswith("^", at)
        if at >= len(text):
            raise PatternSyntaxError(BAD_PATTERN, at)
        first = True
        while True:
            if at >= len(text):
                raise PatternSyntaxError(OPEN_SET, len(text))
            if text[at] == "]" and not first:
                return at + 1
            if text[at] == "-" and not first and text[at + 1 : at + 2] not in ("]", "-"):
                # Only a second range end can stand there: [a-z-9].
                raise PatternSyntaxError(BAD_RANGE, at)
            first = False
            start, at = self._element(at)
            if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("]", ""):
                stop, at = self._element(at + 1)
                if start is None or stop is None:
                    raise PatternSyntaxError(BAD_RANGE, at)
                if start and stop and self._code(start) > self._code(stop):
                    raise PatternSyntaxError(BAD_RANGE, at)

    def _code(self, character: str) -> int:
        return ord(character.upper() if self._ignore_case and character.isascii() else character)

    def _element(self, at: int) -> tuple[str | None, int]:
        """One element of a set: its character (None: a class, "": not known), where it ends."""
        text = self.text
        kind = text[at + 1 : at + 2]
        if text[at] != "[" or kind not in (":", ".", "="):
            return (text[at] if text[at].isascii() else ""), at + 1
        close = text.find(f"{kind}]", at + 2)
        if close < 0:
            raise PatternSyntaxError(OPEN_SET, len(text))
        name = text[at + 2 : close]
        if kind == ":":
            if name not in CLASSES:
                raise PatternSyntaxError(BAD_CLASS, at)
            return None, close + 2
        if len(name) != 1:
            raise PatternSyntaxError(BAD_COLLATION, at)
        return (None if kind == "=" else name), close + 2
