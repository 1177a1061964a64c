"""Scopes: which setting a name has for main.cf as a whole or for one service."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from postlint.config.effective import UNKNOWN, Effective, Piece
from postlint.config.expansion import Expander, ExpansionError, literal
from postlint.config.limits import LimitError
from postlint.config.placeholders import is_shell_variable
from postlint.config.settings import Setting
from postlint.postfix import parameters
from postlint.postfix.host_name import domain_of_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postlint.postfix.parameters import Parameter
    from postlint.postfix.versions import PostfixVersion

_HOST_DEPENDENT = frozenset({"mydomain", "myhostname", "mynetworks", "process_id"})
"""Parameters whose default Postfix finds out on the host (mail_params.c)."""

PER_PROCESS = frozenset({"process_name", "service_name"})
"""Parameters that every process of Postfix sets itself."""

_EXPANDED_DEFAULTS: dict[
    tuple[str, PostfixVersion], tuple[Effective, dict[str, Setting | None]]
] = {}
"""Values of defaults that mention nothing but defaults, and these: they are the same everywhere."""


@cache
def _default(parameter: Parameter, version: PostfixVersion) -> Setting | None:
    """The default of a parameter; None when the version has no such parameter."""
    text = parameter.default(version)
    return None if text is None else Setting.of_default(parameter.name, text, version)


class Scope:
    """Looks settings up: overrides, then main.cf, then the defaults of a Postfix version."""

    __slots__ = (
        "_complete",
        "_deriving",
        "_effective",
        "_main",
        "_overrides",
        "version",
    )

    def __init__(
        self,
        version: PostfixVersion,
        main: Mapping[str, Setting],
        overrides: Mapping[str, Setting] | None = None,
        *,
        complete: bool = True,
    ) -> None:
        """``complete``: main.cf is known; else what no override says is unknown."""
        self._complete = complete
        self.version = version
        self._main = main
        self._overrides = overrides or {}
        self._effective: dict[str, Effective | None] = {}
        self._deriving = False

    def setting(self, name: str) -> Setting | None:
        """The setting that counts; None for a name that this version does not have either."""
        found = self._overrides.get(name) or self._main.get(name)
        return found if found is not None else self.default(name)

    def default(self, name: str) -> Setting | None:
        """The default of this version; None when it has no such parameter."""
        text = self.of_process(name)
        if text is None and name == "mydomain":
            text = self._derived_domain()
        if text is None:
            parameter = parameters.get(name)
            return None if parameter is None else _default(parameter, self.version)
        return Setting.of_default(name, text, self.version)

    def of_process(self, name: str) -> str | None:  # noqa: ARG002
        """What Postfix itself sets for the processes of this scope; None for other names."""
        return None

    def explicit(self, name: str) -> Setting | None:
        """The setting of main.cf or master.cf, if somebody wrote one."""
        return self._overrides.get(name) or self._main.get(name)

    def overrides(self, name: str) -> bool:
        """Whether this scope has an override of its own for the name."""
        return name in self._overrides

    @property
    def override_names(self) -> tuple[str, ...]:
        """The names that this scope has overrides of its own for."""
        return tuple(self._overrides)

    def get(self, name: str) -> Effective | None:
        """The effective value; None for a name that is neither set nor a parameter."""
        try:
            return self._effective[name]
        except KeyError:
            effective = self._effective[name] = self._expand(name)
            return effective

    def mentions(self, name: str) -> frozenset[str]:
        """The other names that went into a value that has been worked out."""
        effective = self._effective.get(name)
        return frozenset() if effective is None else frozenset(effective.mentions)

    def __getitem__(self, name: str) -> Effective:
        """The effective value; an unset name that is no parameter of this version is empty."""
        effective = self.get(name)
        if effective is None:
            pieces = (Piece(UNKNOWN, None),) if self._unknown(name) else ()
            return Effective(Setting.of_default(name, "", self.version), pieces)
        return effective

    def _expand(self, name: str) -> Effective | None:
        setting = self.explicit(name)
        if setting is None:
            if self._complete and (name, self.version) in _EXPANDED_DEFAULTS:
                effective, mentioned = _EXPANDED_DEFAULTS[name, self.version]
                if all(self.setting(other) is default for other, default in mentioned.items()):
                    return effective
            setting = self.default(name)
            if setting is None:
                return None
        parameter = parameters.get(name)
        if setting.limit is not None:
            return Effective(setting, (Piece(UNKNOWN, None),), limit=setting.limit)
        if parameter is not None and parameter.type == "raw":
            return Effective(setting, (Piece(setting.text, setting.value),))
        plain = literal(setting) if setting.explicit and name != "mydomain" else None
        if plain is not None:
            return Effective(setting, plain)
        asked: dict[str, Setting | None] = {}

        def lookup(mentioned: str) -> Setting | None:
            found = asked[mentioned] = self.setting(mentioned)
            return found

        try:
            effective = Effective(
                setting, Expander(self.version, lookup, self._unknown).expand(setting)
            )
        except ExpansionError as error:
            effective = Effective(setting, (Piece(UNKNOWN, None),), str(error))
        except LimitError as error:
            effective = Effective(setting, (Piece(UNKNOWN, None),), limit=str(error))
        effective.mentions = tuple(asked)
        if name == "mydomain" or "mydomain" in asked:  # it may be taken from myhostname
            effective.mentions += ("myhostname", *self.mentions("myhostname"))
        elif effective.known and all(
            map(self._is_default, (name, *asked), (setting, *asked.values()))
        ):
            _EXPANDED_DEFAULTS[name, self.version] = effective, asked
        return effective

    def _is_default(self, name: str, setting: Setting | None) -> bool:
        """Whether a setting is the one that every scope has for the name; None: it has none."""
        parameter = parameters.get(name)
        return setting is (None if parameter is None else _default(parameter, self.version))

    def _unknown(self, name: str) -> bool:
        """Whether nobody can tell the value of a name that is not set."""
        if not self._complete or name in PER_PROCESS:
            return self.of_process(name) is None
        if name == "mail_version":
            return self.version.patch is None
        if name == "mydomain" and self._derived_domain() is not None:
            return False
        return name in _HOST_DEPENDENT or is_shell_variable(name)

    def _derived_domain(self) -> str | None:
        """The default of mydomain where myhostname is set: Postfix takes it from there."""
        if self._deriving or not self._complete or self.explicit("myhostname") is None:
            return None
        self._deriving = True  # myhostname may name mydomain in turn, which Postfix refuses
        try:
            value = self.get("myhostname")
        finally:
            self._deriving = False
        if value is None or not value.known or not value.text:
            return None
        return domain_of_host(value.text, self.version)
