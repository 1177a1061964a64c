"""POL: protocols and ciphers of single policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.policies import level_of, policies_of
from postlint.analysis.tls_protocols import BROKEN, LEGACY, ProtocolList, missing
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import CIPHER_GRADES, cipher_grade, policy_levels
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

from ..tls.words import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service
    from postlint.config.tables import PolicyTable
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import Location, SourceText
    from postlint.syntax.table import Policy

_CIPHER_WORD = LazyPattern(r"[^,: \t\r\n]+")


class _Verdict(NamedTuple):
    """What is wrong with one attribute; None stands for the rule's own severities."""

    location: Location
    text: str
    severity: Severity | None = None
    security: float | None = None


@rule("POL006", severity=Severity.ERROR, security=6.5, tags=("RFC 8996", "RFC 9325", "CWE-326"))
def policy_weak_protocols(table: PolicyTable) -> Iterator[Finding]:
    """A policy pins a destination to old TLS versions.

    Why: "protocols=TLSv1" does not mean "TLS 1.0 or better" but TLS 1.0 alone. Servers of today
        refuse it and the mail is deferred; those that accept it get a connection that can be
        attacked.
    Fix: Take the attribute away, or write protocols=>=TLSv1.2 (Postfix 3.6), before that
        protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt protocols=TLSv1
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt protocols=>=TLSv1.2
    References: postconf(5) smtp_tls_policy_maps, RFC 8996, RFC 9325 section 3.1.1
    """
    version, oldest = table.instance.version, table.instance.oldest_version

    def wanted(policy: Policy) -> bool:
        return any(True for _ in _protocol_problems(policy, version, oldest))

    for entry, policy in policies_of(table).entries(wanted):
        for value, verdict in _protocol_problems(policy, version, oldest):
            strict = ">=TLSv1.2" if oldest >= (3, 6) else "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"
            yield Finding(
                verdict.location,
                f"{entry.key.text}: {verdict.text}",
                severity=verdict.severity,
                security_severity=verdict.security,
                parameter=table.parameter,
                fix=Fix(f"write protocols={strict}", (Edit(value.location, strict),), "unsafe"),
            )


def _protocol_problems(
    policy: Policy, version: PostfixVersion, oldest: PostfixVersion
) -> Iterator[tuple[SourceText, _Verdict]]:
    level = level_of(policy)
    for attribute in policy.attributes:
        value = attribute.value
        if attribute.name != "protocols" or value is None or not value.text or level == "none":
            continue
        verdict = _protocols(value, level, version, oldest)
        if verdict is not None:
            yield value, verdict


def _protocols(
    value: SourceText, level: str, version: PostfixVersion, oldest: PostfixVersion
) -> _Verdict | None:
    protocols = ProtocolList.of_text(value, version)
    offered = protocols.offered("client")
    given = f"protocols={value.text}"
    if protocols.bad_items:
        item = protocols.bad_items[0]
        return _Verdict(
            item.element.location or value.location,
            f'"{item.element.text}" is no protocol of Postfix {version.major}.{version.minor}:'
            " its mail is deferred",
            Severity.ERROR,
            5.9,
        )
    if offered is None:
        return None
    certain = offered.certain
    first = protocols.inclusions[0].element.location if protocols.inclusions else None
    place = first or value.location
    if not certain and not offered.library:
        return _Verdict(place, f"{given} leaves no TLS version", Severity.ERROR, 5.9)
    if set(certain) <= set(LEGACY):
        names = joined((*offered.library, *certain))
        return _Verdict(place, f"{given} allows {names} and nothing newer")
    if any(name in BROKEN for name in certain):
        return _Verdict(place, f"{given} still allows {joined(certain)}", Severity.ERROR, 7.4)
    gone = [name for name in missing(offered, version) if name not in LEGACY]
    if protocols.inclusions and gone:
        text = f"{given} switches {joined(gone)} off"
        if "TLSv1.2" in gone or oldest >= (3, 4):
            return _Verdict(place, text, Severity.ERROR, 5.3)
        return _Verdict(place, f"{text} (depends on the version)", Severity.WARNING, 5.3)
    old = [name for name in certain if name in LEGACY]
    if old:
        strict = level != "may"
        return _Verdict(
            place,
            f"{given} still allows {joined(old)}",
            Severity.WARNING if strict else Severity.INFO,
            5.9 if strict else 3.1,
        )
    return None


