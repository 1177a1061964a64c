"""The relay verdict on the traps that people fall into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.relay import explain, relay_verdict
from postlint.analysis.relay_answers import valid_filter
from postlint.analysis.relay_session import Session
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.config.service import Service

HEAD = "compatibility_level = 3.6\nmydestination = example.com\nmynetworks = 192.0.2.0/24\n"


def service(folder: Path, main: str, overrides: str = "", version: str = "3.7") -> Service:
    """The smtpd service of a small installation."""
    (folder / "main.cf").write_text(HEAD + main + "\n", encoding="utf-8")
    (folder / "master.cf").write_text(f"smtp inet n - n - - smtpd {overrides}\n", encoding="utf-8")
    (candidate,) = Discovery().find([str(folder)], bytes)
    instance = load_instance(candidate, PostfixVersion.parse(version))
    return next(iter(instance.services_running("smtpd")))


@pytest.mark.parametrize(
    ("relay", "more", "status"),
    [
        ("permit_mynetworks, reject_unauth_destination", "", "refused"),
        ("permit_mynetworks, reject_rbl_client reject_unauth_destination", "", "allowed"),
        ("check_client_access inline:{x=550}, reject_unauth_destination", "", "refused"),
        ("check_sender_access inline:{example.net=550}, reject_unauth_destination", "", "allowed"),
        (
            "open, reject_unauth_destination",
            "smtpd_restriction_classes = open\nopen = permit",
            "allowed",
        ),
        (
            "open, reject_unauth_destination",
            "smtpd_restriction_classes = open\nopen = static:OK, reject",
            "allowed",
        ),
        ("permit, reject_unauth_destination", "", "fatal"),
        ("warn_if_reject reject_unauth_destination", "", "fatal"),
        ("permit_mynetworks, permit_auth_destination, reject", "", "refused"),
        ("permit_mynetworks, defer_if_permit", "", "refused"),
        ("permit_mynetworks, check_policy_service unix:x, reject", "", "depends"),
        ("hash:/srv/x, reject_unauth_destination", "", "depends"),
        ("permit_dnswl_client list.dnswl.org, reject_unauth_destination", "", "refused"),
        ("check_reverse_client_hostname_access static:OK, reject", "", "refused"),
        ("permit_mynetworks, reject_unauth_destination", "relay_domains = static:all", "allowed"),
        ("permit_mynetworks, reject_unauth_destination", "mynetworks = 0.0.0.0/0", "allowed"),
        ("permit_mynetworks, reject_unauth_destination", "mynetworks = [::]/0", "allowed"),
        ("static:OK, reject_unauth_destination", "smtpd_data_restrictions = reject", "refused"),
        ("static:OK, reject_unauth_destination", "smtpd_helo_restrictions = reject", "allowed"),
        ("static:DISCARD, reject_unauth_destination", "", "refused"),
        ("static:OK, reject_unauth_destination", "smtpd_milters = unix:x", "depends"),
        ("check_policy_service reject_unauth_destination", "", "fatal"),
    ],
)
def test_verdict(tmp_path: Path, relay: str, more: str, status: str) -> None:
    found = relay_verdict(service(tmp_path, f"smtpd_relay_restrictions = {relay}\n{more}"))
    assert found.status == status


def test_witness_is_relayed(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = check_helo_access inline:{friend=OK}, reject"
    found = relay_verdict(service(tmp_path, text))
    assert found.status == "allowed"
    assert found.session is not None
    assert found.session.helo == "friend"
    assert found.decided_by is not None
    assert found.decided_by.restriction == "check_helo_access inline:{friend=OK}"
    assert found.decided_by.location is not None
    assert found.decided_by.location.start.line == 4


def test_overrides_do_not_move_domains(tmp_path: Path) -> None:
    smtpd = service(
        tmp_path,
        "smtpd_relay_restrictions = reject_unauth_destination",
        "-o relay_domains=static:all",
    )
    assert relay_verdict(smtpd).status == "refused"


def test_trusted_clients(tmp_path: Path) -> None:
    text = (
        "smtpd_sasl_auth_enable = yes\nsmtpd_relay_restrictions = permit_mynetworks, "
        "permit_sasl_authenticated, check_client_access inline:{198.51.100.9=OK, 203.0.113=OK, "
        "192.0.2.9=REJECT}, permit_tls_clientcerts, reject_unauth_destination"
    )
    found = relay_verdict(service(tmp_path, text)).trusted_clients
    assert [(item.clients, item.restriction.partition(" ")[0]) for item in found] == [
        ("whoever has logged in", "permit_sasl_authenticated"),
        ("holders of a certificate in relay_clientcerts", "permit_tls_clientcerts"),
        ("198.51.100.9", "check_client_access"),
        ("203.0.113", "check_client_access"),
    ]


def test_a_permit_that_another_list_takes_back_is_no_trust(tmp_path: Path) -> None:
    text = (
        "smtpd_sasl_auth_enable = yes\nsmtpd_relay_restrictions = reject_unauth_destination\n"
        "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject"
    )
    found = relay_verdict(service(tmp_path, text))
    assert (found.trusted_networks, found.trusted_clients) == ((), ())


def test_networks_that_are_not_set(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination"
    smtpd = service(tmp_path, text, "-o mynetworks=")
    assert relay_verdict(smtpd).trusted_networks == ()
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n", encoding="utf-8")
    (tmp_path / "master.cf").write_text("smtp inet n - n - - smtpd\n", encoding="utf-8")
    (candidate,) = Discovery().find([str(tmp_path)], bytes)
    instance = load_instance(candidate, PostfixVersion.parse("3.7"))
    found = relay_verdict(next(iter(instance.services_running("smtpd"))))
    assert found.trusted_networks == ("127.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("setting", "parameter"),
    [
        ("smtpd_tls_security_level = dane", "smtpd_tls_security_level"),
        ("smtpd_delay_reject = true", "smtpd_delay_reject"),
        ("message_size_limit = 10M", "message_size_limit"),
    ],
)
def test_other_settings_keep_smtpd_from_starting(
    tmp_path: Path, setting: str, parameter: str
) -> None:
    text = f"smtpd_relay_restrictions = static:OK, reject\n{setting}"
    found = relay_verdict(service(tmp_path, text))
    assert found.status == "fatal"
    assert found.decided_by is not None
    assert found.decided_by.parameter == parameter
    assert found.by_restrictions == "allowed"


def test_settings_that_smtpd_does_not_read(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = reject\nqmgr_message_active_limit = x\nbiff = @BIFF@"
    assert relay_verdict(service(tmp_path, text)).status == "refused"


@pytest.mark.parametrize(
    ("ask", "file", "status"),
    [("yes", "/x.pem", "depends"), ("no", "/x.pem", "refused"), ("yes", "", "refused")],
)
def test_certificates_of_public_authorities(
    tmp_path: Path, ask: str, file: str, status: str
) -> None:
    text = (
        "smtpd_relay_restrictions = permit_tls_all_clientcerts, reject_unauth_destination\n"
        f"smtpd_tls_security_level = may\nsmtpd_tls_ask_ccert = {ask}\n"
        f"tls_append_default_CA = yes\nsmtpd_tls_CAfile = {file}"
    )
    found = relay_verdict(service(tmp_path, text))
    assert found.status == status


def test_the_addresses_of_the_host(tmp_path: Path) -> None:
    text = (
        "inet_interfaces = 192.0.2.1, 127.0.0.1\n"
        "smtpd_relay_restrictions = permit_inet_interfaces, reject_unauth_destination"
    )
    smtpd = service(tmp_path, text)
    answers = []
    for client in ("192.0.2.1", "127.0.0.1", "127.0.0.2", "198.51.100.7"):
        session = Session(client, None, "a@b.example", "x@elsewhere.example.org")
        answers.append(explain(smtpd, session).relayed)
    assert answers == [True, True, False, False]


@pytest.mark.parametrize(
    "refused",
    [
        "check_recipient_access inline:{example.org=REJECT}",
        "check_sender_access inline:{example.net=REJECT}",
        "check_helo_access inline:{example.net=REJECT}",
    ],
)
def test_what_a_table_refuses_is_not_all_there_is(tmp_path: Path, refused: str) -> None:
    text = (
        f"smtpd_sender_restrictions = {refused}\n"
        "smtpd_relay_restrictions = check_client_access static:OK, reject"
    )
    assert relay_verdict(service(tmp_path, text)).status == "allowed"


def test_classes_that_multiply_are_not_judged(tmp_path: Path) -> None:
    number = 40
    classes = "".join(f"c{at} = c{at + 1}, c{at + 1}\n" for at in range(number))
    text = (
        f"smtpd_restriction_classes = {' '.join(f'c{at}' for at in range(number + 1))}\n{classes}"
        f"c{number} = reject_unknown_sender_domain\n"
        "smtpd_relay_restrictions = c0, reject_unauth_destination"
    )
    assert relay_verdict(service(tmp_path, text)).status == "depends"


def test_a_misspelt_word_before_an_open_relay(tmp_path: Path) -> None:
    text = (
        "mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
        "smtpd_end_of_data_restrictions = rejekt"
    )
    found = relay_verdict(service(tmp_path, text))
    assert found.status == "refused"
    assert found.once_mended is not None
    assert found.once_mended[0].restriction == "permit_mynetworks"


def test_trusted_networks(tmp_path: Path) -> None:
    smtpd = service(tmp_path, "smtpd_relay_restrictions = permit_mynetworks, reject")
    assert relay_verdict(smtpd).trusted_networks == ("192.0.2.0/24",)


@pytest.mark.parametrize(
    ("client", "recipient", "classes"),
    [
        ("192.0.2.5", "someone@example.org", {2}),
        ("198.51.100.7", "someone@example.org", {4}),
        ("198.51.100.7", "postmaster", {2}),
    ],
)
def test_explain(tmp_path: Path, client: str, recipient: str, classes: set[int]) -> None:
    smtpd = service(
        tmp_path, "smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination"
    )
    session = Session(client, "client.example.net", "user@example.net", recipient)
    assert explain(smtpd, session).classes == classes


def test_recipient_lists_come_first_before_3_6(tmp_path: Path) -> None:
    text = (
        "smtpd_relay_restrictions = defer_unauth_destination\nsmtpd_recipient_restrictions = reject"
    )
    session = Session("198.51.100.7", "client.example.net", "user@example.net", "x@example.org")
    assert explain(service(tmp_path, text, version="3.5"), session).classes == {5}
    assert explain(service(tmp_path, text, version="3.7"), session).classes == {4}


@pytest.mark.parametrize(
    ("value", "kind", "problem"),
    [
        ("OK", "permit", None),
        ("550", "permit", "digits"),
        ("550 go away", "reject", None),
        ("reject", "reject", None),
        ("DUNNO whatever", "dunno", None),
        ("hash:/x", "error", "table"),
        ("", "error", "empty"),
        ("REDIRECT nobody", "dunno", "no address"),
        ("permit_mynetworks, reject", "list", None),
        ("REJECT, later", "list", None),
    ],
)
def test_access_result(value: str, kind: str, problem: str | None) -> None:
    result = parse_access_result(value, PostfixVersion.parse("3.7"))
    assert (result.kind, result.problem) == (kind, problem)


@pytest.mark.parametrize(
    ("argument", "valid"),
    [
        ("bl.example.org", True),
        ("bl.example.org=127.0.0.2", True),
        ("bl.example.org=127.0.0.[2..11]", True),
        ("bl.example.org=127.0.[0..255].[1;3..5]", True),
        ("bl.example.org=127.0.0", False),
        ("inline:{x=y}", False),
    ],
)
def test_filter(argument: str, valid: bool) -> None:
    assert valid_filter(argument) is valid
