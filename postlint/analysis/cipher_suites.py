"""Cipher suites of OpenSSL for TLS 1.2 and older, and which of them a cipher list leaves.

The language is that of openssl-ciphers(1): words that add, ``-`` takes away, ``!`` for good,
``a+b`` are suites with both, unknown names say nothing (ssl_ciph.c). Suites of TLS 1.3 are
outside of it. Those with pre-shared keys and SRP are there because a list is not empty with
them, though Postfix never sets them up; GOST is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from postlint.numbers import integer
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN: Final = "RSA DHE-RSA DHE-DSS ADH"
_STATIC_DH: Final = "DH-RSA DH-DSS"
_ELLIPTIC: Final = "ECDHE-RSA ECDHE-ECDSA"
_STATIC_ECDH: Final = "ECDH-RSA ECDH-ECDSA"
_PSK: Final = "PSK RSA-PSK DHE-PSK"
_ALL_PSK: Final = f"{_PSK} ECDHE-PSK"
_SRP: Final = "SRP SRP-RSA SRP-DSS"

_CURRENT: Final = {
    "AES256-GCM-SHA384": f"{_PLAIN} {_ELLIPTIC} {_PSK}",
    "AES128-GCM-SHA256": f"{_PLAIN} {_ELLIPTIC} {_PSK}",
    "AES256-CCM8": "RSA DHE-RSA ECDHE-ECDSA PSK DHE-PSK",
    "AES256-CCM": "RSA DHE-RSA ECDHE-ECDSA PSK DHE-PSK",
    "AES128-CCM8": "RSA DHE-RSA ECDHE-ECDSA PSK DHE-PSK",
    "AES128-CCM": "RSA DHE-RSA ECDHE-ECDSA PSK DHE-PSK",
    "CHACHA20-POLY1305": f"DHE-RSA {_ELLIPTIC} {_ALL_PSK}",
    "ARIA256-GCM-SHA384": f"RSA DHE-RSA DHE-DSS {_ELLIPTIC} {_PSK}",
    "ARIA128-GCM-SHA256": f"RSA DHE-RSA DHE-DSS {_ELLIPTIC} {_PSK}",
    "AES256-SHA384": _ELLIPTIC,
    "AES256-SHA256": _PLAIN,
    "AES128-SHA256": f"{_PLAIN} {_ELLIPTIC}",
    "CAMELLIA256-SHA384": f"{_ELLIPTIC} {_ALL_PSK}",
    "CAMELLIA256-SHA256": _PLAIN,
    "CAMELLIA128-SHA256": f"{_PLAIN} {_ELLIPTIC} {_ALL_PSK}",
    "AES256-SHA": f"{_PLAIN} {_ELLIPTIC} AECDH",
    "AES128-SHA": f"{_PLAIN} {_ELLIPTIC} AECDH",
    "CAMELLIA256-SHA": _PLAIN,
    "CAMELLIA128-SHA": _PLAIN,
    "AES256-CBC-SHA384": _ALL_PSK,
    "AES128-CBC-SHA256": _ALL_PSK,
    "AES256-CBC-SHA": _ALL_PSK,
    "AES128-CBC-SHA": _ALL_PSK,
    "AES-256-CBC-SHA": _SRP,
    "AES-128-CBC-SHA": _SRP,
    "NULL-SHA384": _ALL_PSK,
    "NULL-SHA256": f"RSA {_ALL_PSK}",
    "NULL-SHA": f"RSA {_ELLIPTIC} AECDH {_ALL_PSK}",
    "NULL-MD5": "RSA",
}
"""Encryption and digest -> key exchanges, in OpenSSL 3 as systems build it."""

_OLD: Final = {
    "DES-CBC3-SHA": f"RSA EDH-RSA EDH-DSS DHE-RSA DHE-DSS ADH {_ELLIPTIC} AECDH"
    f" {_STATIC_ECDH} {_STATIC_DH}",
    "RC4-SHA": f"RSA DHE-DSS {_ELLIPTIC} AECDH {_STATIC_ECDH}",
    "RC4-MD5": "RSA ADH",
    "IDEA-CBC-SHA": "RSA",
    "SEED-SHA": f"{_PLAIN} {_STATIC_DH}",
    "DES-CBC-SHA": f"RSA EDH-RSA EDH-DSS ADH {_STATIC_DH}",
    "EXP-RC4-MD5": "RSA ADH",
    "EXP-RC2-CBC-MD5": "RSA",
    "EXP-DES-CBC-SHA": "RSA EDH-RSA EDH-DSS ADH",
    "AES256-GCM-SHA384": f"{_STATIC_ECDH} {_STATIC_DH}",
    "AES128-GCM-SHA256": f"{_STATIC_ECDH} {_STATIC_DH}",
    "AES256-SHA384": _STATIC_ECDH,
    "AES256-SHA256": _STATIC_DH,
    "AES128-SHA256": f"{_STATIC_ECDH} {_STATIC_DH}",
    "AES256-SHA": f"{_STATIC_ECDH} {_STATIC_DH}",
    "AES128-SHA": f"{_STATIC_ECDH} {_STATIC_DH}",
    "CAMELLIA256-SHA": _STATIC_DH,
    "CAMELLIA128-SHA": _STATIC_DH,
    "NULL-SHA": _STATIC_ECDH,
}
"""What only OpenSSL up to 1.0 has, or later ones that were built with weak ciphers."""

_EXCHANGES: Final = {
    "RSA": ("RSA", "RSA"),
    "DHE-RSA": ("DHE", "RSA"),
    "EDH-RSA": ("DHE", "RSA"),
    "DHE-DSS": ("DHE", "DSS"),
    "EDH-DSS": ("DHE", "DSS"),
    "ADH": ("DHE", ""),
    "DH-RSA": ("DH", "DH"),
    "DH-DSS": ("DH", "DH"),
    "ECDHE-RSA": ("ECDHE", "RSA"),
    "ECDHE-ECDSA": ("ECDHE", "ECDSA"),
    "AECDH": ("ECDHE", ""),
    "ECDH-RSA": ("ECDH", "ECDH"),
    "ECDH-ECDSA": ("ECDH", "ECDH"),
    "PSK": ("PSK", "PSK"),
    "RSA-PSK": ("RSAPSK", "RSA"),
    "DHE-PSK": ("DHEPSK", "PSK"),
    "ECDHE-PSK": ("ECDHEPSK", "PSK"),
    "SRP": ("SRP", "SRP"),
    "SRP-RSA": ("SRP", "RSA"),
    "SRP-DSS": ("SRP", "DSS"),
}

_WORD = LazyPattern(r"[A-Za-z0-9.=-]+")
_SEPARATORS: Final = ": ;,"
_SECURITY_LEVEL = LazyPattern(r"@SECLEVEL=([0-5])\Z")


class Suite(NamedTuple):
    """A cipher suite.

    ``exchange``: RSA, DHE, ECDHE, DH and ECDH with a fixed key, or one with a shared secret;
    ``authentication`` is the kind of certificate, "" for none; ``encryption`` its algorithm, ""
    for none; ``digest`` is AEAD or a hash; ``protocol`` the oldest version that has it; ``old``:
    current libraries lack it.
    """

    name: str
    exchange: str
    authentication: str
    encryption: str
    digest: str
    protocol: str
    old: bool

    @property
    def kinds(self) -> frozenset[str]:
        """What there is to say of it, in the words of ``KINDS``."""
        found = {
            "anonymous": not self.authentication,
            "null": not self.encryption,
            "export": self.name.startswith("EXP-"),
            "des": self.encryption == "DES",
            "3des": self.encryption == "3DES",
            "rc4": self.encryption == "RC4",
            "static_rsa": self.exchange == "RSA",
            "cbc": self.cbc,
        }
        return frozenset(kind for kind, holds in found.items() if holds)

    @property
    def cbc(self) -> bool:
        """Whether it is a block cipher in the mode that padding attacks are about."""
        return bool(self.encryption) and self.digest != "AEAD" and self.encryption != "RC4"

    @property
    def shared_secret(self) -> bool:
        """Whether both sides have to know a secret, which Postfix never does."""
        return self.exchange.endswith("PSK") or self.exchange == "SRP"

    @property
    def forward_secrecy(self) -> bool:
        """Whether a recorded session stays closed to who gets the server's key later."""
        return self.exchange in ("DHE", "ECDHE")


