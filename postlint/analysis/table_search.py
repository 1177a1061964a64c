"""Entries of tables of any length that an expression finds, without what their keys must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_tables import key_entry, network_entry, pattern_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.access_tables import Entry
    from postlint.config.lookup_table import Table
    from postlint.syntax.patterns import LazyPattern


def entries_like(
    table: Table,
    indexed: LazyPattern,
    networks: LazyPattern | None = None,
    patterns: LazyPattern | None = None,
) -> Iterator[Entry]:
    """At least the entries of a file whose logical line, behind a LF, an expression matches.

    There is one for every kind of table; those without one have no such entries.
    """
    if table.indexed is not None:
        from postlint.syntax.indexed_table import Search

        search = Search(indexed.compiled, lambda entry: entry.problem is None)
        for entry in table.indexed.find(search):
            yield key_entry(entry)
    elif table.cidr is not None and networks is not None:
        for rule in table.cidr.find(networks):
            if rule.kind == "match" and rule.problem is None:
                yield network_entry(rule)
    elif table.patterns is not None and patterns is not None:
        for found in table.patterns.find(patterns):
            if found.problem is None:
                yield pattern_entry(found)
