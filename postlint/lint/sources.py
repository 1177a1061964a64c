"""The source files that an instance has been read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postlint.config.instance import Instance
    from postlint.syntax.source import SourceFile


def sources_of(instance: Instance) -> list[SourceFile]:
    """main.cf, master.cf and the lookup tables that have been read."""
    trees = [tree.source for tree in (instance.main_cf, instance.master_cf) if tree is not None]
    return trees + table_sources(instance)


def table_sources(instance: Instance) -> list[SourceFile]:
    """The lookup tables that have been read; finding them is not what this is for."""
    found = [table.source for table in instance.policy_tables if table.inline is None]
    for table in instance.__dict__.get("tables", ()):
        if table.loaded is not None and table.loaded not in found:
            found.append(table.loaded)
    return found
