"""master.cf as a lossless tree: services, their fields, arguments and overrides (master(5))."""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, cast

from postlint.syntax.grammar import parser
from postlint.syntax.lines import (
    DROPPED_TOKENS,
    WHITE_SPACE,
    Entry,
    Tree,
    join_line,
    read_items,
)
from postlint.syntax.source import SourceText, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from postlint.syntax.lalr import Node, Token
    from postlint.syntax.source import SourceFile

    Stretches: TypeAlias = Callable[[str], Iterable[tuple[int, int]]]

FIELD_NAMES = (
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
)
"""The fields of a service in their order; arguments of the command follow."""

_FIELD_NUMBER = {name: number for number, name in enumerate(FIELD_NAMES)}

OPTIONS_WITH_VALUE = "o"
"""Daemon options that postconf(1) knows to take a value (postconf_master.c)."""

# Words of a line are found by a pattern, unless there are joins inside words in it, or groups
# that are nested, left open or longer than a physical line.
_IRREGULAR = re.compile(r"[\v\f\0]|\{(?![^{}\n]*+\})")
_WORD = re.compile(r"\n[ \t\r]*+#[^\n]*+|((?:[^ \t\r\n{]++|\{[^{}\n]*+\})++)")

_NAME_VALUE = re.compile(r"[ \t\n\v\f\r]*([^ \t\n\v\f\r=]+)[ \t\n\v\f\r]*=")


class Argument:
    """One argument of a command, the braces around it already taken off.

    ``raw`` is the argument as written. ``error`` is what extpar(3) says of its braces.
    """

    __slots__ = ("error", "raw", "text")

    def __init__(self, raw: SourceText) -> None:
        self.raw = raw
        self.text = raw
        self.error: str | None = None
        if raw.text.startswith("{"):
            self.text, self.error = extract_braced(raw)


class Override:
    """``-o name=value`` in any spelling.

    ``name`` and ``value`` are None when the argument has no ``=`` (fatal to the daemon).
    """

    __slots__ = ("_start", "argument", "name", "value")

    def __init__(self, start: int, argument: Argument) -> None:
        """``start``: the offset of the option in the file."""
        self._start = start
        self.argument = argument
        self.name: SourceText | None = None
        self.value: SourceText | None = None
        match = _NAME_VALUE.match(argument.text.text)
        if match:
            self.name = argument.text.cut(match.start(1), match.end(1))
            self.name.text = intern(self.name.text)
            rest = argument.text.cut(match.end(), len(argument.text))
            self.value = rest.strip(WHITE_SPACE) if rest.text else rest

    @property
    def span(self) -> Span:
        """From the option to the value's end."""
        return Span(self._start, self.argument.raw.span.end)


class ServiceEntry(Entry):
    """A logical line with all eight fields.

    ``options`` are the daemon's options without ``-o``, ``arguments`` what follows the first
    word that is no option. ``words`` are all words as written, in order.
    """

    __slots__ = ("arguments", "dangling", "options", "overrides", "words")

    def __init__(
        self, source: SourceFile, start: int, end: int, words: tuple[SourceText, ...]
    ) -> None:
        super().__init__(source, start, end)
        self.words = words
        self.options: tuple[SourceText, ...] = ()
        self.overrides: tuple[Override, ...] = ()
        self.arguments: tuple[Argument, ...] = ()
        self.dangling: SourceText | None = None
        """A ``-o`` at the very end, without an argument."""
        self._read_command_line(words[len(FIELD_NAMES) :])

    @property
    def fields(self) -> tuple[SourceText, ...]:
        """The words that FIELD_NAMES are the names of."""
        return self.words[: len(FIELD_NAMES)]

    def field(self, name: str) -> SourceText:
        """A field by its name in FIELD_NAMES."""
        return self.words[_FIELD_NUMBER[name]]

    def _read_command_line(self, words: tuple[SourceText, ...]) -> None:
        """Tell options, overrides and arguments apart as postconf_master.c does."""
        options: list[SourceText] = []
        overrides: list[Override] = []
        at = 0
        while at < len(words):
            word = words[at]
            text = word.text
            if text[0] != "-" or text == "--":
                break
            at += 1
            letters = 1
            while letters < len(text) and text[letters] not in OPTIONS_WITH_VALUE:
                letters += 1
            if letters > 1 or len(text) == 1:
                options.append(word.cut(0, letters))
            if letters == len(text):
                continue
            start = word.source_offset(0 if letters == 1 else letters)
            if letters + 1 < len(text):
                overrides.append(Override(start, Argument(word.cut(letters + 1, len(text)))))
            elif at < len(words):
                overrides.append(Override(start, Argument(words[at])))
                at += 1
            else:
                self.dangling = word
        self.options = tuple(options)
        self.overrides = tuple(overrides)
        self.arguments = tuple(Argument(word) for word in words[at:])


