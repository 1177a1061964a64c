"""Handshakes: what lists, certificates and versions of Postfix leave together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.client_policies import client_policy
from postlint.analysis.handshakes import server_handshake
from postlint.analysis.routes import routes_of
from postlint.analysis.server_certificates import certificate_of, client_certificate_of
from postlint.analysis.tls import server_tls
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.analysis.client_policies import ClientPolicy
    from postlint.analysis.handshakes import Handshake
    from postlint.config.instance import Instance
    from postlint.config.service import Service

CHAIN = "smtpd_tls_chain_files = /etc/ssl/mx.pem\n"
MAY = "smtpd_tls_security_level = may\n"
ENCRYPT = "smtpd_tls_security_level = encrypt\n"
SERVER = "smtp inet n - n - - smtpd\n"
CLIENT = "smtp unix - - n - - smtp\nrelay unix - - n - - smtp\n"


def load(folder: Path, main: str, master: str, version: str = "3.7", **files: str) -> Instance:
    for name, text in {"main.cf": main, "master.cf": master, **files}.items():
        (folder / name).write_text(text, "utf-8")
    candidate = Discovery().find([str(folder)], bytes)[0]
    return load_instance(candidate, PostfixVersion.parse(version))


def handshake(folder: Path, main: str, version: str = "3.7", master: str = SERVER) -> Handshake:
    return server_handshake(server_tls(load(folder, main, master, version).services[0]))


@pytest.mark.parametrize(
    ("version", "protocols", "old", "kinds"),
    [
        ("2.8", ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"), ("SSLv2",), {"export", "des", "rc4"}),
        ("3.5", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), (), {"rc4"}),
        ("3.7", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), (), {"rc4"}),
        ("3.8", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), (), set()),
    ],
)
def test_defaults(
    tmp_path: Path, version: str, protocols: tuple[str, ...], old: tuple[str, ...], kinds: set[str]
) -> None:
    main = f"{MAY}smtpd_tls_cert_file = /etc/ssl/mx.pem\n"
    found = handshake(tmp_path, main, version)
    assert (found.protocols, found.old_protocols, found.problem) == (protocols, old, None)
    assert found.suites is not None
    weak = {kind for suite in found.suites if suite.old for kind in suite.kinds}
    assert weak & {"export", "des", "rc4"} == kinds


@pytest.mark.parametrize(
    ("settings", "protocols"),
    [
        ("tls_medium_cipherlist = EECDH+AESGCM\n", ("TLSv1.2", "TLSv1.3")),
        ("smtpd_tls_exclude_ciphers = TLSv1.2\n", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
        ("smtpd_tls_exclude_ciphers = TLSv1.2, SSLv3, TLSv1\n", ()),
        ("smtpd_tls_protocols = !TLSv1.2\nsmtpd_tls_exclude_ciphers = SSLv3, TLSv1\n", ()),
        ("tls_medium_cipherlist = HIGH:@SECLEVEL=1\n", ("TLSv1.2", "TLSv1.3")),
        ("smtpd_tls_req_ccert = yes\n", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
        ("smtpd_tls_protocols = $unset\n", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
    ],
)
def test_versions_need_ciphers(tmp_path: Path, settings: str, protocols: tuple[str, ...]) -> None:
    assert handshake(tmp_path, MAY + CHAIN + settings).protocols == protocols


LEVEL_ONE = "tls_medium_cipherlist = HIGH:@SECLEVEL=1\n"


def test_a_hole_counts_whatever_the_security_level(tmp_path: Path) -> None:
    """OpenSSL wants a cipher for the version below the hole, although the level keeps it out."""
    hole = f"{MAY}{CHAIN}{LEVEL_ONE}smtpd_tls_protocols = !TLSv1.2\n"
    assert handshake(tmp_path, hole).protocols == ("TLSv1.3",)
    found = handshake(tmp_path, f"{hole}smtpd_tls_exclude_ciphers = SHA1, SHA256, SHA384\n")
    assert found.protocols == () and found.problem is not None


def test_no_anonymous_ciphers_above_level_zero(tmp_path: Path) -> None:
    """Not for the versions either that only an old library has at that level."""
    anonymous = f"{MAY}smtpd_tls_cert_file = none\nsmtpd_tls_protocols = !TLSv1\n"
    assert handshake(tmp_path, anonymous).protocols == ("TLSv1.1", "TLSv1.2")
    found = handshake(tmp_path, anonymous + LEVEL_ONE)
    assert (found.protocols, found.old_protocols) == ((), ())
    assert found.problem is not None


def test_unknown_values(tmp_path: Path) -> None:
    found = handshake(tmp_path, f"{MAY}{CHAIN}smtpd_tls_protocols = {{{{ tls }}}}\n")
    assert found.protocols is None
    found = handshake(tmp_path, f"{MAY}{CHAIN}smtpd_tls_exclude_ciphers = {{{{ weak }}}}\n")
    assert found.excluded is None and found.suites is None and found.protocols is not None


@pytest.mark.parametrize(
    ("settings", "certificate", "problem"),
    [
        ("", "missing", "there is no certificate"),
        ("smtpd_tls_cert_file = none\n", "anonymous", None),
        ("smtpd_tls_cert_file = none\nsmtpd_tls_ask_ccert = yes\n", "anonymous", "without a"),
        ("smtpd_tls_cert_file = NONE\nsmtpd_tls_eccert_file = /x.pem\n", "configured", None),
        ("smtpd_tls_cert_file = none\nsmtpd_tls_exclude_ciphers = aNULL\n", "anonymous", "without"),
        (CHAIN, "configured", None),
    ],
)
def test_certificates(tmp_path: Path, settings: str, certificate: str, problem: str | None) -> None:
    service = load(tmp_path, MAY + settings, SERVER).services[0]
    assert certificate_of(service) == certificate
    found = server_handshake(server_tls(service))
    assert (found.problem is None) == (problem is None)
    if found.problem is not None and problem is not None:
        assert found.problem.text.startswith(problem)
    if certificate == "anonymous" and problem is None:
        assert found.protocols == ("TLSv1", "TLSv1.1", "TLSv1.2")
        assert all(not suite.authentication for suite in found.suites or ())


def test_chain_files_are_for_3_4_and_later(tmp_path: Path) -> None:
    assert certificate_of(load(tmp_path, MAY + CHAIN, SERVER, "3.3").services[0]) == "missing"


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        (MAY, "not asked"),
        (f"{MAY}smtpd_tls_req_ccert = yes\n", "not asked"),
        (f"{MAY}smtpd_tls_ask_ccert = yes\n", "asked"),
        (f"{ENCRYPT}smtpd_tls_req_ccert = yes\n", "required"),
        (f"{ENCRYPT}smtpd_tls_ask_ccert = {{{{ x }}}}\n", None),
    ],
)
def test_certificates_of_clients(tmp_path: Path, settings: str, asked: str | None) -> None:
    service = load(tmp_path, settings + CHAIN, SERVER).services[0]
    assert client_certificate_of(server_tls(service)) == asked


def test_postscreen_takes_the_settings_of_tlsproxy(tmp_path: Path) -> None:
    master = (
        "smtp inet n - n - 1 postscreen\n"
        "tlsproxy unix - - n - 0 tlsproxy -o tlsproxy_tls_protocols=TLSv1.2\n"
    )
    found = handshake(tmp_path, f"{MAY}{CHAIN}smtpd_tls_protocols = >=TLSv1\n", master=master)
    assert found.protocols == ("TLSv1.2",)


def policy(
    folder: Path, hop: str | None, main: str, version: str = "3.7", **files: str
) -> ClientPolicy:
    service: Service = load(folder, main, CLIENT, version, **files).services[0]
    return client_policy(service, hop)


TABLE = "smtp_tls_security_level = may\nsmtp_tls_policy_maps = hash:/etc/postfix/policy\n"


@pytest.mark.parametrize(
    ("hop", "level", "key"),
    [
        ("[mail.example.org]:587", "secure", "[mail.example.org]:587"),
        ("[MAIL.example.org]:587", "secure", "[mail.example.org]:587"),
        ("[mail.example.org]", "may", ""),
        ("example.net", "encrypt", "example.net"),
        ("sub.example.net", "none", ".example.net"),
        ("deep.sub.example.net", "none", ".example.net"),
        ("[sub.example.net]", "may", ""),
        ("sub.example.net:25", "may", ""),
        (None, "may", ""),
    ],
)
def test_keys_of_policies(tmp_path: Path, hop: str | None, level: str, key: str) -> None:
    table = "[mail.example.org]:587 secure\nexample.net encrypt\n.example.net none\n"
    found = policy(tmp_path, hop, TABLE, policy=table)
    assert (found.level, found.key) == (level, key)
    assert (found.handshake is None) == (level == "none")


def test_attributes_take_the_place_of_parameters(tmp_path: Path) -> None:
    main = f"{TABLE}smtp_tls_mandatory_protocols = >=TLSv1\nsmtp_tls_mandatory_ciphers = high\n"
    table = (
        "a.example encrypt protocols=TLSv1.2 ciphers=medium exclude=kRSA:MD5\nb.example encrypt\n"
    )
    found = policy(tmp_path, "a.example", main, policy=table).handshake
    assert found is not None
    assert (found.protocols, found.grade) == (("TLSv1.2",), "medium")
    assert found.excluded == ("kRSA", "MD5", "eNULL")
    other = policy(tmp_path, "b.example", main, policy=table).handshake
    assert other is not None and other.grade == "high" and other.excluded == ("eNULL",)


@pytest.mark.parametrize(
    ("text", "version", "reason"),
    [
        ("must", "3.7", '"must" is no security level'),
        ("dane", "2.8", '"dane" is no security level'),
        ("encrypt enable_rpk=yes", "3.7", '"enable_rpk" is for Postfix 3.9 and later'),
        ("encrypt enable_rpk=yes", "3.9", ""),
        ("encrypt protocols=TLSv1.2,TLSv1.3", "3.7", '"TLSv1.3" is no attribute'),
        ("fingerprint", "3.7", "no fingerprint is named"),
        ("dane-only", "3.7", "dane-only without DNSSEC (smtp_dns_support_level is empty)"),
    ],
)
def test_refused(tmp_path: Path, text: str, version: str, reason: str) -> None:
    found = policy(tmp_path, "a.example", TABLE, version, policy=f"a.example {text}\n")
    assert found.refused == reason


def test_tables_that_nobody_can_read(tmp_path: Path) -> None:
    main = "smtp_tls_policy_maps = mysql:/etc/postfix/policy.cf\n"
    assert policy(tmp_path, "a.example", main).level is None
    assert (
        policy(tmp_path, "a.example", "smtp_tls_per_site = hash:/etc/postfix/sites\n").level is None
    )


def test_dane_without_dnssec_is_may(tmp_path: Path) -> None:
    found = policy(
        tmp_path, "a.example", "smtp_tls_security_level = dane\nsmtp_tls_protocols = TLSv1.2\n"
    )
    assert found.level == "dane" and found.handshake is not None
    assert found.handshake.protocols == ("TLSv1.2",)


def test_routes(tmp_path: Path) -> None:
    main = (
        "relayhost = [out.example.org]:587\n"
        "transport_maps = hash:/etc/postfix/transport\n"
        "sender_dependent_relayhost_maps = hash:/etc/postfix/senders\n"
        "relay_transport = relay:[in.example.org]\n"
        "smtp_fallback_relay = [last.example.org]\n"
    )
    transport = (
        "one.example  smtp:[one.example]:26\ntwo.example  :[two.example]\nthree.example  smtp:\n"
        "four.example  error:no such domain\n"
    )
    senders = "a@example.com [a.example.org]\nb@example.com DUNNO\n"
    instance = load(tmp_path, main, CLIENT, transport=transport, senders=senders)
    routes = routes_of(instance)
    smtp, relay = (
        [route.hop.text if route.hop is not None else None for route in routes.of(service)]
        for service in instance.services
    )
    assert smtp == [
        "[out.example.org]:587",
        "[last.example.org]",
        "[a.example.org]",
        "[one.example]:26",
        "[two.example]",
        None,
    ]
    assert relay == ["[in.example.org]", "[last.example.org]"]
    assert routes.complete
    missing = load(tmp_path, "transport_maps = mysql:/etc/postfix/t.cf\n", CLIENT)
    assert not routes_of(missing).complete


@pytest.mark.parametrize(
    ("settings", "problem", "protocols"),
    [
        ("smtpd_tls_cert_file = /etc/ssl/there.pem\n", "/etc/ssl/there.pem holds no", 4),
        ("smtpd_tls_cert_file = /etc/ssl/gone.pem\n", "there is no file /etc/ssl/gone.pem", 4),
        (f"{CHAIN}smtpd_tls_CAfile = /etc/ssl/gone.pem\n", "there is no file", 3),
        ("smtpd_tls_chain_files = /etc/ssl/gone.pem\n", None, 3),
    ],
)
def test_files_that_are_not_there(
    tmp_path: Path, settings: str, problem: str | None, protocols: int
) -> None:
    """Only where they may be looked for; without its chain a server has no TLS 1.3."""
    (tmp_path / "etc" / "ssl").mkdir(parents=True)
    (tmp_path / "etc" / "ssl" / "there.pem").write_text("", "utf-8")
    folder = tmp_path / "etc" / "postfix"
    folder.mkdir()
    (folder / "main.cf").write_text(MAY + settings, "utf-8")
    (folder / "master.cf").write_text(SERVER, "utf-8")
    candidate = Discovery().find([str(folder)], bytes)[0]
    for root in (tmp_path, None):
        instance = load_instance(candidate, PostfixVersion.parse("3.7"), root)
        found = server_handshake(server_tls(instance.services[0]))
        if root is None:
            assert found.problem is None and len(found.protocols or ()) == 4
            continue
        assert (found.problem is None) == (problem is None)
        assert found.problem is None or found.problem.text.startswith(problem or "?")
        assert len(found.protocols or ()) == protocols
