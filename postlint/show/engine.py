"""The state of one run: settings, services, valid names, and values in a scope."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.postfix import parameters
from postlint.postfix.host_name import domain_of_host
from postlint.show import host
from postlint.show.macros import Macros
from postlint.show.messages import FatalError
from postlint.show.names import Node, Table, add_service_names, builtin_names
from postlint.show.reader import Reader, UnreadableError, Value
from postlint.show.services import Service, ServiceReader
from postlint.syntax.master_cf import parse_master_cf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.config.boundary import Boundary
    from postlint.postfix.versions import PostfixVersion
    from postlint.show.messages import Messages

Which: TypeAlias = Literal["all", "defaults", "set"]
"""Which values count: all, only defaults (-d) or only what is set (-n)."""

CONFIG_DICTIONARY = "mail_dict"
PROGRAM_NAME = "postconf"


class Engine:
    """What postconf(1) of a version knows of a configuration directory.

    ``directory`` is the name that messages give; ``explicit`` tells that it was asked for,
    which makes config_directory a setting. ``inside``: no link may lead out of that folder, and
    no host name is looked up, because the files are not this host's.
    """

    def __init__(
        self,
        version: PostfixVersion,
        messages: Messages,
        directory: str,
        *,
        explicit: bool,
        defaults_only: bool = False,
        inside: Boundary | None = None,
    ) -> None:
        self.version = version
        self.messages = messages
        self.directory = directory
        self.main_path = f"{directory}/main.cf"
        self.master_path = f"{directory}/master.cf"
        self.settings: dict[str, Value] = {}
        self.services: list[Service] = []
        self.reader = Reader(version, messages, inside)
        self.macros = Macros(version, messages)
        self.table: Table = builtin_names(version)
        self._defaults_only = defaults_only
        self._computed: dict[str, str] = {}
        self._look_up = inside is None
        self._explicit = explicit or version < (3, 0)
        self._set_config_directory()

    def _set_config_directory(self) -> None:
        if self._explicit:
            self.settings["config_directory"] = Value(self.directory, None, 0)

    def read_main(self) -> None:
        """Read main.cf; raises FatalError."""
        try:
            self.reader.load(self.main_path, self.settings)
        except UnreadableError as error:
            action = "read" if error.number == errno.EISDIR else "open"
            raise FatalError(f"{action} {self.main_path}: {error}") from error

    def override(self, texts: Iterable[str]) -> None:
        """The ``-o name=value`` of the command line; raises FatalError."""
        from postlint.show.octets import split_name_value

        for text in texts:
            name, value, problem = split_name_value(text, name_required=self.version >= (3, 4))
            if name is None or value is None:
                raise FatalError(f"invalid parameter override: {text}: {problem}")
            self.settings[name] = Value(value, None, 0)

    def read_master(self, *, required: bool, as_daemons: bool = False) -> None:
        """Read master.cf; without it that is fatal or a warning.

        ``as_daemons``: of entries for the same service the last one is left, as in master(8).
        """
        try:
            source = self.reader.read(self.master_path)
        except UnreadableError as error:
            if error.number == errno.EISDIR:
                return
            message = f"open {self.master_path}: {error}"
            if required:
                raise FatalError(message) from error
            self.messages.warning(message)
            return
        entries = ServiceReader(self.version, self.messages, as_daemons=as_daemons)
        for line in self.reader.lines(parse_master_cf(source)):
            number = self.reader.number(line)
            self.services.append(entries.read(line, self.master_path, number))
        if as_daemons:
            self.services = list(
                {service.name_space: service for service in self.services}.values()
            )

    def add_service_names(self) -> None:
        """The parameters that master.cf defines by its services."""
        pairs = ((service.name, service.command) for service in self.services)
        add_service_names(self.table, pairs, self.version)

    def default(self, name: str, node: Node) -> str:
        """The default of a valid name."""
        if node.default is not None:
            return node.default
        if name not in self._computed:
            self._computed[name] = self._compute(name)
        return self._computed[name]

    def lookup(self, name: str, scope: Service | None, which: Which) -> str | None:
        """The value of a name as it is written down, else its default."""
        if which != "defaults":
            if scope is not None:
                text = scope.readonly.get(name)
                if text is not None:
                    return text
                value = None if scope.settings is None else scope.settings.get(name)
                if value is not None:
                    return value.text
            value = self.settings.get(name)
            if value is not None:
                return value.text
        if which == "set":
            return None
        node = self.table.get(name)
        return None if node is None else self.default(name, node)

    def expand(self, text: str, scope: Service | None, which: Which) -> str:
        """A value with its macros expanded; raises FatalError."""
        wanted: Which = "defaults" if which == "defaults" else "all"
        result, good = self.macros.expand(
            text, lambda name: self.lookup(name, scope, wanted), self._is_raw
        )
        if not good:
            raise FatalError("macro processing error")
        return result

    def expand_settings(self, name: str, settings: dict[str, Value], dictionary: str) -> str | None:
        """The expanded value of a name where nothing but settings counts (dict_eval())."""
        value = settings.get(name)
        if value is None:
            return None
        result, good = self.macros.expand(value.text, lambda other: _text(settings.get(other)))
        if not good:
            raise FatalError(f"dictionary {dictionary}: macro processing error")
        return result

    def _is_raw(self, name: str) -> bool:
        node = self.table.get(name)
        return node is not None and node.raw

    def _compute(self, name: str) -> str:
        match name:
            case "process_id":
                return str(os.getpid())
            case "process_name":
                return PROGRAM_NAME
            case "myhostname":
                return host.host_name(lambda: self._main("mydomain"))
            case "mydomain":
                return self._domain()
            case "mynetworks":
                return host.networks(
                    self._main_or_default("inet_interfaces"),
                    self._main_or_default("mynetworks_style"),
                    self._main_or_default("inet_protocols"),
                    self.messages,
                    look_up=self._look_up,
                )
            case _:
                return ""

    def _main(self, name: str) -> str | None:
        return self.expand_settings(name, self.settings, CONFIG_DICTIONARY)

    def _main_or_default(self, name: str) -> str:
        text = None if self._defaults_only else self._main(name)
        if text is not None:
            return text
        parameter = parameters.get(name)
        default = parameter.default(self.version) if parameter is not None else None
        if self.version < (3, 0):
            return default or ""
        return self.expand(default or "", None, "defaults" if self._defaults_only else "all")

    def _domain(self) -> str:
        own = self._main("myhostname")
        if own is None:
            own = self._compute("myhostname")
        return domain_of_host(own, self.version)


def _text(value: Value | None) -> str | None:
    return None if value is None else value.text
