"""What the rules about lookup tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from postlint.lint.finding import Edit, Finding, Fix, Related
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from postlint.config.lookup_table import Table, TableUse
    from postlint.lint.finding import Severity
    from postlint.syntax.indexed_table import Search
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import TableEntry

SECRET_PURPOSES = frozenset({"passwords", "server names"})
"""Purposes of tables whose text no message repeats."""

_QUOTED = LazyPattern(r'"[^"]*+"?')

LIMIT = 20
"""Findings of one rule in one table; what is more is counted."""


Late: TypeAlias = "Callable[[], Finding | None]"
"""Makes a finding that may only be counted."""


class Reporter:
    """Makes the findings of one rule about the contents of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        use = table.uses[0]
        self.parameter = use.parameter
        self._related = named_at(table)
        self._secret = bool(table.purposes & SECRET_PURPOSES)

    def finding(
        self,
        text: SourceText,
        message: str,
        *,
        severity: Severity | None = None,
        security_severity: float | None = None,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
    ) -> Finding | None:
        """A finding about a part of the contents; None when nobody can be shown where it is."""
        location = self.table.locate(text)
        if location is None:
            return None
        if not text.source.path:
            fix = None
        if self._secret:  # where a line is broken, any word of it may be the password
            message = _QUOTED.sub('"***"', message)
        context = () if self.table.in_place else self._related
        return Finding(
            location,
            message,
            severity=severity,
            security_severity=security_severity,
            parameter=self.parameter,
            service=self.table.uses[0].service_label,
            related=(*related, *context),
            fix=fix,
        )


def limited(findings: Iterable[Finding | Late | None], more: str) -> Iterator[Finding]:
    """The first findings, and one that counts the others: ``more`` says what they are."""
    number = 0
    last: Finding | None = None
    for item in findings:
        if number > LIMIT and item is not None:
            number += 1
            continue
        finding = item if item is None or isinstance(item, Finding) else item()
        if finding is None:
            continue
        number += 1
        if number <= LIMIT:
            yield finding
        else:
            last = finding
    if last is not None:
        left = number - LIMIT
        if left > 1:
            last.message = f"{left} more {more} from here on"
            last.related = ()
            last.fix = None
        yield last


def find(table: Table, search: Search) -> Iterator[TableEntry]:
    """The entries of a table of keys and values that a search accepts."""
    if table.indexed is not None:
        return table.indexed.find(search)
    return filter(search.accept, table.entries())


def named_at(table: Table) -> tuple[Related, ...]:
    """Where the settings name a table."""
    found: dict[tuple[str, Span], Related] = {}
    for use in table.uses:
        location = use.location
        if location is not None:
            key = (location.path, location.span)
            found.setdefault(key, Related(f"the table of {described(use)}", location))
    return tuple(found.values())


_SENSITIVE = {
    "alias_maps": "local",
    "mailbox_command_maps": "local",
    "virtual_gid_maps": "virtual",
    "virtual_mailbox_maps": "virtual",
    "virtual_uid_maps": "virtual",
}
"""Tables that decide what a delivery agent does as root, and the agent (DICT_FLAG_PARANOID)."""


def sensitive_use(table: Table) -> tuple[TableUse, str] | None:
    """A use for which only what root controls is good enough, and the program that asks."""
    for use in table.uses:
        program = _SENSITIVE.get(use.parameter)
        if program == "virtual":
            transport = table.instance.main["virtual_transport"].word()
            if transport not in ("virtual", "virtual:"):
                continue
        if program is not None:
            return use, program
    return None


def described(use: TableUse) -> str:
    """The parameter or restriction that a table is for."""
    return use.restriction or use.parameter


def quoted(text: str) -> str:
    """Text of a table in a message, cut where it is long."""
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'


def retype(use: TableUse, kind: str, wanted: str) -> Fix | None:
    """Give a table another type where it is named."""
    word = use.word
    at = word.text.find(f"{kind}:")
    start = word.start + at
    location = word.value.locate(start, start + len(kind)) if at >= 0 else None
    if location is None:
        return None
    span = location.span
    if location.source.text[span.start : span.end] != kind:
        return None
    return Fix(f"make it a {wanted} table", (Edit(location, wanted),), "unsafe")
