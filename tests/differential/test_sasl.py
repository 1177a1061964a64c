"""AUTH: when smtpd announces it and to what effect, against postlint's analysis and rules."""

from __future__ import annotations

import base64
import re
from itertools import product
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.auth import auth_of
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.lint.registry import bundled_rules
from tests.differential.dovecot import USER, authentication
from tests.postfix_server import NoReply, require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.config.service import Service
    from tests.postfix_server import Client, Server, ServiceLine

pytestmark = pytest.mark.postfix

MODES = {
    "none": {"smtpd_tls_security_level": "none"},
    "may": {"smtpd_tls_security_level": "may"},
    "encrypt": {"smtpd_tls_security_level": "encrypt"},
    "old-may": {"smtpd_use_tls": "yes"},
    "old-encrypt": {"smtpd_enforce_tls": "yes"},
    "wrapper": {"smtpd_tls_wrappermode": "yes", "smtpd_tls_security_level": "none"},
}
VARIANTS = {
    "plain": {},
    "auth-only": {"smtpd_tls_auth_only": "yes"},
    "noplaintext": {"smtpd_sasl_security_options": "noanonymous, noplaintext"},
    "tls-options": {
        "smtpd_sasl_security_options": "noanonymous, noplaintext",
        "smtpd_sasl_tls_security_options": "noanonymous",
    },
    "anonymous": {"smtpd_sasl_security_options": ""},
    "hidden": {"smtpd_discard_ehlo_keywords": "auth"},
    "off": {"smtpd_sasl_auth_enable": "no"},
}


@pytest.fixture(scope="module")
def main_cf(folder: Path) -> Iterator[dict[str, str]]:
    with authentication(folder) as socket:
        yield {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(socket),
            "smtpd_tls_chain_files": str(folder / "server.pem"),
        }


def services_of(server: Server, names: list[str]) -> dict[str, Service]:
    """The services as postlint sees them."""
    version = require_master().version
    instance = load_instance(Discovery().find([str(server.folder)], bytes)[0], version)
    by_name = {service.name: service for service in instance.services}
    return {name: by_name[f"127.0.0.1:{server.port(name)}"] for name in names}


def mechanisms(client: Client) -> frozenset[str]:
    """What the EHLO reply says about AUTH."""
    for line in client.ehlo():
        if line.startswith("AUTH "):
            return frozenset(line.split()[1:])
    return frozenset()


