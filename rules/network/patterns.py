"""NET002: address lists that Postfix reads otherwise than they look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.networks import UNKNOWN_NAME, addresses_of
from postlint.analysis.readers import explicit_values
from postlint.analysis.restrictions import RELAY, restriction_lists
from postlint.analysis.roles import is_public, listens_on_loopback, service_role
from postlint.analysis.shapes import ADDRESS_LISTS
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.networks import Pattern
    from postlint.analysis.readers import Explicit
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_SERVERS = ("smtpd", "postscreen", "qmqpd")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_PERMITS = frozenset({"permit", "permit_inet_interfaces", "check_client_access"})


@rule("NET002", severity=Severity.ERROR, tags=("CWE-20",))
def mynetworks_syntax(instance: Instance) -> Iterator[Finding]:
    """An address list has a pattern that Postfix can not read or that matches nobody.

    Why: An address list takes addresses and networks with a prefix length, IPv6 in brackets.
        A network that is spelled otherwise is no mistake to Postfix until a client gets as far
        as it: then the lookup fails and smtpd answers 451, to every client that no earlier
        pattern matches. Wildcards, ranges and short forms without a slash are taken for client
        names and match nobody. An IPv6 address without brackets is taken for a lookup table.
        A host name trusts whoever controls its entry in the DNS.
    Fix: Write each network as address/length with all address bits behind the length zero, as
        in 192.168.4.0/24 or [2001:db8:4::]/48.
    Bad:
        mynetworks = 127.0.0.0/8, ::1/128, 192.168.4.1/24
    Good:
        mynetworks = 127.0.0.0/8, [::1]/128, 192.168.4.0/24
    References: postconf(5) mynetworks, match_ops.c, cidr_match.c
    """
    if instance.whole_master_cf and not any(instance.services_running(*_SERVERS)):
        return
    seen = set()
    values = [item for item in explicit_values(instance) if item.setting.name in ADDRESS_LISTS]
    values.sort(key=lambda item: item.setting.name != "mynetworks")
    for item in values:
        found = addresses_of(instance, item.value)
        for pattern in found.patterns:
            location = pattern.element.location or item.value.value_location
            if pattern.element.text.startswith("#"):
                break
            if location is None or (location.path, location.span) in seen:
                continue
            finding = _judge(item, pattern)
            if finding is not None:
                seen.add((location.path, location.span))
                yield finding
    for service in instance.services_running("smtpd"):
        finding = _refuses_filtered_mail(service)
        if finding is not None:
            yield finding


def _judge(item: Explicit, pattern: Pattern) -> Finding | None:
    name = item.setting.name
    location = pattern.element.location or item.value.value_location
    if location is None:
        return None
    text = pattern.element.text
    severity, security, fix = Severity.ERROR, None, None
    if pattern.kind == "name":
        if name != "mynetworks" or pattern.negated or pattern.name == UNKNOWN_NAME:
            return None
        if pattern.name in _LOCAL_NAMES:
            severity = Severity.INFO
            message = f'"{text}" in {name} needs a name lookup; 127.0.0.0/8 and [::1]/128 do not'
        else:
            severity, security = Severity.WARNING, 4.3
            message = f'{name} trusts a name, "{text}": who controls its DNS entry may relay'
    elif not pattern.problem:
        return None
    else:
        if pattern.kind == "nobody":
            severity = Severity.WARNING
        message = f'"{text}" in {name}: {pattern.problem}; {_consequence(name, pattern)}'
        if pattern.repaired is not None and pattern.element.location is not None:
            mark = "!" * (len(text) - len(text.lstrip("!")))
            fix = Fix(
                f"write {mark}{pattern.repaired}",
                (Edit(pattern.element.location, mark + pattern.repaired),),
                "safe" if pattern.sure else "unsafe",
            )
    return Finding(
        location,
        message,
        severity=severity,
        security_severity=security,
        parameter=name,
        service=None if item.service is None else item.service.label,
        fix=fix,
    )


def _consequence(name: str, pattern: Pattern) -> str:
    if pattern.kind == "nobody":
        return "it matches no client"
    if pattern.kind == "fatal":
        program = "qmqpd" if name == "qmqpd_authorized_clients" else "smtpd"
        return f"{program} will not start"
    clients = f"IPv{pattern.family} clients" if pattern.family else "clients"
    if name == "mynetworks":
        return f"{clients} that no earlier pattern matches get a 451 from smtpd"
    return f"for {clients} the list ends here"


def _refuses_filtered_mail(service: Service) -> Finding | None:
    """A service that takes mail back from a filter, but does not trust the loopback network."""
    mynetworks = service["mynetworks"]
    location = mynetworks.value_location
    host = service.name.rpartition(":")[0]
    if (
        location is None
        or service_role(service) != "reinject"
        or is_public(service) is not False
        or not listens_on_loopback(host)
    ):
        return None
    client = "::1" if ":" in host else "127.0.0.1"
    networks = addresses_of(service.instance, mynetworks)
    if networks.decide(client, "localhost") != "no match" or networks.decide(client) != "no match":
        return None
    words = {
        item.restriction.name
        for entry in restriction_lists(service).with_classes(restriction_lists(service)[RELAY])
        for item in entry.items
        if item.restriction is not None
    }
    if "permit_mynetworks" not in words or words & _PERMITS:
        return None
    return Finding(
        location,
        f"mynetworks lacks {client}, so the service that takes mail back from a filter refuses "
        "to relay what it is given",
        severity=Severity.WARNING,
        parameter="mynetworks",
        service=service.label,
    )
