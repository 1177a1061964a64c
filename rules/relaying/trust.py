"""RLY: certificates, forged client addresses, wide domain lists and old relay permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import uses
from postlint.analysis.networks import is_outside
from postlint.analysis.public_authorities import anybody_has_certificate
from postlint.analysis.relay import relay_verdict
from postlint.analysis.restrictions import RECIPIENT, RELAY
from postlint.analysis.roles import is_public
from postlint.analysis.tls import server_tls
from postlint.analysis.witness import clients
from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service
    from postlint.lint.finding import Location

_LIST_MATTERS = (RELAY, RECIPIENT)


@rule(
    "RLY006",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=8.1,
    tags=("CWE-295", "CWE-284", "TLS_README"),
)
def cert_relay_too_broad(service: Service) -> Iterator[Finding]:
    """permit_tls_all_clientcerts lets holders of certificates of public authorities relay.

    Why: It permits every client whose certificate a trusted authority has signed. Where the
        public authorities are trusted, everybody can get such a certificate for nothing.
    Fix: List the fingerprints of your clients in relay_clientcerts and use
        permit_tls_clientcerts, or trust your own authority only.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_ask_ccert = yes
        smtpd_tls_CAfile = /etc/postfix/ca.pem
        tls_append_default_CA = yes
        smtpd_relay_restrictions = permit_tls_all_clientcerts, reject_unauth_destination
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_ask_ccert = yes
        relay_clientcerts = hash:/etc/postfix/relay_clientcerts
        smtpd_relay_restrictions = permit_tls_clientcerts, reject_unauth_destination
    References: postconf(5) permit_tls_all_clientcerts, TLS_README
    """
    why = anybody_has_certificate(service)
    if why is None:
        return
    name, reason = why
    silent = server_tls(service).mode == "none"
    end = ", as soon as smtpd speaks TLS" if silent else ""
    if not silent and relay_verdict(service).by_restrictions == "refused":
        return  # other restrictions refuse them all the same
    for use in uses(service):
        if use.name != "permit_tls_all_clientcerts" or use.start.name not in _LIST_MATTERS:
            continue
        location, source = use.location, service[name].value_location
        if location is None or use.item.dead_after is not None:
            continue
        related = () if source is None else (Related(reason, source),)
        yield Finding(
            location,
            f"permit_tls_all_clientcerts in {use.where}: everybody with a certificate of a public "
            f"authority may relay, because {reason}{end}",
            severity=Severity.WARNING if silent else None,
            parameter=use.start.name,
            related=related,
        )


@rule(
    "RLY007",
    programs=("smtpd", "postscreen"),
    severity=Severity.ERROR,
    security=9.1,
    tags=("CWE-290", "XCLIENT_README"),
)
def xclient_open(service: Service) -> Iterator[Finding]:
    """Clients from outside may say which client they are.

    Why: With XCLIENT or a PROXY header a client gives itself any address, one of mynetworks too,
        and then it may relay; nothing that goes by the client's address is worth anything. With
        XFORWARD it forges what is logged and what content filters see.
    Fix: Authorize only the hosts that need it, most often 127.0.0.1, and let only the proxy
        reach a port that expects PROXY headers: whether a firewall sees to that can not be seen
        here, so that such ports are only mentioned.
    Bad:
        smtpd_authorized_xclient_hosts = 0.0.0.0/0
    Good:
        smtpd_authorized_xclient_hosts = 127.0.0.1
    References: XCLIENT_README, XFORWARD_README, postconf(5) smtpd_authorized_xclient_hosts
    """
    if service.program == "smtpd":
        for name, grave in (
            ("smtpd_authorized_xclient_hosts", True),
            ("smtpd_authorized_xforward_hosts", False),
        ):
            yield from _authorized(service, name, grave=grave)
    yield from _proxied(service)


def _authorized(service: Service, name: str, *, grave: bool) -> Iterator[Finding]:
    value = service[name]
    if value.empty is not False or not value.explicit or is_public(service) is False:
        return
    for pattern, network in destinations_of(service.instance).networks(service, name).trusted():
        if not is_outside(network):
            continue
        wide = network.prefixlen < (24 if network.version == 4 else 48)
        if not wide:
            continue
        location = pattern.element.location or value.value_location
        if location is None:
            continue
        yield _forgers(name, str(network), location, grave=grave)
        return
    strangers = [
        address
        for addresses in clients(service)
        for address in addresses
        if destinations_of(service.instance).trusted(service, address, name) is True
    ]
    if len(strangers) > 1 and value.value_location is not None:  # by a table
        yield _forgers(name, " and ".join(strangers[:2]), value.value_location, grave=grave)


def _forgers(name: str, who: str, location: Location, *, grave: bool) -> Finding:
    what = (
        "may claim any address, those of mynetworks too"
        if grave
        else "may forge what is logged about clients"
    )
    return Finding(
        location,
        f"{name} takes in {who}: clients from outside {what}",
        severity=None if grave else Severity.WARNING,
        security_severity=None if grave else 5.3,
        parameter=name,
    )


def _proxied(service: Service) -> Iterator[Finding]:
    name = f"{service.program}_upstream_proxy_protocol"
    value = service[name]
    if value.empty is not False or not value.explicit or service.type != "inet":
        return
    if is_public(service) is not True or value.value_location is None:
        return
    yield Finding(
        value.value_location,
        f"{name} on a port that listens for everybody: unless a firewall lets only the proxy in, "
        "any client can claim any address",
        severity=Severity.INFO,
        security_severity=3.7,
        parameter=name,
    )
