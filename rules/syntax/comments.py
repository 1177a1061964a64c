"""SYN004 and SYN005: comments and continuations as other languages have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.readers import refusal
from postlint.analysis.shapes import Shape, shape
from postlint.analysis.templates import has_template_marks
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.syntax.main_cf import Assignment
    from postlint.syntax.master_cf import ServiceEntry
    from postlint.syntax.source import SourceFile, SourceText

_COMMENT = LazyPattern(r"(?:\A|(?<=[ \t\v\f\r]))#")
_TYPED: frozenset[Shape] = frozenset({"boolean", "number", "time"})
_QUIET: frozenset[Shape] = frozenset({"text", "command"})
_TEXT_WITH_WARNING = frozenset({"luser_relay", "mail_name", "smtpd_sasl_local_domain"})
_RUNS_COMMANDS = frozenset({"pipe", "spawn"})


@rule("SYN004", severity=Severity.ERROR, tags=("CWE-1286",))
def inline_comment(instance: Instance) -> Iterator[Finding]:
    """A "#" behind other text is meant as a comment, but is part of the value.

    Why: Postfix knows comments only on lines of their own. The words behind "#" become part of
        the number, list element or host name before them; many daemons then refuse to start.
        In master.cf they are arguments of the daemon, which does not start either.
    Fix: Move the comment to a line of its own above.
    Bad:
        message_size_limit = 20480000 # 20 MB
    Good:
        # 20 MB
        message_size_limit = 20480000
    References: postconf(5) main.cf file format, master(5), RELEASE_NOTES-3.9
    """
    if instance.main_cf is not None:
        for entry in instance.main_cf.assignments:
            if "#" in entry.value.text and not has_template_marks(entry.line.text):
                yield from _in_setting(entry, instance)
    if instance.master_cf is not None:
        for service in instance.master_cf.services:
            yield from _in_service(service)


@rule("SYN005", severity=Severity.ERROR, tags=("CWE-1286",))
def backslash_continuation(instance: Instance) -> Iterator[Finding]:
    r"""A line ends in a backslash, which does not continue it.

    Why: Only white space at the beginning of the next line continues a line. The backslash stays
        in the value: the list element before it is another one than it looks like, and a list of
        TLS protocols with it turns TLS off.
    Fix: Delete the backslash, and indent the next line.
    Bad:
        smtpd_tls_mandatory_protocols = !SSLv2\
          !SSLv3
    Good:
        smtpd_tls_mandatory_protocols = !SSLv2
          !SSLv3
    References: postconf(5) main.cf file format, src/util/readlline.c
    """
    if instance.main_cf is not None:
        for entry in instance.main_cf.assignments:
            name = entry.name.text
            if "\\" in entry.value.text and shape(name, instance.version) not in _QUIET:
                for location in _backslashes(entry):
                    yield _backslash_finding(location, name, name)
    if instance.master_cf is not None:
        for service in instance.master_cf.services:
            if "\\" in service.line.text:
                program = service.field("command").text
                # A command gets it as a word, and may do without.
                severity = Severity.WARNING if program in _RUNS_COMMANDS else None
                owner = f"the arguments of {program}"
                for location in _backslashes(service):
                    yield _backslash_finding(location, owner, None, severity)


def _in_setting(entry: Assignment, instance: Instance) -> Iterator[Finding]:
    name = entry.name.text
    kind = shape(name, instance.version)
    if kind in _QUIET and name not in _TEXT_WITH_WARNING:
        return
    certain = kind not in ("text", "unknown")
    for tail in _comments(entry.value):
        consequence = ""
        if kind in _TYPED:
            refused = refusal(name, instance)
            consequence = f": {refused.text}" if refused is not None else ""
        elif kind == "restrictions":
            consequence = ", as unknown restrictions: mail gets a temporary error"
        elif kind == "patterns":
            consequence = ", as further elements or as the end of the list"
        yield Finding(
            tail,
            f'"{_shown(tail)}" is no comment but part of {name}{consequence}',
            severity=None if certain else Severity.WARNING,
            parameter=name,
            fix=_own_line(tail, safe=certain),
        )


def _in_service(service: ServiceEntry) -> Iterator[Finding]:
    program = service.field("command").text.rpartition("/")[2]
    done = -1
    for word in service.words[8:]:
        if not word.text.startswith("#"):
            continue
        start = word.span.start
        if start < done:
            continue
        tail = _to_line_end(word.source, start)
        done = tail.span.end
        runs = program in _RUNS_COMMANDS
        effect = "an argument of its command" if runs else f"{program} will not start"
        yield Finding(
            tail,
            f'"{_shown(tail)}" is no comment but arguments of the service: {effect}',
            severity=Severity.WARNING if runs else None,
            fix=_own_line(tail, safe=not runs),
        )


def _comments(value: SourceText) -> Iterator[Location]:
    """Where ``#`` begins a word outside of braces, to the end of its physical line."""
    text = value.text
    done = -1
    depth = counted = 0
    for match in _COMMENT.finditer(text):
        depth += text.count("{", counted, match.start()) - text.count("}", counted, match.start())
        counted = match.start()
        start = value.source_offset(match.start())
        if depth > 0 or start < done:
            continue
        tail = _to_line_end(value.source, start)
        done = tail.span.end
        yield tail


