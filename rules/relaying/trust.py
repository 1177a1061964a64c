"""RLY: certificates, forged client addresses, wide domain lists and old relay permissions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.access_tables import access_table
from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import uses
from postlint.analysis.networks import is_outside
from postlint.analysis.relay import relay_verdict
from postlint.analysis.restrictions import RECIPIENT, RELAY
from postlint.analysis.roles import is_public, service_role
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_SYSTEM_BUNDLES = re.compile(
    r"/etc/(?:ssl/certs(?:/ca-certificates\.crt|/ca-bundle\.crt)?/?|ssl/cert\.pem|ssl/ca-bundle\.pem"
    r"|pki/tls/(?:certs/ca-bundle\.crt|cert\.pem|certs/?)|pki/ca-trust/extracted/pem/[^/]*)"
    r"|/usr/(?:local/)?share/(?:certs|ca-certificates)/[^ ]*|/var/lib/ca-certificates/[^ ]*"
)
_LIST_MATTERS = (RELAY, RECIPIENT)


@rule(
    "RLY006",
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
        tls_append_default_CA = yes
        smtpd_relay_restrictions = permit_tls_all_clientcerts, reject_unauth_destination
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_ask_ccert = yes
        relay_clientcerts = hash:/etc/postfix/relay_clientcerts
        smtpd_relay_restrictions = permit_tls_clientcerts, reject_unauth_destination
    References: postconf(5) permit_tls_all_clientcerts, TLS_README
    """
    if service.program != "smtpd":
        return
    asks = service["smtpd_tls_ask_ccert"].yes or service["smtpd_tls_req_ccert"].yes
    if not asks:
        return
    why = _public_authorities(service)
    if why is None:
        return
    name, reason = why
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
            f"authority may relay, because {reason}",
            parameter=use.start.name,
            related=related,
        )


def _public_authorities(service: Service) -> tuple[str, str] | None:
    if service["tls_append_default_CA"].yes:
        return "tls_append_default_CA", "tls_append_default_CA trusts those of the system"
    for name in ("smtpd_tls_CAfile", "smtpd_tls_CApath"):
        value = service[name]
        if value.known and _SYSTEM_BUNDLES.fullmatch(value.text.strip()):
            return name, f"{name} holds those of the system"
    return None


