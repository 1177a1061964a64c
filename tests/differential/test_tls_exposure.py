"""The TLS and AUTH half of the exposure against the smtpd of this machine.

One master with many smtpd services made at random and a stand-in for Dovecot's authentication
server; ``openssl s_client`` tries every version and kinds of ciphers, a client looks at EHLO
before and after STARTTLS. ``make proof-tls`` makes a longer run, by POSTLINT_TLS_SERVICES and
POSTLINT_TLS_SEED.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.analysis.exposure import exposures
from postlint.analysis.handshakes import server_handshake
from postlint.analysis.mechanisms import USUAL, announced
from postlint.analysis.server_certificates import certificate_of
from postlint.analysis.tls import server_tls
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.differential.dovecot import authentication
from tests.differential.tls_clients import (
    VERSION_OPTIONS,
    asks_for_certificate,
    handshake,
)
from tests.postfix_server import Client, NoReply, ServiceLine, require_master, running, smtpd
from tests.tls_generator import make_service

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.analysis.cipher_suites import Suite
    from postlint.analysis.exposure import ServiceExposure
    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

SERVICES = int(os.environ.get("POSTLINT_TLS_SERVICES", "40"))
SEED = int(os.environ.get("POSTLINT_TLS_SEED", "1"))
BATCH = 40
"""Services of one master."""

PROBES = {
    "anonymous": "aNULL:@SECLEVEL=0",
    "null": "eNULL:@SECLEVEL=0",
    "static_rsa": "kRSA:@SECLEVEL=0",
    "cbc": "CBC:@SECLEVEL=0",
    "not aead": "ALL:COMPLEMENTOFALL:!AESGCM:!AESCCM:!CHACHA20:!ARIAGCM:@SECLEVEL=0",
}
"""Kinds of ciphers, and what a client offers to find out whether there are any."""


class Seen(NamedTuple):
    """What a stranger sees of a service."""

    starttls: str | None
    protocols: tuple[str, ...]
    kinds: frozenset[str]
    asked: bool
    before: frozenset[str] | None
    after: frozenset[str] | None


def login_words(lines: frozenset[str]) -> frozenset[str]:
    """The mechanisms of an EHLO reply."""
    return frozenset(
        word for line in lines if line.startswith("AUTH ") for word in line.split()[1:]
    )


def conversation(server: Server, name: str, *, implicit: bool) -> tuple[str, Seen]:
    """EHLO, STARTTLS and EHLO again; the first is what STARTTLS came to."""
    nothing = Seen(None, (), frozenset(), asked=False, before=None, after=None)
    if implicit:
        try:
            with Client(server.port(name), implicit_tls=True) as client:
                client.greeting()
                return "works", nothing._replace(after=login_words(client.ehlo()))
        except (NoReply, OSError):
            return "fails", nothing
    with server.connect(name) as client:
        lines = client.ehlo()
        before = login_words(lines)
        seen = nothing._replace(before=before)
        if "STARTTLS" not in lines:
            reply = client.command("STARTTLS").code
            return f"not announced, {reply}", seen
        try:
            reply = client.starttls().code
            if reply != 220:
                return str(reply), seen
            return "works", seen._replace(after=login_words(client.ehlo()))
        except (NoReply, OSError):
            return "fails", seen


def look_at(server: Server, name: str, *, implicit: bool) -> Seen:
    """Everything that can be seen of a service from outside."""
    outcome, seen = conversation(server, name, implicit=implicit)
    seen = seen._replace(starttls=outcome)
    if outcome.startswith(("not announced", "4", "5")):
        return seen
    port, starttls = server.port(name), not implicit
    protocols = []
    for version in VERSION_OPTIONS:
        found = handshake(port, version, starttls=starttls)
        assert found is None or found[0] == version
        if found is not None:
            protocols.append(version)
    kinds = {
        kind
        for kind, ciphers in PROBES.items()
        if handshake(port, starttls=starttls, ciphers=ciphers, newest="TLSv1.2") is not None
    }
    return seen._replace(
        protocols=tuple(protocols),
        kinds=frozenset(kinds),
        asked=bool(protocols) and asks_for_certificate(port, starttls=starttls),
    )


def usable(item: ServiceExposure, suite: Suite) -> bool:
    """Whether a suite can be used with the certificate of the test, which is an RSA one."""
    if certificate_of(item.service) == "anonymous":
        return not suite.authentication
    return suite.authentication in ("RSA", "")


def expected(item: ServiceExposure) -> Seen:
    """The same as postlint predicts it; certificates that are not RSA aside."""
    tls = item.tls
    assert item.auth is not None and tls.protocols is not None
    backend = USUAL
    service = item.service
    before = announced(service, tls=False, backend=backend)
    after = announced(service, tls=True, backend=backend)
    assert before is not None and after is not None
    offered = item.auth.offered
    first = frozenset(before) if offered == "cleartext" else frozenset()
    second = frozenset(after) if offered != "never" else frozenset()
    assert item.auth.mechanisms.before_tls == (before if offered == "cleartext" else ())
    if tls.client_certificate == "required":
        second = frozenset()  # 421 to a client without one
    outcomes = {
        "no": "not announced, 502",
        "hidden": "not announced, 502",
        "refused": "454",
        "fails": "fails",
        "offered": "works",
        "implicit": "works",
    }
    assert tls.starttls is not None
    outcome = outcomes[tls.starttls]
    implicit = tls.mode == "wrapper"
    if implicit and tls.problem:
        outcome = "fails"
    kinds: frozenset[str] = frozenset()
    if not tls.problem and tls.mode != "none":
        kinds = _kinds(item)
    return Seen(
        outcome,
        tls.protocols,
        kinds,
        tls.client_certificate in ("asked", "required") and bool(tls.protocols),
        None if implicit else first,
        second if outcome == "works" else None,
    )


def _kinds(item: ServiceExposure) -> frozenset[str]:
    suites = [
        suite
        for suite in server_handshake(server_tls(item.service)).current_suites
        if usable(item, suite)
    ]
    kinds = {kind for suite in suites for kind in suite.kinds if kind in PROBES}
    if any(suite.digest != "AEAD" for suite in suites):
        kinds.add("not aead")
    return frozenset(kinds)


def differences(server: Server, name: str, item: ServiceExposure) -> list[str]:
    """What postlint and Postfix disagree about."""
    want = expected(item)
    try:
        seen = look_at(server, name, implicit=item.tls.mode == "wrapper")
    except NoReply as error:
        return [f"{name}: {error}"]
    said = {key: value.text for key, value in item.service._overrides.items()}
    return [
        f"{field}: Postfix {getattr(seen, field)}, postlint {getattr(want, field)}: {said}"
        for field in Seen._fields
        if getattr(seen, field) != getattr(want, field)
    ]


def check_batch(folder: Path, settings: list[dict[str, str]]) -> list[str]:
    """One master, one service for each of some settings; what does not agree."""
    services = {f"s{number}": smtpd(**chosen) for number, chosen in enumerate(settings)}
    with authentication(folder, {name: "\t".join(words) for name, words in USUAL.items()}) as path:
        main_cf = {
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(path),
            "smtpd_tls_chain_files": str(folder / "server.pem"),
            "smtpd_client_connection_count_limit": "0",
        }
        with running(services, main_cf) as server:
            version = require_master().version
            instance = load_instance(Discovery().find([str(server.folder)], bytes)[0], version)
            found = {item.service.name: item for item in exposures(instance)}
            items = [(name, found[f"127.0.0.1:{server.port(name)}"]) for name in services]
            with ThreadPoolExecutor(4) as pool:
                results = pool.map(lambda pair: differences(server, *pair), items)
            return [line for lines in results for line in lines]


def test_exposure_is_what_a_stranger_gets(folder: Path) -> None:
    chance = random.Random(SEED)
    certificate = str(folder / "server.pem")
    settings = [make_service(chance, certificate) for _ in range(SERVICES)]
    wrong: list[str] = []
    for start in range(0, SERVICES, BATCH):
        wrong += check_batch(folder, settings[start : start + BATCH])
    print(f"{SERVICES} services, {len(wrong)} disagreements")
    assert not wrong, "\n".join(wrong)


def test_postscreen_has_its_tls_from_tlsproxy(folder: Path) -> None:
    """What postscreen itself speaks while its deeper tests run; tlsproxy's settings count."""
    services = {"screen": ServiceLine("postscreen", {}, limit="1")}
    settings = {
        "smtpd_tls_chain_files": str(folder / "server.pem"),
        "smtpd_tls_security_level": "may",
        "smtpd_tls_protocols": ">=TLSv1",
        "smtpd_tls_exclude_ciphers": "aNULL",
        "tlsproxy_tls_protocols": "TLSv1.1, TLSv1.2",
        "postscreen_greet_wait": "1",
        "postscreen_pipelining_enable": "yes",
        "postscreen_pipelining_action": "enforce",
        "postscreen_access_list": "",
        "postscreen_cache_map": "",
        "postscreen_client_connection_count_limit": "50",
    }
    master_cf = "smtpd pass - - n - - smtpd\n"
    with running(services, settings, master_cf=master_cf) as server:
        version = require_master().version
        instance = load_instance(Discovery().find([str(server.folder)], bytes)[0], version)
        item = next(item for item in exposures(instance) if item.service.program == "postscreen")
        port = server.port("screen")
        reached = tuple(name for name in VERSION_OPTIONS if handshake(port, name) is not None)
        anonymous = handshake(port, ciphers=PROBES["anonymous"], newest="TLSv1.2")
    assert item.tls.starttls == "offered"
    assert item.tls.protocols == reached == ("TLSv1.1", "TLSv1.2")
    assert item.tls.ciphers is not None and "anonymous" not in item.tls.ciphers.kinds
    assert anonymous is None
