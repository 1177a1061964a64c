"""SYN001 to SYN003: logical lines that are no settings, or not the setting they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import names_of
from postlint.analysis.shapes import Shape, shape
from postlint.analysis.templates import is_template_line
from postlint.lint.edits import skip_back
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters
from postlint.syntax.lines import WHITE_SPACE, Entry, LeadingWhitespace
from postlint.syntax.lists import split_list
from postlint.syntax.main_cf import Assignment, MainCf, MissingEquals, MissingName
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.syntax.source import SourceText

_LOOKS_LIKE_SETTING = LazyPattern(r"([ \t\v\f\r]+)([A-Za-z0-9_][A-Za-z0-9_-]*)[ \t]*=(?![=~])")
_COLON = LazyPattern(r"([A-Za-z0-9_]+)([ \t]*:[ \t]*)(?=\S)")
_PLUS = LazyPattern(r"[^ \t=]+[ \t]*\+[ \t]*=|[^ \t=]+\+=")
_NAME_AND_VALUE = LazyPattern(r"([A-Za-z0-9_]+)[ \t]+(?=[^ \t=])")

_WORD = LazyPattern(r"[^ \t\n\v\f\r]+")

_HOLDS_EQUALS = ("_environment", "_maps", "_checks", "_filter", "_macro_defaults", "_mapping")
"""Ends of names whose values may well contain ``name = value``."""

_NEVER_EMPTY: frozenset[Shape] = frozenset({"boolean", "number", "time"})


@rule("SYN001", severity=Severity.ERROR, tags=("CWE-1286",))
def missing_equals(main_cf: MainCf) -> Iterator[Finding]:
    """A line of main.cf is no setting: it has no "=" after its first word.

    Why: Postfix does not skip such a line. Every daemon and every command, postfix reload
        included, ends with a fatal error as soon as it reads the file, and mail stops.
    Fix: Write the line as name = value, or delete it. There is no "+=" in main.cf.
    Bad:
        myhostname mx.example.com
    Good:
        myhostname = mx.example.com
    References: postconf(5) main.cf file format, src/util/dict.c, src/util/split_nameval.c
    """
    for entry in main_cf.entries:
        if not isinstance(entry, MissingEquals | MissingName) or is_template_line(entry.line.text):
            continue
        line = entry.line.strip(WHITE_SPACE)
        number = line.location.start.line
        yield Finding(
            _first_physical_line(entry),
            f"line {number}: {_what_is_missing(entry)}: no Postfix program will start",
            fix=_add_equals(line),
        )


@rule("SYN002", severity=Severity.ERROR, tags=("CWE-1286",))
def leading_whitespace_swallowed(instance: Instance) -> Iterator[Finding]:
    """An indented line looks like a setting, but belongs to the value above it.

    Why: A line that begins with white space continues the line before it. The setting on it does
        not exist, and the one above gets its text as part of its value.
    Fix: Begin the line in the first column.
    Bad:
        myhostname = mx.example.com
          relayhost = [mail.example.net]
    Good:
        myhostname = mx.example.com
        relayhost = [mail.example.net]
    References: postconf(5) main.cf file format, src/util/readlline.c
    """
    if instance.main_cf is None:
        return
    names = names_of(instance)
    for entry in instance.main_cf.entries:
        if isinstance(entry, LeadingWhitespace):
            continue
        if isinstance(entry, Assignment) and entry.name.text.endswith(_HOLDS_EQUALS):
            continue
        for start, match in _swallowed(entry):
            name = match[2]
            if parameters.is_known(name) or names.mentioned(name) or name in instance.settings:
                yield _swallowed_finding(entry, start, match, instance)


@rule("SYN003", severity=Severity.ERROR, tags=("CWE-1286",))
def first_line_indented(instance: Instance) -> Iterator[Finding]:
    """The first line of main.cf or master.cf is indented.

    Why: There is nothing above that it could continue. Postfix logs "logical line must not start
        with whitespace" and goes on without it: the setting or service does not exist.
    Fix: Begin the line in the first column.
    Bad:
          relayhost = [mail.example.net]
        myhostname = mx.example.com
    Good:
        relayhost = [mail.example.net]
        myhostname = mx.example.com
    References: postconf(5) main.cf file format, master(5), src/util/readlline.c
    """
    for tree in (instance.main_cf, instance.master_cf):
        if tree is None:
            continue
        for entry in tree.entries:
            if isinstance(entry, LeadingWhitespace) and not is_template_line(entry.line.text):
                yield _indented_finding(entry, is_main=isinstance(tree, MainCf))


def _first_physical_line(entry: Entry) -> Location:
    source = entry.line.source
    start, end = entry.span
    newline = source.text.find("\n", start, end)
    text = source.text[start : end if newline < 0 else newline].rstrip(WHITE_SPACE)
    return Location(source, Span(start, start + max(len(text), 1)))


def _what_is_missing(entry: Entry) -> str:
    if isinstance(entry, MissingName):
        return 'there is no name before the "="'
    text = entry.line.text.strip(WHITE_SPACE)
    if _PLUS.match(text):
        return 'main.cf has no "+=" to add to a value'
    first = _WORD.match(text)
    word = "" if first is None else first[0]
    shown = word if len(word) <= 40 else f"{word[:39]}…"
    return f'there is no "=" after "{shown}"'


def _add_equals(line: SourceText) -> Fix | None:
    match = _COLON.match(line.text)
    if match is not None and parameters.is_known(match[1]):
        place = line.cut(match.start(2), match.end(2)).location
        return Fix('write "=" for ":"', (Edit(place, " = "),), "unsafe")
    match = _NAME_AND_VALUE.match(line.text)
    if match is not None and parameters.is_known(match[1]) and "=" not in line.text:
        place = line.cut(match.end(1), match.end()).location
        return Fix('put the "=" in', (Edit(place, " = "),), "unsafe")
    return None


def _swallowed(entry: Entry) -> Iterator[tuple[int, re.Match[str]]]:
    """The continuation lines that look like a setting, outside of braces, with their offsets."""
    depth = 0
    for start, line in entry.physical_lines():
        if start > entry.start and depth <= 0:
            match = _LOOKS_LIKE_SETTING.match(line)
            if match is not None:
                yield start, match
        depth += line.count("{") - line.count("}")


def _complete(entry: Entry, end: int, instance: Instance) -> bool:
    """Whether the value before ``end`` can be meant to end there."""
    if not isinstance(entry, Assignment):
        return False
    text = entry.source.text
    last = skip_back(text, end, WHITE_SPACE)
    if text[last - 1] in ",\\":
        return False
    if entry.value.span.start < last:
        return True
    return shape(entry.name.text, instance.version) not in _NEVER_EMPTY


def _swallowed_finding(
    entry: Entry, start: int, match: re.Match[str], instance: Instance
) -> Finding:
    source = entry.source
    text = match.string.rstrip(WHITE_SPACE)
    location = Location(source, Span(start + match.end(1), start + len(text)))
    if isinstance(entry, Assignment):
        owner, above = f"the value of {entry.name.text}", entry.name.location
        parameter = entry.name.text
    else:
        owner, above, parameter = "the line above", _first_physical_line(entry), None
    indent = Location(source, Span(start, start + match.end(1)))
    return Finding(
        location,
        f'this line starts with white space: "{match[2]} = …" is no setting, but part of {owner}',
        parameter=parameter,
        related=(Related("the line that it continues", above),),
        fix=Fix(
            "begin the line in the first column",
            (Edit(indent, ""),),
            "safe" if _complete(entry, start, instance) else "unsafe",
        ),
    )


def _indented_finding(entry: LeadingWhitespace, *, is_main: bool) -> Finding:
    source = entry.line.source
    location = _first_physical_line(entry)
    what = "setting" if is_main else "service"
    fix = None
    words = list(split_list(entry.line.text))
    complete = _LOOKS_LIKE_SETTING.match(entry.line.text) if is_main else len(words) >= 8
    if complete:
        edits: list[Edit] = []
        for number, (start, line) in enumerate(entry.physical_lines()):
            match = _LOOKS_LIKE_SETTING.match(line) if is_main else None
            if number == 0 or match is not None:
                blank = len(line) - len(line.lstrip(WHITE_SPACE))
                edits.append(Edit(Location(source, Span(start, start + blank)), ""))
        fix = Fix("begin the line in the first column", edits, "safe")
    return Finding(
        location,
        f"the first line of the file starts with white space: Postfix drops this {what}",
        fix=fix,
    )