KINDS: Final = ("anonymous", "null", "export", "des", "3des", "rc4", "static_rsa", "cbc")
"""Kinds of ciphers that auditors ask for."""


@lru_cache(maxsize=1)
def suites() -> tuple[Suite, ...]:
    """All suites, current and old."""
    return tuple(
        _suite(exchange, cipher, old=old)
        for old, rows in ((False, _CURRENT), (True, _OLD))
        for cipher, exchanges in rows.items()
        for exchange in exchanges.split()
    )


LONGEST_LIST: Final = 1 << 13
"""Characters of a list that are looked at; nothing is said of a longer one."""


@lru_cache(maxsize=256)
def read_cipher_list(text: str) -> tuple[Suite, ...] | None:
    """The suites that a list leaves, in no order; None when the library refuses the list.

    It does so for signs that are no part of the language, and when nothing is left.
    """
    active: dict[Suite, None] = {}
    killed: set[Suite] = set()
    at = 0
    if text.startswith("DEFAULT"):
        active.update((suite, None) for suite in suites() if _is_default(suite))
        killed.update(suite for suite in suites() if suite not in active)
        at = len("DEFAULT")
    while at < len(text):
        if text[at] in _SEPARATORS:
            at += 1
        elif text[at] == "@":
            end = _end_of_command(text, at)
            if text[at:end] != "@STRENGTH" and not _SECURITY_LEVEL.match(text[at:end]):
                return None
            at = end
        else:
            sign = text[at] if text[at] in "!-+" else ""
            found, at = _read_words(text, at + len(sign))
            if found is None:
                return None
            _apply(sign, found, active, killed)
    return tuple(active) or None


