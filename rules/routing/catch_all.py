"""RTE006, RTE007 and RTE010: entries and settings that take in more mail than they should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postlint.analysis.access_tables import access_table, table_in_file
from postlint.analysis.domains import CLASSES, address_class, in_earlier_class
from postlint.analysis.nexthops import destination
from postlint.analysis.table_search import entries_like
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.access_tables import AccessTable, Entry
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.lint.finding import Location

_ALIASES: Final = "virtual_alias_maps"
_MAPS: Final = (_ALIASES, "canonical_maps", "recipient_canonical_maps", "virtual_mailbox_maps")
_ANYBODY: Final = "postlint-no-such-user@elsewhere.example.net"
_TOLD: Final = 30
"""Keys of one table that are named."""

_DOMAIN_KEY: Final = LazyPattern(r'\n"?@')
_WHOLE_PART: Final = LazyPattern(r"\$(?:[0-9]+|\{[0-9]+\}|\([0-9]+\))")
_PATTERN_TABLES: Final = frozenset({"pcre", "regexp", "static"})
_TRANSPORTS: Final = {
    "default_transport": "mail to other domains",
    "relay_transport": "mail for relay_domains",
    "virtual_transport": "mail for virtual_mailbox_domains",
    "local_transport": "mail for mydestination",
}
_CLASS_OF: Final = {
    "relay_transport": "relay_domains",
    "virtual_transport": "virtual_mailbox_domains",
    "local_transport": "mydestination",
}


class _Table(NamedTuple):
    """A table that can be read, and the item of the parameter that names it."""

    element: Element
    table: AccessTable


@rule("RTE006", severity=Severity.WARNING, tags=("VIRTUAL_README", "BACKSCATTER_README"))
def catch_all(instance: Instance) -> Iterator[Finding]:
    """An address table has an entry for everybody, or entries that lead back to themselves.

    Why: With @domain as a key every name that spammers make up is a valid address. If the mail is
        then sent on, this server forwards spam; if it is turned into an address that does not
        exist, it bounces to forged senders. Aliases that lead back to each other make cleanup
        turn every message for them away.
    Fix: List the addresses that exist. For a second domain with the same users list both
        addresses of each user.
    Bad:
        myhostname = mx.example.com
        mydestination = localhost
        virtual_alias_domains = example.org
        virtual_alias_maps = inline:{ @example.org=boss@example.net }
    Good:
        myhostname = mx.example.com
        mydestination = localhost
        virtual_alias_domains = example.org
        virtual_alias_maps = inline:{ info@example.org=boss@example.net }
    References: virtual(5), canonical(5), VIRTUAL_README, BACKSCATTER_README
    """
    for parameter in _MAPS:
        for element in instance.main[parameter].elements() if instance.services else ():
            yield from _catches(instance, parameter, element)
        for found in _tables(instance, parameter):
            if found.table.kind in _PATTERN_TABLES and parameter != "virtual_mailbox_maps":
                yield from _everybody(parameter, found)
    yield from _circles(instance)
    yield from _without_addresses(instance)


def _catches(instance: Instance, parameter: str, element: Element) -> Iterator[Finding]:
    """Keys that stand for a whole domain; those that do no harm in one finding for a table."""
    harmless: tuple[str, Location, str] | None = None
    more_harmless = 0
    table = table_in_file(instance, element)
    entries: Iterable[Entry] = (
        access_table(instance, element).entries
        if table is None
        else entries_like(table, _DOMAIN_KEY)
    )
    told = 0
    last: Finding | None = None
    for entry in entries:
        domain = entry.key[1:].lower() if entry.key.startswith("@") else ""
        location = entry.location or element.location
        if not domain or entry.is_pattern or location is None:
            continue
        severity, what = _outcome(instance, parameter, entry)
        if severity == Severity.INFO:
            more_harmless += harmless is not None
            harmless = harmless or (domain, location, what)
            continue
        finding = Finding(
            location,
            f'{parameter} has "{entry.key}": any address at {domain} is accepted, {what}',
            severity=severity,
            parameter=parameter,
        )
        told += 1
        if told <= _TOLD:
            yield finding
        last = last or (finding if told > _TOLD else None)
    if last is not None:
        if told > _TOLD + 1:
            last.message = f"{told - _TOLD} more keys from here on accept any address of a domain"
        yield last
    if harmless is not None:
        domain, location, what = harmless
        more = f" and {more_harmless} more domains" if more_harmless else ""
        yield Finding(
            location,
            f'{parameter} has "@{domain}": any address at {domain}{more} is accepted, {what}',
            severity=Severity.INFO,
            parameter=parameter,
        )


def _outcome(instance: Instance, parameter: str, entry: Entry) -> tuple[Severity, str]:
    """What becomes of mail for names that nobody has."""
    targets = _words(entry.value)
    if parameter == "virtual_mailbox_maps":
        return Severity.INFO, "one mailbox gets it all"
    if parameter != _ALIASES:
        return Severity.WARNING, "every address of it becomes this one"
    if any(target.startswith("@") for target in targets):
        why = "unknown users are found out later, and bounced to forged senders"
        return Severity.WARNING, why
    if any(_is_foreign(instance, target) for target in targets):
        return Severity.WARNING, "all spam for it is sent on"
    return Severity.INFO, "one user gets it all"


def _everybody(parameter: str, found: _Table) -> Iterator[Finding]:
    """A pattern that also matches addresses of domains elsewhere."""
    answer = found.table.look_up(((_ANYBODY, False),))
    location = answer.location or found.element.location
    if answer.value is None or location is None or answer.value.lower() == _ANYBODY:
        return
    if answer.filled_in and _WHOLE_PART.fullmatch(answer.value):
        return  # most often the address itself
    yield Finding(
        location,
        f"{parameter} turns every address into {answer.value}, those of other domains too",
        parameter=parameter,
    )


def _circles(instance: Instance) -> Iterator[Finding]:
    """Aliases with one target each that lead back to the first one."""
    targets: dict[str, tuple[str, Location]] = {}
    for found in _tables(instance, _ALIASES):
        for entry in found.table.entries:
            words = _words(entry.value)
            location = entry.location or found.element.location
            if not entry.is_pattern and len(words) == 1 and location is not None:
                targets.setdefault(entry.key.lower(), (words[0].lower(), location))
    done: set[str] = set()
    for start in targets:
        way = [start]
        while way[-1] not in done and way[-1] in targets:
            done.add(way[-1])
            following = targets[way[-1]][0]
            if following in way:
                circle = way[way.index(following) :]
                if len(circle) > 1 and "@" in following:
                    yield _circle(circle, targets)
                break
            way.append(following)


def _circle(circle: list[str], targets: dict[str, tuple[str, Location]]) -> Finding:
    first = circle[0]
    return Finding(
        targets[first][1],
        f"the aliases {', '.join(circle[:3])} lead back to each other: mail for them is refused "
        'with "Alias expansion error"',
        severity=Severity.ERROR,
        parameter=_ALIASES,
        related=[Related("leads on to it", targets[name][1]) for name in circle[1:]],
    )


def _without_addresses(instance: Instance) -> Iterator[Finding]:
    """Virtual alias domains for which no readable table has an address."""
    domains = address_class(instance, "virtual_alias_domains")
    if not domains.value.explicit or not domains.known:
        return
    elements = instance.main[_ALIASES].elements()
    tables = [found.table for found in _tables(instance, _ALIASES)]
    if len(tables) != len(elements):
        return
    keys = [entry for table in tables for entry in table.entries]
    if not keys or any(entry.is_pattern for entry in keys):
        return
    known = {entry.key.lower().rpartition("@")[2] for entry in keys if "@" in entry.key}
    for item in domains.names():
        location = item.element.location or domains.value.value_location
        if item.name in known or location is None:
            continue
        if in_earlier_class("virtual_alias_domains", item.name, instance) is False:
            yield Finding(
                location,
                f'"{item.name}" is a virtual alias domain without any alias: all mail for it is '
                "refused",
                severity=Severity.INFO,
                parameter="virtual_alias_domains",
            )


@rule("RTE007", severity=Severity.ERROR, tags=("CWE-778",))
def transport_catch(instance: Instance) -> Iterator[Finding]:
    """All mail of a kind is thrown away, or a transport for all takes the local mail as well.

    Why: The discard transport says "delivered" and keeps nothing. A key of * in transport_maps
        holds for every domain that has no entry of its own, also for those that this host
        delivers to mailboxes: their mail goes to the other server, or goes round.
    Fix: Use relayhost for mail to other domains. Where * is needed give the own domains entries
        too, such as "example.com local:".
    Bad:
        default_transport = discard
    Good:
        default_transport = smtp
    References: transport(5), discard(8), postconf(5) default_transport
    """
    for parameter, what in _TRANSPORTS.items():
        value = instance.main[parameter]
        target = destination(value) if value.explicit else None
        location = value.value_location
        if target is None or not target.known or location is None:
            continue
        owner = _CLASS_OF.get(parameter)
        if owner is not None and instance.main[owner].empty is True:
            continue
        if "discard" in _programs(instance, target.transport):
            yield Finding(
                location,
                f"{parameter} = {value.text.strip()}: {what} is thrown away, and nobody is told",
                parameter=parameter,
            )
    yield from _everything_routed(instance)


def _everything_routed(instance: Instance) -> Iterator[Finding]:
    tables = _tables(instance, "transport_maps")
    for found in tables:
        for entry in found.table.entries:
            location = entry.location or found.element.location
            if entry.is_pattern or location is None:
                continue
            if entry.key == ".":
                yield Finding(
                    location,
                    'transport_maps never looks for ".": the key for everything is "*"',
                    severity=Severity.WARNING,
                    parameter="transport_maps",
                )
            transport = entry.value.partition(":")[0].strip()
            if entry.key != "*" or not transport:
                continue
            if _programs(instance, transport) & {"local", "virtual", "error"}:
                continue
            lost = _overridden(instance, [item.table for item in tables])
            if lost is not None:
                name, place = lost
                yield Finding(
                    location,
                    f'transport_maps sends "*" to {entry.value.strip()}: that takes mail for '
                    f"{name} away from this host",
                    parameter="transport_maps",
                    related=() if place is None else (Related(f"{name} is ours", place),),
                )


def _overridden(
    instance: Instance, tables: list[AccessTable]
) -> tuple[str, Location | None] | None:
    """A domain of this host that has no entry in the transport tables."""
    if len(tables) != len(instance.main["transport_maps"].elements()):
        return None
    own = instance.main["myhostname"].text.lower()
    for parameter in ("mydestination", "virtual_mailbox_domains"):
        for item in address_class(instance, parameter).names():
            if item.is_local_name or item.name == own:
                continue
            parents = [item.name]
            rest = item.name
            while "." in rest.lstrip("."):
                rest = rest.lstrip(".").partition(".")[2]
                parents += [f".{rest}", rest]
            keys = [(name, False) for name in parents]
            if all(table.look_up(keys).value is None for table in tables):
                return item.name, item.element.location
    return None


@rule("RTE010", severity=Severity.ERROR)
def append_dot_mydomain_append_at_myorigin(instance: Instance) -> Iterator[Finding]:
    """Addresses are not completed, or completed so that typing errors become addresses.

    Why: Postfix can not work with an address without a domain; append_at_myorigin must stay on.
        With append_dot_mydomain, user@exmaple becomes an address at a subdomain of the own
        domain instead of an error, and the sender waits for a bounce.
    Fix: Leave append_at_myorigin at yes, and append_dot_mydomain at no where programs do not
        send to names like host without the domain.
    Bad:
        append_at_myorigin = no
    Good:
        append_at_myorigin = yes
    References: postconf(5) append_at_myorigin, postconf(5) append_dot_mydomain
    """
    value = instance.main["append_at_myorigin"]
    location = value.value_location
    edit = replace_value(value.setting, "yes")
    if location is not None and value.yes is False:
        yield Finding(
            location,
            "append_at_myorigin = no: addresses without a domain stay without one, which Postfix "
            "does not support",
            parameter="append_at_myorigin",
            fix=None if edit is None else Fix("turn it on", (edit,), "unsafe"),
        )
    value = instance.main["append_dot_mydomain"]
    location = value.value_location
    default = instance.main.default("append_dot_mydomain")
    if location is None or value.yes is not True or default is None or default.text == "yes":
        return
    level = instance.main["compatibility_level"].text.strip().partition(".")[0]
    if level.isascii() and level.isdigit() and integer(level) >= 1:
        edit = replace_value(value.setting, "no")
        yield Finding(
            location,
            "append_dot_mydomain = yes: a domain without a dot is taken for a subdomain of "
            "mydomain, typing errors included",
            severity=Severity.INFO,
            parameter="append_dot_mydomain",
            fix=None if edit is None else Fix("turn it off", (edit,), "unsafe"),
        )


def _tables(instance: Instance, parameter: str) -> list[_Table]:
    """The tables of a parameter that can be read."""
    if not instance.services:
        return []
    found = []
    for element in instance.main[parameter].elements():
        table = access_table(instance, element)
        if table.entries:
            found.append(_Table(element, table))
    return found


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in split_list(text, braces=False)]


def _is_foreign(instance: Instance, target: str) -> bool:
    """Whether an address is certainly one of another server."""
    domain = target.rpartition("@")[2] if "@" in target else ""
    if not domain:
        return False
    return all(address_class(instance, name).contains(domain) is False for name in CLASSES)


def _programs(instance: Instance, transport: str) -> set[str]:
    """What runs a transport; its own name where master.cf does not say."""
    if instance.master_cf is None:
        return {transport}
    return {
        service.program
        for service in instance.services
        if service.name == transport and service.type != "inet"
    }
