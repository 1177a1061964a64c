"""What a real smtpd and tlsmgr make of TLS settings that the rules speak of."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.tls import server_tls
from tests.differential.test_sasl import services_of
from tests.differential.tls_clients import handshake, make_certificate
from tests.postfix_here import require_postfix, run
from tests.postfix_server import Client, NoReply, require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

_GENERATE = ("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt")


@pytest.fixture(scope="module")
def certificate() -> Iterator[str]:
    require_master()
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield str(make_certificate(folder))


def starttls(server: Server, name: str) -> int | None:
    """The reply to STARTTLS; None when it is not offered."""
    with server.connect(name) as client:
        offered = "STARTTLS" in client.ehlo()
        return client.command("STARTTLS").code if offered else None


def mode_of(server: Server, name: str) -> str:
    """The mode as a client sees it."""
    with Client(server.port(name)) as client:
        try:
            client.greeting(1.0)
        except NoReply:
            return "fatal" if server.fatal(name) else "wrapper"
        if "STARTTLS" not in client.ehlo():
            return "none"
        return "encrypt" if client.command("MAIL FROM:<>").code == 530 else "may"


def test_modes_are_those_of_the_analysis(certificate: str) -> None:
    lines = {
        "default": smtpd(),
        "may": smtpd(smtpd_tls_security_level="may"),
        "capitals": smtpd(smtpd_tls_security_level="MAY"),
        "encrypt": smtpd(smtpd_tls_security_level="encrypt"),
        "none": smtpd(smtpd_tls_security_level="none", smtpd_enforce_tls="yes"),
        "verify": smtpd(smtpd_tls_security_level="verify"),
        "secure": smtpd(smtpd_tls_security_level="secure"),
        "fingerprint": smtpd(smtpd_tls_security_level="fingerprint"),
        "dane": smtpd(smtpd_tls_security_level="dane"),
        "dane-only": smtpd(smtpd_tls_security_level="dane-only"),
        "word": smtpd(smtpd_tls_security_level="yes"),
        "use": smtpd(smtpd_use_tls="yes"),
        "use-none": smtpd(smtpd_use_tls="yes", smtpd_tls_security_level="none"),
        "enforce": smtpd(smtpd_enforce_tls="yes"),
        "enforce-may": smtpd(smtpd_enforce_tls="yes", smtpd_tls_security_level="may"),
        "wrapper": smtpd(smtpd_tls_wrappermode="yes"),
        "wrapper-none": smtpd(smtpd_tls_wrappermode="yes", smtpd_tls_security_level="none"),
    }
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_enforce_tls": "no"}
    with running(lines, settings) as server:
        services = services_of(server, list(lines))
        expected = {name: server_tls(service).mode for name, service in services.items()}
        real: dict[str, str] = {}
        for name in lines:
            if expected[name] == "fatal":
                real[name] = "fatal" if server.start_of(name) else "starts"
            else:
                real[name] = mode_of(server, name)
        for name in ("verify", "secure", "fingerprint"):  # TLS025
            assert "unsupported TLS level" in server.log(name)
    assert real == expected


def test_without_certificate(certificate: str) -> None:
    """CRT001: announced and refused; none at all for TLS from the start."""
    lines = {
        "may": smtpd(smtpd_tls_security_level="may"),
        "encrypt": smtpd(smtpd_tls_security_level="encrypt"),
        "wrapper": smtpd(smtpd_tls_wrappermode="yes"),
        "sni": smtpd(smtpd_tls_security_level="may", tls_server_sni_maps="inline:{a=b}"),
        "anonymous": smtpd(smtpd_tls_security_level="may", smtpd_tls_cert_file="none"),
        "own": smtpd(smtpd_tls_security_level="may", smtpd_tls_eccert_file=certificate),
    }
    with running(lines) as server:
        assert starttls(server, "may") == 454
        assert starttls(server, "encrypt") == 454
        assert starttls(server, "sni") == 454
        with server.connect("encrypt") as client:
            assert client.mail_to("user@example.com").code == 530
        assert handshake(server.port("wrapper"), starttls=False) is None
        anonymous = handshake(server.port("anonymous"))
        assert anonymous is not None and anonymous[0] == "TLSv1.2"  # TLS015: no TLS 1.3
        assert anonymous[1].startswith(("ADH", "AECDH"))


def test_missing_files(certificate: str) -> None:
    """CRT002: TLS is off; without a chain file there is no certificate; others are only missed."""
    missing = "/nonexistent/file.pem"
    lines = {
        "cafile": smtpd(smtpd_tls_CAfile=missing),
        "cert": smtpd(smtpd_tls_chain_files="", smtpd_tls_cert_file=missing),
        "chain": smtpd(smtpd_tls_chain_files=missing),
        "dh": smtpd(smtpd_tls_dh1024_param_file=missing),
        "fine": smtpd(smtpd_tls_dh1024_param_file="auto"),
    }
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        assert starttls(server, "cafile") == 454
        assert starttls(server, "cert") == 454
        chain = handshake(server.port("chain"))
        assert chain is not None and chain[0] == "TLSv1.2" and chain[1].startswith("ADH")
        usual = handshake(server.port("chain"), ciphers="DEFAULT")
        assert usual is None
        assert starttls(server, "fine") == 220
        assert starttls(server, "dh") == 220
        assert "using compiled-in defaults" in server.log("dh")


def test_ciphers(certificate: str) -> None:
    """TLS009 to TLS012: what a handshake makes of grades and exclusions."""
    lines = {
        "medium": smtpd(smtpd_tls_ciphers="medium"),
        "capitals": smtpd(smtpd_tls_ciphers="HIGH"),
        "word": smtpd(smtpd_tls_ciphers="HIGH:!aNULL"),
        "null": smtpd(smtpd_tls_ciphers="null", smtpd_tls_protocols="TLSv1.2"),
        "list": smtpd(tls_medium_cipherlist="HIGH:eNULL", smtpd_tls_protocols="TLSv1.2"),
        "kept-out": smtpd(tls_medium_cipherlist="HIGH:eNULL:!eNULL", smtpd_tls_protocols="TLSv1.2"),
        "sign": smtpd(smtpd_tls_exclude_ciphers="!MD5"),
        "plus": smtpd(smtpd_tls_exclude_ciphers="+MD5"),
        "inside": smtpd(smtpd_tls_exclude_ciphers="kEDH+aRSA"),
        "mandatory": smtpd(smtpd_tls_mandatory_exclude_ciphers="!MD5"),
        "other": smtpd(smtpd_tls_mandatory_ciphers="strong"),
        "nothing": smtpd(smtpd_tls_exclude_ciphers="HIGH, PSK, SRP"),
        "old": smtpd(tls_medium_cipherlist="RC4-SHA:DES-CBC3-SHA"),
        "new": smtpd(tls_medium_cipherlist="TLS_AES_256_GCM_SHA384"),
        "static": smtpd(tls_medium_cipherlist="kRSA", smtpd_tls_protocols="TLSv1.2"),
    }
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        works = {name: handshake(server.port(name)) is not None for name in lines}
        null = handshake(server.port("null"), "TLSv1.2", ciphers="eNULL:@SECLEVEL=0")
        listed = handshake(server.port("list"), "TLSv1.2", ciphers="eNULL:@SECLEVEL=0")
        out = handshake(server.port("kept-out"), "TLSv1.2", ciphers="eNULL:@SECLEVEL=0")
        anonymous = handshake(server.port("medium"), "TLSv1.2", ciphers="aNULL:@SECLEVEL=0")
        static = handshake(server.port("static"), "TLSv1.2", ciphers="eNULL:@SECLEVEL=0")
        assert "invalid cipher grade" in server.log("word")
        assert "invalid unary" in server.log("sign")
    failing = {name for name, well in works.items() if not well}
    assert failing == {"word", "sign", "plus", "nothing", "old", "new"}
    assert static is not None and "NULL" in static[1]
    assert null is not None and "NULL" in null[1]
    assert listed is not None and "NULL" in listed[1]
    assert out is None
    assert anonymous is not None  # why TLS015 speaks of services without a certificate only


def test_other_parameter_has_no_effect(certificate: str) -> None:
    """TLS007, both ways."""
    lines = {
        "may": smtpd(smtpd_tls_security_level="may", smtpd_tls_mandatory_protocols="TLSv1.3"),
        "wrapper": smtpd(smtpd_tls_wrappermode="yes", smtpd_tls_protocols="TLSv1.3"),
    }
    with running(lines, {"smtpd_tls_chain_files": certificate}) as server:
        assert handshake(server.port("may"), "TLSv1") is not None
        assert handshake(server.port("wrapper"), "TLSv1", starttls=False) is not None


def test_client_certificates(certificate: str) -> None:
    """CRT014 and CRT015: who is asked for a certificate, and where it can be required."""
    lines = {
        "required": smtpd(smtpd_tls_security_level="may", smtpd_tls_req_ccert="yes"),
        "mandatory": smtpd(smtpd_tls_security_level="encrypt", smtpd_tls_req_ccert="yes"),
        "cafile": smtpd(smtpd_tls_security_level="may", smtpd_tls_CAfile=certificate),
    }
    with running(lines, {"smtpd_tls_chain_files": certificate}) as server:
        with server.connect("required") as client:
            assert client.mail_to("user@example.com").code == 250
        assert "Can't require client certs unless TLS is required" in server.log("required")
        with server.connect("mandatory") as client:
            assert client.starttls().code == 220
            assert client.mail_to("user@example.com").code == 421
        assert "No client certificate presented" in server.log("mandatory")
        asked = {name: _asks(server, name) for name in ("cafile", "mandatory")}
    assert asked == {"cafile": False, "mandatory": True}


def _asks(server: Server, name: str) -> bool:
    """Whether the server sends a request for a certificate (openssl s_client says so)."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port(name)}"]
    said = run([*command, "-starttls", "smtp", "-tls1_2", "-msg"], stdin="QUIT\r\n")
    return "CertificateRequest" in said.output


