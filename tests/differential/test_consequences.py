"""What happens instead of what was meant: the consequences that findings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.certificates import certificate
from tests.linting import lint_files
from tests.postfix_here import (
    postconf,
    quiet_settings,
    refuses,
    require_postfix,
    stand_alone,
    write,
)
from tests.postfix_server import NoReply, running, smtpd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix

HELLO = "EHLO a.example.com\r\nQUIT\r\n"


OPEN = {"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject"}


def codes(folder: Path, main: str, select: str, master: str | None = None) -> list[str]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    version = str(require_postfix().version)
    found = lint_files(folder / "lint", files, version=version, select=select)
    return [item.code for item in found]


def smtpd_says(folder: Path, settings: str) -> tuple[str, str]:
    """What smtpd answers a client from 127.0.0.1, and what it logs."""
    write(folder, {"main.cf": f"{quiet_settings(folder)}smtpd_delay_reject = no\n{settings}"})
    said = stand_alone("smtpd", folder, stdin=HELLO)
    return said.output.replace("\0", ""), said.errors


def tls_with_certificate(folder: Path) -> str:
    """Settings for TLS, with a certificate in a file."""
    chain = folder / "chain.pem"
    chain.write_text(certificate().chain, "utf-8")
    return f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {chain}\n"


def test_elements_behind_a_comment_are_lost(tmp_path: Path) -> None:
    guard = "smtpd_client_restrictions = permit_mynetworks, reject\n"
    answer, _ = smtpd_says(tmp_path, f"{guard}mynetworks = 192.0.2.1, 127.0.0.1\n")
    assert "220" in answer
    commented = "mynetworks = 192.0.2.1 # old\n  127.0.0.1\n"
    answer, log = smtpd_says(tmp_path, f"{guard}{commented}")
    assert "220" not in answer and "comment at end of line is not supported" in log
    assert codes(tmp_path, commented, "SYN004") == ["SYN004"]


def test_a_comment_among_restrictions_is_an_error_to_clients(tmp_path: Path) -> None:
    text = "smtpd_client_restrictions = check_client_access static:DUNNO # all\n"
    answer, log = smtpd_says(tmp_path, text)
    assert "451 4.3.5 Server configuration error" in answer
    assert 'unknown smtpd restriction: "#"' in log
    assert codes(tmp_path, text, "SYN004") == ["SYN004"]


def test_a_backslash_among_protocols_turns_tls_off(tmp_path: Path) -> None:
    level = tls_with_certificate(tmp_path)
    good = "smtpd_tls_protocols = !SSLv2\n  !SSLv3\n"
    _, log = smtpd_says(tmp_path, level + good)
    assert "Invalid TLS protocol list" not in log
    bad = "smtpd_tls_protocols = !SSLv2\\\n  !SSLv3\n"
    _, log = smtpd_says(tmp_path, level + bad)
    assert 'Invalid TLS protocol list "!SSLv2\\  !SSLv3": disabling TLS support' in log
    assert codes(tmp_path, bad, "SYN005") == ["SYN005"]


DEAD = {
    "grade": ("smtpd_tls_eecdh_grade", "nonsense", "PAR004"),
    "dh512": ("smtpd_tls_dh512_param_file", "/nonexistent", "PAR004"),
    "dh1024": ("smtpd_tls_dh1024_param_file", "/nonexistent", ""),
}


def test_dead_parameters_are_not_looked_at(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text(certificate().chain, "utf-8")
    main = {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": str(chain)}
    services = {name: smtpd(**{parameter: value}) for name, (parameter, value, _) in DEAD.items()}
    with running(services, main) as server:
        for name, (parameter, value, code) in DEAD.items():
            with server.connect(name) as client:
                assert "STARTTLS" in client.ehlo()
                assert client.command("STARTTLS").code == 220
            assert (value in server.log(name)) == (not code), name
            setting = f"{parameter} = {value}\n"
            assert codes(tmp_path, setting, "PAR004") == ([code] if code else []), name


def test_a_style_beside_networks_is_not_looked_at(tmp_path: Path) -> None:
    quiet = quiet_settings(tmp_path)
    alone = quiet.replace("mynetworks = 127.0.0.0/8\n", "")
    style = "mynetworks_style = nonsense\n"
    for text, ignored in ((quiet, True), (alone, False)):
        write(tmp_path, {"main.cf": text + style})
        assert (refuses("smtpd", tmp_path) is None) is ignored
        told = codes(tmp_path, text + style, "PAR005") == ["PAR005"]
        assert told is ignored
        assert ("VAL005" in codes(tmp_path, text + style, "VAL005")) is not ignored


def test_an_old_name_counts_only_alone(tmp_path: Path) -> None:
    old, new = "virtual_maps = inline:{a=b}\n", "virtual_alias_maps = inline:{c=d}\n"
    for text, value, told in ((old, "inline:{a=b}", []), (old + new, "inline:{c=d}", ["PAR005"])):
        write(tmp_path, {"main.cf": text})
        assert postconf(tmp_path, "-x", "-h", "virtual_alias_maps").output == f"{value}\n"
        assert codes(tmp_path, text, "PAR005") == told


def test_a_class_that_is_not_listed_is_an_error_to_clients(tmp_path: Path) -> None:
    text = "smtpd_client_restrictions = slow_down\nslow_down = sleep 1\n"
    answer, _ = smtpd_says(tmp_path, text)
    assert "451 4.3.5 Server configuration error" in answer
    assert codes(tmp_path, text, "PAR009") == ["PAR009"]
    listed = f"{text}smtpd_restriction_classes = slow_down\n"
    answer, _ = smtpd_says(tmp_path, listed)
    assert "220" in answer and codes(tmp_path, listed, "PAR009") == []


def test_a_relative_path_leads_into_the_queue_directory(tmp_path: Path) -> None:
    text = "smtpd_client_restrictions = check_client_access texthash:clients\n"
    (tmp_path / "clients").write_text("127.0.0.1 550 here\n", "utf-8")
    answer, log = smtpd_says(tmp_path, text)
    assert "550" not in answer and "open database clients: No such file" in log
    (tmp_path / "queue" / "clients").write_text("127.0.0.1 550 there\n", "utf-8")
    answer, _ = smtpd_says(tmp_path, text)
    assert "there" in answer
    assert codes(tmp_path, text, "VAL008") == ["VAL008"]


PROXIES = {
    "address": ("127.0.0.1", "smtpd ends"),
    "brackets": ("[127.0.0.1]", "smtpd ends"),
    "colon": ("127.0.0.1:", "smtpd ends"),
    "type": ("inet:127.0.0.1", "smtpd ends"),
    "name": ("localhost", "temporary error"),
    "domain": ("scan.example.com", "temporary error"),
    "whole": ("127.0.0.1:1", ""),
    "port": ("1", ""),
}


def test_a_proxy_filter_needs_a_port(tmp_path: Path) -> None:
    services = {name: smtpd(smtpd_proxy_filter=value) for name, (value, _) in PROXIES.items()}
    with running(services, OPEN) as server:
        for name, (value, effect) in PROXIES.items():
            with server.connect(name) as client:
                try:
                    assert client.mail_to("user@a.example").code == 451
                    died = False
                except NoReply:
                    died = True
            assert died == (effect == "smtpd ends"), name
            files = {"main.cf": f"smtpd_proxy_filter = {value}\n"}
            found = [item.message for item in lint_files(tmp_path, files, select="VAL013")]
            assert len(found) == bool(effect) and all(effect in text for text in found), name


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("content_filter", "127.0.0.1:10025", "private/127.0.0.1: No such file"),
        ("relayhost", "smtp:[127.0.0.1]:1", "(status=deferred|host or domain name not found|bad)"),
    ],
)
def test_hosts_in_the_wrong_form(name: str, value: str, said: str, tmp_path: Path) -> None:
    main = {**OPEN, "default_transport": "smtp", name: value}
    with running({"in": smtpd()}, main) as server:
        with server.connect("in") as client:
            assert client.send("user@a.example").code == 250
        log = server.wait_for(said)
    assert "status=sent" not in log
    assert "[127.0.0.1]:1: Connection refused" not in log
    assert codes(tmp_path, f"{name} = {value}\n", "VAL013") == ["VAL013"]


@pytest.mark.parametrize(("code", "answer"), [("250", 250), ("550", 550)])
def test_250_accepts_what_could_not_be_verified(code: str, answer: int, tmp_path: Path) -> None:
    main = {
        **OPEN,
        "smtpd_recipient_restrictions": "reject_unverified_recipient",
        "smtpd_reject_unlisted_recipient": "no",
        "virtual_transport": "virtual",
        "virtual_mailbox_base": "/tmp",
        "virtual_mailbox_domains": "a.example",
        "virtual_mailbox_maps": "inline:{somebody@a.example=x}",
        "unverified_recipient_reject_code": code,
        "address_verify_poll_delay": "1s",
    }
    with running({"in": smtpd()}, main) as server, server.connect("in") as client:
        assert client.mail_to("user@a.example").code == answer
    setting = f"unverified_recipient_reject_code = {code}\n"
    assert codes(tmp_path, setting, "VAL011") == (["VAL011"] if code == "250" else [])


def test_overrides_behind_a_comment_go_to_the_service_above(tmp_path: Path) -> None:
    master = "smtp inet n - n - - smtpd\n#submission inet n - n - - smtpd\n  -o biff=no\n"
    write(tmp_path, {"main.cf": "", "master.cf": master})
    assert postconf(tmp_path, "-P").output == "smtp/inet/biff = no\n"
    assert codes(tmp_path, "", "MST007", master) == ["MST007"]
