"""TLS: security levels of SMTP clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import host_role
from postlint.analysis.templates import has_control_lines
from postlint.analysis.tls import no_dnssec, tls_of
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.source import Span

from .words import reaches_only_this_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance

_DANE = frozenset({"dane", "dane-only"})
_AUTHENTICATED = frozenset({"dane-only", "fingerprint", "secure", "verify"})


@rule("TLS019", severity=Severity.WARNING, security=5.3, tags=("CWE-319", "RFC 7435"))
def client_tls_off(instance: Instance) -> Iterator[Finding]:
    """Outgoing mail is never encrypted.

    Why: Nearly every server offers STARTTLS, and the client does not take it. Before Postfix 3.11,
        and below compatibility_level 3.11, that is the default.
    Fix: Set smtp_tls_security_level = may. It needs no certificate, and falls back to clear text
        where a server knows no TLS.
    Bad:
        mydestination = example.com
        smtp_tls_security_level = none
    Good:
        mydestination = example.com
        smtp_tls_security_level = may
    References: postconf(5) smtp_tls_security_level, RELEASE_NOTES-3.11, RFC 7435
    """
    client = tls_of(instance).internet
    tree = instance.main_cf
    if client is None or tree is None or client.service.implicit or not instance.whole_main_cf:
        return
    if has_control_lines(instance):
        return
    if client.level != "none" or not tls_of(instance).policies(client.service).empty:
        return
    if reaches_only_this_host(instance) or instance.main["relayhost"].empty is None:
        return
    location = client.cause.value_location or Location(tree.source, Span(0, 0))
    edit = replace_value(client.cause.setting, "may")
    default = "" if client.cause.explicit else f" ({client.cause.name} is not set)"
    yield Finding(
        location,
        f"outgoing mail is never encrypted{default}",
        parameter=f"{client.prefix}_tls_security_level",
        service=client.service.label,
        fix=None
        if edit is None or not client.cause.name.endswith("_level")
        else Fix("set it to may", (edit,), "unsafe"),
    )


@rule("TLS024", severity=Severity.ERROR, security=5.9, tags=("CWE-636", "RFC 7672"))
def dane_without_dnssec(instance: Instance) -> Iterator[Finding]:
    """The level dane is set and DNSSEC is not used for lookups.

    Why: Without validated answers there are no TLSA records to believe. Postfix logs a warning
        and delivers as at level may for dane, and not at all for dane-only.
    Fix: Set smtp_dns_support_level = dnssec, and have a validating resolver on this host.
    Bad:
        smtp_tls_security_level = dane
    Good:
        smtp_tls_security_level = dane
        smtp_dns_support_level = dnssec
    References: TLS_README, postconf(5) smtp_dns_support_level, RFC 7672
    """
    tls = tls_of(instance)
    for client in tls.clients:
        service = client.service
        reason = no_dnssec(service)
        if reason is None:
            continue
        places: dict[str, Location | None] = {}
        if client.level in _DANE:
            places[str(client.level)] = client.cause.value_location
        for level, use in tls.policies(service).levels.items():
            if level in _DANE:
                places.setdefault(level, use.entry.value.location)
        for level, location in places.items():
            if location is not None:
                outcome = "mail is deferred" if level == "dane-only" else "Postfix does as for may"
                yield Finding(
                    location,
                    f"level {level} without DNSSEC ({reason}): {outcome}",
                    parameter=client.cause.name,
                    service=service.label,
                )


@rule("TLS026", severity=Severity.WARNING)
def global_authenticated_client_level(instance: Instance) -> Iterator[Finding]:
    """Mail for the whole Internet is sent with a level that few servers can meet.

    Why: Most servers have certificates that nobody can check against the name of the domain, or
        no TLSA records. Their mail is deferred until it bounces; with encrypt, that for servers
        without TLS is.
    Fix: Set may, or dane, for everybody, and the strict level in smtp_tls_policy_maps for those
        that can do it.
    Bad:
        mydestination = example.com
        smtp_tls_security_level = secure
        smtp_tls_CAfile = /etc/ssl/ca.pem
    Good:
        mydestination = example.com
        relayhost = [mail.example.org]
        smtp_tls_security_level = secure
        smtp_tls_CAfile = /etc/ssl/ca.pem
    References: TLS_README, postconf(5) smtp_tls_security_level
    """
    client = tls_of(instance).internet
    if client is None or instance.main["relayhost"].empty is not True:
        return
    location = client.cause.value_location
    if location is None or host_role(instance) is None:
        return
    if client.level in _AUTHENTICATED:
        yield Finding(
            location,
            f"level {client.level} for all mail: that to most domains is deferred",
            parameter=client.cause.name,
            service=client.service.label,
        )
    elif client.level == "encrypt":
        yield Finding(
            location,
            "level encrypt for all mail: that to servers without TLS is deferred",
            severity=Severity.INFO,
            parameter=client.cause.name,
            service=client.service.label,
        )


@rule("TLS032", severity=Severity.WARNING, tags=("RFC 8460",))
def tlsrpt_incomplete(instance: Instance) -> Iterator[Finding]:
    """TLS reports are switched on and can not be sent.

    Why: Postfix hands what it sees to a reporting daemon over a socket; without its name, or
        without TLS for outgoing mail, there is nothing to report and nobody to report it.
    Fix: Set smtp_tlsrpt_socket_name to the socket of the daemon and smtp_tls_security_level to
        may or higher.
    Bad:
        smtp_tls_security_level = may
        smtp_tlsrpt_enable = yes
    Good:
        smtp_tls_security_level = may
        smtp_tlsrpt_enable = yes
        smtp_tlsrpt_socket_name = run/tlsrpt/tlsrpt.sock
    References: TLSRPT_README, postconf(5) smtp_tlsrpt_enable, RFC 8460
    """
    for client in tls_of(instance).clients:
        if client.prefix != "smtp":
            continue
        enable = client.service["smtp_tlsrpt_enable"]
        location = enable.value_location
        if not enable.yes or location is None:
            continue
        if client.service["smtp_tlsrpt_socket_name"].empty:
            yield Finding(
                location,
                "smtp_tlsrpt_enable = yes without smtp_tlsrpt_socket_name: no report is made",
                parameter=enable.name,
                service=client.service.label,
            )
        elif client.level == "none" and tls_of(instance).policies(client.service).empty:
            place = client.cause.value_location
            yield Finding(
                location,
                "smtp_tlsrpt_enable = yes and no TLS for outgoing mail: there is nothing to report",
                parameter=enable.name,
                service=client.service.label,
                related=() if place is None else (Related("the level", place),),
            )
