"""TLS words: protocols, cipher grades, digests, security levels, policy attributes.

Sources: src/tls/tls_misc.c, src/tls/tls_level.c, src/tls/tls_dh.c, src/tls/
tls_fprint.c, src/smtp/smtp_tls_policy.c, TLS_README.  Defaults by version are
those of the parameters: see ``parameters``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = [
    "CIPHER_GRADES",
    "DIGEST_SIZES",
    "PROTOCOLS",
    "PROTOCOL_BOUNDS_SINCE",
    "PROTOCOL_SEPARATORS",
    "PolicyAttribute",
    "Protocol",
    "SecurityLevel",
    "cipher_grade",
    "digest_size",
    "eecdh_grades",
    "is_digest",
    "policy_attributes",
    "policy_levels",
    "protocol",
    "protocols",
    "server_levels",
]


class Protocol(NamedTuple):
    """An SSL or TLS protocol version, from oldest to newest."""

    name: str
    number: int
    """The version number on the wire; also what a hexadecimal bound (3.6+) means."""
    since: str
    """Series or releases (as for PostfixVersion.has()) whose protocol lists know the name."""


PROTOCOLS: Final[tuple[Protocol, ...]] = (
    Protocol("SSLv2", 0x0002, "2.3"),
    Protocol("SSLv3", 0x0300, "2.3"),
    Protocol("TLSv1", 0x0301, "2.3"),
    Protocol("TLSv1.1", 0x0302, "2.6.15 2.7.9 2.8.10 2.9.2"),
    Protocol("TLSv1.2", 0x0303, "2.6.15 2.7.9 2.8.10 2.9.2"),
    Protocol("TLSv1.3", 0x0304, "3.0"),
)
"""TLSv1.3: measured at the latest patch releases of 3.0 to 3.3; documented since 3.4."""

PROTOCOL_SEPARATORS: Final = ", \t\r\n:"
"""Between the words of a protocol list."""

PROTOCOL_BOUNDS_SINCE: Final = "3.6"
"""``>=NAME`` and ``<=NAME``, without a blank; NAME from SSLv3 on, "None", or hexadecimal."""

CIPHER_GRADES: Final = ("high", "medium", "low", "export", "null")
"""From strongest to weakest; case is ignored."""

_GRADES_MERGED_IN: Final = "3.8"

DIGEST_SIZES: Final[dict[str, int]] = {
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
}
"""Fingerprint digest -> bytes; OpenSSL may know more names."""

_DIGEST_NAMES: Final = (
    r"(?:rsa-)?(?:md[245]|mdc2|md5-sha1|sha-?(?:1|224|256|384|512|512[-/]224|512[-/]256)?"
    r"|sha2-(?:224|256|384|512|512/224|512/256)|sha3-(?:224|256|384|512)|shake-?(?:128|256)"
    r"|keccak-[a-z0-9-]+|blake2[bs](?:-?(?:256|512))?|ripemd(?:-?160)?|rmd160|whirlpool|sm3"
    r"|ssl3-[a-z0-9]+|streebog\d+|md_gost\w+)(?:withrsaencryption)?"
)
"""Digests that some OpenSSL knows, in any of their spellings."""

SecurityLevel = Literal[
    "none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"
]

_LEVELS: Final[dict[SecurityLevel, str]] = {
    "none": "2.3",
    "may": "2.3",
    "encrypt": "2.3",
    "dane": "2.11",
    "dane-only": "2.11",
    "fingerprint": "2.5",
    "verify": "2.3",
    "secure": "2.3",
}

_EECDH_GRADES: Final[dict[str, str]] = {
    "none": "2.6",
    "strong": "2.6",
    "ultra": "2.6",
    "auto": "3.2",
}


class PolicyAttribute(NamedTuple):
    """``name=value`` behind the level in a TLS policy table."""

    name: str
    first: str
    repeatable: bool
    levels: frozenset[SecurityLevel] | None
    """The levels it is allowed at; None is all but "none", which ignores attributes."""
    value: str
    """What the value is, in words."""
    choices: frozenset[str] = frozenset()
    """All allowed values, where there are few."""


_AUTHENTICATED: Final[frozenset[SecurityLevel]] = frozenset({"verify", "secure"})
_MATCHED: Final[frozenset[SecurityLevel]] = frozenset({"fingerprint", "verify", "secure"})
_YES_NO: Final = frozenset({"yes", "no"})

_ATTRIBUTES: Final = (
    PolicyAttribute("ciphers", "2.3", False, None, "a cipher grade", frozenset(CIPHER_GRADES)),
    PolicyAttribute("protocols", "2.3", False, None, "a protocol list, with ':' or inside { }"),
    PolicyAttribute(
        "match",
        "2.3",
        True,
        _MATCHED,
        "digests with '|', or with ':' names, hostname, nexthop, dot-nexthop",
    ),
    PolicyAttribute("exclude", "2.6", False, None, "ciphers to exclude, with ':'"),
    PolicyAttribute("tafile", "2.11", True, _AUTHENTICATED, "a file of trust anchors"),
    PolicyAttribute("servername", "3.4", False, None, "a host name"),
    PolicyAttribute("connection_reuse", "3.4", False, None, "yes or no", _YES_NO),
    PolicyAttribute("enable_rpk", "3.9", False, None, "yes or no", _YES_NO),
    PolicyAttribute("policy_ttl", "3.10", False, None, "seconds, digits only"),
    PolicyAttribute(
        "policy_type", "3.10", False, None, "for TLSRPT", frozenset({"sts", "no-policy-found"})
    ),
    PolicyAttribute("policy_domain", "3.10", False, None, "a host name"),
    PolicyAttribute("policy_string", "3.10", True, None, "a line of the policy"),
    PolicyAttribute("mx_host_pattern", "3.10", True, None, "a host name or *.domain"),
    PolicyAttribute(
        "policy_failure",
        "3.10",
        False,
        None,
        "for TLSRPT",
        frozenset(
            {
                "sts-policy-fetch-error",
                "sts-policy-invalid",
                "sts-webpki-invalid",
                "validation-failure",
            }
        ),
    ),
)


def protocols(version: PostfixVersion) -> tuple[Protocol, ...]:
    """The protocols that protocol lists of *version* can name, oldest first."""
    return tuple(entry for entry in PROTOCOLS if version.has(entry.since))


def protocol(name: str, version: PostfixVersion) -> Protocol | None:
    """The protocol of that name, in any case, if *version* knows it."""
    for entry in protocols(version):
        if entry.name.lower() == name.lower():
            return entry
    return None


def cipher_grade(name: str, version: PostfixVersion) -> str | None:
    """What a cipher grade means: "low" and "export" are "medium" from 3.8 on; None if unknown."""
    grade = name.lower()
    if grade not in CIPHER_GRADES:
        return None
    return "medium" if grade in ("low", "export") and version.at_least(_GRADES_MERGED_IN) else grade


def digest_size(name: str) -> int | None:
    """Bytes in a fingerprint of that digest ("sha256"); None if it is not known here."""
    return DIGEST_SIZES.get(name.lower())


def is_digest(name: str) -> bool:
    """Whether any OpenSSL may know a digest of that name; Postfix turns TLS off otherwise."""
    return re.fullmatch(_DIGEST_NAMES, name.lower()) is not None


def eecdh_grades(version: PostfixVersion) -> tuple[str, ...]:
    """The values of smtpd_tls_eecdh_grade that make a difference in *version*: none from 3.6 on."""
    if version.at_least("3.6"):
        return ()
    return tuple(name for name, first in _EECDH_GRADES.items() if version.at_least(first))


def policy_levels(version: PostfixVersion) -> tuple[SecurityLevel, ...]:
    """The levels of smtp_tls_security_level and of policy tables, weakest first."""
    return tuple(name for name, first in _LEVELS.items() if version.at_least(first))


def server_levels(version: PostfixVersion) -> tuple[SecurityLevel, ...]:
    """The levels that smtpd carries out.

    It takes fingerprint, verify and secure for encrypt, with a warning.
    """
    return tuple(name for name in policy_levels(version) if name in ("none", "may", "encrypt"))


def policy_attributes(version: PostfixVersion) -> dict[str, PolicyAttribute]:
    """The attributes that policy tables of *version* know."""
    return {entry.name: entry for entry in _ATTRIBUTES if version.at_least(entry.first)}
