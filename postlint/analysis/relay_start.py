"""Why an smtpd service does not start (smtpd.c, smtpd_check.c, has_required())."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from postlint.analysis.proxymap import answers_with_errors, approved_tables
from postlint.analysis.readers import EVERYTHING, readers
from postlint.analysis.relay_session import Decision
from postlint.analysis.restrictions import CLASSES, RECIPIENT, RELAY
from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.analysis.tls import server_tls
from postlint.postfix import enums, parameters
from postlint.postfix.restrictions import LISTS
from postlint.syntax.lists import split_list
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service

_POLICY_OPTIONS = frozenset(
    {
        "default_action",
        "max_idle",
        "max_ttl",
        "policy_context",
        "request_limit",
        "retry_delay",
        "timeout",
        "try_limit",
    }
)
"""Behind the endpoint of check_policy_service (smtpd_check.c, policy_client_register())."""

_NUMBER = LazyPattern(r"[ \t\n\v\f\r]*[+-]?[0-9]+\Z")


def fatal_setting(service: Service, lists: RestrictionLists) -> Decision | None:
    """What smtpd dies of when it starts, though its restrictions are well."""
    return next(chain(_values(service), _tls(service), _proxied(service, lists)), None)


def fatal_restriction(service: Service, lists: RestrictionLists) -> Decision | None:
    """What is wrong with the restriction lists so that smtpd does not start."""
    found = chain(_classes(service, lists), _policy_servers(lists), _guard(service, lists))
    return next(found, None)


def _values(service: Service) -> Iterator[Decision]:
    """Booleans and numbers that can not be read."""
    for name in {**service.instance.settings, **dict.fromkeys(_overrides(service))}:
        parameter = parameters.get(name)
        if parameter is None or parameter.type not in ("bool", "nbool", "int", "nint", "long"):
            continue
        value = service[name]
        if not value.known or not value.explicit or value.problem is not None:
            continue
        if is_unfilled(value.text) or has_template_marks(value.text):
            continue
        version = service.version
        if not parameter.exists_in(version) or enums.get(name, version) is not None:
            continue
        if not {EVERYTHING, "smtpd"} & readers(name, service.instance):
            continue
        kind = parameter.type_in(version)
        if kind in ("bool", "nbool") and value.yes is None:
            reason = f'"{value.text}" is neither yes nor no'
        elif kind in ("int", "nint", "long") and not _NUMBER.match(value.text):
            reason = f'"{value.text}" is no number'
        else:
            continue
        yield Decision("", name, value.value_location, reason)


def _overrides(service: Service) -> Iterator[str]:
    for override in service.entry.overrides if service.entry is not None else ():
        if override.name is not None:
            yield override.name.text


def _tls(service: Service) -> Iterator[Decision]:
    tls = server_tls(service)
    if tls.mode == "fatal":
        reason = f'"{tls.cause.text}" is no TLS level of a server'
        yield Decision("", tls.cause.name, tls.cause.value_location, reason)


def _classes(service: Service, lists: RestrictionLists) -> Iterator[Decision]:
    for name in sorted(lists.classes):
        if service[name].empty:
            where = service[CLASSES].value_location
            reason = f'restriction class "{name}" has no definition'
            yield Decision(name, CLASSES, where, reason)


def _policy_servers(lists: RestrictionLists) -> Iterator[Decision]:
    for restrictions in lists:
        for members in lists.with_classes(restrictions):
            for item in members.items:
                restriction, argument = item.restriction, item.argument
                if restriction is None or restriction.name != "check_policy_service":
                    continue
                if argument is None or not argument.known:
                    continue
                if item.flaw == "bad argument":
                    reason = f'"{argument.text}" is no policy server'
                else:
                    option = _bad_option(argument.text)
                    reason = "" if option is None else f'"{option}" is no option of a policy server'
                if reason:
                    yield Decision(argument.text, members.name, argument.location, reason)


def _proxied(service: Service, lists: RestrictionLists) -> Iterator[Decision]:
    """Tables that proxymap refuses to open, of which smtpd dies."""
    if answers_with_errors(service.version):
        return
    approved = approved_tables(service.instance, "proxy_read_maps")
    for restrictions in lists:
        for members in lists.with_classes(restrictions):
            for item in members.items:
                restriction, argument = item.restriction, item.argument
                if restriction is None or restriction.argument != "table" or argument is None:
                    continue
                if item.flaw or not argument.known or not argument.text.startswith("proxy:"):
                    continue
                table = argument.text.removeprefix("proxy:")
                while table.startswith("proxy:"):
                    table = table.removeprefix("proxy:")
                if approved is not None and table not in approved:
                    reason = f"proxymap is not told to open {table}"
                    yield Decision(argument.text, members.name, argument.location, reason)


def _bad_option(text: str) -> str | None:
    """The first of the options behind a policy server in braces that smtpd does not take."""
    if not text.startswith("{"):
        return None
    inside = text.removeprefix("{").removesuffix("}")
    for start, end in islice(split_list(inside), 1, None):
        option = inside[start:end]
        name, equals, _ = option.strip("{} \t\r\n").partition("=")
        if not equals or name.strip() not in _POLICY_OPTIONS:
            return option
    return None


def _guard(service: Service, lists: RestrictionLists) -> Iterator[Decision]:
    guard, obstacles = lists.relay_guard()
    name = RELAY if LISTS[RELAY].exists_in(service.version) else RECIPIENT
    if guard == "endless":
        where = service[CLASSES].value_location
        yield Decision("", CLASSES, where, "restriction classes contain each other")
    if guard != "missing":
        return
    if obstacles:
        word = obstacles[0].element
        yield Decision(word.text, name, word.location, obstacles[0].reason)
    explicit = [service[item] for item in (RELAY, RECIPIENT) if service[item].explicit]
    where = explicit[-1].value_location if explicit else None
    yield Decision("", name, where, "no restriction stops relaying")
