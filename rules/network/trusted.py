"""NET001: how many strangers mynetworks lets relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.access_tables import access_table
from postlint.analysis.networks import UNKNOWN_NAME, addresses_of, is_outside
from postlint.analysis.restrictions import RECIPIENT, RELAY, restriction_lists
from postlint.analysis.roles import is_public
from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import restrictions
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from postlint.analysis.networks import Network
    from postlint.analysis.restrictions import RestrictionList, RestrictionLists
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.syntax.source import Span

    Decides: TypeAlias = Literal["relaying", "checks"]

_ERROR_UP_TO = {4: 15, 6: 31}
_WARNING_UP_TO = {4: 19, 6: 47}
_INFO_UP_TO = {4: 23, 6: 47}
"""Prefix lengths: shorter ones are somebody else's networks too."""

_SHARED = {
    "10.0.0.0/8": "every private address that begins with 10",
    "172.16.0.0/12": "all private addresses from 172.16 to 172.31, those of Docker among them",
    "192.168.0.0/16": "every private address that begins with 192.168",
    "100.64.0.0/10": "the whole address space that providers share among customers",
    "fc00::/7": "every private IPv6 address",
    "fd00::/8": "every private IPv6 address",
}
_PRIVATE_MEANT = {"172": "172.16.0.0/12", "192": "192.168.0.0/16"}


class _Use(NamedTuple):
    """What permit_mynetworks decides for a service, and where it stands."""

    decides: Decides
    location: Location | None

    @property
    def related(self) -> tuple[Related, ...]:
        return () if self.location is None else (Related("permitted here", self.location),)


class _Width(NamedTuple):
    severity: Severity
    security: float | None
    what: str


@rule("NET001", severity=Severity.ERROR, security=9.8, tags=("CWE-284", "COMPATIBILITY_README"))
def mynetworks_too_wide(instance: Instance) -> Iterator[Finding]:
    """The networks that may relay without a password hold addresses that belong to others.

    Why: Clients in mynetworks pass permit_mynetworks: they may send to any domain without a
        password and skip the checks behind it. A network that is wider than the one you control
        lets strangers send through your server, and its address ends up on every block list.
    Fix: List the networks of your own machines and nothing else, 127.0.0.0/8 and [::1]/128 to
        begin with. Users elsewhere should log in.
    Bad:
        mynetworks = 127.0.0.0/8, 0.0.0.0/0
    Good:
        mynetworks = 127.0.0.0/8, [::1]/128, 192.168.4.0/24
    References: postconf(5) mynetworks, SMTPD_ACCESS_README, BASIC_CONFIGURATION_README
    """
    seen: set[tuple[str, Span]] = set()
    order: tuple[Decides, ...] = ("relaying", "checks")
    for decides in order:
        found = list(_found(instance, decides, seen))
        seen.update((finding.location.path, finding.location.span) for finding in found)
        yield from found


def _found(
    instance: Instance, decides: Decides, seen: Container[tuple[str, Span]]
) -> Iterator[Finding]:
    """What is wrong for the services where permit_mynetworks decides this."""
    for service in instance.services_running("smtpd"):
        use = None if is_public(service) is False else _use_of_mynetworks(service)
        if use is None or use.decides != decides:
            continue
        findings = _wide(service, use) if service["mynetworks"].explicit else _style(service, use)
        for finding in findings:
            if (finding.location.path, finding.location.span) not in seen:
                yield finding


def _wide(service: Service, use: _Use) -> Iterator[Finding]:
    mynetworks = service["mynetworks"]
    everybody: set[Span] = set()
    for element, network in _trusted(service, mynetworks):
        width = _unconfirmed() if network is None else _width(network)
        location = element.location or mynetworks.value_location
        if width is None or location is None or location.span in everybody:
            continue
        if network is not None and not network.prefixlen:
            everybody.add(location.span)  # static:all is every IPv6 address as well
        relays = use.decides == "relaying"
        consequence = "they may relay without a password" if relays else "no check stops them"
        yield Finding(
            location,
            f'mynetworks trusts {width.what} ("{element.text}"): {consequence}',
            severity=width.severity if relays else min(width.severity, Severity.WARNING),
            security_severity=width.security if relays else None,
            parameter="mynetworks",
            service=service.label,
            related=use.related,
        )


