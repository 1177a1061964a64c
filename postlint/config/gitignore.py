"""What .gitignore files leave out of a search."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from postlint.config.boundary import Boundary, UnreadableFileError, is_there, read_regular
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pathspec import GitIgnoreSpec

_WILDCARDS = "*?"

_STARS = LazyPattern(r"\*+")
_MOST_STARS = 3
"""Runs of ``*`` in a pattern that is looked at: "**/*-*.py" has three."""

_SIZE_LIMIT = 256 << 10
"""Bytes of a .gitignore that is read; real ones have some 3,000."""


class GitIgnore:
    """The .gitignore files from the top of the work tree down; an outer one before an inner."""

    __slots__ = ("_files",)

    def __init__(self, top: Path) -> None:
        self._files: list[IgnoreFile] = []
        above = []
        for parent in top.absolute().parents:
            above.append(parent)
            if is_there(parent / ".git"):
                break
        else:
            above = []
        if not is_there(top / ".git"):
            for parent in reversed(above):
                self.read(parent)
            if self.matches(top, is_folder=True):  # whoever names it wants it checked
                self._files.clear()

    def read(self, folder: Path) -> None:
        """Take the file of a folder, if there is one, into account."""
        file = folder / ".gitignore"
        if not os.path.lexists(file):
            return
        try:
            data = read_regular(file, _SIZE_LIMIT, Boundary(folder))
        except (UnreadableFileError, FileNotFoundError):
            return
        text = data.decode("utf-8", "replace")
        self._files.append(IgnoreFile(folder.absolute(), text.splitlines()))

    def matches(self, path: Path, *, is_folder: bool = False) -> bool:
        """Whether a path is left out."""
        if not self._files:
            return False
        ignored = False
        absolute = path.absolute()
        for file in self._files:
            if absolute.is_relative_to(file.folder):
                name = absolute.relative_to(file.folder).as_posix()
                answer = file.check(name + "/" if is_folder else name)
                ignored = ignored if answer is None else answer
        return ignored


class IgnoreFile:
    """The patterns of one file; pathspec, slow to import, reads them when one could match."""

    __slots__ = ("_lines", "_segments", "_spec", "folder")

    def __init__(self, folder: Path, lines: list[str]) -> None:
        self.folder = folder
        self._lines = [line for line in lines if is_bounded(line)]
        self._segments = [list(_segments(line)) for line in self._lines if line and line[0] != "#"]
        self._spec: GitIgnoreSpec | None = None

    def check(self, name: str) -> bool | None:
        """Whether a path relative to the folder is ignored; None when nothing is said of it."""
        components = name.strip("/").split("/")
        if not any(_could_match(segments, components) for segments in self._segments):
            return None
        if self._spec is None:
            self._spec = _compile(self._lines)
        return self._spec.check_file(name).include


def is_bounded(line: str) -> bool:
    """Not a pattern whose expression would go back and forth in a long name for ever."""
    return line.count("**") <= _MOST_STARS - 1 and len(_STARS.findall(line)) <= _MOST_STARS


def _compile(lines: list[str]) -> GitIgnoreSpec:
    """Without the patterns that mean nothing: a lone "!", or "[z-a]", which matches nothing."""
    import re
    import warnings

    from pathspec import GitIgnoreSpec

    def is_pattern(line: str) -> bool:
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error):
            return False
        return True

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what re thinks of "[["
        return GitIgnoreSpec.from_lines([line for line in lines if is_pattern(line)])


class _Segment:
    """What a component must be like to match a segment of a pattern: needed, not sufficient."""

    __slots__ = ("_begin", "_end", "_inside", "_whole")

    def __init__(self, text: str) -> None:
        head = text
        for special in "[\\":
            head = head.partition(special)[0]
        wildcards = [at for at, character in enumerate(head) if character in _WILDCARDS]
        last = head[wildcards[-1] + 1 :] if wildcards else head
        self._begin = head[: wildcards[0]] if wildcards else head
        self._inside = last
        self._end = last if head == text else ""
        self._whole = head == text and not wildcards and text == text.strip()

    def could_match(self, component: str) -> bool:
        if self._whole:
            return component == self._begin
        return (
            component.startswith(self._begin)
            and self._inside in component
            and component.endswith(self._end)
        )


def _segments(pattern: str) -> Iterator[_Segment]:
    for segment in pattern.removeprefix("!").rstrip().split("/"):
        if segment not in {"", "**"}:
            yield _Segment(segment)


def _could_match(segments: list[_Segment], components: list[str]) -> bool:
    """Whether every segment of a pattern fits a component of a path."""
    return all(
        any(segment.could_match(component) for component in components) for segment in segments
    )
