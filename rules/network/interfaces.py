"""NET006, NET007 and NET008: where the installation listens, and with which protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.analysis.domains import CLASSES, address_class
from postlint.analysis.list_use import top_of_main_cf
from postlint.analysis.networks import addresses_of, is_outside
from postlint.analysis.nexthops import destination, is_address, next_hops
from postlint.analysis.roles import is_public, service_role
from postlint.config.effective import UNKNOWN
from postlint.lint.edits import replace_value
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

Family: TypeAlias = Literal[4, 6]

_WORDS = frozenset({"all", "loopback-only"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::", "[::]", "*"})  # noqa: S104
_INTERFACE = LazyPattern(
    r"(?:lo|eth|en[opsx]|em|wlan?|wl[opsx]|br|bond|docker|venet|vmbr|tun|tap|ppp|ens)[0-9][a-z0-9:.]*"
    r"|lo|br-[0-9a-f]+"
)
_OTHER_LOOPBACK = LazyPattern(r"\[?127\.[0-9]+\.[0-9]+\.[0-9]+\]?")
_MARKS = frozenset("\"'#")
_LOCAL_LISTS = ("virtual_alias_domains", "virtual_mailbox_domains")


class _Literal(NamedTuple):
    """An address in the configuration, and what becomes of it without its protocol."""

    location: Location
    text: str
    name: str
    consequence: str
    severity: Severity
    parameter: str | None


@rule(
    "NET006",
    severity=Severity.WARNING,
    security=5.3,
    tags=("STANDARD_CONFIGURATION_README", "CIS", "CWE-668"),
)
def null_client_listens(instance: Instance) -> Iterator[Finding]:
    """A host that only sends mail takes connections from everywhere.

    Why: It has no domains of its own, no users who log in and trusts no other host: nobody but
        programs on the host itself has any use for its SMTP port. Open to the network the port
        only offers an attack surface, and a relay once a setting goes wrong.
    Fix: Set inet_interfaces = loopback-only.
    Bad:
        myhostname = web.example.com
        mydestination =
        mynetworks = 127.0.0.0/8, [::1]/128
        relayhost = [mx.example.com]
    Good:
        myhostname = web.example.com
        mydestination =
        mynetworks = 127.0.0.0/8, [::1]/128
        relayhost = [mx.example.com]
        inet_interfaces = loopback-only
    References: STANDARD_CONFIGURATION_README, postconf(5) inet_interfaces
    """
    main = instance.main
    interfaces = main["inet_interfaces"]
    if main["mydestination"].empty is not True or main["relayhost"].empty is not False:
        return
    if not _has_no_domains(instance):
        return
    servers = [
        service
        for service in instance.services_running("smtpd", "postscreen")
        if service.type == "inet" and is_public(service)
    ]
    if not servers or not all(_serves_nobody_else(service) for service in servers):
        return
    service = servers[0]
    location = interfaces.value_location or service.location or top_of_main_cf(instance)
    if location is None or service_role(service) == "other":
        return
    edit = replace_value(interfaces.setting, "loopback-only")
    relayhost = main["relayhost"].value_location
    yield Finding(
        location,
        "this host only passes its own mail on to relayhost, but its SMTP port is open to the "
        "network: inet_interfaces = loopback-only is enough",
        parameter="inet_interfaces",
        related=() if relayhost is None else (Related("all mail goes here", relayhost),),
        fix=None if edit is None else Fix("listen on loopback only", (edit,), "unsafe"),
    )


def _has_no_domains(instance: Instance) -> bool:
    for name in _LOCAL_LISTS:
        if instance.main[name].empty is not True:
            return False
    relay = instance.main["relay_domains"]
    return relay.empty is True or not relay.explicit


def _serves_nobody_else(service: Service) -> bool:
    """Whether only clients on this host may send anything through a service."""
    if service.program != "smtpd" or service["smtpd_sasl_auth_enable"].yes is not False:
        return False
    mynetworks = service["mynetworks"]
    if not mynetworks.explicit:
        style = service["mynetworks_style"]
        return style.word() == "host"
    found = addresses_of(service.instance, mynetworks)
    return (
        found.known
        and all(
            pattern.network is None
            or pattern.network.is_loopback
            or _is_mapped(str(pattern.network))
            for pattern in found.patterns
            if not pattern.negated and pattern.kind in ("network", "name", "everyone")
        )
        and not any(pattern.kind in ("name", "everyone") for pattern in found.patterns)
    )


def _is_mapped(network: str) -> bool:
    """Whether a network is that of IPv4 loopback addresses in IPv6."""
    return network.startswith(("::ffff:7f", "::ffff:127."))


@rule("NET007", severity=Severity.ERROR, tags=("IPV6_README",))
def inet_protocols(instance: Instance) -> Iterator[Finding]:
    """Addresses of an IP version that inet_protocols turns off.

    Why: With a protocol turned off Postfix knows no addresses of it. master does not start with
        such an endpoint in master.cf, no program does with one in inet_interfaces, and mail for
        a relay host of that protocol waits in the queue. A mail server without IPv4 can not
        reach most others.
    Fix: Set inet_protocols = all where the host has both, or take the addresses away.
    Bad:
        inet_protocols = ipv4
        relayhost = [2001:db8::25]
    Good:
        inet_protocols = all
        relayhost = [2001:db8::25]
    References: IPV6_README, postconf(5) inet_protocols
    """
    value = instance.main["inet_protocols"]
    if value.location is None or value.value_location is None or not value.known:
        return
    words = {element.text.lower() for element in value.elements()}
    if words not in ({"ipv4"}, {"ipv6"}):
        return
    off: Family = 6 if words == {"ipv4"} else 4
    related = (Related(f"IPv{off} is turned off here", value.value_location),)
    for item in _literals(instance, off):
        yield Finding(
            item.location,
            f'{item.name} "{item.text}" needs IPv{off}, which inet_protocols turns off: '
            f"{item.consequence}",
            severity=item.severity,
            parameter=item.parameter,
            related=related,
        )
    if off == 4 and _needs_everybody(instance):
        yield Finding(
            value.value_location,
            "inet_protocols = ipv6: most mail servers have only IPv4 addresses, mail to and from "
            "them fails",
            severity=Severity.WARNING,
            parameter="inet_protocols",
        )


def _literals(instance: Instance, family: Family) -> Iterator[_Literal]:
    """The addresses of a family that the configuration names."""
    for service in instance.services:
        host = service.name.rpartition(":")[0]
        if service.type == "inet" and service.location is not None and _is_of(host, family):
            consequence = "master will not start"
            yield _Literal(
                service.location, service.name, "the endpoint", consequence, Severity.ERROR, None
            )
    main = instance.main
    for element in main["inet_interfaces"].elements():
        if element.location is not None and _is_of(element.text, family):
            yield _literal(element, "inet_interfaces", "no Postfix program will start")
    for name in ("relayhost", "smtp_fallback_relay"):
        for hop in next_hops(main[name]) if main[name].explicit else ():
            if hop.element.location is not None and _is_of(hop.host, family):
                consequence = "mail for it waits in the queue"
                yield _literal(hop.element, name, consequence)
    bind = main["smtp_bind_address6" if family == 6 else "smtp_bind_address"]
    if bind.value_location is not None and _is_of(bind.text, family):
        consequence = "it has no effect"
        yield _Literal(
            bind.value_location, bind.text, bind.name, consequence, Severity.INFO, bind.name
        )
    if not main["mynetworks"].explicit:
        return
    networks = addresses_of(instance, main["mynetworks"])
    for pattern in networks.patterns:
        network = pattern.network
        if network is None or network.version != family or not is_outside(network):
            continue
        if pattern.element.location is not None:
            yield _literal(pattern.element, "mynetworks", "it matches no client", Severity.INFO)


def _literal(
    element: Element, name: str, consequence: str, severity: Severity = Severity.ERROR
) -> _Literal:
    if element.location is None:
        raise ValueError(element.text)
    return _Literal(element.location, element.text, name, consequence, severity, name)


def _is_of(host: str, family: Family) -> bool:
    text = host.strip().removeprefix("[").removesuffix("]")
    if text.lower().startswith("ipv6:"):
        text = text[5:]
    return is_address(text) and (":" in text) == (family == 6)


def _needs_everybody(instance: Instance) -> bool:
    """Whether mail comes from, or goes to, any server of the Internet."""
    target = destination(instance.main["default_transport"])
    if target is not None and target.transport == "smtp" and instance.main["relayhost"].empty:
        return True
    own = instance.main["myhostname"].text.lower()
    has_domains = any(
        item.name != own and not item.is_local_name
        for name in CLASSES
        if instance.main[name].explicit
        for item in address_class(instance, name).items
    )
    return has_domains and any(
        service_role(service) == "mx" and is_public(service)
        for service in instance.services_running("smtpd", "postscreen")
    )


@rule("NET008", severity=Severity.ERROR)
def interfaces_loop(instance: Instance) -> Iterator[Finding]:
    """An address to listen on, or to send from, that the host does not have or can not use.

    Why: inet_interfaces takes all or loopback-only, in small letters and alone, or addresses and
        names of the host's interfaces. With anything else no Postfix program starts. Mail to
        other hosts can not be sent from a loopback address.
    Fix: Use all, loopback-only, or addresses that the host really has. Give smtp_bind_address
        with -o to the services that talk to this host only.
    Bad:
        inet_interfaces = 127.0.1.1
    Good:
        inet_interfaces = 127.0.0.1
    References: postconf(5) inet_interfaces, postconf(5) smtp_bind_address, own_inet_addr.c
    """
    value = instance.main["inet_interfaces"]
    if value.explicit and value.known:
        elements = value.elements()
        for element in elements:
            problem = _interface_problem(element.text, alone=len(elements) == 1)
            location = element.location or value.value_location
            if problem is None or location is None or _MARKS & set(element.text):
                continue
            reason, repaired = problem
            edit = None
            if repaired and element.location is not None and len(elements) == 1:
                edit = Edit(element.location, repaired)
            yield Finding(
                location,
                f'inet_interfaces "{element.text}" {reason}: no Postfix program will start',
                parameter="inet_interfaces",
                fix=None if edit is None else Fix(f"write {repaired}", (edit,), "unsafe"),
            )
    yield from _bound_to_loopback(instance)


def _interface_problem(text: str, *, alone: bool) -> tuple[str, str] | None:
    """Why inet_interfaces can not take a word, and what was meant."""
    folded = text.lower()
    if folded in _WORDS:
        if not alone:
            return "must stand alone", ""
        return None if text in _WORDS else ("must be in small letters", folded)
    if text in _ANY_ADDRESS:
        return 'is no address of an interface; "all" listens everywhere', "all"
    if "/" in text and UNKNOWN not in text:
        return "is a network, not an address", ""
    if _INTERFACE.fullmatch(folded):
        return "is the name of an interface, not of its address", ""
    if _OTHER_LOOPBACK.fullmatch(text) and text.strip("[]") != "127.0.0.1":
        return "is an address that no interface has; that of loopback is 127.0.0.1", "127.0.0.1"
    return None


def _bound_to_loopback(instance: Instance) -> Iterator[Finding]:
    target = destination(instance.main["default_transport"])
    hops = next_hops(instance.main["relayhost"])
    if target is None or target.nexthop.text or any(hop.is_loopback for hop in hops):
        return
    for service in instance.services_running("smtp"):
        if service.name != target.transport or service.type == "inet":
            continue
        value = service["smtp_bind_address"]
        location = value.value_location
        if location is None or not value.text.strip().startswith("127."):
            continue
        yield Finding(
            location,
            f"smtp_bind_address = {value.text}: from a loopback address smtp reaches no other "
            "host, and mail stays in the queue",
            parameter="smtp_bind_address",
            service=service.label,
        )
