"""Instances: a configuration directory as Postfix would load it."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from postlint.config.scope import Scope
from postlint.config.service import Service
from postlint.config.settings import Setting
from postlint.config.tables import PolicyTable, policy_tables
from postlint.numbers import integer
from postlint.postfix import parameters
from postlint.postfix.services import inet_port
from postlint.postfix.versions import NEWEST_STABLE, PostfixVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from postlint.config.files import Files
    from postlint.config.lookup_table import Table
    from postlint.syntax.main_cf import Assignment, MainCf
    from postlint.syntax.master_cf import MasterCf, ServiceEntry

WHOLE_MAIN_CF = 8
"""Settings from which a main.cf without master.cf counts as whole, not as a snippet."""

WHOLE_MASTER_CF = 8
"""Services from which a master.cf can be expected to be complete (the stock file has over 20)."""

_IMPLICIT_SERVICES = (("smtp", "inet", "smtpd"), ("smtp", "unix", "smtp"))
"""What any installation has; assumed when there is no master.cf to say so."""


def service_key(entry: ServiceEntry) -> tuple[str, str]:
    """What makes two lines of master.cf the same service to master(8).

    A port counts as its number, so that ``smtp`` and ``25`` are the same (master_conf.c).
    """
    name, transport_type = entry.fields[0].text, entry.fields[1].text
    if transport_type == "inet":
        host, colon, service = name.rpartition(":")
        port = inet_port(service)
        name = f"{host.lower()}{colon}{service if port is None else port}"
    return name, transport_type


def _nobody_knows() -> None:
    return None


class Instance:
    """What an installation says. Files that it lacks are None.

    ``version`` decides facts and defaults; ``pinned`` tells that the user gave it.
    """

    def __init__(
        self,
        path: str,
        main_cf: MainCf | None,
        master_cf: MasterCf | None,
        files: Files,
        version: PostfixVersion | None = None,
    ) -> None:
        self.path = path
        self.main_cf = main_cf
        self.master_cf = master_cf
        self.files = files
        self.pinned = version is not None
        self.version = version or NEWEST_STABLE
        self.assignments: dict[str, list[Assignment]] = {}
        """Every line of main.cf by the name it sets, in file order; the last one counts."""
        for entry in main_cf.assignments if main_cf is not None else ():
            self.assignments.setdefault(entry.name.text, []).append(entry)
        settings = {
            name: Setting.of_assignment(entries[-1]) for name, entries in self.assignments.items()
        }
        self.settings = settings
        """The settings of main.cf that count, by name."""
        self.installed_types: Callable[[], frozenset[str] | None] = _nobody_knows
        """Tells the types of tables that the Postfix of this host opens, where it is for that."""
        self.main = Scope(self.version, settings, complete=main_cf is not None)
        self.services = tuple(self._services())
        """The services that master(8) runs: of several definitions the last (master_conf.c)."""
        self.notes: list[str] = []
        """What users should know of this analysis as a whole, once."""
        self.derived: defaultdict[object, dict[object, Any]] = defaultdict(dict)
        """The answers of functions that are asked once: see postlint.config.derived."""

    def _services(self) -> Iterator[Service]:
        if self.master_cf is None:
            for name, transport_type, program in _IMPLICIT_SERVICES:
                yield Service(self, name, transport_type, program, None)
            return
        last = {service_key(entry): entry for entry in self.master_cf.services}
        for entry in last.values():
            yield Service.of_entry(self, entry)

    @property
    def whole_main_cf(self) -> bool:
        """Whether main.cf is there and no snippet: what it lacks is missing."""
        if self.main_cf is None:
            return False
        return self.whole_master_cf or len(self.settings) >= WHOLE_MAIN_CF

    @property
    def whole_master_cf(self) -> bool:
        """Whether master.cf is there and no snippet."""
        return self.master_cf is not None and len(self.services) >= WHOLE_MASTER_CF

    @property
    def whole(self) -> bool:
        """Whether both files are there: every service is known with all its parameters."""
        return self.main_cf is not None and self.master_cf is not None

    @cached_property
    def oldest_version(self) -> PostfixVersion:
        """The oldest Postfix that the configuration can be meant for.

        The pinned version; else the one that introduced the newest parameter in use, or the
        compatibility_level from 3.6 on.
        """
        if self.pinned:
            return self.version
        oldest = PostfixVersion(2, 6, 0)
        for name in self.settings:
            parameter = parameters.get(name)
            if parameter is not None and not parameter.legacy:
                oldest = max(oldest, PostfixVersion(*parameter.first_series, 0))
        level = self.main["compatibility_level"].text.split(".")
        if len(level) > 1 and all(part.isdigit() for part in level):
            with suppress(ValueError):
                oldest = max(oldest, PostfixVersion(integer(level[0]), integer(level[1]), 0))
        return min(oldest, self.version)

    @cached_property
    def policy_tables(self) -> list[PolicyTable]:
        """The TLS policy tables that can be read."""
        return policy_tables(self)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The lookup tables that settings name, readable or not; nothing of them is read yet."""
        from postlint.config.lookup_table import tables_of

        return tables_of(self)

    def tables_named(self, kind: str, name: str) -> Sequence[Table]:
        """Those of a type and a name; of ``inline:`` there may be one in each setting."""
        return self._tables_by_name.get((kind, name), ())

    @cached_property
    def _tables_by_name(self) -> dict[tuple[str, str], list[Table]]:
        found: dict[tuple[str, str], list[Table]] = {}
        for table in self.tables:
            found.setdefault((table.type, table.name), []).append(table)
        return found

    def note(self, text: str) -> None:
        """Say something about the analysis itself, once."""
        if text not in self.notes:
            self.notes.append(text)

    def release(self) -> None:
        """Let go of everything: the instance and what is derived from it refer to each other."""
        self.__dict__.clear()

    def overriding(self, name: str) -> tuple[Service, ...]:
        """The services that have an override for a name, in their order."""
        return self._overriding.get(name, ())

    @cached_property
    def _overriding(self) -> dict[str, tuple[Service, ...]]:
        found: dict[str, list[Service]] = {}
        for service in self.services:
            for name in service.override_names:
                found.setdefault(name, []).append(service)
        return {name: tuple(services) for name, services in found.items()}

    def services_running(self, *programs: str) -> Iterator[Service]:
        """The services that run one of the programs."""
        if len(programs) == 1:
            return iter(self._running.get(programs[0], ()))
        return (service for service in self.services if service.program in programs)

    @cached_property
    def _running(self) -> dict[str, list[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self.services:
            found.setdefault(service.program, []).append(service)
        return found
