"""Services: entries of master.cf with the parameters that their process sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.placeholders import has_placeholder
from postlint.config.scope import PER_PROCESS, Scope
from postlint.config.settings import Setting

if TYPE_CHECKING:
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.syntax.master_cf import ServiceEntry
    from postlint.syntax.source import Location


class Service(Scope):
    """One service. ``implicit``: assumed, because no master.cf says what there is.

    ``program`` is empty where a template has yet to say which it is.
    """

    __slots__ = ("entry", "implicit", "instance", "name", "program", "type")

    def __init__(
        self,
        instance: Instance,
        name: str,
        transport_type: str,
        program: str,
        entry: ServiceEntry | None,
    ) -> None:
        overrides: dict[str, Setting] = {}
        for override in entry.overrides if entry is not None else ():
            setting = Setting.of_override(override)
            if setting is not None:
                overrides[setting.name] = setting
        super().__init__(
            instance.version,
            instance.settings,
            overrides,
            complete=instance.main_cf is not None,
        )
        self.instance = instance
        self.name = name
        self.type = transport_type
        self.program = program
        self.entry = entry
        self.implicit = entry is None

    def __repr__(self) -> str:
        return f"<Service {self.label} {self.program}>"

    @classmethod
    def of_entry(cls, instance: Instance, entry: ServiceEntry) -> Service:
        """The service that a line of master.cf describes."""
        command = entry.field("command").text
        program = "" if has_placeholder(command) else command.rpartition("/")[2]
        return cls(instance, entry.fields[0].text, entry.fields[1].text, program, entry)

    def get(self, name: str) -> Effective | None:
        """The effective value; shared with main.cf where nothing of this service is in it."""
        if name not in self._overrides and name not in PER_PROCESS:
            shared = self.instance.main.get(name)
            if shared is None or not (shared.mentions and self._changes(shared.mentions)):
                return shared
        return super().get(name)

    def _changes(self, names: tuple[str, ...]) -> bool:
        """Whether some of the names may be something else here than in main.cf."""
        return not (self._overrides.keys().isdisjoint(names) and PER_PROCESS.isdisjoint(names))

    def of_process(self, name: str) -> str | None:
        """The process's and the service's name."""
        match name:
            case "process_name":
                return self.program
            case "service_name":
                return self.name
            case _:
                return None

    @property
    def label(self) -> str:
        """``name/type``, as postconf(1) writes it."""
        return f"{self.name}/{self.type}"

    @property
    def location(self) -> Location | None:
        """Where the service is defined: its name field; None for an implicit one."""
        return self.entry.fields[0].location if self.entry is not None else None

    def field(self, name: str) -> str:
        """A master.cf field; ``-`` for one of an implicit service."""
        return self.entry.field(name).text if self.entry is not None else "-"
