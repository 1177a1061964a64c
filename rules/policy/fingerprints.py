"""POL: policies that compare certificate fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.policies import level_of, policies_of
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import DIGEST_SIZES, digest_size
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.tables import PolicyTable
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import Policy

_WORD = LazyPattern(r"[^|]+")
_HEXADECIMAL = LazyPattern(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2})*\Z")
_PASTED = LazyPattern(r"(?i)(?:sha-?\d*|md5)?[ _]*(?:fingerprint)?[=:]")


@rule("POL001", severity=Severity.ERROR)
def fingerprint_without_match(table: PolicyTable) -> Iterator[Finding]:
    """A policy asks for a fingerprint and names none.

    Why: There is no certificate that could be right, so that smtp(8) defers all mail to the
        destination: "configured at fingerprint security level, but with no fingerprints to
        match".
    Fix: Add match= with the fingerprint of the server's certificate or public key.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  fingerprint
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt
    References: postconf(5) smtp_tls_policy_maps, TLS_README, src/smtp/smtp_tls_policy.c
    """
    match = (service[f"{service.program}_tls_fingerprint_cert_match"] for service in table.services)
    if not all(value.empty is True for value in match):
        return
    for entry, policy in policies_of(table).entries(_lacks_match):
        if policy.level is not None:
            yield Finding(
                policy.level.location,
                f"{entry.key.text}: fingerprint without match=: all its mail is deferred",
                parameter=table.parameter,
            )


def _lacks_match(policy: Policy) -> bool:
    if level_of(policy) != "fingerprint":
        return False
    return not any(attribute.name == "match" for attribute in policy.attributes)


@rule("POL002", severity=Severity.ERROR)
def bad_fingerprint(table: PolicyTable) -> Iterator[Finding]:
    """A fingerprint in a policy can not be one of the configured digest.

    Why: No certificate has it, so that mail to the destination is deferred. The digest changed
        from MD5 to SHA-256 with compatibility_level 3.6: raising the level without computing the
        fingerprints again breaks such policies.
    Fix: Compute the fingerprint with the digest of smtp_tls_fingerprint_digest and paste only
        the bytes, as in match=3D:95:34.
    Bad:
        compatibility_level = 3.6
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  fingerprint match=3D:95:34:51:24:66:33:B9:D2:40:99:C0:C1:17:0B:D1
    Good:
        smtp_tls_fingerprint_digest = md5
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  fingerprint match=3D:95:34:51:24:66:33:B9:D2:40:99:C0:C1:17:0B:D1
    References: postconf(5) smtp_tls_fingerprint_digest, COMPATIBILITY_README, TLS_README
    """
    digests = {
        service[f"{service.program}_tls_fingerprint_digest"].word() for service in table.services
    }
    digest = digests.pop() if len(digests) == 1 else None
    size = digest_size(digest) if digest else None
    if digest is None or size is None:
        return

    def wanted(policy: Policy) -> bool:
        return any(True for _ in _bad_prints(policy, digest, size))

    for entry, policy in policies_of(table).entries(wanted):
        for text, why in _bad_prints(policy, digest, size):
            yield Finding(
                text.location,
                f"{entry.key.text}: {why}; mail to it is deferred",
                parameter=table.parameter,
            )


def _bad_prints(policy: Policy, digest: str, size: int) -> Iterator[tuple[SourceText, str]]:
    """The fingerprints that can not be, and why."""
    if level_of(policy) != "fingerprint":
        return
    for attribute in policy.attributes:
        if attribute.name != "match" or attribute.value is None:
            continue
        for match in _WORD.finditer(attribute.value.text):
            text = attribute.value.cut(*match.span())
            if not _HEXADECIMAL.match(match[0]):
                pasted = _PASTED.match(match[0])
                hint = f' (without "{pasted[0]}"?)' if pasted else ""
                yield text, f"the fingerprint is not in hexadecimal{hint}"
                continue
            length = len(match[0].replace(":", "")) // 2
            if length != size:
                others = [name for name, bytes_ in DIGEST_SIZES.items() if bytes_ == length]
                looks = f", as of {others[0]}" if others else ""
                yield text, f"a {digest} fingerprint has {size} bytes, this has {length}{looks}"
