"""SASL: how and where users can log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import auth_of
from postlint.analysis.roles import is_public, service_role
from postlint.analysis.templates import has_control_lines
from postlint.config.derived import once
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_CERTIFICATES = (
    "smtpd_tls_cert_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_dcert_file",
    "smtpd_tls_chain_files",
)


@rule(
    "SASL001",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=8.1,
    tags=("CWE-319", "CWE-523", "RFC 4954"),
)
def auth_in_cleartext(service: Service) -> Iterator[Finding]:
    """Users can log in without TLS, with the password in clear text.

    Why: The server announces PLAIN and LOGIN before STARTTLS. A program of a user that is not set
        up for TLS, or whose connection somebody tampers with, sends the password for all to read.
    Fix: Set smtpd_tls_auth_only = yes, and make sure that TLS works.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_security_level = may
        smtpd_tls_auth_only = yes
    References: RFC 4954 section 4, RFC 8314, SASL_README, postconf(5) smtpd_tls_auth_only
    """
    if service.type not in ("inet", "pass"):
        return
    auth = auth_of(service)
    if auth.offer != "cleartext" or not auth.plaintext or not auth.enabled:
        return
    public = is_public(service)
    if public is False or _exempts_everybody(service):
        return
    if has_control_lines(service.instance):
        return
    enable, only = service["smtpd_sasl_auth_enable"], service["smtpd_tls_auth_only"]
    location = only.value_location or enable.value_location
    if location is None:
        return
    fix = None
    edit = replace_value(only.setting, "yes")
    if edit is not None and _has_certificate(service) and auth.tls.on:
        fix = Fix("set smtpd_tls_auth_only to yes", (edit,), "safe")
    # A service that no master.cf shows may have -o smtpd_sasl_auth_enable=no.
    severity = None if public and not service.implicit else Severity.WARNING
    if service_role(service) == "other":
        # A port of one's own: who can reach it, postlint does not know.
        deliberate = service.overrides("smtpd_tls_auth_only")
        severity = Severity.INFO if deliberate else Severity.WARNING
    yield Finding(
        location,
        "AUTH is offered before STARTTLS: passwords cross the network in clear text",
        severity=severity,
        security_severity=8.1 if severity is None else None,
        parameter="smtpd_tls_auth_only",
        related=_related(enable.value_location, location),
        fix=fix,
    )


def _exempts_everybody(service: Service) -> bool:
    """Whether AUTH is announced to nobody, or it is not known to whom."""
    networks = service["smtpd_sasl_exceptions_networks"]
    everybody = {"0.0.0.0/0", "static:all", "static:yes", "static:ok"}
    return networks.empty is not True and any(
        not element.known or element.text.lower() in everybody for element in networks.elements()
    )


def _has_certificate(service: Service) -> bool:
    return any(service[name].empty is False for name in _CERTIFICATES)


def _related(place: Location | None, location: Location) -> list[Related]:
    if place is None or (place.path, place.span) == (location.path, location.span):
        return []
    return [Related("AUTH is switched on here", place)]


@rule("SASL002", programs=("smtpd",), severity=Severity.ERROR)
def auth_only_without_tls(service: Service) -> Iterator[Finding]:
    """Logins are for connections with TLS only, and there is no TLS.

    Why: smtpd_tls_auth_only = yes keeps AUTH back until the handshake. Where TLS is off, or has
        no certificate, AUTH is never offered and nobody can log in.
    Fix: Switch TLS on for the service, with a certificate.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_tls_security_level = none
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/ssl/mx.example.com.pem
    References: postconf(5) smtpd_tls_auth_only, SASL_README
    """
    if service.type not in ("inet", "pass"):
        return
    auth = auth_of(service)
    if not auth.enabled or is_public(service) is False or has_control_lines(service.instance):
        return
    only, enable = service["smtpd_tls_auth_only"], service["smtpd_sasl_auth_enable"]
    location = only.value_location or enable.value_location
    if location is None:
        return
    if auth.tls.mode == "none" and only.yes:
        why = "TLS is off"
    elif (
        auth.tls.on
        and auth.offer == "after-tls"
        and service.instance.whole_main_cf
        and all(service[name].empty is True for name in _CERTIFICATES)
    ):
        why = "TLS has no certificate"
    else:
        return
    place = auth.tls.cause.value_location
    yield Finding(
        location,
        f"logins wait for TLS, and {why}: nobody can log in",
        severity=_elsewhere(service),
        parameter="smtpd_tls_auth_only",
        related=() if place is None else (Related("TLS is set here", place),),
    )


def _elsewhere(service: Service) -> Severity | None:
    """A note where users have another port to log in."""
    if service_role(service) != "msa" and _has_logins_for_users(service.instance):
        return Severity.INFO
    return None


@once
def _has_logins_for_users(instance: Instance) -> bool:
    """Whether users can log in at a submission service."""
    return any(
        service_role(service) == "msa" and auth_of(service).offer in ("after-tls", "cleartext")
        for service in instance.services_running("smtpd")
    )


@rule(
    "SASL003",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.3,
    tags=("RFC 6409", "RFC 8314", "CWE-307"),
)
def sasl_on_port25(service: Service) -> Iterator[Finding]:
    """Users can log in on port 25 though there is a submission port for them.

    Why: Robots try passwords on port 25 all day. Mail of users has no business there when there
        is port 587 or 465, and without AUTH there is nothing to guess.
    Fix: Set smtpd_sasl_auth_enable = yes only with -o for the submission services.
    Bad:
        smtpd_sasl_auth_enable = yes
        --- master.cf
        smtp       inet n - n - - smtpd
        submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
    Good:
        --- master.cf
        smtp       inet n - n - - smtpd
        submission inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
          -o smtpd_sasl_auth_enable=yes
    References: RFC 6409, RFC 8314 section 3, SASL_README
    """
    if service_role(service) != "mx" or service.implicit:
        return
    auth = auth_of(service)
    enable = service["smtpd_sasl_auth_enable"]
    location = enable.value_location
    if not auth.enabled or auth.offer in (None, "never") or location is None:
        return
    if is_public(service) is not True:
        return
    users = any(
        service_role(other) == "msa" and auth_of(other).enabled
        for other in service.instance.services_running("smtpd")
    )
    limit = service["smtpd_client_auth_rate_limit"].integer
    severe = users and not limit and auth.offer == "cleartext"
    yield Finding(
        location,
        "users can log in on port 25, where robots try passwords"
        + ("; there is a submission port for them" if users else ""),
        severity=None if severe else Severity.INFO,
        security_severity=5.3 if severe else None,
        parameter="smtpd_sasl_auth_enable",
    )


@rule(
    "SASL017",
    programs=("smtpd",),
    severity=Severity.INFO,
    security=3.1,
    tags=("CWE-307",),
    opt_in=True,
)
def brute_force_limits(service: Service) -> Iterator[Finding]:
    """Nothing limits how often a client may try to log in.

    Why: A client that guesses passwords can do so as fast as connections go.
    Fix: Set smtpd_client_auth_rate_limit (Postfix 3.1), or let fail2ban or the like watch the
        log.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_tls_auth_only = yes
        smtpd_client_auth_rate_limit = 10
    References: postconf(5) smtpd_client_auth_rate_limit, TUNING_README
    """
    if service.version < (3, 1) or is_public(service) is not True:
        return
    enable = service["smtpd_sasl_auth_enable"]
    location = enable.value_location
    limit = service["smtpd_client_auth_rate_limit"]
    if enable.yes and limit.integer == 0 and location is not None:
        yield Finding(
            location,
            "clients may try passwords without limit: smtpd_client_auth_rate_limit is 0",
            parameter=limit.name,
        )
