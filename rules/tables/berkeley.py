"""TBL011: table types that go away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.versions import Interval
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

from .common import retype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table, TableUse
    from postlint.postfix.versions import PostfixVersion

_BERKELEY = frozenset({"btree", "hash"})
_LEGACY = {"dbm": "NDBM", "sdbm": "SDBM", "nis": "NIS"}
_REDIRECTED = frozenset({"enable-redirect", "enable-reindex"})


@rule("TBL011", severity=Severity.WARNING, tags=("NON_BERKELEYDB_README",))
def bdb_removal(instance: Instance) -> Iterator[Finding]:
    """A lookup table needs Berkeley DB, which systems no longer bring along.

    Why: Distributions build Postfix 3.11 without Berkeley DB. There hash: and btree: are unknown
        types: every lookup fails, unless non_bdb_migration_level has Postfix use other files.
    Fix: Use lmdb: (or cdb: for tables that nothing writes to) and compile the tables again with
        postmap and postalias, or set non_bdb_migration_level.
    Bad (Postfix 3.11):
        alias_maps = hash:/etc/aliases
    Good (Postfix 3.11):
        alias_maps = lmdb:/etc/aliases
    References: NON_BERKELEYDB_README, DATABASE_README, postconf(5) default_database_type
    """
    extent = Interval(instance).holds(_may_lack_berkeley)
    level = instance.main["non_bdb_migration_level"].word()
    redirected = level is None or level in _REDIRECTED
    for table in instance.tables:
        if table.type in _LEGACY:
            for use in table.uses:
                yield from _finding(use, _legacy(table), Severity.INFO)
        elif table.type in _BERKELEY and extent != "never" and not redirected:
            for use in table.uses:
                yield from _berkeley(use, table, depends=extent == "sometimes")


def _may_lack_berkeley(version: PostfixVersion) -> bool:
    return version >= (3, 11)


def _berkeley(use: TableUse, table: Table, *, depends: bool) -> Iterator[Finding]:
    message = f"{table.type} needs Berkeley DB, which builds of Postfix 3.11 may lack"
    if depends:
        message += " (depends on the version)"
    for finding in _finding(use, message, Severity.INFO if depends else Severity.WARNING):
        finding.fix = retype(use, table.type, "lmdb")
        yield finding


def _legacy(table: Table) -> str:
    return f"{table.type} needs {_LEGACY[table.type]}, which hardly any system has: use lmdb or cdb"


def _finding(use: TableUse, message: str, severity: Severity) -> Iterator[Finding]:
    if use.location is not None and use.word.value.explicit:
        yield Finding(
            use.word.location or use.location,
            message,
            severity=severity,
            parameter=use.parameter,
            service=use.service_label,
        )
