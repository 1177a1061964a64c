"""CRT: keys and certificates that do not belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule

from .common import labels, without_tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls_identities import Identity, Problem, ProblemKind
    from postlint.config.instance import Instance


@rule("CRT004", severity=Severity.ERROR, tags=("CWE-636",))
def key_cert_mismatch(instance: Instance) -> Iterator[Finding]:
    """A private key does not belong to its certificate, or cannot be loaded with it.

    Why: Postfix logs a warning and goes on without TLS. That happens when only one of two files
        was renewed, when a file holds no key, a key with a password or a binary (DER) object, and
        when smtpd_tls_chain_files does not have every key before its certificate, or two
        certificates for keys of one kind. A key for which no certificate is set is never used.
    Fix: Put key, certificate and those of the issuers into one file, in this order, and name it
        in smtpd_tls_chain_files (Postfix 3.4). postlint reads files outside of the configuration
        only with --host or --root.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_cert_file = /etc/postfix/cert.pem
        smtpd_tls_key_file = /etc/postfix/other.key
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/chain.pem
    References: postconf(5) smtpd_tls_chain_files, postconf(5) smtpd_tls_key_file,
        src/tls/tls_certkey.c
    """
    for problem, users in problems(instance, "pair"):
        yield _finding(problem, users, f"{problem.text}: {without_tls(use.tls for use in users)}")
    for problem, users in problems(instance, "unused"):
        finding = _finding(problem, users, problem.text, Severity.WARNING)
        yield finding


def problems(instance: Instance, kind: ProblemKind) -> Iterator[tuple[Problem, list[Identity]]]:
    """The problems of one kind at places that can be shown, with the services that have them."""
    from postlint.analysis.tls_identities import identities_of

    found: dict[tuple[object, ...], tuple[Problem, list[Identity]]] = {}
    for identity in identities_of(instance):
        for problem in identity.problems:
            location = problem.file.location
            if problem.kind == kind and location is not None:
                key = (location.path, location.span, problem.text)
                found.setdefault(key, (problem, []))[1].append(identity)
    yield from found.values()


def _finding(
    problem: Problem, users: list[Identity], message: str, severity: Severity | None = None
) -> Finding:
    location, other = problem.file.location, problem.other
    assert location is not None
    finding = Finding(
        location,
        message,
        severity=severity,
        parameter=problem.file.parameter,
        related=()
        if other is None or other.location is None
        else (Related("what it does not fit", other.location),),
    )
    finding.services = labels(users)
    return finding
