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