class BadFieldCount(Entry):
    """A logical line with fewer than eight fields: fatal to master(8) and postconf(1)."""

    __slots__ = ("words",)

    def __init__(
        self, source: SourceFile, start: int, end: int, words: tuple[SourceText, ...]
    ) -> None:
        super().__init__(source, start, end)
        self.words = words


class MasterCf(Tree):
    """A parsed master.cf."""

    __slots__ = ()

    @property
    def services(self) -> Iterator[ServiceEntry]:
        return (item for item in self.items if isinstance(item, ServiceEntry))


def extract_braced(raw: SourceText) -> tuple[SourceText, str | None]:
    """The text inside ``{ }``, stripped, and what is wrong with the braces (extpar.c)."""
    text = raw.text
    level = 0
    for end, character in enumerate(text, 1):
        if character == "{":
            level += 1
        elif character == "}":
            level -= 1
            if level == 0:
                error = None if end == len(text) else f"syntax error after '}}' in \"{text}\""
                return _strip(raw.cut(1, end - 1)), error
    return _strip(raw.cut(1, len(text))), f"missing '}}' in \"{text}\""


def _strip(text: SourceText) -> SourceText:
    return text.strip(WHITE_SPACE) if text.text else text


def parse_master_cf(source: SourceFile, unbroken: Stretches | None = None) -> MasterCf:
    """Parse any text; nothing is refused.

    ``unbroken`` tells which stretches of a logical line, as (start, end), are one word whatever
    blanks are in them: placeholders of a template.
    """
    return MasterCf(source, read_items(source, _Reader(unbroken).entry))


class _Reader:
    """Reads the logical lines of one file."""

    __slots__ = ("_known", "_unbroken")

    def __init__(self, unbroken: Stretches | None) -> None:
        self._unbroken = unbroken
        self._known: dict[str, str] = {}
        """Each word once: most are the same in all services."""

    def entry(self, source: SourceFile, start: int, end: int) -> Entry:
        if _IRREGULAR.search(source.text, start, end) is None:
            words = self._plain_words(source, start, end)
        else:
            words = _words_by_grammar(source, start, end)
        if self._unbroken is not None:
            line = join_line(source, start, end)
            words = _joined(line, words, list(self._unbroken(line.text)))
        found = tuple(words)
        if len(found) < len(FIELD_NAMES):
            return BadFieldCount(source, start, end, found)
        return ServiceEntry(source, start, end, found)

    def _plain_words(self, source: SourceFile, start: int, end: int) -> Iterator[SourceText]:
        """The words of a logical line, which are text between blanks."""
        once = self._known.setdefault
        for match in _WORD.finditer(source.text, start, end):
            if match.lastindex:
                yield SourceText(source, once(match[1], match[1]), match.start())


def _words_by_grammar(source: SourceFile, start: int, end: int) -> Iterator[SourceText]:
    """The words of any logical line."""
    entry = cast("Node", parser("master_cf").parse(source.text, begin=start, end=end).children[0])
    for node in entry.children:
        if isinstance(node, str):
            continue
        tokens = [token for token in _tokens(node) if token.type not in DROPPED_TOKENS]
        word = SourceText.join(source, ((token.start_pos, str(token)) for token in tokens))
        end = word.text.find("\0")
        if end >= 0:  # the rest of the C string does not exist
            if end:
                yield word.cut(0, end)
            return
        yield word


def _joined(
    line: SourceText, words: Iterable[SourceText], stretches: list[tuple[int, int]]
) -> Iterator[SourceText]:
    """The words of a line, those that one stretch spans made one."""
    if not stretches:
        yield from words
        return
    index = {line.source_offset(at): at for at in range(len(line))}
    last: tuple[int, int] | None = None
    for word in words:
        start = index[word.span.start]
        end = start + len(word)
        if last is not None:
            if any(left < last[1] and start < right for left, right in stretches):
                last = last[0], end
                continue
            yield line.cut(*last)
        last = start, end
    if last is not None:
        yield line.cut(*last)


def _tokens(node: Node) -> Iterator[Token]:
    """The tokens below a node in their order, without recursion: braces may nest deeply."""
    stack = [iter(node.children)]
    while stack:
        for child in stack[-1]:
            if isinstance(child, str):
                yield child
            else:
                stack.append(iter(child.children))
                break
        else:
            stack.pop()