def _to_line_end(source: SourceFile, start: int) -> Location:
    newline = source.text.find("\n", start)
    text = source.text[start : len(source.text) if newline < 0 else newline]
    return Location(source, Span(start, start + len(text.rstrip(WHITE_SPACE))))


def _own_line(tail: Location, *, safe: bool) -> Fix:
    """Move a comment to a line of its own above the line where it stands."""
    source = tail.source
    begin = source.offset(tail.start.line)
    comment = source.text[tail.span.start : tail.span.end]
    before = source.text[begin : tail.span.start]
    rest = before.rstrip(WHITE_SPACE)
    indent = before[: len(before) - len(before.lstrip(WHITE_SPACE))]
    insert = Edit(Location(source, Span(begin, begin)), f"{indent}{comment}\n")
    blank = Span(begin + len(rest), tail.span.end)
    edits = (insert, Edit(Location(source, blank), ""))
    return Fix("move the comment to a line of its own", edits, "safe" if safe else "unsafe")


def _shown(tail: Location) -> str:
    text = " ".join(tail.source.text[tail.span.start : tail.span.end].split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _backslashes(entry: Assignment | ServiceEntry) -> Iterator[Location]:
    """The backslashes at the ends of the physical lines of an entry, outside of braces."""
    source = entry.line.source
    end = entry.span.end
    at = entry.span.start
    depth = 0
    while at < end:
        newline = source.text.find("\n", at)
        newline = len(source.text) if newline < 0 else newline
        line = source.text[at:newline].rstrip(WHITE_SPACE)
        if not line.lstrip(WHITE_SPACE).startswith("#"):
            depth += line.count("{") - line.count("}")
            if line.endswith("\\") and depth <= 0:
                yield Location(source, Span(at + len(line) - 1, at + len(line)))
        at = newline + 1


def _backslash_finding(
    location: Location, owner: str, parameter: str | None, severity: Severity | None = None
) -> Finding:
    source = location.source
    begin = source.offset(location.start.line)
    before = source.text[begin : location.span.start]
    line_end = source.text.find("\n", location.span.end)
    following = source.text[line_end + 1 : line_end + 2] if line_end >= 0 else ""
    continued = following in (" ", "\t")
    place = Location(source, Span(begin + len(before.rstrip(WHITE_SPACE)), location.span.end))
    return Finding(
        location,
        f'"\\" at the end of a line does not continue it, but stays in {owner}',
        severity=severity,
        parameter=parameter,
        fix=Fix("delete the backslash", (Edit(place, ""),), "safe" if continued else "unsafe"),
    )
