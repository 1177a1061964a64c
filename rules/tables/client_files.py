"""What TBL004 says of client files: lines and settings without which no program opens the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.placeholders import has_placeholder

from .common import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.lint.finding import Finding
    from postlint.syntax.client_file import ClientFile

    from .common import Reporter

_NEEDED = {
    "mongodb": ("uri", "dbname", "collection"),
    "mysql": ("dbname",),
    "pgsql": ("dbname",),
    "sqlite": ("dbpath",),
}
_WITH_QUERY = frozenset({"mysql", "pgsql", "sqlite"})
_OLD_QUERY = ("table", "select_field", "where_field")


def unusable(table: Table, report: Reporter) -> Iterator[Finding | None]:
    """The first line that is no setting, else the first setting that lacks.

    Every program that opens such a table ends there and then.
    """
    client = table.client
    if client is None or not table.readable:
        return
    broken = next((setting for setting in client.settings if setting.problem), None)
    if broken is not None:
        if not has_placeholder(broken.line.text):
            # The line may be the password: nothing of it is repeated.
            message = (
                f"no setting of a {table.type} table (name = value): every program that opens it"
                f" dies ({broken.problem})"
            )
            yield report.finding(broken.line, message)
        return
    missing = _missing(table.type, client)
    if missing and client.settings:
        message = (
            f"{table.label} does not set {quoted(missing)}, and every program that opens it dies"
        )
        yield report.finding(client.settings[0].line, message)


def _missing(kind: str, client: ClientFile) -> str:
    """The first setting that a client can not do without; empty when all are there."""
    wanted = _NEEDED.get(kind, ())
    if kind in _WITH_QUERY and client.get("query") is None:
        if kind == "pgsql" and client.get("select_function") is not None:
            return next((name for name in wanted if not client.text(name)), "")
        old = [name for name in _OLD_QUERY if client.text(name)]
        wanted = (*wanted, *(_OLD_QUERY if old else ("query",)))
    return next((name for name in wanted if not client.text(name)), "")
