"""SASL: who gets in on the submission ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import accepts_strangers, auth_of, permits_certificates
from postlint.analysis.roles import is_public, service_role
from postlint.analysis.templates import has_control_lines
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service


@rule(
    "SASL004",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=6.5,
    tags=("RFC 6409", "RFC 8314"),
)
def msa_without_sasl(service: Service) -> Iterator[Finding]:
    """A submission service has no logins.

    Why: Ports 587 and 465 are for users who log in. Without SASL nobody outside mynetworks can
        send through it, and it is one more door for mail from strangers, often without the
        filters of port 25.
    Fix: Turn SASL on for the service and let nobody else in: -o smtpd_sasl_auth_enable=yes and
        -o smtpd_client_restrictions=permit_sasl_authenticated,reject. Or delete the service.
    Bad:
        smtpd_sasl_auth_enable = no
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_tls_security_level=encrypt
    Good:
        smtpd_sasl_auth_enable = no
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_tls_security_level=encrypt
          -o smtpd_sasl_auth_enable=yes
          -o smtpd_client_restrictions=permit_sasl_authenticated,reject
    References: SASL_README, RFC 6409 section 4.3, RFC 8314 section 3.3
    """
    if not _is_submission(service) or service.location is None:
        return
    if has_control_lines(service.instance):
        return
    if auth_of(service).enabled is False and not permits_certificates(service):
        yield Finding(
            service.location,
            "submission without logins: users elsewhere can not send mail through it",
            parameter="smtpd_sasl_auth_enable",
        )


@rule("SASL005", programs=("smtpd",), severity=Severity.ERROR, security=6.5, tags=("RFC 6409",))
def msa_accepts_anonymous(service: Service) -> Iterator[Finding]:
    """A submission service takes mail for local domains from clients that did not log in.

    Why: Strangers can deliver to the users of this host there as on port 25, but past what only
        port 25 has: postscreen, DNS lists, greylisting, spam filters.
    Fix: Let only users in: -o smtpd_client_restrictions=permit_sasl_authenticated,reject, or the
        same for smtpd_relay_restrictions.
    Bad:
        compatibility_level = 3.6
        mydestination = example.com
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
    Good:
        compatibility_level = 3.6
        mydestination = example.com
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
          -o smtpd_client_restrictions=permit_sasl_authenticated,reject
    References: SASL_README, RFC 6409 section 4.3
    """
    if _is_submission(service) and service.location is not None and accepts_strangers(service):
        yield Finding(
            service.location,
            "strangers can deliver to local users here without logging in",
            parameter="smtpd_client_restrictions",
        )


def _is_submission(service: Service) -> bool:
    """Whether it is for users of the network."""
    return service_role(service) == "msa" and is_public(service) is not False