@rule("POL011", severity=Severity.ERROR, security=5.9)
def bad_policy_cipher(table: PolicyTable) -> Iterator[Finding]:
    """A policy has a cipher grade that does not exist or encrypts nothing, or a bad exclusion.

    Why: smtp(8) notices in the handshake, which fails: mail to the destination is deferred. The
        grade null lets the handshake succeed and encrypts nothing.
    Fix: Take ciphers=medium or ciphers=high, or leave it out; in exclude= write names of ciphers
        with ":" between them and no signs before them.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt ciphers=strong
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt ciphers=high
    References: postconf(5) smtp_tls_policy_maps, src/tls/tls_misc.c
    """
    version = table.instance.version
    client = table.services[0]

    def wanted(policy: Policy) -> bool:
        return any(True for _ in _cipher_problems(policy, version, client))

    for entry, policy in policies_of(table).entries(wanted):
        for verdict in _cipher_problems(policy, version, client):
            yield Finding(
                verdict.location,
                f"{entry.key.text}: {verdict.text}",
                severity=verdict.severity,
                security_severity=verdict.security,
                parameter=table.parameter,
            )


def _cipher_problems(
    policy: Policy, version: PostfixVersion, client: Service
) -> Iterator[_Verdict]:
    """What is wrong with ciphers= and exclude=; ``client``: who takes the lists of grades."""
    if level_of(policy) == "none":
        return
    for attribute in policy.attributes:
        value = attribute.value
        if value is None or not value.text:
            continue
        if attribute.name == "ciphers":
            verdict = _grade(value, version)
            if verdict is not None:
                yield verdict
        elif attribute.name == "exclude":
            signed = False
            for match in _CIPHER_WORD.finditer(value.text):
                if match[0][0] in "!+-@":
                    signed = True
                    text = f'exclude={match[0]} starts with "{match[0][0]}": its mail is deferred'
                    yield _Verdict(value.cut(*match.span()).location, text)
            if not signed and _leaves_nothing(policy, client, value.text):
                text = f"exclude={value.text} leaves no cipher: its mail is deferred"
                yield _Verdict(value.location, text)


def _leaves_nothing(policy: Policy, client: Service, exclude: str) -> bool:
    """Whether OpenSSL finds no cipher after the exclusions of a policy."""
    from postlint.analysis.handshakes import client_handshake, excluded_words

    level = level_of(policy)
    given = {item.name: item.value.text for item in policy.attributes if item.value is not None}
    grade = given.get("ciphers")
    if level not in policy_levels(client.version):
        return False
    with_it = client_handshake(client, level, grade=grade, exclude=excluded_words(exclude))
    without = client_handshake(client, level, grade=grade, exclude=())
    return with_it.refuses_ciphers and not without.refuses_ciphers


def _grade(value: SourceText, version: PostfixVersion) -> _Verdict | None:
    grade = value.text.lower()
    if grade not in CIPHER_GRADES:
        known = joined(CIPHER_GRADES)
        text = f"ciphers={value.text} is none of {known}: its mail is deferred"
        return _Verdict(value.location, text)
    if grade == "null":
        return _Verdict(value.location, "ciphers=null: nothing is encrypted", Severity.ERROR, 7.5)
    if grade not in ("export", "low"):
        return None
    if cipher_grade(grade, version) == "medium":
        text = f"ciphers={grade} means medium since Postfix 3.8"
        return _Verdict(value.location, text, Severity.INFO)
    return _Verdict(
        value.location, f"ciphers={grade} lets broken ciphers in", Severity.WARNING, 5.9
    )
