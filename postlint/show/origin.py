"""Where a value comes from, for ``--origin`` and for JSON that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from postlint.show.engine import Engine, Which
    from postlint.show.services import Service

MAIN, MASTER, DEFAULT, COMMAND_LINE = "main.cf", "master.cf", "default", "command-line"


class Origin(NamedTuple):
    """One of main.cf, master.cf, default and command-line, with the place in a file."""

    kind: str
    path: str | None = None
    line: int | None = None

    def prefix(self) -> str:
        """What stands before a line of text."""
        return f"{self.kind}: " if self.path is None else f"{self.path}:{self.line}: "


def origin_of(engine: Engine, name: str, scope: Service | None, which: Which) -> Origin:
    """Where the value that Engine.lookup() gives comes from."""
    if which != "defaults":
        if scope is not None:
            if name in scope.readonly:
                return of_service(engine, scope)
            value = (scope.settings or {}).get(name)
            if value is not None:
                return Origin(MASTER, value.path, value.line)
        value = engine.settings.get(name)
        if value is not None:
            if value.path is None:
                return Origin(COMMAND_LINE)
            return Origin(MAIN, value.path, value.line)
    return Origin(DEFAULT)


def of_service(engine: Engine, service: Service) -> Origin:
    """The line of master.cf that defines a service."""
    return Origin(MASTER, engine.master_path, service.lines[0])
