"""Parameters named after a service of master.cf, and names that tables bring along.

``smtp_destination_rate_delay`` exists because master.cf has a service "smtp" that
runs a delivery agent.  Sources: src/postconf/postconf_service.c and
postconf_dbms.c, src/qmgr/qmgr_transport.c, src/oqmgr/qmgr_transport.c,
src/pipe/pipe.c, src/smtpd/smtpd_check.c, src/milter/milter.c.  Units: seconds.
"""

from __future__ import annotations

from . import parameters
from .data import service_parameters as _data
from .versions import SERIES, PostfixVersion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from .parameters import Bounds, ParameterType, TimeUnit

__all__ = [
    "DATABASE_SUFFIXES",
    "MILTER_OVERRIDES",
    "POLICY_OVERRIDES",
    "SERVICE_PARAMETERS",
    "ServiceParameter",
    "database_parameter",
    "fixed_names",
    "is_service_parameter",
    "match_service_parameter",
    "names_for",
    "service_parameter",
]

_OQMGR_SUFFIXES = frozenset(
    {
        "_destination_concurrency_failed_cohort_limit",
        "_destination_concurrency_limit",
        "_destination_concurrency_negative_feedback",
        "_destination_concurrency_positive_feedback",
        "_destination_rate_delay",
        "_destination_recipient_limit",
        "_initial_destination_concurrency",
        "_transport_rate_delay",
    }
)


class ServiceParameter:
    """A pattern: any service name followed by ``suffix``.

    A transport suffix is read by the queue manager for every transport, whatever
    program runs it, from main.cf or from -o of the queue manager's own entry; -o
    on the delivery agent has no effect.  ``_time_limit`` is read by pipe and spawn
    themselves, so that -o on the service works.
    """

    __slots__ = (
        "_high",
        "_low",
        "_since",
        "inherits",
        "programs",
        "read_by",
        "suffix",
        "type",
        "unit",
    )

    suffix: str
    """With its leading underscore: "_destination_rate_delay"."""
    inherits: str
    """The parameter whose value is the default."""
    type: ParameterType
    unit: TimeUnit | None
    programs: tuple[str, ...]
    """postconf knows the name when the service runs one of these (command field, exactly)."""
    read_by: frozenset[str]
    """The programs that read the value."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        """*row* as in the generated table."""
        (
            self.suffix,
            self.inherits,
            self.type,
            self.unit,
            self._low,
            self._high,
            since,
            self.programs,
            read_by,
        ) = row
        self._since: int = since
        self.read_by = frozenset(
            program for program in read_by if program != "oqmgr" or self.suffix in _OQMGR_SUFFIXES
        )

    def __repr__(self) -> str:
        return f"<ServiceParameter *{self.suffix}>"

    def bounds(self, version: PostfixVersion) -> Bounds:
        """Smallest and largest value or length; None is not checked."""
        del version  # the same in all known versions
        return (self._low, self._high)

    def default(self, version: PostfixVersion) -> str | None:
        """The default as postconf prints it; None if *version* lacks the pattern."""
        return f"${self.inherits}" if self.exists_in(version) else None

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether Postfix reads it; before 2.9 postconf only knew ``fixed_names``."""
        if self.suffix == "_transport_rate_delay":
            return version.series_index >= self._since
        return True

    def listed_in(self, version: PostfixVersion) -> bool:
        """Whether postconf derives it from master.cf."""
        return version.series_index >= self._since

    @property
    def introduced(self) -> str:
        """The first series in which postconf derives it from master.cf."""
        major, minor = SERIES[self._since]
        return f"{major}.{minor}"


SERVICE_PARAMETERS: Final[dict[str, ServiceParameter]] = {
    row[0]: ServiceParameter(row) for row in _data.ROWS
}
"""Suffix -> pattern, in the order of Postfix's table."""

_LONGEST_FIRST: Final = sorted(SERVICE_PARAMETERS, key=len, reverse=True)
_SUFFIXES: Final = tuple(_LONGEST_FIRST)

