"""Reading what a corpus case expects: see corpus/README.md for the format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceFile

_MARK = re.compile(r"^[ \t]*#~(\[[^\]]*\])?[ \t]+(.*)$", re.MULTILINE)
_FILE_MARK = "file"


class Expected(NamedTuple):
    """One expected finding; ``line`` is where its logical line begins, 0 for the whole file."""

    path: str
    line: int
    code: str
    severity: str | None


def expectations(source: SourceFile, version: str) -> Iterator[Expected]:
    """What the marks of a file expect for a version ("default" for none given)."""
    starts = [line.source_offset(0) for line in logical_lines(source)]
    ends = [line.span.end for line in logical_lines(source)]
    for mark in _MARK.finditer(source.text):
        words = (mark[1] or "[]")[1:-1].replace(",", " ").split()
        versions = [word for word in words if word != _FILE_MARK]
        if versions and version not in versions:
            continue
        if _FILE_MARK in words:
            line = 0
        else:
            at = mark.start()
            line = next(
                source.position(start).line
                for start, end in zip(starts, ends, strict=True)
                if end > at
            )
        for word in mark[2].split():
            code, _, severity = word.partition(":")
            yield Expected(source.path, line, code, severity or None)


def logical_line_of(source: SourceFile, offset: int) -> int:
    """The line where the logical line at an offset begins, 0 when it is in none."""
    for line in logical_lines(source):
        if line.source_offset(0) <= offset < max(line.span.end, line.source_offset(0) + 1):
            return source.position(line.source_offset(0)).line
    return 0
