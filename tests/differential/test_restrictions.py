"""RST001, RLY003 and the reading of restriction lists against the smtpd of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.restrictions import RestrictionLists
from postlint.config.files import Files
from postlint.config.instance import Instance
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.source import SourceFile
from tests.linting import lint_files
from tests.postfix_here import require_postfix
from tests.postfix_server import MAIN_CF, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

RUD = "reject_unauth_destination"
RELAY = "smtpd_relay_restrictions"
RECIPIENT = "smtpd_recipient_restrictions"


def lists(relay: str, recipient: str = "", **more: str) -> dict[str, str]:
    return {RELAY: relay, RECIPIENT: recipient, **more}


CASES: dict[str, Mapping[str, str]] = {
    "defaults": {},
    "both-empty": lists(""),
    "relay-permits-only": lists("permit_mynetworks"),
    "recipient-alone": lists("", RUD),
    "permit-first": lists(f"permit, {RUD}"),
    "permit-in-capitals": lists(f"PERMIT, {RUD}"),
    "permit-then-recipient": lists(f"permit, {RUD}", f"permit_mynetworks, {RUD}"),
    "warned": lists(f"warn_if_reject, {RUD}"),
    "warned-twice": lists(f"warn_if_reject warn_if_reject {RUD}"),
    "warned-thrice": lists(f"warn_if_reject warn_if_reject warn_if_reject {RUD}"),
    "warned-then-reject": lists(f"warn_if_reject {RUD}, reject"),
    "warned-permit": lists(f"warn_if_reject permit, {RUD}"),
    "warn-at-the-end": lists("permit_mynetworks, warn_if_reject"),
    "quoted": lists(f'"{RUD}"'),
    "semicolon": lists(f"permit_mynetworks;{RUD}"),
    "capitals": lists("Reject_Unauth_DESTINATION"),
    "defer": lists("defer"),
    "defer-if-permit": lists("defer_if_permit"),
    "defer-if-reject": lists("defer_if_reject"),
    "defer-unauth": lists("permit_auth_destination, defer_unauth_destination"),
    "relay-domains": lists("check_relay_domains"),
    "as-argument": lists("reject_rhsbl_sender reject"),
    "table-without-name": lists("static:OK"),
    "class": lists("c", smtpd_restriction_classes="c", c=f"permit_mynetworks, {RUD}"),
    "class-in-class": lists("c", smtpd_restriction_classes="c, d", c="d", d=RUD),
    "class-in-other-case": lists("C", smtpd_restriction_classes="c", c=RUD),
    "class-with-permit": lists(f"c, {RUD}", smtpd_restriction_classes="c", c="permit"),
    "class-hides-behind-permit": lists("c", smtpd_restriction_classes="c", c=f"permit, {RUD}"),
    "class-warned": lists("warn_if_reject c", smtpd_restriction_classes="c", c=RUD),
    "class-twice": lists("c c", smtpd_restriction_classes="c", c="permit_mynetworks"),
    "class-in-itself": lists("c, reject", smtpd_restriction_classes="c", c="c"),
    "classes-in-each-other": lists(
        "c, reject", smtpd_restriction_classes="c d", c="permit_mynetworks d", d="c"
    ),
    "class-in-itself-late": lists("c", smtpd_restriction_classes="c", c="reject, c"),
    "unknown-word": lists(f"permit_mynetwork, {RUD}"),
    "unknown-word-warned": lists(f"warn_if_reject permit_mynetwork, {RUD}"),
    "unknown-word-in-class": lists(
        f"c, {RUD}", smtpd_restriction_classes="c", c="reject_unauth_pipeling"
    ),
    "unknown-word-behind-reject": lists("permit_auth_destination, reject, gibberish"),
    "unknown-word-behind-warned-reject": lists(f"warn_if_reject reject, gibberish, {RUD}"),
    "unknown-word-as-argument": lists(f"reject_rhsbl_client gibberish, {RUD}"),
    "unknown-client-word": {"smtpd_client_restrictions": "gibberish"},
    "unknown-helo-word": {"smtpd_helo_restrictions": "permit_mynetworks gibberish"},
    "unknown-sender-word": {"smtpd_sender_restrictions": "gibberish, reject"},
    "unlisted-class": {RELAY: f"c, {RUD}", "c": "permit_mynetworks"},
    "comment": lists(f"{RUD} # no relaying"),
    "comment-behind-reject": lists("reject # nothing"),
    "backslash": lists(f"permit_mynetworks, \\, {RUD}"),
    "documented-but-unknown": {
        "smtpd_client_restrictions": "reject_unknown_forward_client_hostname"
    },
    "old-spellings": {"smtpd_helo_restrictions": "reject_invalid_hostname"},
    "sleep": {"smtpd_client_restrictions": "sleep 0, permit_mynetworks"},
    "table": {"smtpd_sender_restrictions": "inline:{a@example.org=OK}, permit_mynetworks"},
    "braces": lists(f"check_sender_access inline:{{ {{x@example.org=OK}} }}, {RUD}"),
}
"""Settings of services; what smtpd does with each is asked of Postfix, never written here."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    services = {name: smtpd(**settings) for name, settings in CASES.items()}
    with running(services) as found:
        yield found


