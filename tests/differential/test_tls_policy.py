"""What a real smtp(8) makes of policies, levels and files, against the rules that speak of them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from postlint.lint.registry import bundled_rules
from tests.differential.dovecot import authentication
from tests.differential.tls_clients import require_openssl
from tests.differential.tls_delivery import Case, deliver, sinks
from tests.linting import lint_files
from tests.postfix_server import require_master, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.lint.finding import Finding
    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

POLICIES = (
    # (policy, codes of the rules that report it, what becomes of mail, the protocol)
    ("none", "", "sent", None),
    ("may", "", "sent", "TLSv1.3"),
    ("MAY", "", "sent", "TLSv1.3"),
    ("encrypt", "POL014", "sent", "TLSv1.3"),
    ("encrypt protocols=>=TLSv1.2", "POL014", "sent", "TLSv1.3"),
    ("encrypt protocols=TLSv1", "POL006 POL014", "sent", "TLSv1"),
    ("encrypt protocols=SSLv3:TLSv1", "POL006 POL014", "sent", "TLSv1"),
    ("encrypt protocols=TLSv1.1", "POL006 POL014", "sent", "TLSv1.1"),
    ("encrypt protocols=TLSv1.2", "POL006 POL014", "sent", "TLSv1.2"),
    ("encrypt protocols=!TLSv1.3:!TLSv1:!TLSv1.1", "POL014", "sent", "TLSv1.2"),
    ("encrypt protocols=TLS1.2", "POL006 POL014", "deferred", None),
    ("encrypt protocols=>=TLSv1.2:TLSv1", "POL006 POL014", "deferred", None),
    ("encrypt protocols=", "POL014", "sent", "TLSv1.3"),
    ("fingerprint", "POL001", "deferred", None),
    ("fingerprint match=00:11", "POL002", "deferred", "TLSv1.3"),
    ("fingerprint match=sha256:GOOD", "POL002", "deferred", None),
    ("fingerprint match=GOOD", "", "sent", "TLSv1.3"),
    ("fingerprint match=PLAIN", "", "sent", "TLSv1.3"),
    ("fingerprint match=00:11|GOOD", "POL002", "sent", "TLSv1.3"),
    ("encrypt protocols=TLSv1.2,TLSv1.3", "POL006 POL007 POL014", "deferred", None),
    ("encrypt protocols = TLSv1.2", "POL007 POL014", "deferred", None),
    ("encrypt {protocols=TLSv1.2}", "POL009 POL014", "deferred", None),
    ("none nonsense", "", "sent", None),
    ("must", "POL008", "deferred", None),
    ("halfdane", "POL008", "deferred", None),
    ("encrypt match=mx.example.com", "POL009 POL014", "deferred", None),
    ("encrypt tafile=/etc/ssl/ca.pem", "POL009 POL014", "deferred", None),
    ("encrypt cipher=high", "POL009 POL014", "deferred", None),
    ("encrypt ciphers=high ciphers=medium", "POL009 POL014", "deferred", None),
    ("encrypt ciphers=", "POL009 POL014", "deferred", None),
    ("encrypt exclude=", "POL014", "sent", "TLSv1.3"),
    ("encrypt servername=", "POL009 POL014", "deferred", None),
    ("encrypt servername=mx.example.com", "POL014", "sent", "TLSv1.3"),
    ("encrypt servername=mx..example.com", "POL009 POL014", "deferred", None),
    ("encrypt servername=mx/example.com", "POL009 POL014", "deferred", None),
    ("encrypt connection_reuse=on", "POL009 POL014", "deferred", None),
    ("encrypt connection_reuse=no connection_reuse=NO", "POL014", "sent", "TLSv1.3"),
    ("encrypt CIPHERS=high", "POL014", "sent", "TLSv1.3"),
    ("encrypt enable_rpk=yes", "POL009 POL014", "deferred", None),
    ("encrypt policy_type=sts", "POL009 POL014", "deferred", None),
    ("encrypt ciphers=strong", "POL011 POL014", "deferred", None),
    ("encrypt ciphers=HIGH", "POL014", "sent", "TLSv1.3"),
    ("encrypt exclude=!MD5", "POL011 POL014", "deferred", None),
    ("encrypt exclude=MD5:RC4", "POL014", "sent", "TLSv1.3"),
    ("encrypt exclude=ALL", "POL011 POL014", "deferred", None),
    ("secure", "CRT014", "deferred", "TLSv1.3"),
    ("verify", "CRT014", "deferred", "TLSv1.3"),
)
"""For Postfix 3.7: attributes and braces of later releases are mistakes."""


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[Server]:
    services = {
        "may": smtpd(smtpd_tls_security_level="may"),
        "wrapper": smtpd(smtpd_tls_wrappermode="yes"),
        "null": smtpd(smtpd_tls_security_level="may", smtpd_tls_ciphers="null"),
    }
    with sinks(services, {"smtpd_tls_chain_files": str(folder / "server.pem")}) as server:
        yield server


def fingerprint(folder: Path) -> str:
    """The SHA-256 fingerprint of the certificate, as openssl(1) prints it."""
    command = [require_openssl(), "x509", "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(
        [*command, "-in", str(folder / "cert.pem")], capture_output=True, timeout=20, check=True
    )
    return done.stdout.decode().partition("=")[2].strip()


def findings(tmp_path: Path, policy: str) -> list[Finding]:
    """What postlint says of one policy, for the Postfix that is installed."""
    major, minor, _ = require_master().version
    files = {
        "main.cf": "compatibility_level = 3.6\nsmtp_tls_security_level = none\n"
        "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n"
        "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n",
        "tls_policy": f"[192.0.2.1]:25  {policy}\n",
    }
    found = lint_files(tmp_path, files, version=f"{major}.{minor}")
    return [item for item in found if item.location.path.endswith("tls_policy")]


def test_policies(folder: Path, servers: Server, tmp_path: Path) -> None:
    """Every policy that is deferred has an error, and no policy that works has one."""
    good = fingerprint(folder)
    plain = good.replace(":", "")
    texts = [row[0].replace("GOOD", good).replace("PLAIN", plain) for row in POLICIES]
    cases = [
        Case("may", {"smtp_tls_policy_maps": f"inline:{{{{[127.0.0.1]:PORT={text}}}}}"})
        for text in texts
    ]
    settings = {"smtp_tls_security_level": "none", "smtp_tls_fingerprint_digest": "sha256"}
    newer = require_master().version >= (3, 9)
    wrong = []
    for (policy, codes, status, tls), text, real in zip(
        POLICIES, texts, deliver(cases, servers, settings), strict=True
    ):
        if newer and any(word in policy for word in ("enable_rpk", "policy_type", "{")):
            continue
        if (real.status, real.tls) != (status, tls):
            wrong.append(f"{policy}: {real.status} {real.tls} {real.reason}")
        found = findings(tmp_path, text)
        ours = sorted({item.code for item in found if item.code in _codes()})
        if ours != sorted(codes.split()):
            wrong.append(f"{policy}: {ours}")
        errors = [item for item in found if item.severity.label == "error"]
        if real.status == "deferred" and not errors:
            wrong.append(f"{policy}: deferred ({real.reason}), and no error")
    assert not wrong, "\n".join(wrong)


def _codes() -> frozenset[str]:
    return frozenset(rule.code for rule in bundled_rules() if rule.code[:3] in ("POL", "CRT"))


def test_anonymous_at_encrypt(servers: Server) -> None:
    """POL014: nobody looks at the certificate; POL006: nor with TLS 1.0."""
    policy = "inline:{{[127.0.0.1]:PORT=encrypt}}"
    (real,) = deliver([Case("may", {"smtp_tls_policy_maps": policy})], servers)
    assert real.status == "sent" and "Untrusted TLS connection" in real.log


def test_null_cipher_at_may(servers: Server) -> None:
    """POL011: the connection is made, and encrypts nothing; encrypt leaves such ciphers out."""
    text = "inline:{{[127.0.0.1]:PORT=%s ciphers=null protocols=TLSv1.2}}"
    cases = [Case("null", {"smtp_tls_policy_maps": text % level}) for level in ("may", "encrypt")]
    optional, required = deliver(cases, servers)
    assert optional.tls == "TLSv1.2" and "NULL" in optional.log
    assert required.status == "deferred"


def test_keys(servers: Server) -> None:
    """POL003, POL004 and POL005: which key of a table counts."""
    tables = {
        "exact": "[127.0.0.1]:PORT:may encrypt\n",
        "noport": "[127.0.0.1] encrypt\n",
        "nobrackets": "127.0.0.1:PORT:may encrypt\n",
        "bare": "127.0.0.1 encrypt\n",
        "transport": "smtp:[127.0.0.1]:PORT:may encrypt\n",
        "wildcard": "* encrypt\n.[127.0.0.1]:PORT:may encrypt\n",
        "twice": "[127.0.0.1]:PORT:may none\n[127.0.0.1]:PORT:may encrypt\n",
        "other": "127.0.0.1 none\n[127.0.0.1]:PORT:may encrypt\n",
    }
    cases = [
        Case("may", {"smtp_tls_policy_maps": f"texthash:$config_directory/{name}"})
        for name in tables
    ]
    settings = {"smtp_tls_security_level": "none"}
    real = dict(zip(tables, deliver(cases, servers, settings, tables), strict=True))
    assert {name for name, item in real.items() if item.tls} == {"exact", "other"}
    assert "duplicate entry" in real["twice"].log


def test_port_465(servers: Server) -> None:
    """POL013, TLS023: a policy does not begin with TLS, a level below encrypt forbids it."""
    waits = {"smtp_helo_timeout": "2s"}
    policy = {"smtp_tls_policy_maps": "inline:{{[127.0.0.1]:PORT=encrypt}}"}
    wrapper = {"smtp_tls_wrappermode": "yes"}
    encrypt = {"smtp_tls_security_level": "encrypt"}
    cases = [
        Case("wrapper", {**waits, **policy}),
        Case("wrapper", {**waits, **encrypt}),
        Case("wrapper", {**waits, **wrapper, **encrypt}),
        Case("wrapper", {**waits, **wrapper}),
        Case("may", {**waits, **wrapper, **encrypt, "smtp_connect_timeout": "2s"}),
    ]
    by_policy, by_level, right, too_low, wrong_port = deliver(cases, servers)
    assert by_policy.status == by_level.status == "deferred"
    assert "timed out" in by_policy.reason
    assert right.status == "sent" and right.tls == "TLSv1.3"
    assert too_low.status == "deferred"
    assert 'requires "smtp_tls_security_level = encrypt"' in too_low.log
    assert wrong_port.status == "deferred"


def test_files_and_lists_of_a_client(servers: Server) -> None:
    """CRT002, TLS009, TLS012, TLS028: what makes a client at level may send in clear text."""
    missing = "/nonexistent/file.pem"
    cases = [
        Case("may", {"smtp_tls_CAfile": missing}),
        Case("may", {"smtp_tls_cert_file": missing}),
        Case("may", {"smtp_tls_chain_files": missing}),
        Case("may", {"smtp_tls_CAfile": missing, "smtp_tls_security_level": "encrypt"}),
        Case("may", {"smtp_tls_ciphers": "strong"}),
        Case("may", {"smtp_tls_exclude_ciphers": "!MD5"}),
        Case("may", {"smtp_discard_ehlo_keywords": "starttls"}),
        Case("may", {"smtp_tls_fingerprint_digest": "sha-265"}),
        Case("may", {"smtp_tls_exclude_ciphers": "aNULL"}),
    ]
    real = deliver(cases, servers)
    cafile, cert, chain, required, grade, sign, hidden, digest, anonymous = real
    assert (cafile.status, cafile.tls) == (cert.status, cert.tls) == ("sent", None)
    assert (chain.status, chain.tls) == ("sent", "TLSv1.3")
    assert required.status == "deferred"
    assert (hidden.status, hidden.tls) == (digest.status, digest.tls) == ("sent", None)
    assert grade.tls is None and sign.tls is None
    assert anonymous.tls == "TLSv1.3"


def test_note_of_starttls_offers(servers: Server) -> None:
    """TLS031: only where TLS is off."""
    note = {"smtp_tls_note_starttls_offer": "yes"}
    cases = [
        Case("may", {**note, "smtp_tls_security_level": level})
        for level in ("none", "may", "encrypt")
    ]
    noted = ["Host offered STARTTLS" in item.log for item in deliver(cases, servers)]
    assert noted == [True, False, False]


def test_dane_without_dnssec(servers: Server) -> None:
    """TLS024: dane becomes may, dane-only defers."""
    dns = {"smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns"}
    cases = [
        Case("may", {**dns, "smtp_tls_security_level": level}) for level in ("dane", "dane-only")
    ]
    dane, only = deliver(cases, servers)
    assert "dane configured with dnssec lookups disabled" in dane.log
    assert (dane.status, only.status) == ("sent", "deferred")


def test_passwords_of_a_client(folder: Path) -> None:
    """SASL013 and SASL014: a password goes in clear text, or no mechanism is left."""
    require_openssl()
    login = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": "static:user:secret",
        "smtp_tls_security_level": "may",
    }
    anything = {"smtp_sasl_security_options": "noanonymous"}
    with authentication(folder, {"PLAIN": "plaintext", "LOGIN": "plaintext"}) as socket:
        settings = {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(socket),
            "smtpd_tls_chain_files": str(folder / "server.pem"),
            "smtpd_client_restrictions": "permit_sasl_authenticated, reject",
        }
        services = {"clear": smtpd(), "tls": smtpd(smtpd_tls_security_level="may")}
        with sinks(services, settings) as server:
            cases = [
                Case("clear", {**login, **anything}),
                Case("clear", {**login, **anything, "smtp_tls_security_level": "encrypt"}),
                Case("clear", login),
                Case("tls", login),
                Case("tls", {**login, "smtp_sasl_tls_security_options": "noanonymous"}),
            ]
            sent, required, refused, default, allowed = deliver(cases, server)
            clear = server.log("clear")
    if "no mechanism available" in sent.reason or "SASL" in sent.log.partition("status=")[0]:
        pytest.skip("Postfix has no SASL mechanisms for clients here")
    assert sent.status == "sent" and "sasl_method=PLAIN" in clear
    assert required.status == "deferred"
    assert refused.status == "deferred" and "no mechanism available" in refused.reason
    assert default.status == "deferred" and "no mechanism available" in default.reason
    assert allowed.status == "sent"
