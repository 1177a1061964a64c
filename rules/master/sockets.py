"""MST014, MST017: where services can be reached, and by whom."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.analysis.roles import is_public
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import program, stock_services
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting
    from postlint.postfix.versions import PostfixVersion

_DELIVERY = frozenset({"discard", "error", "lmtp", "local", "pipe", "smtp", "virtual"})
"""Programs that the queue manager talks to, always through the private folder."""

_SOCKET = LazyPattern(r"(?<![A-Za-z0-9_.-])(private|public)/([A-Za-z0-9_.-]+)")

_FOR_CLIENTS = frozenset({"postscreen", "qmqpd", "smtpd", "spawn"})
"""Programs that are made for clients on the network."""


@rule("MST014", severity=Severity.ERROR, tags=("CWE-732",))
def private_flags(instance: Instance) -> Iterator[Finding]:
    """A service puts its socket where nobody looks for it.

    Why: The private field says in which folder of the queue directory the socket is. Postfix
        looks for each of its services in one of the two only: commands such as postqueue reach
        the public ones, everything else is private. In the other folder a service is not found,
        and whoever needs it waits and tries again.
    Fix: Write what the stock master.cf has.
    Bad:
        --- master.cf
        pickup unix - - n 60 1 pickup
    Good:
        --- master.cf
        pickup unix n - n 60 1 pickup
    References: master(5), postdrop(1), postqueue(1)
    """
    if instance.master_cf is None:
        return
    stock = _stock(instance.version)
    mentioned = _sockets(instance)
    for service in instance.services:
        entry = service.entry
        if entry is None or service.type == "inet" or entry not in filled_in(instance):
            continue
        field = entry.field("private")
        if field.text not in ("y", "n", "-"):
            continue
        here = "public" if field.text == "n" else "private"
        expected = stock.get((service.name, service.program))
        if expected is not None:
            right = "public" if expected == "n" else "private"
            clients = f"clients look for {service.name} in"
        elif service.program in _DELIVERY and program(service.program, instance.version):
            right = "private"
            clients = "the queue manager looks for transports in"
        else:
            used = mentioned.get(service.name, {})
            if here in used or not used:
                continue
            right, setting = next(iter(used.items()))
            yield _finding(service, here, f"{setting.name} looks for it in", right, setting)
            continue
        if here != right:
            yield _finding(service, here, clients, right, None)


@cache
def _stock(version: PostfixVersion) -> dict[tuple[str, str], str]:
    """The private field of services and their programs as shipped."""
    return {
        (known.name, known.program): known.private
        for commented in (True, False)
        for known in stock_services(version, commented=commented)
        if known.type != "inet"
    }


def _finding(
    service: Service, here: str, clients: str, right: str, setting: Setting | None
) -> Finding:
    assert service.entry is not None
    location = service.entry.field("private").location
    related: tuple[Related, ...] = ()
    if setting is not None and setting.location is not None:
        related = (Related(f"names {right}/{service.name}", setting.location),)
    edit = Edit(location, "n" if right == "public" else "-")
    return Finding(
        location,
        f"the socket is in {here}/, but {clients} {right}/",
        service=service.label,
        related=related,
        fix=Fix(f"make it {right}", (edit,), "safe" if setting is None else "unsafe"),
    )


def _sockets(instance: Instance) -> dict[str, dict[str, Setting]]:
    """Service name -> folder -> the setting that looks for the socket there."""
    found: dict[str, dict[str, Setting]] = {}
    scopes = [list(instance.settings.values())]
    scopes += [
        [setting for name in _overridden(service) if (setting := service.explicit(name))]
        for service in instance.services
    ]
    for settings in scopes:
        for setting in settings:
            if "private/" in setting.text or "public/" in setting.text:
                for match in _SOCKET.finditer(setting.text):
                    found.setdefault(match[2], {}).setdefault(match[1], setting)
    return found


def _overridden(service: Service) -> Iterator[str]:
    for override in service.entry.overrides if service.entry is not None else ():
        if override.name is not None:
            yield override.name.text


@rule("MST017", severity=Severity.ERROR, security=8.1, tags=("CWE-668",))
def inet_public_helper(instance: Instance) -> Iterator[Finding]:
    """A service that only Postfix itself should talk to listens on the network.

    Why: The daemons behind smtpd trust whoever talks to them: cleanup takes mail from anybody to
        anybody, delivery agents deliver what they are told, proxymap reads tables. There is no
        login and no check of addresses.
    Fix: Make it a unix service.
    Bad:
        --- master.cf
        10026 inet n - n - 0 cleanup
    Good:
        --- master.cf
        cleanup unix n - n - 0 cleanup
    References: master(5), cleanup(8), OVERVIEW
    """
    for service in instance.services:
        if service.entry is None or service.type != "inet" or service.program in _FOR_CLIENTS:
            continue
        daemon = program(service.program, instance.version)
        if daemon is None or "inet" not in daemon.types:
            continue
        public = is_public(service)
        where = "on the network" if public else "on loopback" if public is False else "on a port"
        who = "anybody" if public else "any local user" if public is False else "whoever reaches it"
        yield Finding(
            service.entry.field("type").location,
            f"{daemon.name} listens {where} and obeys {who}",
            severity=None if public else Severity.WARNING,
            service=service.label,
        )
