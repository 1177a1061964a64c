"""Perl-compatible regular expressions as pcre2_compile(3) takes them, without UTF mode.

What this does not know passes: an error is reported only where every PCRE2 refuses.
"""

from __future__ import annotations

import re

from postlint.records import NamedTuple
from postlint.syntax.pattern import Pattern, PatternSyntaxError, TokenKind, TokenReader
from postlint.syntax.pcre_class import class_end
from postlint.syntax.pcre_escape import Escape, read_escape

NOTHING_TO_REPEAT = "quantifier does not follow a repeatable item"
OUT_OF_ORDER = "numbers out of order in {} quantifier"
NUMBER_TOO_BIG = "number too big in {} quantifier"
OPEN_GROUP = "missing closing parenthesis"
CLOSED_GROUP = "unmatched closing parenthesis"
OPEN_COMMENT = "missing ) after (?# comment"
TOO_DEEP = "parentheses are too deeply nested"
BAD_REFERENCE = "reference to non-existent subpattern"
BAD_OPTION = "unrecognized character after (? or (?-"
BAD_VERB = "(*VERB) not recognized or malformed"
BAD_ASSERTION = "(*alpha_assertion) not recognized"
BAD_NAME = "subpattern name expected"
DIGIT_NAME = "subpattern name must start with a non-digit"
OPEN_NAME = "syntax error in subpattern name (missing terminator?)"
SAME_NAME = "two named subpatterns have the same name (PCRE2_DUPNAMES not set)"
THREE_BRANCHES = "conditional subpattern contains more than two branches"
LOOKBEHIND = "lookbehind assertion is not fixed length"
POSIX_OUTSIDE = "POSIX named classes are supported only within a class"
COLLATION = "POSIX collating elements are not supported"

_LITERALS = re.compile(r"[^\\\[.^$*+?{()| \t\n\v\f\r#]++")
"""What stands for itself, also behind anything else, and under x."""
_MAXIMUM = 65535
_DEPTH = 250

_REPEAT = re.compile(r"(?:[*+?]|\{([0-9]+)(?:(,)([0-9]*))?\})[+?]?")
_START_VERBS = re.compile(
    r"(?:\(\*(?!ACCEPT|COMMIT|F\)|FAIL|MARK|PRUNE|SKIP|THEN)[A-Z_0-9]+(?:=[0-9]+)?\))+"
)
_VERB = re.compile(r"\(\*(ACCEPT|COMMIT|F|FAIL|MARK|PRUNE|SKIP|THEN)?(?::[^)]*)?\)")
_ALPHA = re.compile(
    r"\(\*(?:(?:n?a?|non_atomic_)p?n?l[ab]|(?:non_atomic_)?(?:positive|negative)_look(?:ahead|behind)"
    r"|atomic|a?sr|(?:atomic_)?script_run):"
)
_OPTIONS = re.compile(r"\(\?(\^?[a-zA-Z]*(?:-[a-zA-Z]*)?)([:)])")
_KNOWN_OPTIONS = frozenset("imsxnJUarDPSTW-^")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALL = re.compile(r"\(\?(?:(R|[+-]?[0-9]+)|&([A-Za-z_]\w*)|P>([A-Za-z_]\w*))\)", re.ASCII)
_CONDITION = re.compile(r"\(\?\((?:([0-9]+)|[^?*)][^)]*)\)")
_POSIX = re.compile(r"\[([:.=])(?:[^\\\]\[]|\\.)*?\1\]")


class _Group(NamedTuple):
    """A group that is open; ``reset``: of (?|, the groups before and the most in a branch."""

    extended: bool
    conditional: bool
    reset: bool
    lookbehind: bool
    before: int


def parse_pcre(text: str, *, extended: bool = False) -> Pattern:
    """Take a pattern of a pcre table apart."""
    reader = _Reader(text, extended=extended)
    return reader.run(reader.read)