def _apply(sign: str, found: list[Suite], active: dict[Suite, None], killed: set[Suite]) -> None:
    if sign == "+":
        return  # only the order changes
    if sign == "!":
        killed.update(found)
    for suite in found:
        if sign:
            active.pop(suite, None)
        elif suite not in killed:
            active[suite] = None


def _read_words(text: str, at: int) -> tuple[list[Suite] | None, int]:
    """The suites that one command is about, and where it ends; None for no command at all."""
    found = list(suites())
    while True:
        match = _WORD.match(text, at)
        if match is None:
            return None, at
        word = match[0]
        found = [suite for suite in found if _has(suite, word)]
        at = match.end()
        if word not in _known_words():
            return [], _end_of_command(text, at)
        if text[at : at + 1] != "+":
            return found, at
        at += 1


def _end_of_command(text: str, at: int) -> int:
    while at < len(text) and text[at] not in _SEPARATORS:
        at += 1
    return at


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    return frozenset(suite.name for suite in suites()).union(*map(_words, suites()))


def security_level(text: str) -> int:
    """The last ``@SECLEVEL`` of a list; 0, which Postfix sets, without one."""
    level = 0
    for command in re.split(f"[{_SEPARATORS}]+", text):
        match = _SECURITY_LEVEL.match(command)
        if match is not None:
            level = integer(match[1])
    return level


def _suite(exchange: str, cipher: str, *, old: bool) -> Suite:
    keys, authentication = _EXCHANGES[exchange]
    digest = next((word for word in cipher.split("-")[::-1] if word in _DIGESTS), "AEAD")
    if any(mode in cipher for mode in ("GCM", "CCM", "POLY1305")):
        digest = "AEAD"
    encryption = next(name for start, name in _ALGORITHMS.items() if start in cipher)
    protocol = "TLSv1" if keys.startswith("ECDHE") else "SSLv3"
    if digest == "AEAD":
        protocol = "TLSv1.2"
    elif digest not in ("SHA", "MD5"):
        protocol = "TLSv1" if keys.endswith("PSK") else "TLSv1.2"
    return Suite(_name(exchange, cipher), keys, authentication, encryption, digest, protocol, old)


_DIGESTS: Final = frozenset({"MD5", "SHA", "SHA256", "SHA384"})

_ALGORITHMS: Final = {
    "AES256": "AES256",
    "AES128": "AES128",
    "CHACHA20": "CHACHA20",
    "ARIA256": "ARIA256",
    "ARIA128": "ARIA128",
    "CAMELLIA256": "CAMELLIA256",
    "CAMELLIA128": "CAMELLIA128",
    "AES-256": "AES256",
    "AES-128": "AES128",
    "DES-CBC3": "3DES",
    "DES-CBC": "DES",
    "RC4": "RC4",
    "RC2": "RC2",
    "IDEA": "IDEA",
    "SEED": "SEED",
    "NULL": "",
}


