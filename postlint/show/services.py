"""Entries of master.cf with their arguments in canonical form (postconf_master.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.show.messages import FatalError
from postlint.show.octets import split_name_value
from postlint.syntax.braces import extract_braced
from postlint.syntax.master_cf import FIELD_NAMES, OPTIONS_WITH_VALUE, ServiceEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.postfix.versions import PostfixVersion
    from postlint.show.messages import Messages
    from postlint.show.reader import Line, Value

_BLANKS = " \t\r\n"
_DIGITS = frozenset("0123456789")
_WORD = re.compile(f"[^{_BLANKS}]+")
_FILE = "master.cf"


class Service:
    """One entry.

    ``words`` are its fields and arguments, the braces around arguments taken off; ``lines`` are
    the lines of the file that they begin on. ``settings``
    are the ``-o`` overrides of all entries with this name and type; None when there were none
    yet, when the entry was read. ``valid`` are names that something in the files refers to.
    """

    __slots__ = ("lines", "name_space", "readonly", "settings", "valid", "words")

    def __init__(self, words: list[str], lines: list[int], version: PostfixVersion) -> None:
        self.words = words
        self.lines = lines
        separator = "/" if version >= (2, 11) else "."
        self.name_space = f"{words[0]}{separator}{words[1]}"
        self.settings: dict[str, Value] | None = None
        self.valid: set[str] = set()
        self.readonly: dict[str, str] = {}
        if version >= (3, 3):
            self.readonly = {"process_name": self.program, "service_name": words[0]}

    @property
    def name(self) -> str:
        return self.words[0]

    @property
    def type(self) -> str:
        return self.words[1]

    @property
    def program(self) -> str:
        """The command without its folder."""
        return self.command.rpartition("/")[2]

    @property
    def command(self) -> str:
        return self.words[7]


class ServiceReader:
    """Reads entries for one version."""

    def __init__(
        self, version: PostfixVersion, messages: Messages, *, as_daemons: bool = False
    ) -> None:
        """``as_daemons``: options are those that a daemon's getopt(3) sees.

        To postconf(1), ``-omyorigin=x`` is ``-omy`` and ``-origin=x``: after the first letter, it
        looks for another one that takes a value.
        """
        self._version = version
        self._warning = messages.warning
        self._clusters_from = 1 if as_daemons else 2
        types = ["unix", "fifo", "inet", "pass"]
        if version >= (3, 4):
            types.append("unix-dgram")
        self._types = frozenset(types)

    def read(self, line: Line, path: str, number: int) -> Service:
        """The service of a logical line; raises FatalError."""
        words, lines = self._words(line)
        if len(words) < len(FIELD_NAMES):
            raise FatalError(f"file {path}: line {number}: bad field count")
        if self._version >= (2, 11):
            self._check(words, line.text)
        self._normalize(words, lines)
        return Service(words, lines, self._version)

    def _words(self, line: Line) -> tuple[list[str], list[int]]:
        """The words of a logical line, and the lines of the file that they begin on."""
        entry = line.entry
        source = entry.line.source
        if self._version < (3, 0):
            found = list(_WORD.finditer(line.text))
            starts = [entry.line.source_offset(match.start()) for match in found]
            words = [match[0] for match in found]
        elif isinstance(entry, ServiceEntry):
            starts = [word.span.start for word in entry.words]
            words = [word.text for word in entry.words]
        else:
            return [], []
        return words, [source.position(start).line for start in starts]

    def _check(self, words: Sequence[str], text: str) -> None:
        kind = words[1]
        if kind not in self._types:
            raise _invalid("type", kind, text)
        for name, word in zip(FIELD_NAMES[2:5], words[2:5], strict=True):
            if word not in ("y", "n", "-"):
                raise _invalid(name, word, text)
        wakeup = words[5].removesuffix("?")
        if wakeup != "-" and not _DIGITS.issuperset(wakeup):
            raise _invalid("wakeup", words[5], text)
        if words[6] != "-" and not _DIGITS.issuperset(words[6]):
            raise _invalid("process_limit", words[6], text)

    def _normalize(self, words: list[str], lines: list[int]) -> None:
        """``-o name=value`` in any spelling becomes two words."""
        at = len(FIELD_NAMES)
        while at < len(words):
            word = words[at]
            if word[0] != "-" or word == "--":
                break
            for index in range(self._clusters_from, len(word)):
                if word[index] in OPTIONS_WITH_VALUE:
                    if index == 1:
                        break
                    words.insert(at + 1, "-" + word[index:])
                    lines.insert(at + 1, lines[at])
                    word = words[at] = word[:index]
                    break
            if takes_value(word, self._version):
                if len(word) > 2:
                    words.insert(at + 1, word[2:])
                    lines.insert(at + 1, lines[at])
                    words[at] = word[:2]
                    at += 1
                    self._unquote(words, at, setting=True)
                elif at + 1 < len(words):
                    at += 1
                    self._unquote(words, at, setting=len(word) > 1)
            at += 1
        for index in range(at, len(words)):
            self._unquote(words, index, setting=False)

    def _unquote(self, words: list[str], at: int, *, setting: bool) -> None:
        if self._version < (3, 0) or not words[at].startswith("{"):
            return
        text, error = extract_braced(words[at], strip=True)
        if error is not None:
            self._warning(f"{_FILE}: {error}")
        words[at] = text
        if setting:
            name, value, problem = split_name_value(text, name_required=self._version >= (3, 4))
            if problem is not None:
                self._warning(f'{_FILE}: {problem}: "{text}"')
            else:
                words[at] = f"{name}={value}"


def takes_value(word: str, version: PostfixVersion) -> bool:
    """Whether an option is followed by a value; a lone ``-`` is taken to be (strchr(3), 2.10)."""
    return word[1:2] in OPTIONS_WITH_VALUE and (len(word) > 1 or version >= (2, 10))


def needs_braces(text: str) -> bool:
    """Whether an argument would fall apart without braces."""
    return any(blank in text for blank in _BLANKS)


def _invalid(field: str, word: str, text: str) -> FatalError:
    return FatalError(f'invalid {field} field "{word}" in "{text}"')
