"""TLS: digests that certificate fingerprints are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.tls import tls_of
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.restrictions import LISTS
from postlint.postfix.tls import is_digest

from .words import SIDES, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope

_WEAK = frozenset({"md5", "sha1"})
_CCERT_WORDS = frozenset({"permit_tls_clientcerts", "check_ccert_access"})


@rule("TLS029", severity=Severity.WARNING, security=5.3, tags=("CWE-328",))
def weak_fingerprint_digest(instance: Instance) -> Iterator[Finding]:
    """Fingerprints of certificates are made with MD5 or SHA-1.

    Why: For MD5, and with more effort for SHA-1, two certificates with the same fingerprint can
        be made. Below compatibility_level 3.6 MD5 is still the default of Postfix 3.6 and later.
    Fix: Compute all stored fingerprints again with sha256, then set the digest.
    Bad:
        smtp_tls_security_level = fingerprint
        smtp_tls_fingerprint_cert_match = 3D:95:34:51:24:66:33:B9:D2:40:99:C0:C1:17:0B:D1
        smtp_tls_fingerprint_digest = md5
    Good:
        smtp_tls_security_level = fingerprint
        smtp_tls_fingerprint_digest = sha256
    References: postconf(5) smtp_tls_fingerprint_digest, COMPATIBILITY_README
    """
    for side in SIDES:
        name = f"{side}_tls_fingerprint_digest"
        scopes: list[Scope] = [instance.main]
        scopes += [service for service in instance.services if service.overrides(name)]
        for scope in scopes:
            yield from _digest(instance, side, scope[name])


def _digest(instance: Instance, side: str, value: Effective) -> Iterator[Finding]:
    digest = value.word()
    if not digest:
        return
    location = value.value_location
    if location is not None and not is_digest(digest):
        yield Finding(
            location,
            f'{value.name}: "{shown(value)}" is no digest: TLS is switched off',
            severity=Severity.ERROR,
            parameter=value.name,
        )
        return
    if digest not in _WEAK:
        return
    use = _use_of_fingerprints(instance, side)
    if use is None:
        if location is not None:
            yield Finding(
                location,
                f"{value.name} = {digest} is outdated; nothing compares fingerprints here yet",
                severity=Severity.INFO,
                parameter=value.name,
            )
        return
    what, place = use
    default = "" if value.explicit else ", not set and by default"
    equals = " =" if value.explicit else ""
    level = _below_level(value, instance)
    yield Finding(
        location or place,
        f"{value.name}{default}{equals} {digest}{level}: the fingerprints of {what} can be forged",
        parameter=value.name,
        related=() if location is None else (Related("fingerprints count here", place),),
    )


def _below_level(value: Effective, instance: Instance) -> str:
    if value.explicit or instance.version < (3, 6):
        return ""
    return " below compatibility_level 3.6"


def _use_of_fingerprints(instance: Instance, side: str) -> tuple[str, Location] | None:
    """What compares fingerprints, and where it is written."""
    return _server_use(instance) if side == "smtpd" else _client_use(instance, side)


def _server_use(instance: Instance) -> tuple[str, Location] | None:
    for service in instance.services_running("smtpd"):
        certs = service["relay_clientcerts"]
        if certs.empty is False and certs.value_location is not None:
            return "relay_clientcerts", certs.value_location
        for name in LISTS:
            for element in service[name].elements():
                if element.text.lower() in _CCERT_WORDS and element.location is not None:
                    return element.text, element.location
    return None


def _client_use(instance: Instance, side: str) -> tuple[str, Location] | None:
    tls = tls_of(instance)
    for client in tls.clients:
        if client.prefix != side:
            continue
        match = client.service[f"{side}_tls_fingerprint_cert_match"]
        if match.empty is False and match.value_location is not None:
            return match.name, match.value_location
        use = tls.policies(client.service).levels.get("fingerprint")
        if use is not None:
            return use.entry.key.text, use.entry.key.location
    return None
