"""TBL011: table types that go away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.versions import Interval
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple

from .common import described, retype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.lookup_table import TableUse
    from postlint.lint.finding import Location
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import Span

_BERKELEY = frozenset({"btree", "hash"})
_LEGACY = {"dbm": "NDBM", "sdbm": "SDBM", "nis": "NIS"}
_REDIRECTED = frozenset({"enable-redirect", "enable-reindex"})


class _Use(NamedTuple):
    """A place that names a table of a type."""

    kind: str
    use: TableUse
    location: Location


@rule("TBL011", severity=Severity.WARNING, tags=("NON_BERKELEYDB_README",))
def bdb_removal(instance: Instance) -> Iterator[Finding]:
    """Lookup tables need Berkeley DB, which systems no longer bring along.

    Why: Distributions build Postfix 3.11 without Berkeley DB, some have done so for long. There
        hash: and btree: are unknown types: every lookup fails, unless non_bdb_migration_level has
        Postfix use other files. One finding stands for all such tables of an installation. With
        --host the installed postconf says what its build has.
    Fix: Use lmdb: (or cdb: for tables that nothing writes to) and compile the tables again with
        postmap and postalias, or set non_bdb_migration_level.
    Bad (Postfix 3.11):
        alias_maps = hash:/etc/aliases
    Good (Postfix 3.11):
        alias_maps = lmdb:/etc/aliases
    References: NON_BERKELEYDB_README, DATABASE_README, postconf(5) default_database_type
    """
    berkeley = _uses(instance, _BERKELEY)
    if berkeley:
        yield from _berkeley(instance, berkeley)
    for kind, library in _LEGACY.items():
        uses = _uses(instance, frozenset({kind}))
        if uses:
            message = f"{kind} needs {library}, which hardly any system has: use lmdb or cdb"
            yield _finding(uses, message, Severity.INFO)


def _uses(instance: Instance, kinds: frozenset[str]) -> list[_Use]:
    """Where settings of their own name tables of some types, each place once."""
    found: dict[tuple[str, Span], _Use] = {}
    for table in instance.tables:
        for use in table.uses if table.type in kinds else ():
            location = use.location
            if location is not None and use.word.value.explicit:
                found.setdefault((location.path, location.span), _Use(table.type, use, location))
    return sorted(found.values(), key=lambda use: (use.location.path, use.location.span))


def _berkeley(instance: Instance, uses: list[_Use]) -> Iterator[Finding]:
    installed = instance.installed_types()
    if installed is not None:
        uses = [use for use in uses if use.kind not in installed]
        if uses:
            message = f"the installed Postfix has no {_kinds(uses)} tables"
            yield _to_lmdb(_finding(uses, message, Severity.ERROR), uses)
        return
    extent = Interval(instance).holds(_may_lack_berkeley)
    level = instance.main["non_bdb_migration_level"].word()
    if extent == "never" or level is None or level in _REDIRECTED:
        return
    verb = "need" if len({use.kind for use in uses}) > 1 else "needs"
    message = f"{_kinds(uses)} {verb} Berkeley DB, which builds of Postfix 3.11 may lack"
    if extent == "sometimes":
        message += " (depends on the version)"
    severity = Severity.INFO if extent == "sometimes" else Severity.WARNING
    yield _to_lmdb(_finding(uses, message, severity), uses)


def _may_lack_berkeley(version: PostfixVersion) -> bool:
    return version >= (3, 11)


def _kinds(uses: list[_Use]) -> str:
    return " and ".join(sorted({use.kind for use in uses}, reverse=True))


def _finding(uses: list[_Use], message: str, severity: Severity) -> Finding:
    """One finding for all the places, at the first of them."""
    first, *others = uses
    if others:
        again = "place names" if len(others) == 1 else "places name"
        message += f"; {len(others)} more {again} such tables"
    return Finding(
        first.location,
        message,
        severity=severity,
        parameter=first.use.parameter,
        service=first.use.service_label,
        related=[
            Related(f"the {use.kind} table of {described(use.use)}", use.location) for use in others
        ],
    )


def _to_lmdb(finding: Finding, uses: list[_Use]) -> Finding:
    fixes = [retype(use.use, use.kind, "lmdb") for use in uses]
    edits = [edit for fix in fixes if fix is not None for edit in fix.edits]
    if None not in fixes and all(edit.location.path == edits[0].location.path for edit in edits):
        which = "it an lmdb table" if len(edits) == 1 else "them lmdb tables"
        finding.fix = Fix(f"make {which}", tuple(edits), "unsafe")
    return finding
