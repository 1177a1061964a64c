"""Names of parameters: which ones an instance can have, who mentions them, what was meant.

As postconf(1) decides it (postconf_user.c, postconf_service.c, postconf_dbms.c): a name is used
when it is built in, belongs to a service of master.cf or to a table, is a restriction class, or
when some value mentions it as ``$name``.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.spelling import (
    Suggestion,
    by_small_letters,
    counterpart,
    edit_distance,
    looks_built_in,
    suggest,
)
from postlint.analysis.templates import is_template_line
from postlint.config.derived import once
from postlint.postfix import obsolete, parameters, restrictions, service_parameters
from postlint.postfix.services import program as known_program
from postlint.postfix.tables import split as split_table
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting

__all__ = [
    "Names",
    "Suggestion",
    "Use",
    "counterpart",
    "edit_distance",
    "explicit_settings",
    "looks_built_in",
    "names_of",
    "suggest",
    "vendor_patch",
]

Use: TypeAlias = Literal[
    "built-in",  # a parameter of this version
    "legacy",  # an old name that works because a default mentions it
    "service",  # a service parameter: smtp_destination_rate_delay
    "unlisted service",  # one for a transport whose program postconf takes for something else
    "no service",  # the shape of one, but master.cf has no such service
    "table",  # a setting of a table such as ldap:NAME
    "class",  # in smtpd_restriction_classes
    "mentioned",  # some value refers to it
    "other version",  # a parameter of another version
    "historic",  # a parameter of some version before the oldest known one
    "vendor",  # a parameter of a well-known patch
    "unused",  # nothing of the above
]

UnknownKind: TypeAlias = Literal[
    "template",  # signs of a template language, or characters that nobody sees
    "case",  # a parameter but for its capitals
    "other side",  # smtp_ for smtpd_ or the reverse
    "other",
]

_TEMPLATE_SIGNS = frozenset("{}%<>@$")
_INVISIBLE = frozenset("\ufeff\u00a0\u200b")

VENDOR_PATCHES = {
    "the VDA quota patch": frozenset(
        {
            "virtual_create_maildirsize",
            "virtual_mailbox_extended",
            "virtual_mailbox_limit_inbox",
            "virtual_mailbox_limit_maps",
            "virtual_mailbox_limit_override",
            "virtual_maildir_extended",
            "virtual_maildir_filter",
            "virtual_maildir_filter_maps",
            "virtual_maildir_limit_message",
            "virtual_maildir_limit_message_maps",
            "virtual_maildir_suffix",
            "virtual_overquota_bounce",
            "virtual_trash_count",
            "virtual_trash_name",
        }
    ),
    "the Postfix of Mac OS X": frozenset(
        {
            "enable_server_options",
            "mydomain_fallback",
            "smtpd_pw_server_security_options",
            "smtpd_use_pw_server",
            "use_getpwnam_ext",
            "use_od_delivery_path",
        }
    ),
}
"""Who added the parameters that stock Postfix never had."""

_MENTION = LazyPattern(r"\$(?:[({][ \t\r\n]*)?([A-Za-z0-9_]+)")

_TIME_LIMIT = "_time_limit"
_HAVE_TIME_LIMITS = frozenset({"pipe", "spawn"})
"""The programs that read a time limit of their own."""

_DELIVERY_AGENTS = frozenset(
    {"discard", "error", "lmtp", "local", "pipe", "retry", "smtp", "virtual"}
)
"""The programs of Postfix that the queue manager hands mail to."""

SUGGESTION_LIMIT = 2_000
"""Names per run for which a likely meaning is looked up: more than that is no typing error."""

SIMILAR_SERVICE_LIMIT = 200
"""Services among which one of nearly the same name is looked for."""


class Names:
    """The names of one instance."""

    __slots__ = (
        "_commands",
        "_kinds",
        "_mentioned",
        "_mentioned_anywhere",
        "_own",
        "_service_names",
        "_suggestions",
        "_transports",
        "_uses",
        "_with_time_limit",
        "_words",
        "classes",
        "instance",
        "services",
        "tables",
    )

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.services = tuple((service.name, service.program) for service in instance.services)
        self._service_names = frozenset(service for service, _ in self.services)
        self._commands = frozenset(
            (
                found.name,
                found.program if found.entry is None else found.entry.field("command").text,
            )
            for found in instance.services
        )
        self._transports = frozenset(
            service
            for service, program in self.services
            if program in _DELIVERY_AGENTS or known_program(program, instance.version) is None
        )
        self._with_time_limit = frozenset(
            service for service, program in self.services if program in _HAVE_TIME_LIMITS
        )
        self.classes = frozenset(_classes(instance))
        mentioned: dict[Service | None, set[str]] = {}
        for service, setting in explicit_settings(instance):
            if "$" in setting.text:
                mentioned.setdefault(service, set()).update(_MENTION.findall(setting.text))
        same: dict[frozenset[str], frozenset[str]] = {}  # most services mention the same
        self._mentioned = {
            service: same.setdefault(names, names)
            for service, names in zip(mentioned, map(frozenset, mentioned.values()), strict=True)
        }
        self._mentioned_anywhere = frozenset[str]().union(*same)
        self.tables = _table_names(instance)
        self._suggestions: dict[str, Suggestion | None] = {}
        self._kinds: dict[str, UnknownKind] = {}
        self._uses: dict[str, Use] = {}
        self._words: set[str] | None = None
        self._own: list[str] | None = None

    def mentioned(self, name: str, service: Service | None = None) -> bool:
        """Whether a value refers to ``$name``; for an override one of main.cf or of its service."""
        if service is None:
            return name in self._mentioned_anywhere
        return any(name in self._mentioned.get(place, ()) for place in (None, service))

    def use(self, name: str, service: Service | None = None) -> Use:
        """What a name is to this instance; ``service`` for one in an override."""
        if service is not None:
            return self._use(name, service)
        found = self._uses.get(name)
        if found is None:
            found = self._uses[name] = self._use(name, None)
        return found

    def _use(self, name: str, service: Service | None) -> Use:
        version = self.instance.version
        parameter = parameters.get(name)
        if parameter is not None and parameter.exists_in(version):
            return "built-in"
        if parameter is not None and parameter.legacy_in(version):
            return "legacy"
        if name in self.classes:
            return "class"
        if self.mentioned(name, service):
            return "mentioned"
        if service_parameters.database_parameter(name, self.tables.get(name.partition("_")[0], ())):
            return "table"
        if parameter is None and service_parameters.match_service_parameter(name) is not None:
            if not self.has_service(name):
                return "no service"
            return "service" if self._is_listed(name) else "unlisted service"
        return self._foreign(name)

    def _foreign(self, name: str) -> Use:
        if parameters.is_known(name):
            return "other version"
        if obsolete.get(name) is not None:
            return "historic"
        return "vendor" if vendor_patch(name) is not None else "unused"

    def has_service(self, name: str) -> bool:
        """Whether a service parameter is read: the queue manager asks for every transport."""
        if not self.instance.whole_master_cf:
            return True
        return any(
            name.removesuffix(suffix)
            in (self._with_time_limit if suffix == _TIME_LIMIT else self._transports)
            for suffix in service_parameters.SERVICE_PARAMETERS
            if name.endswith(suffix)
        )

    def _is_listed(self, name: str) -> bool:
        """Whether postconf(1) knows a service parameter: by the words of the command fields."""
        instance = self.instance
        matched = service_parameters.match_service_parameter(name)
        if matched is None or not instance.whole_master_cf:
            return True
        commands = (
            (service, command) for service, command in self._commands if service == matched[0]
        )
        return service_parameters.is_service_parameter(name, commands, instance.version)

    def right_case(self, name: str) -> str | None:
        """The parameter of this version that a name is but for its capitals."""
        version = self.instance.version
        for known in (name.lower(), by_small_letters(version).get(name.lower(), "")):
            if known != name and parameters.is_known(known, version):
                return known
        return None

    def unknown_kind(self, setting: Setting) -> UnknownKind:
        """What a name that nothing uses looks like."""
        name = setting.name
        found = self._kinds.get(name)
        if found is None:
            found = self._kinds[name] = self._unknown_kind(name, setting.text)
        return found

    def _unknown_kind(self, name: str, value: str) -> UnknownKind:
        if not _INVISIBLE.isdisjoint(name):
            return "template"
        if not _TEMPLATE_SIGNS.isdisjoint(name) and is_template_line(f"{name} = {value}"):
            return "template"
        if self.right_case(name) is not None:
            return "case"
        return "other" if counterpart(name, self.instance.version) is None else "other side"

    def as_word(self, name: str) -> bool:
        """Whether a name stands as a word in a list of restrictions, as a class would."""
        if self._words is None:
            self._words = set(_restriction_words(self))
        return name in self._words

    def similar_service(self, name: str) -> str | None:
        """A service with nearly this name."""
        if len(self._service_names) > SIMILAR_SERVICE_LIMIT:
            return None
        near = []
        for service in self._service_names - {name}:
            if len(service) < 4:
                continue
            same_words = sorted(service.split("-")) == sorted(name.split("-"))
            distance = 0 if same_words else edit_distance(name, service, 2)
            if distance is not None:
                near.append((distance, service))
        return min(near)[1] if near else None

    def nearest_defined(self, name: str) -> str | None:
        """The name with a value, the user's own included, that a mention probably means."""
        suggestion = self.suggest(name)
        if suggestion is not None and suggestion.close:
            return suggestion.name
        if len(self._suggestions) >= SUGGESTION_LIMIT:
            return None
        limit = 2 if len(name) >= 8 else 1
        near = []
        for own in self._own_names():
            distance = edit_distance(name, own, limit)
            if distance is not None:
                near.append((distance, own))
        return min(near)[1] if near else None

    def _own_names(self) -> list[str]:
        """The names that users invented, the first of very many."""
        if self._own is None:
            own = (name for name in self.instance.settings if not parameters.is_known(name))
            self._own = list(islice(own, SUGGESTION_LIMIT // 10))
        return self._own

    def suggest(self, name: str) -> Suggestion | None:
        """The parameter of this version that was probably meant."""
        if name not in self._suggestions:
            if len(self._suggestions) >= SUGGESTION_LIMIT:
                return None
            self._suggestions[name] = suggest(name, self.instance.version)
        return self._suggestions[name]


@once
def names_of(instance: Instance) -> Names:
    """The names of an instance, found out once."""
    return Names(instance)


@once
def explicit_settings(instance: Instance) -> tuple[tuple[Service | None, Setting], ...]:
    """Every setting that counts: those of main.cf (service None), then the overrides.

    Not those that are too long to be looked at: SYN009 tells of them.
    """
    return tuple(item for item in every_setting(instance) if item[1].limit is None)


def every_setting(instance: Instance) -> Iterator[tuple[Service | None, Setting]]:
    """Those that are too long, too."""
    for setting in instance.settings.values():
        yield None, setting
    for service in instance.services:
        if service.entry is None:
            continue
        seen = set()
        for override in service.entry.overrides:
            if override.name is not None and override.name.text not in seen:
                seen.add(override.name.text)
                found = service.explicit(override.name.text)
                if found is not None:
                    yield service, found


def vendor_patch(name: str) -> str | None:
    """The patch that brought a parameter; None for anything else."""
    return next((patch for patch, names in VENDOR_PATCHES.items() if name in names), None)


def _classes(instance: Instance) -> Iterator[str]:
    """The names in smtpd_restriction_classes, of main.cf and of every service."""
    name = "smtpd_restriction_classes"
    values: list[Effective] = [instance.main[name]]
    values += [service[name] for service in instance.services if service.overrides(name)]
    for value in values:
        for element in value.elements():
            if element.known:
                yield element.text


def _restriction_words(names: Names) -> Iterator[str]:
    """The words of all restriction lists and classes."""
    for _, setting in explicit_settings(names.instance):
        if setting.name in restrictions.LISTS or setting.name in names.classes:
            yield from re.split(r"[, \t\r\n]+", setting.text)


def _table_names(instance: Instance) -> dict[str, list[tuple[str, str]]]:
    """Tables with settings in main.cf (``ldap:NAME``), by the first word of their names."""
    found: dict[str, list[tuple[str, str]]] = {}
    for _, setting in explicit_settings(instance):
        if ":" not in setting.text or not any(
            kind in setting.text for kind in service_parameters.DATABASE_SUFFIXES
        ):
            continue
        for word in re.split(r"[, \t\r\n{}]+", setting.text):
            _, kind, prefix = split_table(word)
            if kind in service_parameters.DATABASE_SUFFIXES and prefix[:1] not in ("", "/", "."):
                tables = found.setdefault(prefix.partition("_")[0], [])
                if (kind, prefix) not in tables:
                    tables.append((kind, prefix))
    return found
