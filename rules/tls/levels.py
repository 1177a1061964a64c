"""TLS: security levels of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import accepts_strangers, hides_keyword
from postlint.analysis.roles import host_role, is_public, port, service_role
from postlint.analysis.templates import has_control_lines
from postlint.analysis.tls import explicit_values, server_tls, tls_of
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

from .words import override_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls import ServerTls
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_SUBMISSION = 587


@rule(
    "TLS018",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.9,
    tags=("CWE-319", "RFC 3207", "RFC 8314"),
)
def server_tls_off(service: Service) -> Iterator[Finding]:
    """A server that the network can reach offers no TLS.

    Why: Mail comes in clear text, and so do passwords on the submission ports. Senders that
        insist on TLS (MTA-STS, DANE) can not deliver at all.
    Fix: Get a certificate and set smtpd_tls_security_level = may; encrypt for submission.
    Bad:
        mydestination = example.com
        smtpd_tls_security_level = none
    Good:
        mydestination = example.com
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/ssl/mx.example.com.pem
    References: postconf(5) smtpd_tls_security_level, RFC 3207, RFC 8314 section 3
    """
    instance = service.instance
    if service.implicit or not instance.whole_main_cf:
        return
    if has_control_lines(instance):
        return
    role = service_role(service)
    if role not in ("mx", "msa") or is_public(service) is not True:
        return
    server = server_tls(service)
    if server.mode != "none" or host_role(instance) in ("null-client", "send-only", None):
        return
    location = server.cause.value_location or service.location
    if location is None:
        return
    if role == "msa":
        text = "passwords and mail of users" if service["smtpd_sasl_auth_enable"].yes else "mail"
        yield Finding(
            location,
            f"submission without TLS: {text} can be read on the way",
            severity=Severity.ERROR,
            security_severity=7.5,
            parameter="smtpd_tls_security_level",
        )
    elif server.cause.explicit and not service.overrides(server.cause.name):
        yield Finding(
            location,
            "TLS is switched off on port 25: mail comes in clear text",
            severity=Severity.INFO,
            parameter="smtpd_tls_security_level",
        )
    else:
        yield Finding(
            location,
            "no TLS on port 25: mail comes in clear text",
            parameter="smtpd_tls_security_level",
        )


@rule("TLS020", programs=("smtpd",), severity=Severity.ERROR, tags=("RFC 3207",))
def mandatory_tls_on_public_mx(service: Service) -> Iterator[Finding]:
    """Port 25 takes no mail without STARTTLS.

    Why: Other servers need not know TLS, and a host that takes mail for a public domain must not
        refuse them (RFC 3207). Their mail bounces after days.
    Fix: Set smtpd_tls_security_level = may for port 25, and encrypt for submission with -o.
    Bad:
        compatibility_level = 3.6
        mydestination = example.com
        smtpd_tls_security_level = encrypt
        smtpd_tls_chain_files = /etc/ssl/mx.example.com.pem
    Good:
        compatibility_level = 3.6
        mydestination = example.com
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/ssl/mx.example.com.pem
    References: RFC 3207 section 4, postconf(5) smtpd_tls_security_level
    """
    if service_role(service) != "mx":
        return
    server = server_tls(service)
    location = server.cause.value_location
    if server.mode != "encrypt" or location is None or is_public(service) is not True:
        return
    if host_role(service.instance) not in ("mx", "relay") or accepts_strangers(service) is False:
        return
    edit = replace_value(server.cause.setting, "may")
    yield Finding(
        location,
        "port 25 refuses mail without STARTTLS (530): servers that know no TLS can not deliver",
        severity=Severity.WARNING if service.implicit else None,
        parameter=server.cause.name,
        fix=None
        if edit is None or not server.cause.name.endswith("_level")
        else Fix("set it to may", (edit,), "unsafe"),
    )


@rule(
    "TLS021",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=7.4,
    tags=("CWE-319", "RFC 8314"),
)
def msa_not_mandatory(service: Service) -> Iterator[Finding]:
    """The submission port lets users log in or send without TLS.

    Why: Somebody on the way can take the offer of STARTTLS out, and the program of the user goes
        on in clear text, with the password unless smtpd_tls_auth_only keeps it back.
    Fix: Add -o smtpd_tls_security_level=encrypt to the service.
    Bad:
        smtpd_tls_security_level = may
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
    Good:
        smtpd_tls_security_level = may
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
          -o smtpd_tls_security_level=encrypt
    References: RFC 8314 sections 3.1 and 4.1, postconf(5) smtpd_tls_security_level
    """
    if port(service) != _SUBMISSION or service.location is None:
        return
    server = server_tls(service)
    if server.mode not in ("may", "none") or is_public(service) is False:
        return
    if not service["smtpd_sasl_auth_enable"].yes:
        return
    location, related = _where(service, server)
    if service["smtpd_tls_auth_only"].yes:
        yield Finding(
            location,
            "submission does not require TLS: only the login waits for it, mail does not",
            severity=Severity.WARNING,
            security_severity=4.3,
            parameter="smtpd_tls_security_level",
            related=related,
            fix=override_fix(service, "smtpd_tls_security_level=encrypt"),
        )
        return
    yield Finding(
        location,
        "submission does not require TLS: passwords and mail can go in clear text",
        parameter="smtpd_tls_security_level",
        related=related,
        fix=override_fix(service, "smtpd_tls_security_level=encrypt"),
    )


def _where(service: Service, server: ServerTls) -> tuple[Location, list[Related]]:
    """The override that decides; else the service, and the line of main.cf as related."""
    place = server.cause.value_location
    if service.location is None or (place is not None and service.overrides(server.cause.name)):
        if place is None:
            raise AssertionError("neither service nor setting has a place")
        return place, []
    return service.location, [] if place is None else [Related("TLS is set here", place)]


@rule("TLS025", severity=Severity.WARNING)
def verify_level_server(instance: Instance) -> Iterator[Finding]:
    """A server has a security level that only clients know.

    Why: smtpd takes verify, secure and fingerprint for encrypt, and warns. Certificates of
        clients are not required by it, whoever counted on that.
    Fix: Set encrypt; to require certificates add smtpd_tls_req_ccert = yes.
    Bad:
        smtpd_tls_security_level = verify
    Good:
        smtpd_tls_security_level = encrypt
        smtpd_tls_req_ccert = yes
    References: postconf(5) smtpd_tls_security_level, src/smtpd/smtpd.c
    """
    for service, value in explicit_values(instance, ("smtpd_tls_security_level",)):
        location = value.value_location
        if value.word() in ("verify", "secure", "fingerprint") and location is not None:
            edit = replace_value(value.setting, "encrypt")
            yield Finding(
                location,
                f"smtpd takes the level {value.word()} for encrypt; it requires no certificate",
                parameter=value.name,
                service=None if service is None else service.label,
                fix=None if edit is None else Fix("set it to encrypt", (edit,), "safe"),
            )


@rule("TLS028", severity=Severity.WARNING, security=5.3, tags=("CWE-757",))
def starttls_hidden(instance: Instance) -> Iterator[Finding]:
    """STARTTLS is left out of the EHLO reply though TLS is on.

    Why: Clients take it that the server knows no TLS and send in clear text; a client that is
        told to overlook the offer does the same.
    Fix: Take starttls out of the list.
    Bad:
        smtpd_tls_security_level = may
        smtpd_discard_ehlo_keywords = starttls
    Good:
        smtpd_tls_security_level = may
        smtpd_discard_ehlo_keywords = silent-discard, dsn
    References: postconf(5) smtpd_discard_ehlo_keywords
    """
    tls = tls_of(instance)
    for server in tls.smtpd:
        if server.mode not in ("may", "encrypt") or server.public is False:
            continue
        if hides_keyword(server.service, "starttls"):
            text = "clients are not offered STARTTLS"
            by_address = server.service["smtpd_discard_ehlo_keyword_address_maps"]
            place = by_address.value_location
            if place is None:
                value = server.service["smtpd_discard_ehlo_keywords"]
                yield from _hidden(value, text, server.service)
                continue
            yield Finding(
                place,
                f"{by_address.name}: {text}",
                parameter=by_address.name,
                service=server.service.label,
            )
    for client in tls.clients:
        value = client.service[f"{client.prefix}_discard_ehlo_keywords"]
        if client.on and value.setting.origin == "main.cf":
            yield from _hidden(value, "the client overlooks STARTTLS", client.service)


def _hidden(value: Effective, text: str, service: Service) -> Iterator[Finding]:
    for element in value.elements(braces=False):
        location = element.location or value.value_location
        if element.text.lower() == "starttls" and location is not None:
            yield Finding(
                location,
                f"{value.name}: {text}",
                parameter=value.name,
                service=service.label,
            )
