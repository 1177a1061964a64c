"""MST007: arguments that outlived the service they belong to."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from postlint.analysis.shapes import guards
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import inet_port
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from postlint.config.instance import Instance
    from postlint.syntax.lines import Comment
    from postlint.syntax.master_cf import Override, ServiceEntry
    from postlint.syntax.source import SourceText

    Piece = TypeVar("Piece", Override, SourceText)

_HEADER = LazyPattern(
    r"#+[ \t]*(?P<name>\S+)[ \t]+(?P<type>inet|unix|fifo|pass|unix-dgram)"
    r"[ \t]+[yn-][ \t]+[yn-][ \t]+[yn-][ \t]+[0-9?-]+[ \t]+[0-9-]+[ \t]+(?P<command>\S+)"
)


@rule("MST007", severity=Severity.WARNING, security=6.5, tags=("CWE-1286",))
def commented_override_gap(instance: Instance) -> Iterator[Finding]:
    """A service is commented out, but lines that belong to it are not.

    Why: A comment does not end a logical line: the indented lines behind it go on with the
        service above. What was meant for submission then changes port 25.
    Fix: Comment the lines out as well, or bring the service back.
    Bad:
        --- master.cf
        smtp inet n - n - - smtpd
        #submission inet n - n - - smtpd
          -o smtpd_tls_security_level=encrypt
    Good:
        --- master.cf
        smtp inet n - n - - smtpd
        #submission inet n - n - - smtpd
        #  -o smtpd_tls_security_level=encrypt
    References: master(5), postconf(5) main.cf file format, src/util/readlline.c
    """
    if instance.master_cf is None:
        return
    for entry in instance.master_cf.services:
        headers = []
        for comment in entry.comments():
            match = _HEADER.match(comment.text)
            if match and comment.offset > entry.fields[-1].span.start:
                headers.append((comment, match))
        ends: list[int | None] = [comment.offset for comment, _ in headers[1:]]
        for (comment, match), limit in zip(headers, [*ends, None], strict=False):
            finding = _attached(entry, comment, match, limit)
            if finding is not None:
                yield finding


def _attached(
    entry: ServiceEntry, comment: Comment, header: re.Match[str], limit: int | None
) -> Finding | None:
    """What follows a commented-out header and is not commented out."""
    name, kind = header["name"], header["type"]
    own = (entry.fields[0].text, entry.fields[1].text)
    port = inet_port(name) if kind == "inet" else None
    if (name, kind) == own or (port is not None and port == inet_port(own[0])):
        return None  # another way to write this very service
    words = _between(entry.words, comment.offset, limit)
    if not words:
        return None
    overrides = _between(entry.overrides, comment.offset, limit)
    names = [override.name.text for override in overrides if override.name is not None]
    sensitive = any(map(guards, names))
    what = _what(overrides, words)
    source = entry.line.source
    return Finding(
        Location(source, Span(words[0].span.start, words[-1].span.end)),
        f"{what} the commented-out {name}/{kind} and now applies to {own[0]}/{own[1]}",
        severity=Severity.ERROR if sensitive else Severity.WARNING,
        security_severity=6.5 if sensitive else None,
        parameter=names[0] if names else None,
        service=f"{own[0]}/{own[1]}",
        related=(
            Related(
                "commented out here, which does not end the lines of the service above",
                Location(source, Span(comment.offset, comment.offset + len(comment.text))),
            ),
        ),
    )


def _between(pieces: Sequence[Piece], begin: int, end: int | None) -> Sequence[Piece]:
    """Those of the pieces, which are in order, that start behind ``begin`` and before ``end``."""
    first = bisect_right(pieces, begin, key=_start)
    last = len(pieces) if end is None else bisect_right(pieces, end, key=_start)
    return pieces[first:last]


def _start(piece: Override | SourceText) -> int:
    return piece.span.start


def _what(overrides: Sequence[Override], words: Sequence[SourceText]) -> str:
    if not overrides:
        return f'"{words[0].text}" was meant for'
    first = overrides[0].name
    name = "an override" if first is None else first.text
    more = f" (and {len(overrides) - 1} more)" if len(overrides) > 1 else ""
    return f"{name}{more} was meant for"
