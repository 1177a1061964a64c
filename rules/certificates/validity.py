"""CRT: certificates that are out of date, or weak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.tls import explicit_values
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

from .common import labels, merged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from postlint.analysis.certificates import Certificate
    from postlint.analysis.tls_identities import Identity, Pair
    from postlint.config.instance import Instance

_WARNING_DAYS = 14
_INFO_DAYS = 30
_USERS_SECURITY = 5.3
_SECURITY = 3.7
_SHORTEST_RSA = 2048
_SHORTEST_CURVE = 224
_USUAL_CURVE = 256
_WEAK_HASHES = frozenset({"md2", "md4", "md5", "sha1"})


@rule("CRT007", severity=Severity.ERROR, security=3.7, tags=("CWE-298",))
def cert_expired(instance: Instance) -> Iterator[Finding]:
    """A certificate has expired, expires soon, or is not valid yet.

    Why: Mail programs of users refuse the server, or users learn to click the warning away. Mail
        servers that verify (MTA-STS, secure) defer their mail; most others do not look. A month
        before the end automatic renewal should have happened.
    Fix: Renew it, and look why that did not happen by itself; then postfix reload.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/expired.pem
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/chain.pem
    References: RFC 5280 section 4.1.2.5, CWE-298
    """
    yield from merged(_dated(instance))


def _dated(instance: Instance) -> Iterator[Finding]:
    from postlint.analysis.certificates import now
    from postlint.analysis.tls_identities import pairs_of

    for identity, pair in pairs_of(instance):
        for certificate in (pair.leaf, *pair.issuers):
            judged = _judge_dates(certificate, now())
            if judged is None:
                continue
            text, severity = judged
            is_leaf = certificate is pair.leaf
            if not is_leaf:
                text = f"the certificate of the issuer {text}"
            if severity is Severity.ERROR and not (is_leaf and identity.is_server):
                severity = Severity.WARNING  # others may do without it
            finding = _at(identity, pair, f"{pair.file.path}: {text}", severity)
            if finding is not None:
                if severity is Severity.ERROR:
                    users = identity.for_users
                    finding.security_severity = _USERS_SECURITY if users else _SECURITY
                yield finding


def _judge_dates(certificate: Certificate, moment: datetime) -> tuple[str, Severity] | None:
    end = f"{certificate.not_after:%Y-%m-%d}"
    if certificate.not_after < moment:
        return f"{certificate.subject} expired on {end}", Severity.ERROR
    if certificate.not_before > moment:
        begin = f"{certificate.not_before:%Y-%m-%d}"
        return f"{certificate.subject} is not valid before {begin}", Severity.ERROR
    days = (certificate.not_after - moment).days
    if days < _WARNING_DAYS:
        return f"{certificate.subject} expires on {end}", Severity.WARNING
    if days < _INFO_DAYS:
        return f"{certificate.subject} expires on {end}", Severity.INFO
    return None


@rule("CRT008", severity=Severity.ERROR, security=7.4, tags=("CWE-326", "CWE-328", "RFC 9325"))
def weak_key_or_signature(instance: Instance) -> Iterator[Finding]:
    """The key of a certificate is short or out of use, or its signature can be forged.

    Why: RSA keys below 2048 bits and curves below 224 are within reach of those who want it
        enough; MD5 and SHA-1 signatures can be made to fit another certificate, and clients of
        today refuse them. DSA certificates fit hardly any client, Postfix 3.8 switches their
        ciphers off.
    Fix: Make a new key (RSA with 2048 bits or more, or curve P-256) and have it certified.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/short.pem
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/chain.pem
    References: NIST SP 800-52r2 section 3.2, RFC 9325 section 4.1, CWE-326, CWE-328
    """
    yield from merged(_weak(instance))
    for service, value in explicit_values(
        instance, [f"{side}_tls_dcert_file" for side in ("smtpd", "smtp", "lmtp")]
    ):
        location = value.value_location
        if value.empty is False and location is not None:
            yield Finding(
                location,
                f"{value.name}: DSA certificates are out of use"
                + ("" if instance.oldest_version < (3, 8) else ", and so are the ciphers for them"),
                severity=Severity.WARNING,
                parameter=value.name,
                service=None if service is None else service.label,
            )


def _weak(instance: Instance) -> Iterator[Finding]:
    from postlint.analysis.tls_identities import pairs_of

    for identity, pair in pairs_of(instance):
        for certificate in (pair.leaf, *pair.issuers):
            if certificate.self_issued and certificate is not pair.leaf:
                continue  # a root is trusted for what it is
            for text, severity in _weaknesses(certificate, pair.file.parameter):
                finding = _at(
                    identity, pair, f"{pair.file.path}: {certificate.subject} {text}", severity
                )
                if finding is not None:
                    if severity is Severity.ERROR:
                        finding.security_severity = 7.4
                    yield finding


def _weaknesses(certificate: Certificate, parameter: str) -> Iterator[tuple[str, Severity]]:
    key = certificate.key
    if key is not None and key.bits is not None:
        if key.algorithm == "RSA" and key.bits < _SHORTEST_RSA:
            yield f"has an RSA key of {key.bits} bits, 2048 are the least", Severity.ERROR
        elif key.algorithm == "EC" and key.bits < _USUAL_CURVE:
            severity = Severity.ERROR if key.bits < _SHORTEST_CURVE else Severity.WARNING
            yield f"has a key on a curve of {key.bits} bits, 256 are usual", severity
        elif key.algorithm == "DSA" and not parameter.endswith("_dcert_file"):
            yield "has a DSA key, which is out of use", Severity.WARNING
    if certificate.signature_hash in _WEAK_HASHES and not certificate.self_issued:
        name = str(certificate.signature_hash).upper().replace("SHA1", "SHA-1")
        yield f"is signed with {name}, which can be forged", Severity.ERROR


def _at(identity: Identity, pair: Pair, message: str, severity: Severity) -> Finding | None:
    """A finding where the file of a pair is named, for a service."""
    if pair.file.location is None:
        return None
    finding = Finding(pair.file.location, message, severity=severity, parameter=pair.file.parameter)
    finding.services = labels([identity])
    return finding