def test_digest_that_does_not_exist(certificate: str) -> None:
    """TLS029: TLS is off; spellings of OpenSSL are fine."""
    digests = ["md5", "sha-265", "SHA2-256", "sha512-256", "blake2b512", "sha"]
    lines = {
        f"d{number}": smtpd(smtpd_tls_fingerprint_digest=word)
        for number, word in enumerate(digests)
    }
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        works = {digests[int(name[1:])]: starttls(server, name) == 220 for name in lines}
    assert works == {word: word not in ("sha-265", "sha") for word in digests}


@pytest.mark.parametrize(
    ("server_cache", "client_cache", "fate"),
    [
        ("btree:$data_directory/a", "btree:$data_directory/b", "works"),
        ("hash:$data_directory/a", "", "works"),
        ("btree:$data_directory/a", "btree:$data_directory/a", "dies"),
        ("static:all", "", "dies"),
        ("cidr:$data_directory/a", "", "no cache"),
        ("texthash:$data_directory/a", "", "no cache"),
    ],
)
def test_session_caches(certificate: str, server_cache: str, client_cache: str, fate: str) -> None:
    """TLS030: what tlsmgr does not start with, so that smtpd does not greet."""
    settings = {
        "smtpd_tls_chain_files": certificate,
        "smtpd_tls_security_level": "may",
        "smtpd_tls_session_cache_database": server_cache,
        "smtp_tls_session_cache_database": client_cache,
    }
    with running({"a": smtpd()}, settings) as server, Client(server.port("a")) as client:
        if fate == "dies":
            server.wait_for(r"tlsmgr\[\d+\]: fatal: ", limit=5)
            with pytest.raises(NoReply):
                client.greeting(0.5)
        else:
            assert client.greeting().code == 220
            assert ("is unavailable" in server.log()) == (fate == "no cache")


