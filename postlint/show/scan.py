"""Which names are valid because something refers to them, and which are not (postconf_user.c)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from postlint.postfix import obsolete
from postlint.show.database import Databases
from postlint.show.engine import CONFIG_DICTIONARY, Engine
from postlint.show.names import BUILTIN, SERVICE, USER, Node, builtin_names
from postlint.show.octets import split_name_value, words
from postlint.show.reader import Value
from postlint.show.services import Service, takes_value
from postlint.syntax.master_cf import FIELD_NAMES
from postlint.syntax.value import parse_value, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from postlint.config.files import Files
    from postlint.postfix.versions import PostfixVersion

_CLASSES = "smtpd_restriction_classes"
_DEPRECATION_PAGE = "See https://www.postfix.org/DEPRECATION_README.html for details"


class Scanner:
    """Finds user-defined names, and warns of names that nobody defines or uses."""

    def __init__(self, engine: Engine, files: Files, *, warn_unused: bool = True) -> None:
        self._engine = engine
        self._version = engine.version
        self._warning = engine.messages.warning
        self._classes: set[str] = set()
        self._databases = Databases(
            engine,
            files,
            self._flag_database_parameter,
            order=self.names,
            warn_unused=warn_unused,
        )
        self._found_deprecated = False

    def names(self, settings: Iterable[str]) -> list[str]:
        """The order in which settings are looked at; that of Postfix is random."""
        return list(settings)

    def computed(self) -> list[str]:
        """The order in which defaults are worked out that come from the host; random as well."""
        return ["myhostname", "mydomain", "mynetworks"]

    def register(self) -> None:
        """Add the names that main.cf, master.cf and defaults refer to; raises FatalError."""
        self._read_overrides()
        scopes = [service for service in self._engine.services if service.settings is not None]
        if self._version >= (2, 10):
            for scope in scopes:
                self._scan(scope.settings or {}, scope)
        self._scan_defaults()
        self._scan(self._engine.settings, None)
        if self._version < (2, 10):
            for scope in scopes:
                self._scan(scope.settings or {}, scope)

    def _read_overrides(self) -> None:
        by_name_space: dict[str, dict[str, Value]] = {}
        for service in self._engine.services:
            at = len(FIELD_NAMES)
            while at < len(service.words):
                word = service.words[at]
                if not word.startswith("-") or word == "--":
                    break
                if takes_value(word, self._version) and at + 1 < len(service.words):
                    at += 1
                    if word == "-o":
                        name, text, _ = split_name_value(
                            service.words[at], name_required=self._version >= (3, 4)
                        )
                        if name is not None and text is not None:
                            settings = by_name_space.setdefault(service.name_space, {})
                            path, line = self._engine.master_path, service.lines[at]
                            settings[name] = Value(text, path, line)
                at += 1
            service.settings = by_name_space.get(service.name_space)

    def _scan_defaults(self) -> None:
        """Names in defaults; all but a few are built in and can be skipped."""
        engine = self._engine
        for name in self.computed():
            if name not in engine.settings:
                # A host name gets its domain from main.cf, where it may be written with "$$".
                self._scan_value(engine.default(name, engine.table[name]), None)
        for name, mentioned in _foreign_names(self._version):
            if name not in engine.settings:
                for other in mentioned:
                    self._flag(other, None)

    def _scan(self, settings: dict[str, Value], scope: Service | None) -> None:
        engine = self._engine
        dictionary = CONFIG_DICTIONARY if scope is None else scope.name_space
        classes = engine.expand_settings(_CLASSES, settings, dictionary)
        for name in words(classes or ""):
            if scope is None:
                self._classes.add(name)
            self._flag(name, scope)
        for name in self.names(settings):
            text = settings[name].text
            if scope is not None and name in self._classes:
                scope.valid.add(name)
            node = engine.table.get(name)
            if node is not None:
                if node.readonly:
                    self._warning(
                        f"{self._file(scope)}: read-only parameter assignment: {name}={text}"
                    )
                    del settings[name]
                    continue
                if node.legacy:
                    node = engine.table[name] = node.of(USER)
                if node.raw:
                    continue
            self._scan_value(text, scope)
            if self._version < (3, 0) or (node is not None and node.classes & (BUILTIN | SERVICE)):
                self._databases.find(self._expand_for_databases(text, scope), scope)

    def _scan_value(self, text: str, scope: Service | None) -> None:
        def mention(name: str) -> None:
            self._flag(name, scope)

        self._engine.macros.scan(text, mention)

    def _expand_for_databases(self, text: str, scope: Service | None) -> str:
        engine = self._engine
        if self._version >= (2, 10):
            return engine.expand(text, scope, "all")
        local = {} if scope is None else scope.settings or {}

        def lookup(name: str) -> str | None:
            value = local.get(name) or engine.settings.get(name)
            return None if value is None else value.text

        return engine.macros.expand(text, lookup)[0]

    def _flag_database_parameter(self, name: str, scope: Service | None) -> None:
        self._flag(name, scope, database=True)

    def _flag(self, name: str, scope: Service | None, *, database: bool = False) -> None:
        """A name that something mentions is valid if somebody sets it; else it is undefined."""
        engine = self._engine
        defined = False
        if scope is not None and scope.settings is not None and name in scope.settings:
            defined = True
            scope.valid.add(name)
        elif name in engine.settings:
            defined = True
            if name not in engine.table:
                engine.table[name] = Node(USER, "")
        if scope is None:
            for service in engine.services:
                if service.settings is not None and name in service.settings:
                    defined = True
                    service.valid.add(name)
        if not defined and not database and name not in engine.table and self._version >= (2, 10):
            self._warning(f"{self._file(scope)}: undefined parameter: {name}")

    def _file(self, scope: Service | None) -> str:
        return self._engine.main_path if scope is None else self._engine.master_path

    def warn_of_unused_main(self) -> None:
        """Settings of main.cf that nobody uses (postconf_unused.c)."""
        self._warn_of_unused(self._engine.settings, None)

    def warn_of_unused_master(self) -> None:
        """The same for the overrides of master.cf."""
        for service in self._engine.services:
            if service.settings is not None:
                self._warn_of_unused(service.settings, service)

    def _warn_of_unused(self, settings: Mapping[str, Value], scope: Service | None) -> None:
        path = self._file(scope)
        names = sorted(settings) if self._version >= (3, 11) else self.names(settings)
        for name in names:
            used = name in self._engine.table or (scope is not None and name in scope.valid)
            advice = _advice(name, self._version)
            if advice is not None:
                self._found_deprecated = True
                fate = f'"{name}" will be removed' if used else f"{name} has been removed"
                self._warning(f"{path}: support for parameter {fate}; instead, {advice}")
            elif not used:
                self._warning(f"{path}: unused parameter: {name}={settings[name].text}")

    def point_to_deprecations(self) -> None:
        """The last warning, if there were warnings about deprecated parameters (3.11)."""
        if self._found_deprecated and self._version >= (3, 11):
            self._warning(_DEPRECATION_PAGE)


def _advice(name: str, version: PostfixVersion) -> str | None:
    """What postconf says after "instead, "; None for a name without such a warning."""
    entry = obsolete.get(name)
    if entry is None or entry.postconf_advice is None or not entry.warned_in(version):
        return None
    return entry.postconf_advice


@cache
def _foreign_names(version: PostfixVersion) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names whose default mentions names that are not built in, and those names."""
    table = builtin_names(version)
    found = []
    for name, node in table.items():
        if node.raw or node.default is None or "$" not in node.default:
            continue
        mentioned = tuple(
            reference.name
            for reference in references(parse_value(node.default))
            if reference.name not in table
        )
        if mentioned:
            found.append((name, mentioned))
    return tuple(found)