def instance(settings: Mapping[str, str]) -> Instance:
    text = main_cf(settings)
    main = parse_main_cf(SourceFile("main.cf", text))
    return Instance(".", main, None, Files(None), require_postfix().version)


def main_cf(settings: Mapping[str, str]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in {**MAIN_CF, **settings}.items())


def codes(settings: Mapping[str, str], folder: Path, select: str) -> list[str]:
    files = {"main.cf": main_cf(settings), "master.cf": "25 inet n - n - - smtpd\n"}
    version = str(require_postfix().version)
    return [item.message for item in lint_files(folder, files, version=version, select=select)]


@pytest.mark.parametrize("name", CASES)
def test_smtpd_starts_unless_rly003_says_no(name: str, server: Server, tmp_path: Path) -> None:
    fatal = server.start_of(name)
    expected = fatal is not None
    if fatal is not None:
        assert "specify at least one working" in fatal or "signal 11" in fatal
    assert bool(codes(CASES[name], tmp_path, "RLY003")) is expected, fatal


@pytest.mark.parametrize("name", CASES)
def test_unknown_words_are_answered_451(name: str, server: Server, tmp_path: Path) -> None:
    if server.start_of(name) is not None:
        return  # nobody is answered at all
    with server.connect(name) as client:
        outside = client.mail_to("user@example.org")
        local = client.command("RCPT TO:<user@example.com>")
    replies = (outside, local)  # one of them gets to the end of any list
    refused = any("Server configuration error" in reply.text for reply in replies)
    found = [text for text in codes(CASES[name], tmp_path, "RST001") if "451" in text]
    assert bool(found) is refused, replies


def test_argument_is_taken_whatever_it_is(server: Server) -> None:
    """``reject_rhsbl_sender reject`` relays: the word is a domain to ask."""
    items = RestrictionLists(instance(CASES["as-argument"]).main)[RELAY].items
    assert [item.element.text for item in items] == ["reject_rhsbl_sender"]
    assert items[0].argument is not None and items[0].argument.text == "reject"
    with server.connect("as-argument") as client:
        assert client.mail_to("user@example.org", sender="").code == 250


def test_warning_does_not_end_a_list(server: Server) -> None:
    items = RestrictionLists(instance(CASES["warned-then-reject"]).main)[RELAY].items
    assert [(item.warned, item.dead_after) for item in items] == [(True, None), (False, None)]
    with server.connect("warned-then-reject") as client:
        assert client.mail_to("user@example.org").code == 554
    assert "reject_warning" in server.log("warned-then-reject")
