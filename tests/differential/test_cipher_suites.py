"""Cipher lists as postlint reads them, against openssl(1)."""

from __future__ import annotations

import random
import subprocess

import pytest

from postlint.analysis.cipher_suites import read_cipher_list, suites
from tests.differential.tls_clients import TIME_LIMIT, require_openssl

pytestmark = pytest.mark.postfix

WORDS = (
    *("ALL", "COMPLEMENTOFALL", "HIGH", "MEDIUM", "LOW", "EXP", "no-such-word"),
    *("kRSA", "RSA", "kEDH", "kDHE", "DH", "DHE", "EDH", "kEECDH", "kECDHE", "ECDH", "EECDH"),
    *("ECDHE", "kECDH", "kDH", "PSK", "kPSK", "kRSAPSK", "kDHEPSK", "kECDHEPSK", "SRP"),
    *("aRSA", "aDSS", "DSS", "aNULL", "aECDSA", "ECDSA", "aPSK", "aSRP", "ADH", "AECDH"),
    *("eNULL", "NULL", "3DES", "DES", "RC4", "IDEA", "SEED", "AES", "AES128", "AES256"),
    *("AESGCM", "AESCCM", "AESCCM8", "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "CHACHA20"),
    *("ARIA", "ARIAGCM", "ARIA128", "ARIA256", "CBC", "MD5", "SHA", "SHA1", "SHA256", "SHA384"),
    *("SSLv3", "TLSv1", "TLSv1.0", "TLSv1.2", "DES-CBC3-SHA", "ECDHE-RSA-AES128-GCM-SHA256"),
)
ODD = (
    "@STRENGTH",
    "@FOO",
    "a/b",
    "RSA/b",
    "RSA!AES",
    "/",
    "!",
    "DEFAULT",
    "TLS_AES_128_GCM_SHA256",
)
LISTS = 120


def real(text: str) -> frozenset[str] | None:
    """The suites that OpenSSL takes, without those of TLS 1.3; None when it refuses the list."""
    command = [require_openssl(), "ciphers", "-v", f":{text}:@SECLEVEL=0"]
    if text.startswith("DEFAULT"):
        command[-1] = f"{text}:@SECLEVEL=0"
    done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=False)
    if done.returncode:
        return None
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    found = frozenset(row[0] for row in rows if row[1] != "TLSv1.3")
    return found or None


def ours(text: str) -> frozenset[str] | None:
    """The same, as postlint reads it."""
    found = read_cipher_list(f"{text}:@SECLEVEL=0")
    return frozenset(suite.name for suite in found or () if not suite.old) or None


@pytest.mark.parametrize("word", [*WORDS, "FIPS", "COMPLEMENTOFDEFAULT"])
def test_words(word: str) -> None:
    assert ours(word) == real(word)


def test_lists() -> None:
    chance = random.Random(7)
    wrong = []
    for _ in range(LISTS):
        commands = [
            chance.choice(("", "", "", "!", "-", "+"))
            + "+".join(chance.sample(WORDS, chance.choice((1, 1, 1, 2))))
            for _ in range(chance.randint(1, 6))
        ]
        if chance.random() < 0.2:
            commands.insert(0, "DEFAULT")
        if chance.random() < 0.2:
            commands.append(chance.choice(ODD))
        text = chance.choice((":", " ", ",", ";")).join(commands)
        if ours(text) != real(text):
            wrong.append(text)
    assert not wrong, "\n".join(wrong)


def test_properties() -> None:
    """Version, key exchange, certificate, encryption and digest of every suite."""
    command = [require_openssl(), "ciphers", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=True)
    by_name = {suite.name: suite for suite in suites() if not suite.old}
    for line in done.stdout.decode().splitlines():
        name, protocol, exchange, authentication, encryption, digest = line.split()
        if protocol == "TLSv1.3":
            continue
        suite = by_name.pop(name)
        assert suite.protocol == protocol
        keys = suite.exchange.replace("DHE", "DH") if not suite.shared_secret else suite.exchange
        assert f"Kx={keys}" == exchange
        assert f"Au={suite.authentication or 'None'}" == authentication
        assert (not suite.encryption) == (encryption == "Enc=None")
        assert (
            f"Mac={suite.digest.replace('SHA', 'SHA1') if suite.digest == 'SHA' else suite.digest}"
            == digest
        )
    assert not by_name