def _style(service: Service, use: _Use) -> Iterator[Finding]:
    style = service["mynetworks_style"]
    location = style.value_location
    word = style.word()
    if location is None or word not in ("class", "subnet"):
        return
    if word == "class":
        message = (
            "mynetworks_style = class trusts the whole class A, B or C network around each of the "
            "host's addresses: for most hosts these are networks of others"
        )
    else:
        message = (
            "mynetworks_style = subnet trusts every host on the networks of this one; in a data "
            "centre those are machines of others"
        )
    yield Finding(
        location,
        message,
        severity=Severity.ERROR if word == "class" else Severity.INFO,
        security_severity=9.8 if word == "class" else None,
        parameter="mynetworks_style",
        service=service.label,
        related=use.related,
    )


@once
def _use_of_mynetworks(service: Service) -> _Use | None:
    """Whether a service permits mynetworks, and before anything that stops relaying."""
    if not service[RELAY].explicit and not service[RECIPIENT].explicit:
        return _Use("relaying", None)  # by default, as far as a version starts with its default
    lists = restriction_lists(service)
    has_relay_list = restrictions.LISTS[RELAY].exists_in(service.version)
    deciding = RELAY if has_relay_list and service[RELAY].empty is False else RECIPIENT
    found: _Use | None = None
    for entry in lists:
        location, guarded = _permitted(lists, entry)
        if location is False:
            continue
        if entry.name == deciding and not guarded:
            return _Use("relaying", location)
        found = found or _Use("checks", location)
    return found


def _permitted(
    lists: RestrictionLists, start: RestrictionList
) -> tuple[Location | Literal[False] | None, bool]:
    """Where a list says permit_mynetworks (False: nowhere), and whether behind a guard."""
    guarded = False
    guards = restrictions.relay_guards(lists.version)
    for entry in lists.with_classes(start):
        for item in entry.items:
            name = "" if item.restriction is None else item.restriction.name
            if item.dead_after is not None:
                break
            if name == "permit_mynetworks":
                return item.element.location, guarded
            guarded = guarded or (name in guards and not item.warned)
    return False, guarded


def _trusted(service: Service, mynetworks: Effective) -> Iterator[tuple[Element, Network | None]]:
    """The networks that are trusted; None for all clients without a confirmed name."""
    found = addresses_of(service.instance, mynetworks)
    for pattern in found.patterns:
        if pattern.kind == "name" and pattern.name == UNKNOWN_NAME and not pattern.negated:
            yield pattern.element, None
        if pattern.kind == "table" and not pattern.negated:
            yield from _in_table(service, pattern.element)
    for pattern, network in found.trusted():
        yield pattern.element, network


def _in_table(service: Service, element: Element) -> Iterator[tuple[Element, Network | None]]:
    """The networks of a cidr: table that can be read; any result at all means "trusted"."""
    from ipaddress import ip_network

    table = access_table(service.instance, Element(element.text.lstrip("!"), element.location))
    if table.kind == "cidr":
        for entry in table.entries:
            if not entry.negated:
                yield Element(entry.key, entry.location), ip_network(entry.key)


def _unconfirmed() -> _Width:
    return _Width(Severity.ERROR, 9.8, "every client whose name can not be confirmed")


def _width(network: Network) -> _Width | None:
    length = network.prefixlen
    if length > _INFO_UP_TO[network.version]:
        return None
    if length == 0:
        return _Width(Severity.ERROR, 9.8, f"every IPv{network.version} address")
    shared = _SHARED.get(str(network))
    if shared is not None:
        return _Width(Severity.INFO, None, shared)
    if not is_outside(network):
        return None
    count = f"{network.num_addresses:,}" if network.version == 4 else f"2^{128 - length}"
    what = f"{count} addresses of the public Internet"
    meant = _PRIVATE_MEANT.get(str(network).partition(".")[0])
    if length <= _ERROR_UP_TO[network.version]:
        if meant is not None and length in (8, 12, 16):
            what += f", not just the private {meant}"
        return _Width(Severity.ERROR, 9.8, what)
    if length <= _WARNING_UP_TO[network.version]:
        return _Width(Severity.WARNING, 6.5, what)
    return _Width(Severity.INFO, None, what)