def announced(server: Server, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The mechanisms before and after the handshake."""
    from tests.postfix_server import Client

    if name.startswith("wrapper"):
        with Client(server.port(name), implicit_tls=True) as client:
            client.greeting()
            return frozenset(), mechanisms(client)
    with server.connect(name) as client:
        before = mechanisms(client)
        if client.starttls().code != 220:
            return before, frozenset()
        return before, mechanisms(client)


def test_auth_is_offered_when_postlint_says_so(folder: Path, main_cf: dict[str, str]) -> None:
    lines: dict[str, ServiceLine] = {
        f"{mode}-{variant}": smtpd(**settings, **more)
        for (mode, settings), (variant, more) in product(MODES.items(), VARIANTS.items())
    }
    wrong = []
    with running(lines, main_cf) as server:
        services = services_of(server, list(lines))
        for name, service in services.items():
            before, after = announced(server, name)
            real = "cleartext" if before else "after-tls" if after else "never"
            auth = auth_of(service)
            if real != auth.offer:
                wrong.append(f"{name}: {sorted(before)}, {sorted(after)}; postlint {auth.offer}")
            passwords = bool(before & {"PLAIN", "LOGIN"})
            if passwords != (auth.offer == "cleartext" and bool(auth.plaintext)):
                wrong.append(f"{name}: {sorted(before)}; postlint plaintext {auth.plaintext}")
    assert not wrong, "\n".join(wrong)


def test_anonymous_is_announced_without_noanonymous(main_cf: dict[str, str]) -> None:
    """SASL008."""
    lines = {
        "default": smtpd(),
        "empty": smtpd(smtpd_sasl_security_options=""),
        "filter": smtpd(
            smtpd_sasl_security_options="",
            smtpd_sasl_mechanism_filter="!anonymous, static:rest",
        ),
    }
    with running(lines, main_cf) as server:
        assert "ANONYMOUS" not in announced(server, "default")[0]
        assert "ANONYMOUS" in announced(server, "empty")[0]
        assert "ANONYMOUS" not in announced(server, "filter")[0]


def test_noplaintext_leaves_nothing(folder: Path, main_cf: dict[str, str]) -> None:
    """SASL009: with PLAIN and LOGIN alone smtpd dies where it would offer AUTH."""
    place = folder / "plain-only"
    place.mkdir()
    place.chmod(0o755)
    tls = {"smtpd_sasl_tls_security_options": "noanonymous"}
    only = {"smtpd_tls_auth_only": "yes"}
    lines = {
        "both": smtpd(**MODES["may"]),
        "both-only": smtpd(**MODES["may"], **only),
        "tls": smtpd(**MODES["may"], **tls),
        "tls-only": smtpd(**MODES["may"], **tls, **only),
        "encrypt": smtpd(**MODES["encrypt"]),
        "encrypt-tls": smtpd(**MODES["encrypt"], **tls),
        "none": smtpd(**MODES["none"]),
    }
    with authentication(place, {"PLAIN": "plaintext", "LOGIN": "plaintext"}) as socket:
        settings = {
            **main_cf,
            "smtpd_sasl_path": str(socket),
            "smtpd_sasl_security_options": "noanonymous, noplaintext",
        }
        with running(lines, settings) as server:
            dead = set()
            for name in lines:
                try:
                    assert announced(server, name) == (frozenset(), frozenset({"PLAIN", "LOGIN"}))
                except NoReply:
                    assert "no SASL authentication mechanisms" in str(server.fatal(name))
                    dead.add(name)
            instance = load_instance(
                Discovery().find([str(server.folder)], bytes)[0], require_master().version
            )
            rule = next(rule for rule in bundled_rules() if rule.code == "SASL009")
            found = {service for item in rule.check(instance) for service, _ in item.services}
            ours = services_of(server, list(lines))
            assert dead == {name for name, service in ours.items() if service.label in found}


@pytest.mark.parametrize("word", ["noanon", "no_anonymous", "none"])
def test_bad_option_is_fatal(main_cf: dict[str, str], word: str) -> None:
    """SASL010."""
    with running({"bad": smtpd(smtpd_sasl_security_options=word)}, main_cf) as server:
        reason = server.start_of("bad")
    assert reason is not None and word in reason


def test_options_ignore_case(main_cf: dict[str, str]) -> None:
    lines = {"a": smtpd(smtpd_sasl_security_options="NoAnonymous, NOPLAINTEXT")}
    with running(lines, main_cf) as server:
        assert announced(server, "a")[0] == {"CRAM-MD5"}


def test_backend_that_is_not_there_is_fatal(main_cf: dict[str, str]) -> None:
    """SASL011."""
    lines = {
        "path": smtpd(smtpd_sasl_path="smtpd"),
        "type": smtpd(smtpd_sasl_type="dove"),
    }
    with running(lines, main_cf) as server:
        assert "no SASL authentication mechanisms" in str(server.start_of("path"))
        assert server.start_of("type") is not None


def test_login_maps(main_cf: dict[str, str]) -> None:
    """SASL012: with an empty table every user is refused."""
    reject = "reject_authenticated_sender_login_mismatch"
    lines = {
        "none": smtpd(),
        "empty": smtpd(smtpd_sender_restrictions=reject),
        "both": smtpd(smtpd_sender_restrictions="reject_sender_login_mismatch"),
        "known": smtpd(smtpd_sender_restrictions="reject_known_sender_login_mismatch"),
        "owned": smtpd(
            smtpd_sender_restrictions=reject,
            smtpd_sender_login_maps=f"inline:{{{{info@example.com={USER}}}}}",
        ),
    }
    word = base64.b64encode(b"\0user\0secret").decode()
    with running(lines, main_cf) as server:
        codes = {}
        for name in lines:
            with server.connect(name) as client:
                assert client.command(f"AUTH PLAIN {word}").code == 235
                reply = client.mail_to("somebody@example.com", sender="info@example.com")
                codes[name] = reply.code
    assert codes == {"none": 250, "empty": 553, "both": 553, "known": 250, "owned": 250}


def test_permit_needs_a_restriction(main_cf: dict[str, str]) -> None:
    """SASL006: logging in permits nothing by itself."""
    lines = {
        "without": smtpd(smtpd_relay_restrictions="reject_unauth_destination"),
        "with": smtpd(
            smtpd_relay_restrictions="permit_sasl_authenticated, reject_unauth_destination"
        ),
    }
    word = base64.b64encode(b"\0user\0secret").decode()
    with running(lines, main_cf) as server:
        for name, code in (("without", 554), ("with", 250)):
            with server.connect(name) as client:
                assert client.command(f"AUTH PLAIN {word}").code == 235
                assert client.mail_to("somebody@example.org").code == code


def test_exceptions_hide_auth(main_cf: dict[str, str]) -> None:
    with running({"a": smtpd(smtpd_sasl_exceptions_networks="127.0.0.0/8")}, main_cf) as server:
        assert announced(server, "a")[0] == frozenset()


def test_login_words_without_sasl() -> None:
    """SASL007: they are passed over."""
    lines = {
        "reject": smtpd(smtpd_sender_restrictions="reject_sender_login_mismatch"),
        "permit": smtpd(smtpd_client_restrictions="permit_sasl_authenticated, reject"),
    }
    with running(lines, {"smtpd_sasl_auth_enable": "no"}) as server:
        with server.connect("reject") as client:
            assert client.mail_to("somebody@example.com").code == 250
        with server.connect("permit") as client:
            assert client.mail_to("somebody@example.com").code == 554
        assert re.search("ignored: no SASL support", server.log("reject"))


def test_auth_without_certificate(main_cf: dict[str, str]) -> None:
    """SASL002: logins that wait for a handshake which can not be."""
    settings = {**main_cf, "smtpd_tls_chain_files": "-"}
    lines = {
        "may": smtpd(smtpd_tls_security_level="may", smtpd_tls_auth_only="yes"),
        "wrapper": smtpd(smtpd_tls_wrappermode="yes"),
    }
    with running(lines, settings) as server:
        assert announced(server, "may") == (frozenset(), frozenset())
        with pytest.raises(NoReply), server.connect("wrapper"):
            pass
