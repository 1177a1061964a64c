"""XTP: configuration that a person or a program still has to fill in."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import chain
from typing import TYPE_CHECKING

from postlint.config.placeholders import is_shell_variable, may_have_placeholder, placeholders
from postlint.lint.finding import Finding, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters
from postlint.records import NamedTuple
from postlint.syntax.main_cf import Assignment
from postlint.syntax.master_cf import ServiceEntry
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.value import parse_value, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.config.instance import Instance
    from postlint.syntax.lines import Entry
    from postlint.syntax.source import SourceText, Span

_SAMPLES: tuple[tuple[tuple[str, ...], LazyPattern], ...] = (
    (
        ("path",),
        LazyPattern(
            r"(?<![A-Za-z0-9])/(?:path[-_/]?to|your[-_]?path)(?![A-Za-z0-9])[^\s,:]*",
            re.IGNORECASE,
        ),
    ),
    (
        ("your", "change", "insert", "replace"),
        LazyPattern(
            r"""(?<![A-Za-z0-9])
            (?:[A-Za-z0-9-]+\.)* (?:your|change|insert|replace)[-_]?(?:own[-_]?)?
            (?:domain|host(?:[-_]?name)?|server|company|site|fqdn|isp|provider|me|this|here)
            (?:\.[A-Za-z]{2,})* (?![A-Za-z0-9_-])""",
            re.VERBOSE | re.IGNORECASE,
        ),
    ),
    (
        (".tld",),
        LazyPattern(r"(?<![A-Za-z0-9])(?:[A-Za-z0-9-]+\.)+tld(?![A-Za-z0-9.-])", re.IGNORECASE),
    ),
)
"""Sample values, and the words without which a file has none."""
_SAMPLE_NAME = LazyPattern(
    r"(?<![A-Za-z0-9.-])(?:[A-Za-z0-9-]+\.)*(?:example\.(?:com|net|org)|[A-Za-z0-9-]+\.example)"
    r"(?![A-Za-z0-9.-])",
    re.IGNORECASE,
)
_OWN_NAMES = frozenset({"mydestination", "mydomain", "myhostname", "myorigin"})
_LONGEST = 40
"""Characters of a placeholder that a message quotes."""


class _Open(NamedTuple):
    """A piece of a text that is still open."""

    whole: SourceText
    start: int
    end: int
    sample: bool

    @property
    def text(self) -> str:
        return self.whole.text[self.start : self.end]

    @property
    def span(self) -> Span:
        return self.whole.sub_span(self.start, self.end)


class _Summary(NamedTuple):
    """The one that a finding tells of, and how many there are of its kind."""

    first: _Open
    number: int


@rule("XTP001", severity=Severity.ERROR, security=5.9, tags=("BASIC_CONFIGURATION_README",))
def unrendered_placeholder(instance: Instance) -> Iterator[Finding]:
    """A placeholder or a sample value was left in.

    Why: Postfix does not know template languages: it takes "{{ domain }}" for a name and
        "/path/to/cert.pem" for a path, and fails at whatever asks for them. In a template, where
        they belong, they only limit what can be checked: one finding then stands for all of a file.
    Fix: Run the template program, or put in the real value.
    Bad:
        myhostname = {{ fqdn }}
    Good:
        myhostname = mx.example.edu
    References: postconf(5), BASIC_CONFIGURATION_README
    """
    installed = instance.files.host
    for tree in (instance.main_cf, instance.master_cf):
        if tree is None:
            continue
        here = installed or tree.source.path.startswith("/etc/postfix/")
        templated = []
        lower = tree.source.text.lower()
        samples = [pattern for words, pattern in _SAMPLES if any(word in lower for word in words)]
        for entry in tree.entries:
            found = _summary(_left_open(entry, instance, samples))
            if found is None:
                continue
            if here or found.first.sample:
                yield _finding(entry, found, installed=here)
            else:
                templated.append((entry, found))
        if templated:
            yield _finding(*templated[0], installed=here, more=len(templated) - 1)


def _summary(found: Iterator[_Open]) -> _Summary | None:
    """The first placeholder, or else the first sample; there can be millions."""
    first: _Open | None = None
    count = 0
    for item in found:
        if first is None or (first.sample and not item.sample):
            first, count = item, 0
        count += item.sample == first.sample
    return None if first is None else _Summary(first, count)


def _finding(entry: Entry, found: _Summary, *, installed: bool, more: int = 0) -> Finding:
    """One finding for a logical line: its first placeholder, or else its first sample.

    ``more``: further lines of a template, for which it stands as well.
    """
    first, count = found.first, found.number
    text = first.text if len(first.text) <= _LONGEST else f"{first.text[:_LONGEST]}…"
    if first.sample:
        message = f'"{text}" is a sample value'
    elif installed:
        variable = first.text.startswith("$") and not first.text.startswith("${{")
        how = "it expands to nothing" if variable else "Postfix takes it as it stands"
        message = f"{text} was not filled in: {how}"
    else:
        message = f"{text} is to be filled in"
    if more:
        message += f"; {more} more line{'s have' if more > 1 else ' has'} placeholders"
    elif count > 1:
        message += f" ({count} in this line)"
    error = installed and not first.sample
    return Finding(
        Location(first.whole.source, first.span),
        message,
        severity=None if error else Severity.INFO,
        parameter=entry.name.text if isinstance(entry, Assignment) else None,
    )


def _left_open(entry: Entry, instance: Instance, samples: Sequence[LazyPattern]) -> Iterator[_Open]:
    """Everything in a logical line that is still open, in no particular order."""
    taken: list[Span] = []
    if may_have_placeholder(entry.written):
        line = entry.line
        for start, end in placeholders(line.text):
            taken.append(line.sub_span(start, end))
            yield _Open(line, start, end, sample=False)
    if isinstance(entry, Assignment):
        values = [(entry.name.text, entry.value)]
    elif isinstance(entry, ServiceEntry):
        values = [
            (override.name.text, override.value)
            for override in entry.overrides
            if override.name is not None and override.value is not None
        ]
    else:
        return
    for name, value in values:
        if "$" not in value.text and not samples and name not in _OWN_NAMES:
            continue
        for item in chain(_shell_variables(name, value, instance), _samples(name, value, samples)):
            if not taken or not _overlaps(item.span, taken):
                yield item


def _overlaps(one: Span, others: list[Span]) -> bool:
    """Whether a span overlaps others, which are in their order and do not overlap each other."""
    before = bisect_left(others, one.end, key=_start)
    return before > 0 and one.start < others[before - 1].end


def _start(span: Span) -> int:
    return span.start


def _shell_variables(name: str, value: SourceText, instance: Instance) -> Iterator[_Open]:
    """``$NAME`` in capitals that nobody sets: meant for the shell or envsubst(1)."""
    if "$" not in value.text:
        return
    parameter = parameters.get(name)
    if name == "debugger_command" or (parameter is not None and parameter.type == "raw"):
        return
    for reference in references(parse_value(value.text)):
        if is_shell_variable(reference.name) and reference.name not in instance.settings:
            yield _Open(value, reference.start, reference.end, sample=False)


def _samples(name: str, value: SourceText, patterns: Sequence[LazyPattern]) -> Iterator[_Open]:
    text = value.text
    taken = 0
    for start, end in sorted(
        match.span() for pattern in patterns for match in pattern.finditer(text)
    ):
        if start >= taken:
            taken = end
            yield _Open(value, start, end, sample=True)
    if name in _OWN_NAMES:
        for match in _SAMPLE_NAME.finditer(text):
            yield _Open(value, *match.span(), sample=True)