def _name(exchange: str, cipher: str) -> str:
    if exchange == "RSA":
        return cipher
    if exchange == "ECDHE-RSA" and cipher.startswith("ARIA"):
        return f"ECDHE-{cipher}"
    if cipher.startswith("EXP-"):
        return f"EXP-{exchange}-{cipher.removeprefix('EXP-')}"
    return f"{exchange}-{cipher}"


def _has(suite: Suite, word: str) -> bool:
    return word == suite.name or word in _words(suite)


@lru_cache(maxsize=512)
def _words(suite: Suite) -> frozenset[str]:
    """The names of ciphers(1) that a suite answers to, its own aside."""
    return frozenset(
        (
            *("ALL" if suite.encryption else "COMPLEMENTOFALL",),
            *_strength_words(suite),
            *_exchange_words(suite),
            *_encryption_words(suite),
            suite.protocol,
        )
    )


def _exchange_words(suite: Suite) -> Iterator[str]:
    match suite.exchange:
        case "RSA":
            yield from ("kRSA", "RSA")
        case "DHE":
            yield from ("kEDH", "kDHE", "DH")
            yield from ("EDH", "DHE") if suite.authentication else ("ADH",)
        case "ECDHE":
            yield from ("kEECDH", "kECDHE", "ECDH")
            yield from ("EECDH", "ECDHE") if suite.authentication else ("AECDH",)
        case "DH":
            yield from ("kDH", "DH", "kDHr" if "-RSA-" in suite.name else "kDHd", "aDH")
        case "SRP":
            yield from ("kSRP", "SRP")
        case "PSK" | "RSAPSK" | "DHEPSK" | "ECDHEPSK" as keys:
            yield from (f"k{keys}", "PSK")
        case _:
            yield from ("kECDH", "ECDH", "kECDHr" if "-RSA-" in suite.name else "kECDHe", "aECDH")
    match suite.authentication:
        case "":
            yield "aNULL"
        case "RSA":
            yield "aRSA"
        case "DSS":
            yield from ("aDSS", "DSS")
        case "ECDSA":
            yield from ("aECDSA", "ECDSA")
        case "PSK" | "SRP" as kind:
            yield f"a{kind}"
    if suite.protocol == "TLSv1":
        yield "TLSv1.0"


def _encryption_words(suite: Suite) -> Iterator[str]:
    name = suite.encryption
    yield from (name,) if name else ("eNULL", "NULL")
    family = name.rstrip("0123456789")
    if family in ("AES", "CAMELLIA", "ARIA"):
        yield family
    if "-GCM-" in suite.name:
        yield f"{family}GCM"
    if "-CCM" in suite.name:
        yield "AESCCM"
    if suite.name.endswith("-CCM8"):
        yield "AESCCM8"
    if suite.cbc:
        yield "CBC"
    match suite.digest:
        case "SHA":
            yield from ("SHA", "SHA1")
        case "AEAD":
            pass
        case digest:
            yield digest


def _strength_words(suite: Suite) -> Iterator[str]:
    if suite.name.startswith("EXP-"):
        yield from ("EXP", "EXPORT", "EXPORT40")
        return
    match suite.encryption:
        case "":
            return
        case "DES":
            yield "LOW"
        case "RC4" | "IDEA" | "SEED":
            yield "MEDIUM"
        case "3DES":
            yield from ("MEDIUM", "HIGH")  # HIGH in OpenSSL 1.0, MEDIUM later
        case _:
            yield "HIGH"
    if not suite.old and not _is_default(suite):
        yield "COMPLEMENTOFDEFAULT"
    if suite.encryption in ("AES128", "AES256") and not _is_none_of_fips(suite):
        yield "FIPS"


def _is_none_of_fips(suite: Suite) -> bool:
    return "CCM" in suite.name or suite.exchange == "SRP"


def _is_default(suite: Suite) -> bool:
    """Whether ``DEFAULT`` of OpenSSL 3 has it."""
    if suite.old or not suite.authentication or suite.authentication == "DSS":
        return False
    modern = suite.encryption in ("AES128", "AES256", "CHACHA20")
    return modern and "CCM" not in suite.name
