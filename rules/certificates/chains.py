"""CRT: certificates with the wrong name, and without what leads to a known authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule

from .common import labels, merged, without_tls
from .pairs import problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.certificate_chains import Chain
    from postlint.analysis.tls_identities import Pair
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_SNAKEOIL = "ssl-cert-snakeoil"


@rule("CRT009", severity=Severity.WARNING, security=4.3, tags=("CWE-297", "RFC 7817", "RFC 6125"))
def name_mismatch(instance: Instance) -> Iterator[Finding]:
    """The certificate of a submission service does not hold the name of the host.

    Why: Mail programs compare the name that users connect to with the dNSNames of the
        certificate; nearly all ignore the old common name. Users learn to click the warning away.
        Servers that deliver to port 25 compare names only for MTA-STS and DANE.
    Fix: Get a certificate for the name that users connect to. When that is another one than
        myhostname, suppress this rule for the line.
    Bad:
        myhostname = mx.example.com
        smtpd_tls_chain_files = /etc/postfix/other.pem
        --- master.cf
        submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt
    Good:
        myhostname = mx.example.com
        smtpd_tls_chain_files = /etc/postfix/chain.pem
        --- master.cf
        submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt
    References: RFC 7817 section 3, RFC 8314 section 3, CWE-297
    """
    yield from merged(_misnamed(instance))


def _misnamed(instance: Instance) -> Iterator[Finding]:
    from postlint.analysis.tls_identities import is_reachable, pairs_of

    for identity, pair in pairs_of(instance):
        service, location = identity.service, pair.file.location
        if location is None or not identity.for_users or not is_reachable(identity):
            continue
        host, leaf = service["myhostname"], pair.leaf
        if not host.explicit or not host.known or leaf.names is None or _has_other_names(service):
            continue
        name = host.text.strip().rstrip(".").lower()
        if "." not in name or _SNAKEOIL in pair.file.path or leaf.is_local:
            continue  # NET003 and CRT011 tell
        if leaf.names and not any(_covers(pattern, name) for pattern in leaf.names):
            text = f"is for {_listed(leaf.names)}, not for {name}"
        elif not leaf.names:
            text = "names its host only as common name, where clients no longer look"
        else:
            continue
        finding = Finding(
            location,
            f"{pair.file.path}: the certificate {text}",
            severity=Severity.WARNING,
            security_severity=4.3,
            parameter=pair.file.parameter,
            related=() if host.location is None else (Related("myhostname", host.location),),
        )
        finding.services = labels([identity])
        yield finding


def _has_other_names(service: Service) -> bool:
    """Whether clients may see other certificates, or come through a proxy under its names."""
    names = ("tls_server_sni_maps", "smtpd_upstream_proxy_protocol")
    return any(service[name].empty is not True for name in names)


def _covers(pattern: str, name: str) -> bool:
    """Whether a dNSName holds for a host name: a wildcard is one label, the first (RFC 6125)."""
    pattern = pattern.rstrip(".")
    if pattern.startswith("*."):
        return pattern[1:] == name[name.find(".") :]
    return pattern == name


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(name[:64] for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


@rule("CRT010", severity=Severity.WARNING, tags=("CWE-296",))
def incomplete_chain(instance: Instance) -> Iterator[Finding]:
    """A server does not send the certificates that lead from its own to a known authority.

    Why: Clients know the root, not the authority in between that signed this certificate, and can
        not check it unless the server sends that one along. Some programs fetch or remember it,
        which is why this shows only now and then. Certificates in the wrong order keep the key
        from fitting the first one, and then TLS is off.
    Fix: Name the file with the whole chain (often fullchain.pem): the own certificate first, then
        that of its issuer, and so on; the root is not needed.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/leaf.pem
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_chain_files = /etc/postfix/full.pem
    References: postconf(5) smtpd_tls_cert_file, RFC 8446 section 4.4.2, TLS_README
    """
    for problem, users in problems(instance, "order"):
        location, other = problem.file.location, problem.other
        assert location is not None
        finding = Finding(
            location,
            f"{problem.text}: {without_tls(use.tls for use in users)}",
            severity=Severity.ERROR,
            parameter=problem.file.parameter,
            related=()
            if other is None or other.location is None
            else (Related("the key", other.location),),
        )
        finding.services = labels(users)
        yield finding
    yield from merged(_incomplete(instance))


def _incomplete(instance: Instance) -> Iterator[Finding]:
    from postlint.analysis.certificate_chains import chain_of
    from postlint.analysis.tls_identities import is_reachable, pairs_of

    for identity, pair in pairs_of(instance):
        location = pair.file.location
        if location is None or not identity.is_server or not is_reachable(identity):
            continue
        chain = chain_of(identity.service, pair)
        judged = _judge(chain, pair)
        if judged is not None:
            text, severity = judged
            finding = Finding(
                location,
                f"{pair.file.path}: {text}",
                severity=severity,
                parameter=pair.file.parameter,
                fix=_name_whole_chain(chain, pair, location),
            )
            finding.services = labels([identity])
            yield finding


def _name_whole_chain(chain: Chain, pair: Pair, location: Location) -> Fix | None:
    """Name the file that has all of them, where the key is in another one."""
    written = location.source.text[location.span.start : location.span.end]
    if chain.better is None or written != pair.file.path or "cert_file" not in pair.file.parameter:
        return None
    return Fix(f"name {chain.better}", (Edit(location, chain.better),), "unsafe")


def _judge(chain: Chain, pair: Pair) -> tuple[str, Severity] | None:
    """What is wrong with the certificates that are sent along."""
    if chain.missing is not None:
        issuer = chain.missing.issuer
        if not pair.leaf.from_authority:
            return (
                f"the certificate of the issuer, {issuer}, is not sent along:"
                " well if all clients know that authority",
                Severity.INFO,
            )
        hint = f"; {chain.better} has it" if chain.better is not None else ""
        return (
            f"the certificate of the issuer, {issuer}, is not sent along:"
            f" clients can not check this one{hint}",
            Severity.WARNING,
        )
    if chain.misplaced is not None:
        name = chain.misplaced.subject
        return f"the certificate of {name} does not follow what it signed", Severity.WARNING
    if chain.root is not None:
        return f"the root {chain.root.subject} is sent along, which no client needs", Severity.INFO
    return None