@rule("RLY007", severity=Severity.ERROR, security=9.1, tags=("CWE-290", "XCLIENT_README"))
def xclient_open(service: Service) -> Iterator[Finding]:
    """Clients from outside may say which client they are.

    Why: With XCLIENT or a PROXY header a client gives itself any address, one of mynetworks too,
        and then it may relay; nothing that goes by the client's address is worth anything. With
        XFORWARD it forges what is logged and what content filters see.
    Fix: Authorize only the hosts that need it, most often 127.0.0.1, and let only the proxy
        reach a port that expects PROXY headers.
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
    if service.program in ("smtpd", "postscreen"):
        yield from _proxied(service)


def _authorized(service: Service, name: str, *, grave: bool) -> Iterator[Finding]:
    value = service[name]
    if value.empty is not False or not value.explicit or is_public(service) is False:
        return
    what = (
        "may claim any address, those of mynetworks too"
        if grave
        else "may forge what is logged about clients"
    )
    for pattern, network in destinations_of(service.instance).networks(service, name).trusted():
        if not is_outside(network):
            continue
        wide = network.prefixlen < (24 if network.version == 4 else 48)
        if not wide:
            continue
        location = pattern.element.location or value.value_location
        if location is None:
            continue
        yield Finding(
            location,
            f"{name} takes in {network}: clients from outside {what}",
            severity=None if grave else Severity.WARNING,
            security_severity=None if grave else 5.3,
            parameter=name,
        )
        return


def _proxied(service: Service) -> Iterator[Finding]:
    name = f"{service.program}_upstream_proxy_protocol"
    value = service[name]
    if value.empty is not False or not value.explicit or service.type != "inet":
        return
    if is_public(service) is not True or value.value_location is None:
        return
    yield Finding(
        value.value_location,
        f"{name} on a port that all can reach: unless a firewall lets only the proxy in, "
        "any client can claim any address",
        severity=Severity.WARNING,
        security_severity=8.1,
        parameter=name,
    )


@rule("RLY009", severity=Severity.ERROR, security=8.1, tags=("CWE-284", "ADDRESS_CLASS_README"))
def relay_domains_wide(instance: Instance) -> Iterator[Finding]:
    """relay_domains takes in domains that can not all be yours.

    Why: Whoever sends to a domain of relay_domains may relay. A top-level domain in it, a pattern
        that fits everything, or a table that has every key makes an open relay: the names below
        a listed domain count, too, unless parent_domain_matches_subdomains says otherwise.
    Fix: List the domains whose mail you pass on, one by one.
    Bad:
        relay_domains = com
    Good:
        relay_domains = example.com
    References: postconf(5) relay_domains, postconf(5) parent_domain_matches_subdomains
    """
    value = instance.main["relay_domains"]
    if not value.explicit or value.problem is not None:
        return
    parents = instance.main["parent_domain_matches_subdomains"]
    covers = "relay_domains" in {element.text.lower() for element in parents.elements()}
    texts = {element.text.lower() for element in value.elements()}
    for element in value.elements():
        wide = _wide(instance, element, parents_match=covers)
        if wide is not None and element.location is not None:
            severity, reason = wide
            yield Finding(
                element.location,
                f'"{element.text}" in relay_domains {reason}',
                severity=severity,
                parameter="relay_domains",
            )
        elif covers and element.text.startswith(".") and element.text.lower()[1:] in texts:
            if element.location is not None:
                yield Finding(
                    element.location,
                    f'"{element.text}" in relay_domains does nothing: '
                    f'"{element.text[1:]}" takes in what is below it',
                    severity=Severity.INFO,
                    parameter="relay_domains",
                )


_SUFFIXES = frozenset(
    "ac.uk co.jp co.nz co.uk co.za com.ar com.au com.br com.cn com.mx com.tr gov.uk ne.jp net.au "
    "or.jp org.au org.uk".split()
)


def _wide(
    instance: Instance, element: Element, *, parents_match: bool
) -> tuple[Severity | None, str] | None:
    text = element.text.lower()
    if not element.known or text.startswith(("!", "/")):
        return None
    if ":" in text:
        scope = instance.services[0] if instance.services else instance.main
        table = access_table(scope, element)
        if table.kind == "static":
            return None, "has every domain: everybody may relay to everybody"
        tries = ("elsewhere.example.org", "somewhere-else.net", "xn--q7f.invalid")
        if table.entries and all(table.find(domain) is not None for domain in tries):
            return None, "has every domain: everybody may relay to everybody"
        return None
    if text == "*":
        return Severity.WARNING, "is no wildcard: it matches no domain at all"
    name = text.lstrip(".")
    dotted = text.startswith(".")
    if name in _SUFFIXES or (re.fullmatch(r"[a-z]{2,}", name) and name in _TOP_LEVEL):
        if dotted == parents_match:
            return None
        return None, "takes in every domain below it: everybody may relay there"
    return None


_TOP_LEVEL = frozenset(
    "arpa asia biz cat com coop edu eu gov info int io jobs mil mobi museum name net org post pro "
    "tel travel xxx dev app cloud online site shop xyz top club at au be bg br by ca ch cl cn cz "
    "de dk ee es fi fr gr hk hr hu ie il in ir is it jp kr lt lu lv me mx my nl no nz pe ph pk pl "
    "pt ro rs ru se sg si sk su th tr tv tw ua uk us uy ve vn za".split()
)


@rule("RLY010", severity=Severity.WARNING, security=5.3, tags=("DEPRECATION_README",))
def backup_mx_permit_mx_backup(service: Service) -> Iterator[Finding]:
    """permit_mx_backup lets the owner of any domain relay through this server.

    Why: It permits every domain whose MX records name this host, and anybody can write that into
        his own zone. The server then keeps and bounces mail for strangers. Postfix 3.9 calls it
        deprecated.
    Fix: List the domains in relay_domains and their addresses in relay_recipient_maps.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, permit_mx_backup, reject_unauth_destination
    Good:
        relay_domains = example.org
        relay_recipient_maps = hash:/etc/postfix/relay_recipients
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: DEPRECATION_README, postconf(5) permit_mx_backup, ADDRESS_CLASS_README
    """
    if service.program != "smtpd":
        return
    networks = service["permit_mx_backup_networks"]
    for use in uses(service):
        location = use.location
        if use.name != "permit_mx_backup" or location is None or use.item.dead_after is not None:
            continue
        limit = (
            "for every domain whose MX records name this host"
            if networks.empty is not False
            else "for domains whose other mail servers are in permit_mx_backup_networks"
        )
        old = ", and Postfix calls it deprecated" if service.version >= (3, 9) else ""
        yield Finding(
            location,
            f"permit_mx_backup in {use.where} lets strangers relay {limit}{old}",
            parameter=use.start.name,
        )


@rule("RLY011", severity=Severity.ERROR, security=8.1, tags=("CWE-284", "FILTER_README"))
def unrestricted_authenticated_relay_on_reinject(service: Service) -> Iterator[Finding]:
    """A port for mail that comes back from a content filter can be reached from outside.

    Why: Such a port does without the checks, because the mail has been checked. Whoever reaches
        it gets round the filter, and past the restrictions if mynetworks takes him in.
    Fix: Write 127.0.0.1: before the port, or the address of the host where the filter runs, and
        keep mynetworks of the port as small as that.
    Bad:
        mynetworks = 127.0.0.0/8
        --- master.cf
        smtp inet n - n - - smtpd
        10025 inet n - n - - smtpd
          -o content_filter= -o receive_override_options=no_unknown_recipient_checks
          -o smtpd_recipient_restrictions=permit_mynetworks,reject
    Good:
        mynetworks = 127.0.0.0/8
        --- master.cf
        smtp inet n - n - - smtpd
        127.0.0.1:10025 inet n - n - - smtpd
          -o content_filter= -o receive_override_options=no_unknown_recipient_checks
          -o smtpd_recipient_restrictions=permit_mynetworks,reject
    References: FILTER_README, postconf(5) receive_override_options
    """
    if service.program != "smtpd" or service.type != "inet" or service.location is None:
        return
    if is_public(service) is not True or service_role(service) in ("mx", "msa"):
        return
    sign = _reinjection_sign(service)
    if sign is None or service.location is None:
        return
    verdict = relay_verdict(service)
    if verdict.status == "fatal":
        return
    relays = verdict.by_restrictions == "allowed"
    wide = [name for name in verdict.trusted_networks if "/0" in name]
    grave = relays or bool(wide)
    consequence = "anybody may relay there" if grave else "strangers get round the content filter"
    yield Finding(
        service.location,
        f"this port takes filtered mail back ({sign}), but listens for everybody: {consequence}",
        severity=None if grave else Severity.WARNING,
        security_severity=None if grave else 5.3,
    )


def _reinjection_sign(service: Service) -> str | None:
    for name in ("content_filter", "smtpd_proxy_filter"):
        if service.overrides(name) and service[name].empty:
            if service.instance.main[name].empty is False:
                return f"{name} is switched off here"
            if service.overrides("receive_override_options"):
                return f"{name} is switched off here"
    if service.overrides("receive_override_options"):
        options = service["receive_override_options"].text
        if "no_unknown_recipient_checks" in options or "no_header_body_checks" in options:
            return "receive_override_options leaves checks out"
    return None


@rule("RLY012", severity=Severity.WARNING, security=5.3, tags=("CWE-284",))
def source_route_hacks(instance: Instance) -> Iterator[Finding]:
    """Addresses that name a second destination are trusted.

    Why: With allow_untrusted_routing, mail to user%elsewhere@your-domain passes
        reject_unauth_destination. Where the mail goes next may be a host that takes the %, ! or @
        for a route: then you relay through it for strangers, and it is your server that did it.
    Fix: Leave allow_untrusted_routing at no.
    Bad:
        allow_untrusted_routing = yes
    Good:
        allow_untrusted_routing = no
    References: postconf(5) allow_untrusted_routing, postconf(5) swap_bangpath
    """
    value = instance.main["allow_untrusted_routing"]
    if not value.yes or value.value_location is None:
        return
    edit = replace_value(value.setting, "no")
    yield Finding(
        value.value_location,
        "allow_untrusted_routing = yes: recipients such as user%elsewhere@domain get past "
        "reject_unauth_destination",
        parameter=value.name,
        fix=None if edit is None else Fix("trust no routes", (edit,), "unsafe"),
    )
    for name in ("swap_bangpath", "allow_percent_hack"):
        hack = instance.main[name]
        if hack.explicit and hack.yes and hack.value_location is not None:
            yield Finding(
                hack.value_location,
                f"{name} = yes counts, because allow_untrusted_routing is on",
                severity=Severity.INFO,
                parameter=name,
            )

