"""Policies for next hops as postlint works them out, against deliveries of a real smtp(8).

Every case is a delivery to one of several sinks; level, versions, ciphers, certificate and
spelling of the key decide together whether it is sent, and with what.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.differential.tls_clients import require_openssl
from tests.differential.tls_delivery import Case, deliver, sinks
from tests.postfix_server import smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.analysis.client_policies import ClientPolicy
    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

ALL = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


class Sink(NamedTuple):
    """A server: its versions, and whether it has a certificate and takes mail without TLS."""

    versions: tuple[str, ...]
    settings: dict[str, str]
    certificate: bool = True
    demands: bool = False


SINKS = {
    "all": Sink(ALL, {}),
    "old": Sink(("TLSv1",), {"smtpd_tls_protocols": "TLSv1"}),
    "mid": Sink(("TLSv1.2",), {"smtpd_tls_protocols": "TLSv1.2"}),
    "new": Sink(("TLSv1.3",), {"smtpd_tls_protocols": "TLSv1.3"}),
    "anon": Sink(
        ("TLSv1", "TLSv1.1", "TLSv1.2"),
        {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": "none"},
        certificate=False,
    ),
    "none": Sink((), {"smtpd_tls_security_level": "none"}),
    "demand": Sink(ALL, {"smtpd_tls_security_level": "encrypt"}, demands=True),
}

GOOD = {"smtp_tls_CAfile": "CERT"}
KNOWN = {"smtp_tls_fingerprint_cert_match": "PRINT"}
WRAPPER = {"smtp_tls_wrappermode": "yes"}

LEVELS: tuple[tuple[str, dict[str, str], bool], ...] = (
    # (level for everybody, more settings, whether the server proves who it is)
    ("none", {}, False),
    ("may", {}, False),
    ("encrypt", {}, False),
    ("fingerprint", {}, False),
    ("fingerprint", KNOWN, True),
    ("verify", {}, False),
    ("verify", {**GOOD, "smtp_tls_verify_cert_match": "mx.example.com"}, True),
    ("verify", GOOD, False),
    ("secure", {**GOOD, "smtp_tls_secure_cert_match": "mx.example.com"}, True),
    ("secure", {**GOOD, "smtp_tls_secure_cert_match": "other.example.com"}, False),
    ("dane", {}, False),
    ("dane-only", {}, False),
)

POLICIES: tuple[tuple[str, str, dict[str, str], bool], ...] = (
    # (sink, policy, more settings, whether the server proves who it is)
    ("all", "none", {}, False),
    ("demand", "none", {}, False),
    ("all", "MAY", {}, False),
    ("none", "may", {}, False),
    ("none", "encrypt", {}, False),
    ("demand", "may", {}, False),
    ("all", "encrypt protocols=TLSv1", {}, False),
    ("new", "encrypt protocols=TLSv1.2:TLSv1.1", {}, False),
    ("old", "encrypt protocols=>=TLSv1.2", {}, False),
    ("old", "encrypt protocols=!SSLv3", {}, False),
    ("mid", "encrypt protocols=!TLSv1.2", {}, False),
    ("old", "encrypt protocols=!TLSv1.2", {}, False),
    ("new", "encrypt protocols=!TLSv1.1", {}, False),
    ("old", "encrypt protocols=!TLSv1.1", {}, False),
    ("all", "encrypt protocols=TLS1.2", {}, False),
    ("all", "encrypt protocols=>=TLSv1.3:<=TLSv1.1", {}, False),
    ("new", "may", {"smtp_tls_protocols": "<=TLSv1.2"}, False),
    ("new", "encrypt", {"smtp_tls_mandatory_protocols": "<=TLSv1.2"}, False),
    ("mid", "encrypt", {"smtp_tls_mandatory_protocols": ">=TLSv1.2"}, False),
    ("mid", "encrypt protocols=", {"smtp_tls_mandatory_protocols": "TLSv1.3"}, False),
    ("mid", "encrypt ciphers=strong", {}, False),
    ("mid", "encrypt ciphers=high exclude=AES:CAMELLIA:ARIA:CHACHA20", {}, False),
    ("mid", "encrypt exclude=AES128", {}, False),
    ("old", "encrypt exclude=SHA1", {}, False),
    ("new", "encrypt exclude=SHA1", {}, False),
    ("all", "encrypt exclude=ALL", {}, False),
    ("all", "encrypt exclude=!aNULL", {}, False),
    ("all", "encrypt", {"smtp_tls_mandatory_exclude_ciphers": "!aNULL"}, False),
    ("all", "encrypt exclude=MD5", {"smtp_tls_mandatory_exclude_ciphers": "!aNULL"}, False),
    ("all", "may", {"smtp_tls_mandatory_exclude_ciphers": "!aNULL"}, False),
    ("anon", "may", {}, False),
    ("anon", "encrypt", {}, False),
    ("anon", "encrypt exclude=aNULL", {}, False),
    ("anon", "encrypt", {"smtp_tls_exclude_ciphers": "aNULL"}, False),
    ("anon", "fingerprint match=PRINT", {}, True),
    ("anon", "encrypt protocols=>=TLSv1.3", {}, False),
    ("all", "fingerprint match=PRINT", {}, True),
    ("old", "fingerprint match=PRINT", {}, True),
    ("mid", "fingerprint match=00:11|PRINT", {}, True),
    ("all", "fingerprint", KNOWN, True),
    ("all", "fingerprint", {}, False),
    ("all", "secure match=mx.example.com", GOOD, True),
    ("old", "secure match=mx.example.com", GOOD, True),
    ("new", "secure match=other.example.com:mx.example.com", GOOD, True),
    ("all", "secure match=.example.com", GOOD, True),
    ("all", "secure match=nexthop", GOOD, False),
    ("all", "secure match=mx.example.com", {}, False),
    ("all", "verify match=mx.example.com", GOOD, True),
    ("all", "secure tafile=CERT match=mx.example.com", {}, True),
    ("all", "encrypt match=mx.example.com", {}, False),
    ("all", "encrypt protocols=TLSv1.2,TLSv1.3", {}, False),
    ("all", "encrypt servername=mx.example.com", {}, False),
    ("all", "dane", {}, False),
    ("none", "dane", {}, False),
    ("all", "dane-only", {}, False),
    ("all", "must", {}, False),
    ("all", "may", WRAPPER, False),
    ("all", "none", WRAPPER, False),
    ("mid", "encrypt", {"tls_medium_cipherlist": "TLS_AES_128_GCM_SHA256"}, False),
    ("old", "encrypt", {"tls_medium_cipherlist": "EECDH+AESGCM"}, False),
    ("mid", "encrypt", {"tls_medium_cipherlist": "EECDH+AESGCM"}, False),
)

KEYS: tuple[tuple[str, str], ...] = (
    # (next hop, key); the policy is to take no TLS, which is seen when the key counts
    ("[127.0.0.1]:PORT", "[127.0.0.1]:PORT"),
    ("[127.0.0.1]:PORT", "[127.0.0.1]"),
    ("[127.0.0.1]:PORT", "127.0.0.1:PORT"),
    ("[127.0.0.1]:PORT", "127.0.0.1"),
    ("[localhost]:PORT", "[localhost]:PORT"),
    ("[localhost]:PORT", "[LOCALHOST]:PORT"),
    ("[LocalHost]:PORT", "[localhost]:PORT"),
    ("[localhost]:PORT", "localhost:PORT"),
    ("[localhost]:PORT", "[127.0.0.1]:PORT"),
    ("localhost:PORT", "localhost:PORT"),
    ("localhost:PORT", "localhost"),
    ("localhost:PORT", "[localhost]:PORT"),
    ("localhost", "localhost"),
    ("localhost", "localhost:PORT"),
    ("localhost", ".localhost"),
    ("[localhost]", "[localhost]"),
    ("[localhost]", "[localhost]:PORT"),
)


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[Server]:
    services = {
        name: smtpd(**{"smtpd_tls_security_level": "may", **sink.settings})
        for name, sink in SINKS.items()
    }
    with sinks(services, {"smtpd_tls_chain_files": str(folder / "server.pem")}) as server:
        yield server


@pytest.fixture(scope="module")
def words(folder: Path) -> dict[str, str]:
    """What CERT and PRINT stand for in settings."""
    command = [require_openssl(), "x509", "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(
        [*command, "-in", str(folder / "cert.pem")], capture_output=True, timeout=20, check=True
    )
    fingerprint = done.stdout.decode().partition("=")[2].strip()
    return {"CERT": str(folder / "cert.pem"), "PRINT": fingerprint}


def filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(name, value)
    return text


def predicted(policy: ClientPolicy, sink: Sink, *, proves: bool) -> tuple[str, str | None]:
    """Whether mail is sent at the first try, and with which version."""
    assert policy.level is not None
    if policy.refused:
        return "deferred", None
    clear = ("bounced" if sink.demands else "sent", None)
    if policy.level == "none":
        return clear
    if not sink.versions:
        return clear if policy.level in ("may", "dane") else ("deferred", None)
    handshake = policy.handshake
    assert handshake is not None and handshake.protocols is not None
    shared = [name for name in handshake.protocols if name in sink.versions]
    if not sink.certificate and all(suite.authentication for suite in handshake.current_suites):
        shared = []
    if not shared or handshake.problem is not None:
        return "deferred", None
    checked = policy.level in ("fingerprint", "verify", "secure")
    return "sent" if proves or not checked else "deferred", shared[-1]


SETTINGS = {
    "smtp_tls_security_level": "encrypt",
    "smtp_tls_fingerprint_digest": "sha256",
    "smtp_dns_support_level": "disabled",
}


def test_levels(servers: Server, words: dict[str, str]) -> None:
    """The level of main.cf, without a policy, with every sink."""
    rows = [(level, more, proves, sink) for level, more, proves in LEVELS for sink in SINKS]
    cases = [
        Case(
            sink,
            {"smtp_tls_security_level": level}
            | {name: filled(value, words) for name, value in more.items()},
        )
        for level, more, _, sink in rows
    ]
    wrong = []
    for (level, more, proves, sink), real in zip(rows, deliver(cases, servers), strict=True):
        want = predicted(real.policy, SINKS[sink], proves=proves)
        if (real.status, real.tls) != want:
            wrong.append(f"{level} {more} to {sink}: {real.status} {real.tls}, {want}")
            wrong.append(f"  {real.reason}")
    assert not wrong, "\n".join(wrong)


def test_policies(servers: Server, words: dict[str, str]) -> None:
    """A policy for the next hop, where main.cf says encrypt."""
    cases = [
        Case(
            sink,
            {"smtp_tls_policy_maps": f"inline:{{{{[127.0.0.1]:PORT={filled(policy, words)}}}}}"}
            | {name: filled(value, words) for name, value in more.items()},
        )
        for sink, policy, more, _ in POLICIES
    ]
    wrong = []
    found = deliver(cases, servers, SETTINGS)
    for (sink, policy, more, proves), real in zip(POLICIES, found, strict=True):
        want = predicted(real.policy, SINKS[sink], proves=proves)
        if (real.status, real.tls) != want:
            wrong.append(f"{policy} {more} to {sink}: {real.status} {real.tls}, {want}")
            wrong.append(f"  {real.reason}")
    assert not wrong, "\n".join(wrong)


def test_keys(servers: Server) -> None:
    """Which spelling of a next hop is looked up."""
    cases = [
        Case(
            "all",
            {"smtp_tls_policy_maps": f"inline:{{{{{key}=none}}}}", "smtp_tcp_port": "PORT"},
            hop,
        )
        for hop, key in KEYS
    ]
    wrong = []
    for (hop, key), real in zip(KEYS, deliver(cases, servers, SETTINGS), strict=True):
        if real.status != "sent":
            wrong.append(f"{hop}, {key}: {real.status} {real.reason}")
        elif (real.tls is None) != (real.policy.key != ""):
            wrong.append(f"{hop}, {key}: {real.tls}, postlint {real.policy.level}")
    assert not wrong, "\n".join(wrong)
