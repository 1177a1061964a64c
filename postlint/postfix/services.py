"""master.cf: fields, service types, programs and the stock file.

Sources: src/master/master_ent.c, src/master/*_server.c, main() of every daemon,
src/postconf/postconf_master.c, conf/master.cf; /etc/services for port names.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from postlint.numbers import integer
from postlint.records import NamedTuple

from .data import services as _data

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = [
    "COMMANDS",
    "FIELDS",
    "INET_PORTS",
    "Field",
    "Program",
    "ServiceType",
    "StockService",
    "field_default",
    "inet_port",
    "program",
    "programs",
    "service_types",
    "stock_services",
]

Field = Literal[
    "service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"
]
ServiceType = Literal["inet", "unix", "fifo", "pass", "unix-dgram"]
Skeleton = Literal[
    "single_server", "multi_server", "event_server", "trigger_server", "dgram_server"
]

FIELDS: Final[tuple[Field, ...]] = (
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
)
"""The eight fields of an entry in order; arguments follow the command."""

COMMANDS: Final[tuple[str, ...]] = _data.COMMANDS
"""Programs that are no daemons but read main.cf."""

INET_PORTS: Final[dict[str, int]] = {
    "lmtp": 24,
    "mail": 25,
    "qmqp": 628,
    "smtp": 25,
    "smtps": 465,
    "ssmtp": 465,
    "submission": 587,
    "submissions": 465,
    "urd": 465,
}
"""Well-known names of TCP ports for mail; whether a host knows them all is another matter."""

_DEFAULTS: Final[dict[str, str]] = {
    "private": "y",
    "unprivileged": "y",
    "wakeup": "0",
    "process_limit": "$default_process_limit",
}


class Program(NamedTuple):
    """A daemon that master.cf may name in the command field."""

    name: str
    first: str
    """First series; "2.6" also stands for earlier."""
    last: str | None
    skeleton: Skeleton
    types: tuple[ServiceType, ...]
    """Service types it runs under; any other is fatal when the process starts."""
    required_limit: Literal[0, 1] | None
    """The process limit that the newest version insists on; see process_limit()."""
    limit_since: str
    privileged: bool
    """The unprivileged field must be "n"."""
    note: str

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether *version* ships it."""
        return version.at_least(self.first)

    def process_limit(self, version: PostfixVersion) -> Literal[0, 1] | None:
        """The process limit without which it refuses to run: 1, 0 (unlimited), or None for any."""
        return self.required_limit if version.at_least(self.limit_since) else None


class StockService(NamedTuple):
    """An entry of the master.cf that Postfix ships, fields as written there."""

    name: str
    type: ServiceType
    private: str
    unprivileged: str
    chroot: str
    wakeup: str
    process_limit: str
    command: str
    """With arguments, if it is not commented out."""

    @property
    def program(self) -> str:
        """The first word of the command."""
        return self.command.split()[0]


_PROGRAMS: Final[dict[str, Program]] = {row[0]: Program(*row) for row in _data.PROGRAMS}


@cache
def service_types(version: PostfixVersion) -> tuple[ServiceType, ...]:
    """The service types that *version* knows."""
    return tuple(name for name, first in _data.TYPES.items() if version.at_least(first))


def field_default(
    field: Field, version: PostfixVersion, compatibility_level: str = "0"
) -> str | None:
    """What "-" means in *field*; None where "-" is fatal (service, type, command).

    *compatibility_level* is the expanded value ("0", "2", "3.6"); what is not a
    level counts as 0.  An inet service must say "n" in the private field.
    """
    if field == "chroot":
        major = compatibility_level.strip().partition(".")[0]
        has_level = major.isascii() and major.isdigit() and integer(major) >= 1
        return "n" if has_level and version.at_least("3.0") else "y"
    return _DEFAULTS.get(field)


def program(name: str, version: PostfixVersion | None = None) -> Program | None:
    """The daemon of that name; with *version* only if that version ships it."""
    found = _PROGRAMS.get(name)
    if found is None or version is None or found.exists_in(version):
        return found
    return None


def programs(version: PostfixVersion) -> tuple[Program, ...]:
    """All daemons of *version*, by name."""
    return tuple(found for found in _PROGRAMS.values() if found.exists_in(version))


def stock_services(version: PostfixVersion, *, commented: bool = False) -> tuple[StockService, ...]:
    """The entries of the shipped master.cf, active or commented out, in file order.

    Known for 2.10 and later; older versions get that of 2.10 without programs they
    lack, and with pickup and qmgr as "fifo".
    """
    chosen = _data.STOCK[0]
    for row in _data.STOCK:
        if row[0] <= version.series_index:
            chosen = row
    entries = [StockService(*fields) for fields in chosen[2 if commented else 1]]
    if version < (2, 10):
        entries = [entry for entry in entries if program(entry.program, version) is not None]
        if not commented:
            entries = [
                entry._replace(type="fifo") if entry.name in ("pickup", "qmgr") else entry
                for entry in entries
            ]
    return tuple(entries)


def inet_port(service: str) -> int | None:
    """The port of the last part of an inet service name ("submission", "127.0.0.1:10025")."""
    name = service.rpartition(":")[2].lower()
    if name.isascii() and name.isdigit() and len(name) <= 5:
        return integer(name)
    return INET_PORTS.get(name)