DATABASE_SUFFIXES: Final[dict[str, tuple[str, ...]]] = _data.DATABASE_SUFFIXES
"""Table type -> suffixes of its client parameters, as of the newest version.

With ``ldap:foo`` in some value, main.cf may set ``foo_server_host``; the same names
without prefix are the settings of a client file ``ldap:/path``.
"""

POLICY_OVERRIDES: Final[dict[str, str]] = _data.POLICY_OVERRIDES
"""Settings in ``check_policy_service { endpoint, name=value … }`` (3.0+) -> type and bound."""

MILTER_OVERRIDES: Final[dict[str, str]] = _data.MILTER_OVERRIDES
"""Settings in a Milter ``{ endpoint, name=value … }`` (3.0+) -> type and bound."""


def match_service_parameter(name: str) -> tuple[str, str, ServiceParameter] | None:
    """Split *name* by the longest suffix: (service name, suffix, pattern).

    Only the shape counts; whether such a service exists is for service_parameter().
    Names of built-in parameters ("default_destination_rate_delay") do not match,
    except the two that are service parameters with a default of their own.
    """
    if not name.endswith(_SUFFIXES):
        return None
    if (builtin := parameters.get(name)) is not None and not builtin.service_class:
        return None
    for suffix in _LONGEST_FIRST:
        if name.endswith(suffix) and len(name) > len(suffix):
            return (name.removesuffix(suffix), suffix, SERVICE_PARAMETERS[suffix])
    return None


def service_parameter(
    name: str, services: Iterable[tuple[str, str]], version: PostfixVersion
) -> tuple[str, ServiceParameter] | None:
    """The service that *name* belongs to, and its pattern, as postconf decides it.

    *services* are pairs of master.cf service name and command (first word of
    the command field).
    """
    if match_service_parameter(name) is None:
        return None
    commands: dict[str, set[str]] = {}
    for service, command in services:
        commands.setdefault(service, set()).add(command)
    for suffix in _LONGEST_FIRST:
        pattern = SERVICE_PARAMETERS[suffix]
        if name.endswith(suffix) and pattern.listed_in(version):
            service = name.removesuffix(suffix)
            if not commands.get(service, set()).isdisjoint(pattern.programs):
                return (service, pattern)
    return None


def is_service_parameter(
    name: str, services: Iterable[tuple[str, str]], version: PostfixVersion
) -> bool:
    """Whether postconf of *version* knows *name* because of master.cf or of its fixed list."""
    return name in fixed_names(version) or service_parameter(name, services, version) is not None


def fixed_names(version: PostfixVersion) -> frozenset[str]:
    """The service parameters that postconf before 2.9 knew without looking at master.cf."""
    return frozenset(_data.FIXED_UNTIL_2_8) if version < (2, 9) else frozenset()


def names_for(services: Iterable[tuple[str, str]], version: PostfixVersion) -> dict[str, str]:
    """Name -> default of all service parameters that postconf lists for *services*.

    Without those that are built in (``local_destination_recipient_limit``).
    """
    builtin = parameters.names(version)
    found: dict[str, str] = {}
    for name in fixed_names(version):
        matched = match_service_parameter(name)
        if matched is not None:
            found[name] = f"${matched[2].inherits}"
    for service, command in services:
        for pattern in SERVICE_PARAMETERS.values():
            name = service + pattern.suffix
            if command in pattern.programs and pattern.listed_in(version) and name not in builtin:
                found[name] = f"${pattern.inherits}"
    return found


def database_parameter(name: str, tables: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """(table type, prefix) if *name* configures one of *tables*, else None.

    *tables* are pairs of type and name as in "ldap:foo", after any "proxy:" or
    "debug:"; a name that starts with "/" or "." is a file, not a prefix.
    """
    for kind, prefix in tables:
        if prefix and prefix[0] not in "/.":
            suffixes = DATABASE_SUFFIXES.get(kind, ())
            if name.startswith(f"{prefix}_") and name[len(prefix) + 1 :] in suffixes:
                return (kind, prefix)
    return None
