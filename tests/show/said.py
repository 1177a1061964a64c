"""What postconf(1) says about a pair of files, and the findings that say it as well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from postlint.analysis.templates import has_template_marks
from postlint.config.placeholders import is_shell_variable
from postlint.syntax.lines import WHITE_SPACE, Entry, LeadingWhitespace
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import ServiceEntry, parse_master_cf
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from postlint.lint.finding import Finding
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.lines import Tree

_UNUSED = ("PAR001", "PAR002", "PAR004", "PAR006", "PAR008", "PAR010", "SYN007", "MST006")
_BRACES = ("MST004", "MST005", "SYN", "VAL", "TBL", "RST", "RLY", "XTP")

_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?P<file>\S+/(?:main|master)\.cf): unused parameter: (?P<name>[^=]*)=", _UNUSED),
    (r"(?P<file>\S+): undefined parameter: (?P<mention>.*)\Z", ("PAR007", "PAR009")),
    (
        r"(?P<file>\S+): read-only parameter assignment: (?P<name>[^=]*)=",
        ("PAR004",),
    ),
    (r"(?P<file>\S+), line \d+: overriding earlier entry: (?P<name>[^=]*)=", ("DUP001",)),
    (
        r"(?P<file>\S+/main\.cf), line (?P<line>\d+)(?:-\d+)?: missing (?:'='|attribute name)",
        ("SYN001", "SYN007"),
    ),
    (r"(?P<file>\S+): logical line must not start with whitespace", ("SYN003",)),
    (r"file (?P<file>\S+): line (?P<line>\d+): bad field count", ("MST001", "MST002")),
    (r'invalid \w+ field ".*" in "(?P<whole>.*)"\Z', ("MST001", "MST002")),
    (
        r"master\.cf: (?:missing '[}=]'|missing attribute|syntax error)[^\"]*\"(?P<quoted>.*)\"\Z",
        _BRACES,
    ),
    (
        r"\S*(?:main|master)\.cf(?::\S+)?: (?:missing '}'|syntax error)[^\"]*\"(?P<quoted>.*)\"\Z",
        _BRACES,
    ),
    (r"\S+: #comment after other text is not allowed: (?P<quoted>\S+)", ("SYN", "TBL", "VAL")),
    (r"support for parameter|\S+: support for parameter", ("PAR",)),
    (r"(?P<file>\S+), line (?P<line>\d+)(?:-\d+)?: text after null byte", ("SYN",)),
    (r"malformed compatibility level", ("SYN008", "VAL")),
    (r"unreasonable macro call nesting", ("SYN008",)),
    (r'(?:truncated macro reference|empty macro name): "(?P<quoted>.*)"\Z', ("SYN008",)),
    (r"(?:unknown|bad) mynetworks|unknown inet_", ("VAL005", "VAL006", "NET")),
    (r'open "(?:\w+)" configuration "(?P<client>[^"]*)"', ("TBL", "VAL", "SYN008")),
    (r"\w+:(?P<client>\S+): unused parameter", ("TBL", "SYN008")),
    (r"(?P<client>\S*/client\.cf)", ("TBL",)),
    (r".*(?:expected|error|input|suffix|name syntax error|\{\} in).*", ("SYN008",)),
)
_OF_THE_MACHINE = re.compile(r"config variable inet_|parameter inet_|could not find")
_SUMS_UP = re.compile(r"(?:dictionary \S+: )?macro processing error|See https")


_ATTACHED = re.compile(r"\s-\w*o[^\s{]*o")
_DEBUGGED = re.compile(r"debug:(?:\w+:)+(\w+)")
_TABLES = ("_maps", "mydestination", "mynetworks", "_restrictions")


class Said(NamedTuple):
    """One message: what it is about, and which findings fit."""

    message: str
    codes: tuple[str, ...]
    about: dict[str, str]


class Line(NamedTuple):
    """A logical line with the numbers of its physical lines."""

    file: str
    first: int
    last: int
    text: str
    misplaced: bool
    overrides: frozenset[str]


def said(message: str) -> Said | None:
    """The meaning of a message; None for one that sums up others or is about this machine."""
    text = message.partition(": ")[2]
    if _OF_THE_MACHINE.match(text) or _SUMS_UP.match(text):
        return None
    for pattern, codes in _KINDS:
        match = re.match(pattern, text, re.DOTALL)
        if match is not None:
            about = {key: value for key, value in match.groupdict().items() if value is not None}
            return Said(message, codes, about)
    return Said(message, (), {})


def lines_of(folder: Path) -> list[Line]:
    """The logical lines of main.cf and master.cf."""
    found: list[Line] = []
    for name in ("main.cf", "master.cf"):
        source = SourceFile(name, (folder / name).read_bytes().decode("latin-1"))
        tree = parse_main_cf(source) if name == "main.cf" else parse_master_cf(source)
        found += _lines(name, tree, source)
    return found


def _lines(name: str, tree: Tree, source: SourceFile) -> Iterator[Line]:
    for entry in tree.entries:
        yield Line(
            name,
            source.position(entry.span.start).line,
            source.position(entry.span.end).line,
            _text(entry),
            isinstance(entry, LeadingWhitespace),
            frozenset(_overrides(entry)),
        )


def _overrides(entry: Entry) -> Iterator[str]:
    for override in entry.overrides if isinstance(entry, ServiceEntry) else ():
        if override.name is not None:
            yield _shown(override.name.text)


def _text(entry: Entry) -> str:
    return entry.line.text


def places(message: Said, lines: Iterable[Line]) -> list[Line]:
    """The logical lines that a message may be about."""
    about = message.about
    found = []
    for line in lines:
        if "file" in about and not about["file"].endswith("/" + line.file):
            continue
        if "line" in about and not line.first <= int(about["line"]) <= line.last:
            continue
        if "name" in about and not _sets(line, about["name"]):
            continue
        if "mention" in about and about["mention"] not in _shown(line.text):
            continue
        if "client" in about and not _may_name_tables(line, about["client"]):
            continue
        quoted = about.get("quoted", about.get("whole"))
        if quoted is not None and quoted.strip("?") not in _shown(line.text):
            continue
        if "start with whitespace" in message.message and not line.misplaced:
            continue
        found.append(line)
    return found


def _sets(line: Line, name: str) -> bool:
    if line.file == "main.cf":
        return _shown(line.text.partition("=")[0].strip(WHITE_SPACE)) == name
    return name in line.overrides


def _may_name_tables(line: Line, client: str) -> bool:
    """Whether a line names a client file where Postfix looks for tables."""
    names = (line.text.partition("=")[0].strip(WHITE_SPACE), *line.overrides)
    return client in line.text and any(name.endswith(_TABLES) for name in names)


def _shown(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text)


def _is_hidden_client(name: str, lines: Iterable[Line], version: PostfixVersion) -> bool:
    """Whether ``foo_hosts`` is one of ``debug:ldap:foo``, which postconf learned to see in 3.11."""
    if version >= (3, 11):
        return False
    tables = {table for line in lines for table in _DEBUGGED.findall(line.text)}
    return any(name.startswith(f"{table}_") for table in tables)


def is_answered(
    message: Said, lines: list[Line], findings: Iterable[Finding], version: PostfixVersion
) -> bool:
    """Whether a finding says the same, on a line that the message is about."""
    where = places(message, lines)
    if "mention" in message.about and is_shell_variable(message.about["mention"]):
        return True  # a placeholder for envsubst(1)
    if any(has_template_marks(line.text) for line in where):
        return True  # what a template will say is not known yet
    if message.about.get("name") == "config_directory":
        return True  # postconf was told another one with -c
    if "null byte" in message.message and not any("\0" in line.text for line in where):
        return True  # it is in a comment, and nothing is lost
    if any(_ATTACHED.search(line.text) for line in where or lines if line.file == "master.cf"):
        return True  # "-ofoo=x" sets foo, but postconf goes on to look for another "o"
    if "client" in message.about and not where:
        return True  # postconf takes "mysql:/x" for a table in any value, in a banner too
    if _is_hidden_client(message.about.get("name", ""), lines, version):
        return True
    for finding in findings:
        if not finding.code.startswith(message.codes or ("-",)):
            continue
        file = finding.location.path.rpartition("/")[2]
        start = finding.location.start.line
        in_client_file = "client" in message.about and message.about["client"].endswith(file)
        if not in_client_file and not any(
            line.file == file and line.first <= start <= line.last for line in where
        ):
            continue
        name = message.about.get("mention")
        if name is None or f"${name} " in finding.message or f'class "{name}" ' in finding.message:
            return True
    return False
