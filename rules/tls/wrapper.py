"""TLS: ports where TLS begins with the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import next_hops
from postlint.analysis.roles import port
from postlint.analysis.templates import has_control_lines
from postlint.analysis.tls import server_tls, tls_of
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

from .words import override_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls import ClientTls
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_SMTPS = 465
_STARTTLS_PORTS = (25, 587)
_ROUTES = frozenset(
    {
        "content_filter",
        "default_transport",
        "relay_transport",
        "sender_dependent_default_transport_maps",
        "sender_dependent_relayhost_maps",
        "transport_maps",
        "virtual_transport",
    }
)
"""What may name next hops besides relayhost."""


@rule("TLS022", programs=("smtpd",), severity=Severity.ERROR)
def wrappermode_mismatch(service: Service) -> Iterator[Finding]:
    """A server speaks TLS from the first byte on the wrong port, or does not on port 465.

    Why: One side waits for a greeting, the other for a handshake; the connection hangs until
        somebody gives up. On port 25 no mail comes in at all.
    Fix: Set smtpd_tls_wrappermode=yes with -o for port 465 only; ports 25 and 587 use STARTTLS.
    Bad:
        smtpd_tls_security_level = may
        --- master.cf
        smtps inet n - n - - smtpd
    Good:
        smtpd_tls_security_level = may
        --- master.cf
        smtps inet n - n - - smtpd
          -o smtpd_tls_wrappermode=yes
    References: TLS_README, postconf(5) smtpd_tls_wrappermode, RFC 8314 section 3.3
    """
    if service.type != "inet":
        return
    number = port(service)
    wrapper = service["smtpd_tls_wrappermode"]
    if number == _SMTPS and wrapper.yes is False and service.location is not None:
        if server_tls(service).mode in (None, "fatal"):
            return
        yield Finding(
            service.location,
            "port 465 without smtpd_tls_wrappermode=yes: clients begin with TLS and hang",
            parameter="smtpd_tls_wrappermode",
            fix=override_fix(service, "smtpd_tls_wrappermode=yes")
            if not service.overrides("smtpd_tls_wrappermode")
            else None,
        )
    location = wrapper.value_location
    if number in _STARTTLS_PORTS and wrapper.yes and location is not None:
        everywhere = wrapper.setting.origin == "main.cf"
        yield Finding(
            location,
            f"smtpd_tls_wrappermode = yes {'counts for' if everywhere else 'on'} port {number},"
            " where clients expect a greeting first",
            parameter="smtpd_tls_wrappermode",
            fix=Fix("delete this line", (delete_lines(location),), "unsafe")
            if everywhere
            else None,
        )


@rule("TLS023", severity=Severity.ERROR)
def client_wrappermode_mismatch(instance: Instance) -> Iterator[Finding]:
    """A client begins with TLS where the server does not expect it, or the reverse.

    Why: Mail stays in the queue. Without smtp_tls_wrappermode = yes the client waits for a
        greeting on port 465 that never comes; with it, and a level below encrypt, Postfix skips
        every server; and servers on port 25 do not take TLS as the first thing.
    Fix: For a relay host on port 465 set smtp_tls_wrappermode = yes and
        smtp_tls_security_level = encrypt (Postfix 3.0). Or use its port 587.
    Bad:
        relayhost = [mail.example.org]:465
        smtp_tls_security_level = encrypt
    Good:
        relayhost = [mail.example.org]:465
        smtp_tls_security_level = encrypt
        smtp_tls_wrappermode = yes
    References: TLS_README, postconf(5) smtp_tls_wrappermode
    """
    if has_control_lines(instance):
        return
    tls = tls_of(instance)
    internet = tls.internet
    relayhost = instance.main["relayhost"]
    hops = next_hops(relayhost)
    if internet is not None:
        wrapper = internet.service[f"{internet.prefix}_tls_wrappermode"]
        for hop in hops:
            number = hop.port_number()
            location = hop.element.location or relayhost.value_location
            if not hop.element.known or hop.problem is not None or location is None:
                continue
            if number == _SMTPS and wrapper.yes is not True:
                if wrapper.yes is None and instance.version >= (3, 0):
                    continue
                text = f"needs {wrapper.name} = yes"
                if instance.version < (3, 0):
                    text = f"can not be reached by Postfix {instance.version}"
                yield Finding(
                    location,
                    f"{hop.text} {text}: TLS begins with the first byte there and mail hangs",
                    parameter="relayhost",
                )
            elif number in _STARTTLS_PORTS and wrapper.yes and wrapper.value_location is not None:
                yield Finding(
                    wrapper.value_location,
                    f"{wrapper.name} = yes and {hop.text} expect different things on port {number}",
                    parameter=wrapper.name,
                    related=(Related("the next hop", location),),
                )
        location = wrapper.value_location
        if not hops and wrapper.yes and location is not None and relayhost.empty:
            yield Finding(
                location,
                f"{wrapper.name} = yes for all mail: servers on port 25 do not begin with TLS",
                parameter=wrapper.name,
            )
    for client in tls.clients:
        yield from _too_low(client, client.service)
        yield from _other_routes(client, client.service)


def _other_routes(client: ClientTls, service: Service) -> Iterator[Finding]:
    """Next hops on port 465 that do not come from relayhost."""
    wrapper = service[f"{client.prefix}_tls_wrappermode"]
    if wrapper.yes is not False or _ROUTES.isdisjoint(service.instance.settings):
        return
    from postlint.analysis.routes import routes_of

    for route in routes_of(service.instance).of(service):
        hop, location = route.hop, route.location
        if hop is None or location is None or not hop.element.known or hop.problem is not None:
            continue
        if hop.port_number() == _SMTPS and route.parameter != "relayhost":
            yield Finding(
                location,
                f"{hop.text} needs {wrapper.name} = yes for {service.label}: TLS begins with the"
                " first byte there and mail hangs",
                parameter=route.parameter,
                service=service.label,
            )


def _too_low(client: ClientTls, service: Service) -> Iterator[Finding]:
    wrapper = service[f"{client.prefix}_tls_wrappermode"]
    location = wrapper.value_location
    if not wrapper.yes or location is None or client.level not in ("none", "may"):
        return
    summary = tls_of(service.instance).policies(service)
    if not summary.complete or not set(summary.levels) <= {"none", "may"}:
        return
    place = client.cause.value_location
    yield Finding(
        location,
        f"{wrapper.name} = yes needs the level encrypt, here it is {client.level}:"
        " every server is skipped",
        parameter=wrapper.name,
        service=service.label,
        related=() if place is None else (Related("the level", place),),
    )
