"""RTE001, RTE002 and RTE009: next hops that are misspelled, lead back here or need the DNS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postlint.analysis.access_tables import access_table
from postlint.analysis.nexthops import destination, next_hop, next_hops, next_hops_of
from postlint.analysis.roles import port
from postlint.config.effective import Element
from postlint.lint.edits import replace_value
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.nexthops import NextHop
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.config.service import Service

_TRANSPORTS: Final = ("default_transport", "relay_transport")
_HOST_NAME: Final = LazyPattern(
    r"(?:e-?mail|e?-?smtps?|mx|mta|relay|outbound|smarthost|mailhost|mailgate|mailgw|mailout|"
    r"mailrelay|smtprelay|submission|exchange)[0-9]*(?:-[a-z0-9-]*)?\.[^.]+\.[^.]+"
)
_OWN_NAME: Final = LazyPattern(
    r"\[?(?:\$myhostname|\$\{myhostname\}|\$\(myhostname\))\]?(?::25|:smtp)?\Z"
)
_SMTP_PORT: Final = 25
_SEVERAL_SINCE: Final = (3, 5)


class _Hop(NamedTuple):
    """A next hop, and the setting that names it."""

    value: Effective
    hop: NextHop


@rule("RTE001", severity=Severity.WARNING, tags=("STANDARD_CONFIGURATION_README",))
def relayhost_form(instance: Instance) -> Iterator[Finding]:
    """A relay host is spelled so that Postfix can not read it or takes it for a mail domain.

    Why: A name without brackets is a domain to Postfix: it asks the DNS for the domain's MX hosts
        and sends there. For a provider's submission host that is another server or none. What is
        no host at all, such as one with a transport before it, stops every smtp process with a
        fatal error while the mail waits in the queue.
    Fix: Write [host] or [host]:port. The keys of smtp_sasl_password_maps and smtp_tls_policy_maps
        must then be spelled with the brackets too.
    Bad:
        relayhost = smtp.example.com:587
    Good:
        relayhost = [smtp.example.com]:587
    References: postconf(5) relayhost, src/util/host_port.c, src/smtp/smtp_connect.c
    """
    for found in _relay_hosts(instance):
        hop = found.hop
        location = hop.element.location or found.value.value_location
        if location is None or not hop.element.known:
            continue
        if hop.problem is not None:
            severity, message = Severity.ERROR, _unreadable(found)
            fix = _without_transport(found)
        else:
            reason = _meant_as_host(instance, hop)
            if reason is None:
                continue
            severity = Severity.WARNING
            message = (
                f'{found.value.name} "{hop.text}" has no brackets: Postfix {reason}, '
                "if there are any"
            )
            fix = _bracketed(hop)
        yield Finding(location, message, severity=severity, parameter=found.value.name, fix=fix)
    yield from _several(instance)


def _relay_hosts(instance: Instance) -> Iterator[_Hop]:
    """The next hops for mail to others: relay hosts, and transports of the SMTP client."""
    for name in ("relayhost", "smtp_fallback_relay"):
        value = instance.main[name]
        if value.explicit and value.problem is None:
            for hop in next_hops(value):
                yield _Hop(value, hop)
    for name in _TRANSPORTS:
        value = instance.main[name]
        target = destination(value) if value.explicit else None
        if target is None or not target.nexthop.text or not target.known:
            continue
        if _smtp_client(instance, target.transport) is not None:
            for hop in next_hops_of(target):
                yield _Hop(value, hop)


def _unreadable(found: _Hop) -> str:
    hop, name = found.hop, found.value.name
    start = f'{name} "{hop.text}"'
    if name == "relayhost" and re.match(r"(?:smtps?|lmtp|relay):", hop.text):
        return f"{start} takes no transport before the host: smtp stops with a fatal error"
    return f'{start} is no next hop: smtp stops with "{hop.problem}" and mail stays in the queue'


def _without_transport(found: _Hop) -> Fix | None:
    text, location = found.hop.text, found.hop.element.location
    rest = text.partition(":")[2]
    if location is None or not rest.startswith("[") or next_hop(Element(rest, location)).problem:
        return None
    return Fix(f"write {rest}", (Edit(location, rest),), "unsafe")


def _bracketed(hop: NextHop) -> Fix | None:
    location = hop.element.location
    if location is None:
        return None
    text = f"[{hop.host}]:{hop.port}" if hop.port else f"[{hop.host}]"
    return Fix(f"write {text}", (Edit(location, text),), "unsafe")


def _meant_as_host(instance: Instance, hop: NextHop) -> str | None:
    """What Postfix does with a name that must be a host and no mail domain."""
    if hop.bracketed or hop.is_address or hop.is_loopback or not _asks_for_mx(instance.main):
        return None
    if hop.port and hop.port_number() != _SMTP_PORT:
        return f"connects to port {hop.port} of the MX hosts of {hop.host}"
    if _HOST_NAME.match(hop.host.lower()):
        return "takes this host for a mail domain and sends to its MX hosts"
    return None


def _several(instance: Instance) -> Iterator[Finding]:
    value = instance.main["relayhost"]
    hops = next_hops(value) if value.explicit else ()
    location = value.value_location
    if len(hops) > 1 and location is not None and instance.version < _SEVERAL_SINCE:
        yield Finding(
            location,
            f"relayhost names {len(hops)} hosts: before Postfix 3.5 smtp stops with a fatal error",
            severity=Severity.ERROR,
            parameter="relayhost",
        )


@rule("RTE002", severity=Severity.ERROR, tags=("CWE-835",))
def mail_loop(instance: Instance) -> Iterator[Finding]:
    """A next hop is this host itself.

    Why: Postfix refuses to send mail to itself on port 25: "loops back to myself". On other ports
        it does not notice, and each message goes round until it has too many Received: headers.
        With a relayhost that equals myhostname no Postfix program starts at all.
    Fix: Name the other server, or the port of a service that does not send mail the same way
        again. To deliver mail yourself leave relayhost empty.
    Bad:
        relayhost = [127.0.0.1]
    Good:
        relayhost = [192.0.2.25]
    References: postconf(5) relayhost, FILTER_README, src/global/mail_params.c
    """
    yield from _same_name(instance)
    for found in _relay_hosts(instance):
        reason = _leads_back(instance, found.hop, found.value)
        if reason is not None:
            yield _loop(found.value, found.hop, reason)
    yield from _routed_back(instance)
    seen = set()
    scopes: list[Scope] = [instance.main, *instance.services_running("smtpd")]
    for scope in scopes:
        value = scope["content_filter"]
        target = destination(value) if value.explicit else None
        if target is None or not target.known or (place := value.location) is None:
            continue
        client = _smtp_client(instance, target.transport)
        if client is None or (place.path, place.span) in seen or not target.nexthop.text:
            continue
        seen.add((place.path, place.span))
        for hop in next_hops_of(target):
            reason = _leads_back(instance, hop, value)
            if reason is not None:
                yield _loop(value, hop, reason)


def _routed_back(instance: Instance) -> Iterator[Finding]:
    """Entries of transport tables with this host as the next hop of the SMTP client."""
    value = instance.main["transport_maps"]
    if not instance.services:
        return
    for element in value.elements():
        for entry in access_table(instance, element).entries:
            location = entry.location or element.location
            transport, _, text = entry.value.strip().partition(":")
            if entry.filled_in or not text or location is None:
                continue
            if _smtp_client(instance, transport) is None:
                continue
            hop = next_hop(Element(text, location))
            reason = _leads_back(instance, hop, value)
            if reason is not None:
                yield _loop(value, hop, reason)


def _same_name(instance: Instance) -> Iterator[Finding]:
    relayhost, myhostname = instance.main["relayhost"], instance.main["myhostname"]
    location = relayhost.value_location
    if location is None:
        return
    text = relayhost.text.strip()
    same = relayhost.known and myhostname.known and text.lower() == myhostname.text.strip().lower()
    written = _OWN_NAME.match(relayhost.setting.text) is not None
    if same or (written and relayhost.setting.text.startswith("$")):
        message = "relayhost is the same as myhostname: no Postfix program will start"
    elif written or _is_named(relayhost, myhostname):
        message = "relayhost is myhostname: mail loops back to this host"
    else:
        return
    where = myhostname.value_location
    related = () if where is None else (Related("the name of this host", where),)
    yield Finding(location, message, parameter="relayhost", related=related)


def _is_named(relayhost: Effective, myhostname: Effective) -> bool:
    """Whether a next hop is port 25 of the host that myhostname names."""
    name = myhostname.text.strip().lower()
    return myhostname.known and any(
        hop.element.known and hop.host.lower() == name and hop.port_number() == _SMTP_PORT
        for hop in next_hops(relayhost)
    )


def _loop(value: Effective, hop: NextHop, reason: tuple[str, Service | None]) -> Finding:
    location = hop.element.location or value.value_location
    if location is None:
        raise ValueError(value.name)
    consequence, service = reason
    place = None if service is None else service.location
    related = () if place is None else (Related("the service that listens there", place),)
    return Finding(
        location,
        f'{value.name} "{hop.text}" is this host: {consequence}',
        parameter=value.name,
        related=related,
    )


def _leads_back(
    instance: Instance, hop: NextHop, value: Effective
) -> tuple[str, Service | None] | None:
    """What becomes of mail for a next hop that is the host itself; None when it is another."""
    if hop.problem is not None or not hop.element.known:
        return None
    number = hop.port_number()
    listening = _listens_on_loopback(instance, hop.host)
    own = listening and hop.host.lower() in ("127.0.0.1", "::1", "localhost")
    if number == _SMTP_PORT and (own or _is_own_address(instance, hop.host)):
        return "smtp does not deliver it, mail loops back to myself", None
    if not listening:
        return None
    for service in instance.services_running("smtpd"):
        if service.type != "inet" or service.entry is None or port(service) != number:
            continue
        if not _on_loopback(service, hop.host):
            continue
        again = service["content_filter"]
        if value.name == "content_filter" and again.text.strip() != value.text.strip():
            continue
        if value.name != "content_filter" and again.empty is not True:
            continue
        return f"{service.label} sends it there again, until it has too many hops", service
    return None


def _listens_on_loopback(instance: Instance, host: str) -> bool:
    """Whether mail to an address of the loopback network comes to this Postfix."""
    name = host.lower()
    if not (name in ("::1", "localhost") or re.match(r"127\.[0-9.]+\Z", name)):
        return False
    interfaces = instance.main["inet_interfaces"]
    if interfaces.word() == "all":
        return True
    words = {element.text.lower().strip("[]") for element in interfaces.elements()}
    return bool(words & {"loopback-only", "127.0.0.1", "localhost", "::1"}) and not (
        name.startswith("127.") and name != "127.0.0.1"
    )


def _on_loopback(service: Service, host: str) -> bool:
    """Whether a service listens on an address of the loopback network."""
    address = service.name.rpartition(":")[0].strip("[]").lower()
    return address in ("", "0.0.0.0", "localhost", host.lower()) or (  # noqa: S104
        host.lower() == "localhost" and address in ("127.0.0.1", "::1")
    )


def _is_own_address(instance: Instance, host: str) -> bool:
    """Whether an address is one that inet_interfaces names."""
    hosts = {
        element.text.lower().strip("[]") for element in instance.main["inet_interfaces"].elements()
    }
    return host.lower() in hosts - {"all", "loopback-only"}


def _smtp_client(instance: Instance, transport: str) -> Service | None:
    """The smtp service behind the name of a transport."""
    for service in instance.services_running("smtp"):
        if service.name == transport and service.type != "inet":
            return service
    return None


def _asks_for_mx(scope: Scope) -> bool:
    """Whether the SMTP client looks MX hosts up."""
    level = scope["smtp_dns_support_level"]
    if level.empty is False:
        return level.word() != "disabled"
    return scope["disable_dns_lookups"].yes is not True


@rule("RTE009", severity=Severity.ERROR)
def unbracketed_dns_off(instance: Instance) -> Iterator[Finding]:
    """The SMTP client must not use the DNS, yet has to find the servers of every domain.

    Why: Without DNS lookups the domain of an address is taken for a host name and looked up with
        the system's means. MX records do not count: mail goes to the domain's web server or
        bounces because the name has no address.
    Fix: Turn the lookups off only for services that feed a filter or a fixed relay, with -o in
        master.cf, or set relayhost to a host in brackets.
    Bad:
        disable_dns_lookups = yes
    Good:
        disable_dns_lookups = yes
        relayhost = [192.0.2.25]
    References: postconf(5) smtp_dns_support_level, postconf(5) disable_dns_lookups
    """
    target = destination(instance.main["default_transport"])
    if target is None or not target.known or target.nexthop.text:
        return
    for name in ("relayhost", "transport_maps", *_SENDER_ROUTES):
        if instance.main[name].empty is not True:
            return
    service = _smtp_client(instance, target.transport)
    if service is None or _asks_for_mx(service):
        return
    level, old = service["smtp_dns_support_level"], service["disable_dns_lookups"]
    value = level if level.empty is False else old
    location = value.value_location
    if location is None:
        return
    edit = replace_value(value.setting, "enabled" if value is level else "no")
    yield Finding(
        location,
        f"{value.name} = {value.text}, and there is no relayhost: smtp can not look up MX hosts "
        "and mail to other domains fails",
        parameter=value.name,
        service=service.label,
        fix=None if edit is None else Fix("let smtp use the DNS", (edit,), "unsafe"),
    )


_SENDER_ROUTES: Final = (
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
)
