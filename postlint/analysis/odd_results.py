"""Right-hand sides of access tables that need a second look, in tables of any length.

Most entries of most tables say OK, REJECT or the like. What an expression that runs in C takes
for one of those is not read; everything else is.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from postlint.analysis.access_tables import access_table, table_in_file
from postlint.analysis.table_search import entries_like
from postlint.config.derived import once
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.analysis.access_tables import Entry
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table

SAME = 100
"""Entries with the same right-hand side that are kept."""

KEPT = 20_000
"""Entries of one table that are kept."""

_END = r"(?=[ \t]|\r*+(?:\n|\Z))"
# What every version from 2.6 on knows, with what it needs.
_USUAL = (
    r"(?:(?i:OK|RELAY|DUNNO|REJECT|DEFER|DEFER_IF_PERMIT|DEFER_IF_REJECT|DISCARD|HOLD|WARN)"
    rf"{_END}|[45][0-9][0-9][ \t]++[^ \t\v\f\r\n]|(?i:FILTER)[ \t]++[^\n:]*+:"
    r"|(?i:REDIRECT|BCC)[ \t]++[^\n@]*+@|(?i:PREPEND)[ \t]++[!-9;-~]++[ \t]*+:)"
)
_KEY = r'[^ \t\v\f\r\n#"\\][^ \t\v\f\r\n"\\]*+'
_NETWORK = r"[0-9A-Fa-f.:/]++"
_PATTERN = r"/(?:[^\\/\n]++|\\[^\n])*+/[A-Za-z]*+"
_INDEXED, _CIDR, _PATTERNS = (
    LazyPattern(rf"\n(?=[^ \t\v\f\r\n#])(?!{key}[ \t]++{_USUAL})")
    for key in (_KEY, _NETWORK, _PATTERN)
)


def odd_results(instance: Instance, element: Element) -> tuple[Entry, ...]:
    """At least the entries whose right-hand side is none of the usual ones, in their order.

    Of many with the same one the first, and of very many different ones the first. Nothing of
    a table whose entries can not be seen.
    """
    table = table_in_file(instance, element)
    if table is None:
        return access_table(instance, element).entries
    return _odd_results(instance, table)


@once
def _odd_results(instance: Instance, table: Table) -> tuple[Entry, ...]:
    del instance  # whose answer it is
    kept: list[Entry] = []
    number: Counter[str] = Counter()
    for entry in entries_like(table, _INDEXED, _CIDR, _PATTERNS):
        if len(kept) == KEPT:
            break
        if number[entry.value] < SAME:
            number[entry.value] += 1
            kept.append(entry)
    return tuple(kept)