def test_cache_on_an_override_is_not_opened(certificate: str) -> None:
    """TLS030: smtpd leaves the cache to tlsmgr, which reads main.cf."""
    lines = {"a": smtpd(smtpd_tls_session_cache_database="cidr:/nonexistent")}
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        assert handshake(server.port("a")) is not None
        assert "fatal" not in server.log()


def test_hidden_starttls(certificate: str) -> None:
    """TLS028."""
    lines = {"a": smtpd(smtpd_discard_ehlo_keywords="StartTLS, dsn")}
    settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
    with running(lines, settings) as server:
        assert starttls(server, "a") is None


def test_old_dh_parameters_are_read(tmp_path: Path, certificate: str) -> None:
    """CRT013: a short group in the file is what clients get."""
    require_postfix()
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "dh.pem"
        made = run([*_GENERATE, "group:modp_1536"])
        path.write_text(made.output, "utf-8")
        lines = {
            "own": smtpd(smtpd_tls_dh1024_param_file=str(path)),
            "default": smtpd(),
        }
        settings = {"smtpd_tls_chain_files": certificate, "smtpd_tls_security_level": "may"}
        with running(lines, settings) as server:
            bits = {}
            for service in lines:
                command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port(service)}"]
                options = ["-starttls", "smtp", "-tls1_2", "-cipher", "kDHE:@SECLEVEL=0"]
                said = run([*command, *options], stdin="QUIT\r\n").output
                bits[service] = "DH, 1536 bits" in said
    assert bits == {"own": True, "default": False}
