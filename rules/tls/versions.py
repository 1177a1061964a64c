"""TLS: old protocol versions that servers and clients still negotiate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import is_public, service_role
from postlint.analysis.tls import server_tls, tls_of
from postlint.analysis.tls_protocols import BROKEN, LEGACY, Offered, ProtocolList, protocols_of
from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import CIPHER_GRADES
from postlint.records import NamedTuple

from .words import excludes_weak_kinds_only, joined, said, service_items, strict_protocols_fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls import Use
    from postlint.config.instance import Instance
    from postlint.lint.finding import Location


class _Exposed(NamedTuple):
    """Old versions that a use of a protocol list lets through, and how bad that is."""

    use: Use
    protocols: ProtocolList
    certain: tuple[str, ...]
    library: tuple[str, ...]
    severity: Severity
    security: float


@rule(
    "TLS001",
    severity=Severity.ERROR,
    security=7.4,
    tags=("RFC 8996", "RFC 9325", "CWE-326", "CWE-327", "CVE-2014-3566", "CVE-2016-0800"),
)
def insecure_protocol_offered(instance: Instance) -> Iterator[Finding]:
    """A server or client negotiates SSLv2, SSLv3, TLS 1.0 or TLS 1.1.

    Why: These versions have design flaws that attackers use (DROWN, POODLE, BEAST) and RFC 8996
        retired the last of them. The defaults of Postfix 3.6 and later still accept TLS 1.0. On
        port 25 an old version beats the clear text that the sender would use otherwise, so it is
        only a note there; where TLS is required, and for the programs of users, it is not.
    Fix: Where TLS is required set the list to ">=TLSv1.2"; before Postfix 3.6 write
        "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1". For port 25 decide whether senders that know nothing
        better may talk in clear.
    Bad:
        smtpd_tls_security_level = encrypt
        smtpd_tls_mandatory_protocols = !SSLv2
    Good:
        smtpd_tls_security_level = encrypt
        smtpd_tls_mandatory_protocols = >=TLSv1.2
    References: postconf(5) smtpd_tls_mandatory_protocols, RFC 8996, RFC 9325 section 3.1.1,
        RFC 8314 section 4.1, NIST SP 800-52r2 section 3.1
    """
    groups: dict[tuple[object, ...], list[_Exposed]] = {}
    for use in tls_of(instance).uses("protocols"):
        found = _exposed(use)
        if found is None:
            continue
        place = _place(found)
        if place is not None:
            what = (use.value.name, found.certain, found.library, found.severity)
            where = (place.path, place.span) if use.value.explicit else ()
            groups.setdefault((what, where), []).append(found)
    for group in groups.values():
        yield from _exposure(group)


def _exposed(use: Use) -> _Exposed | None:
    protocols = protocols_of(use.service.instance, use.value)
    offered = protocols.offered(use.side)
    if offered is None or not protocols.valid:
        return None
    reachable = _reachable(use, offered)
    certain = tuple(name for name in reachable.certain if name in LEGACY)
    library = tuple(name for name in reachable.library if name in LEGACY)
    grade = _grade(use, certain, library)
    if grade is None:
        return None
    return _Exposed(use, protocols, certain, library, *grade)


def _reachable(use: Use, offered: Offered) -> Offered:
    """What is left of the versions where ciphers or certificates leave some out."""
    service = use.service
    prefix = "smtpd" if use.side == "server" else service.program
    kinds = ("", "mandatory_") if use.mandatory else ("",)
    names = [f"{prefix}_tls_{kind}exclude_ciphers" for kind in kinds]
    lists = [f"tls_{grade}_cipherlist" for grade in CIPHER_GRADES]
    if (
        all(excludes_weak_kinds_only(service[name]) for name in names)
        and not any(service[name].explicit for name in lists)
        and not (use.side == "server" and service["smtpd_tls_req_ccert"].yes)
    ):
        return offered
    from postlint.analysis.handshakes import client_handshake, server_handshake

    if use.side == "server":
        handshake = server_handshake(server_tls(service))
    else:
        handshake = client_handshake(service, "encrypt" if use.mandatory else "may")
    if handshake.protocols is None:
        return offered
    return Offered(handshake.protocols, handshake.old_protocols)


def _grade(
    use: Use, certain: tuple[str, ...], library: tuple[str, ...]
) -> tuple[Severity, float] | None:
    """How bad old versions are for a service; None when nothing is to be said."""
    if not certain and not library:
        return None
    explicit = use.value.explicit
    if use.side == "server":
        if is_public(use.service) is False:
            return None
        strict = use.mandatory or service_role(use.service) == "msa"
    else:
        strict = use.mandatory and explicit
        if not use.mandatory and not explicit:
            return None
    if any(name in BROKEN for name in certain):
        return Severity.ERROR, 7.4
    if strict or library:
        return Severity.WARNING, 5.9
    return Severity.INFO, 3.1


def _place(found: _Exposed) -> Location | None:
    """The word of the list that lets the oldest version through, else the list."""
    value, use = found.use.value, found.use
    if not value.explicit:
        return use.why_location
    for item in found.protocols.items:
        if item.kind == "include" and item.name in (*found.certain, *found.library):
            return item.element.location or value.value_location
        if item.kind == "floor" and item.name and item.element.location is not None:
            return item.element.location
    return value.value_location


def _exposure(group: list[_Exposed]) -> Iterator[Finding]:
    worst = max(group, key=lambda found: found.security)
    use, value = worst.use, worst.use.value
    location = _place(worst)
    if location is None:
        return
    who = "clients can" if use.side == "server" else "this client would"
    versions = joined(worst.certain) if worst.certain else joined(worst.library)
    message = f"{who} still negotiate {versions}: {said(value)} allows it"
    if worst.certain and worst.library:
        message += f" (and {joined(worst.library)} where the OpenSSL library has it)"
    elif not worst.certain:
        message += " where the OpenSSL library has it"
    elif value.explicit and "SSLv3" not in worst.certain and worst.protocols.allows("SSLv3"):
        message += "; only the OpenSSL library of today keeps SSLv3 out"
    finding = Finding(
        location,
        message,
        severity=worst.severity,
        security_severity=worst.security,
        parameter=value.name,
        related=_reason(use, location),
        fix=strict_protocols_fix(value, use.service.instance),
    )
    finding.services = service_items(found.use for found in group)
    yield finding


def _reason(use: Use, location: Location) -> list[Related]:
    where = use.why_location
    if where is None or (where.path, where.span) == (location.path, location.span):
        return []
    return [Related("what makes this list count", where)]
