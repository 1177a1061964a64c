"""main.cf, master.cf and database client files as Postfix reads them, with its complaints.

The trees of postlint.syntax say which logical lines there are; what is added here is what
Postfix says while it reads them (readlline.c, dict.c), line numbers included.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from postlint.config.boundary import UnreadableFileError, read_regular
from postlint.show.messages import FatalError
from postlint.show.octets import ENCODING, file_name, split_name_value
from postlint.syntax.lines import Entry, LeadingWhitespace, Tree
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.boundary import Boundary
    from postlint.postfix.versions import PostfixVersion
    from postlint.show.messages import Messages

SIZE_LIMIT = 32 << 20
"""Bytes of a file that is read; real ones have some 30,000."""

_SHOWN = 30
"""Octets of a misplaced line that the warning quotes."""


class Value(NamedTuple):
    """A value and where it is set: a line of a file, or None for the command line."""

    text: str
    path: str | None
    line: int


class Line(NamedTuple):
    """A logical line with the numbers of the physical lines that Postfix took it from."""

    entry: Entry
    text: str
    before: int
    """The first line after those of the logical line before."""
    first: int
    """The line that its text begins on."""
    last: int
    """The last line of its text, or of the comments and blank lines after it."""


class UnreadableError(Exception):
    """A file that can not be opened; the text is that of the system."""

    def __init__(self, number: int | None, reason: str) -> None:
        super().__init__(reason)
        self.number = number


def read_octets(path: str, inside: Boundary | None = None) -> SourceFile:
    """A regular file as octets; raises UnreadableError."""
    name = Path(file_name(path))
    try:
        if name.is_dir():
            raise UnreadableError(errno.EISDIR, os.strerror(errno.EISDIR))
        data = read_regular(name, SIZE_LIMIT, inside)
    except UnreadableFileError as error:
        cause = error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        raise UnreadableError(number, os.strerror(number) if number else str(error)) from error
    except OSError as error:
        raise UnreadableError(error.errno, os.strerror(error.errno or 0)) from error
    except ValueError as error:  # a NUL byte in the path
        raise UnreadableError(None, str(error)) from error
    return SourceFile(path, data.decode(ENCODING))


class Reader:
    """Reads files for one version, none that links ``inside`` a folder lead out to."""

    def __init__(
        self, version: PostfixVersion, messages: Messages, inside: Boundary | None = None
    ) -> None:
        self._version = version
        self._inside = inside
        self._messages = messages

    def read(self, path: str) -> SourceFile:
        """A file as octets; raises UnreadableError."""
        return read_octets(path, self._inside)

    def lines(self, tree: Tree) -> Iterator[Line]:
        """The logical lines, with warnings about NUL and about misplaced white space."""
        source = tree.source
        text = source.text
        entries = list(tree.entries)
        starts = [0 if number == 0 else _start(entry) for number, entry in enumerate(entries)]
        starts.append(len(text))
        if not entries:
            self._warn_of_null(source, 0, len(text), first=None)
        before = 0
        for entry, start, end in zip(entries, starts, starts[1:], strict=False):
            before = before or source.position(start).line
            first = source.position(_start(entry)).line
            last = self._line_number(source, end)
            self._warn_of_null(source, start, end, first=first)
            if isinstance(entry, LeadingWhitespace):
                self._warn_of_white_space(source, entry)
                continue
            yield Line(entry, entry.line.text, before, first, last)
            before = 0

    def settings(self, tree: Tree, settings: dict[str, Value], *, path: str) -> dict[str, Value]:
        """Add the ``name = value`` lines of a file to settings (dict_load_fp())."""
        for line in self.lines(tree):
            name, text, problem = split_name_value(line.text, name_required=self._version >= (3, 4))
            if name is None or text is None:
                raise FatalError(f'{path}, line {self._where(line)}: {problem}: "{line.text}"')
            old = settings.get(name)
            if old is not None and old.text != text and self._version >= (2, 11):
                number = line.first if self._version >= (3, 0) else line.last
                self._messages.warning(
                    f"{path}, line {number}: overriding earlier entry: {name}={old.text}"
                )
            settings[name] = Value(text, path, line.first)
        return settings

    def load(self, path: str, settings: dict[str, Value], *, shown: str | None = None) -> None:
        """Add what a file like main.cf says; raises UnreadableError or FatalError.

        ``shown`` is the name that messages give, if it is not the path.
        """
        source = self.read(path)
        source.path = shown or path
        self.settings(parse_main_cf(source), settings, path=source.path)

    def number(self, line: Line) -> int:
        """The line number that messages about master.cf give."""
        return line.first if self._version >= (3, 0) else line.last

    def _where(self, line: Line) -> str:
        if self._version >= (3, 0):
            return str(line.first)
        if self._version >= (2, 10) and line.before != line.last:
            return f"{line.before}-{line.last}"
        return str(line.last)

    def _line_number(self, source: SourceFile, end: int) -> int:
        """How many lines Postfix has counted when it stops before an offset."""
        if end < len(source.text):
            return source.position(end).line - 1
        if self._version >= (3, 0):
            return source.line_count()
        return source.text.count("\n")

    def _warn_of_null(self, source: SourceFile, start: int, end: int, *, first: int | None) -> None:
        if self._version < (3, 9) or "\0" not in source.text[start:end]:
            return
        last = self._line_number(source, end)
        lines = f"{last}" if first is None or first == last else f"{first}-{last}"
        self._messages.warning(f"{source.path}, line {lines}: text after null byte may be ignored")

    def _warn_of_white_space(self, source: SourceFile, entry: Entry) -> None:
        length = sum(len(line) for line in _kept_lines(entry.written))
        dots = "..." if length > _SHOWN else ""
        self._messages.warning(
            f"{source.path}: logical line must not start with whitespace:"
            f' "{entry.line.text[:_SHOWN]}{dots}"'
        )


def _start(entry: Entry) -> int:
    return entry.start


def _kept_lines(text: str) -> Iterator[str]:
    """The physical lines that are neither blank nor comments."""
    for line in text.split("\n"):
        content = line.lstrip(" \t\v\f\r")
        if content and not content.startswith("#"):
            yield line