class _Reader(TokenReader):
    def __init__(self, text: str, *, extended: bool) -> None:
        super().__init__(text)
        self._extended = extended
        self._groups: list[_Group] = []
        self._most: list[int] = []
        """The most groups in any branch so far, of each open (?|."""
        self._branches: list[int] = []
        self._repeatable = False
        self._names: set[str] = set()
        self._same_names = False
        self._references: list[tuple[int | str, int]] = []
        """Numbers and names that must exist, and where they are mentioned."""

    def read(self) -> None:
        start = _START_VERBS.match(self.text)
        if start is not None:
            self.take("ignored", start.end())
        while self.at < len(self.text):
            literals = _LITERALS.match(self.text, self.at)
            if literals is not None:
                self.take_literals(literals.end())
                self._repeatable = True
            else:
                self._token(self.text[self.at])
        if self._groups:
            raise PatternSyntaxError(OPEN_GROUP, len(self.text))
        for reference, offset in self._references:
            known = reference in self._names if isinstance(reference, str) else None
            if known is False or (known is None and int(reference) > self.groups):
                raise PatternSyntaxError(BAD_REFERENCE, offset)

    def _token(self, character: str) -> None:
        text, at = self.text, self.at
        if self._extended and (character in " \t\n\v\f\r" or character == "#"):
            end = at + 1
            if character == "#":
                end = text.find("\n", at) + 1 or len(text)
            self.take("ignored", end)
        elif character == "\\":
            self._escape()
        elif character == "[":
            posix = _POSIX.match(text, at)
            if posix is not None:
                raise PatternSyntaxError(POSIX_OUTSIDE if posix[1] == ":" else COLLATION, at)
            self._atom("set", class_end(text, at))
        elif character == ".":
            self._atom("any", at + 1)
        elif character in "^$":
            self._assertion("begin" if character == "^" else "end", at + 1)
        elif character in "*+?" or (character == "{" and _REPEAT.match(text, at)):
            self._repeat()
        elif character == "(":
            self._open()
        elif character == ")":
            self._close()
        elif character == "|":
            self._branch()
        else:
            self._atom("literal", at + 1)

    def _atom(self, kind: TokenKind, end: int, text: str | None = None) -> None:
        self.take(kind, end, text)
        self._repeatable = True

    def _assertion(self, kind: TokenKind, end: int) -> None:
        self.take(kind, end)
        self._repeatable = False

    def _escape(self) -> None:
        if self.text.startswith("\\Q", self.at):
            self.take("ignored", self.at + 2)
            end = self.text.find("\\E", self.at)
            end = len(self.text) if end < 0 else end
            while self.at < end:
                self._atom("literal", self.at + 1)
            return
        if self.text.startswith("\\E", self.at):
            self.take("ignored", self.at + 2)
            return
        escape: Escape = read_escape(self.text, self.at, self.groups)
        if escape.reference is not None:
            self._references.append((escape.reference, self.at))
        if escape.kind in ("begin", "end", "boundary"):
            self._assertion(escape.kind, escape.end)
        else:
            self._atom(escape.kind, escape.end, escape.text)

    def _repeat(self) -> None:
        match = _REPEAT.match(self.text, self.at)
        assert match is not None
        if match[1] is not None:
            for digits in (match[1], match[3] or ""):
                if len(digits) > 5 or int(digits or 0) > _MAXIMUM:
                    raise PatternSyntaxError(NUMBER_TOO_BIG, match.end())
            if match[3] and int(match[1]) > int(match[3]):
                raise PatternSyntaxError(OUT_OF_ORDER, match.end())
        if not self._repeatable and self._completes_repeat():
            self.take("repeat", self.at + 1)
            return
        if not self._repeatable:
            raise PatternSyntaxError(NOTHING_TO_REPEAT, match.end() - 1)
        endless = self.text[self.at] in "*+" or (match[2] and not match[3])
        inside = any(group.lookbehind for group in self._groups)
        if endless and inside and self.tokens[-1].kind != "close":  # that might be an assertion
            raise PatternSyntaxError(LOOKBEHIND, self.at)
        self._assertion("repeat", match.end())

    def _completes_repeat(self) -> bool:
        """Whether a comment only parts a repetition from the + or ? that belongs to it."""
        if self.text[self.at] not in "+?" or not self.tokens or self.tokens[-1].kind != "ignored":
            return False
        before = next((token for token in reversed(self.tokens) if token.kind != "ignored"), None)
        between = self.tokens[-1].text
        if before is None or before.kind != "repeat":
            return False
        if not (between.startswith(("(?#", "#")) or between.isspace()):
            return False
        return before.text in ("*", "+", "?") or before.text.endswith("}")

    def _push(
        self,
        end: int,
        *,
        conditional: bool = False,
        reset: bool = False,
        lookbehind: bool = False,
    ) -> None:
        if len(self._groups) >= _DEPTH:
            raise PatternSyntaxError(TOO_DEEP, self.at)
        self._groups.append(_Group(self._extended, conditional, reset, lookbehind, self.groups))
        self._most.append(self.groups)
        self._branches.append(1)
        self.take("open", end)
        self._repeatable = False

    def _close(self) -> None:
        if not self._groups:
            raise PatternSyntaxError(CLOSED_GROUP, self.at)
        group = self._groups.pop()
        most = self._most.pop()
        if group.reset:
            self.groups = max(self.groups, most)
        if group.conditional and self._branches[-1] > 2:
            raise PatternSyntaxError(THREE_BRANCHES, self.at)
        self._branches.pop()
        self._extended = group.extended
        self.take("close", self.at + 1)
        self._repeatable = True

    def _branch(self) -> None:
        if self._groups:
            self._branches[-1] += 1
            group = self._groups[-1]
            if group.reset:
                self._most[-1] = max(self._most[-1], self.groups)
                self.groups = group.before
        self.take("or", self.at + 1)
        self._repeatable = False

    def _open(self) -> None:
        text, at = self.text, self.at
        following = text[at + 1 : at + 2]
        if following == "*":
            self._verb()
        elif following != "?":
            self.groups += 1
            self._push(at + 1)
        elif text.startswith("(?#", at):
            end = text.find(")", at)
            if end < 0:
                raise PatternSyntaxError(OPEN_COMMENT, len(text))
            self.take("ignored", end + 1)
        elif text.startswith(("(?:", "(?>", "(?=", "(?!", "(?*"), at):
            self._push(at + 3)
        elif text.startswith("(?|", at):
            self._push(at + 3, reset=True)
        elif text.startswith(("(?<=", "(?<!", "(?<*"), at):
            self._push(at + 4, lookbehind=True)
        elif text.startswith("(?(", at):
            self._condition()
        elif text.startswith(("(?<", "(?'", "(?P<"), at):
            self._named()
        elif text.startswith("(?C", at):
            end = text.find(")", at)
            self.take("ignored", end + 1 if end >= 0 else len(text))
        else:
            self._call_or_options()

    def _verb(self) -> None:
        verb = _VERB.match(self.text, self.at)
        if verb is not None:
            self.take("ignored", verb.end())
            self._repeatable = verb[1] == "ACCEPT"
            return
        alpha = _ALPHA.match(self.text, self.at)
        if alpha is not None:
            self._push(alpha.end(), lookbehind="b" in alpha[0][:9] or "behind" in alpha[0])
            return
        third = self.text[self.at + 2 : self.at + 3]
        if third.isascii() and (third.isupper() or third == ":"):
            raise PatternSyntaxError(BAD_VERB, self.at)
        if third.isascii() and third.islower():
            raise PatternSyntaxError(BAD_ASSERTION, self.at)
        raise PatternSyntaxError(NOTHING_TO_REPEAT, self.at + 1)

    def _condition(self) -> None:
        condition = _CONDITION.match(self.text, self.at)
        if condition is None:  # an assertion, which is a group of its own, or not closed
            self._push(self.at + 2, conditional=True)
            return
        if condition[1] is not None:
            self._references.append((int(condition[1][:9]), self.at))
        self._push(condition.end(), conditional=True)

    def _named(self) -> None:
        start = self.text.index("'" if self.text[self.at + 2] == "'" else "<", self.at) + 1
        name = _NAME.match(self.text, start)
        if name is None:
            digit = self.text[start : start + 1].isdigit()
            raise PatternSyntaxError(DIGIT_NAME if digit else BAD_NAME, start)
        close = "'" if self.text[start - 1] == "'" else ">"
        if not self.text.startswith(close, name.end()):
            raise PatternSyntaxError(OPEN_NAME, name.end())
        unique = not self._same_names and not any(group.reset for group in self._groups)
        if unique and name[0] in self._names:
            raise PatternSyntaxError(SAME_NAME, start)
        self._names.add(name[0])
        self.groups += 1
        self._push(name.end() + 1)

    def _call_or_options(self) -> None:
        text, at = self.text, self.at
        call = _CALL.match(text, at)
        if call is not None:
            self._refer(call[1] or "", call[2] or call[3] or "")
            self._atom("reference", call.end())
            return
        if text.startswith("(?P=", at):
            end = text.find(")", at)
            if end < 0:
                raise PatternSyntaxError(OPEN_NAME, len(text))
            self._refer("", text[at + 4 : end])
            self._atom("reference", end + 1)
            return
        options = _OPTIONS.match(text, at)
        if options is None or not _KNOWN_OPTIONS.issuperset(options[1]):
            if at + 2 >= len(text) or (options is None and ")" not in text[at:]):
                raise PatternSyntaxError(OPEN_GROUP, len(text))
            raise PatternSyntaxError(BAD_OPTION, at + 2)
        on, _, off = options[1].partition("-")
        extended = self._extended and "^" not in on
        extended = ("x" in on or extended) and "x" not in off
        self._same_names = self._same_names or "J" in on
        if options[2] == ":":
            self._push(options.end())
        else:
            self._assertion("ignored", options.end())
        self._extended = extended

    def _refer(self, number: str, name: str) -> None:
        if name:
            self._references.append((name, self.at))
        elif number and number != "R":
            value = int(number[:9])
            if number[0] == "-":
                value = self.groups + 1 + value
                if value < 1:
                    raise PatternSyntaxError(BAD_REFERENCE, self.at)
            elif number[0] == "+":
                value += self.groups
            self._references.append((value, self.at))
