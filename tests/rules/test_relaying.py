"""RLY: messages, places and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.linting import lint_files

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

HEAD = "compatibility_level = 3.6\nmydestination = example.com\nmynetworks = 192.0.2.0/24\n"
SMTPD = "smtp inet n - n - - smtpd\n"


def findings(folder: Path, main: str, code: str, master: str = SMTPD, **more: str) -> list[Finding]:
    files = {"main.cf": f"{HEAD}{main}\n", "master.cf": master, **more}
    return lint_files(folder, files, select=code)


def test_open_relay_tells_who_sends_where(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = check_helo_access inline:{friend=OK}, reject"
    (finding,) = findings(tmp_path, text, "RLY001")
    assert "HELO friend" in finding.message
    assert "<someone@elsewhere.example.org>" in finding.message
    assert finding.security_severity == 9.8
    assert finding.location.start.line == 4
    start = finding.location.span.start
    assert finding.location.source.text[start:].startswith("check_helo_access")


def test_open_relay_by_mynetworks_stands_at_the_network(tmp_path: Path) -> None:
    text = (
        "mynetworks = 127.0.0.0/8 0.0.0.0/0\nsmtpd_relay_restrictions = permit_mynetworks, reject"
    )
    (finding,) = findings(tmp_path, text, "RLY001")
    span = finding.location.span
    assert finding.location.source.text[span.start : span.end] == "0.0.0.0/0"


def test_a_milter_may_refuse(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = static:OK, reject\nsmtpd_milters = unix:x"
    (finding,) = findings(tmp_path, text, "RLY001")
    assert "Milter" in finding.message


def test_ok_entry_is_named_in_the_table(tmp_path: Path) -> None:
    text = (
        "smtpd_relay_restrictions = check_sender_access hash:/etc/postfix/senders,\n"
        "  reject_unauth_destination"
    )
    (finding,) = findings(tmp_path, text, "RLY002", senders="example.org REJECT\nexample.net OK\n")
    assert finding.location.path.endswith("senders")
    assert finding.location.start.line == 2
    assert finding.severity.label == "error"


def test_relay_restrictions_fix(tmp_path: Path) -> None:
    text = (
        "smtpd_relay_restrictions =\n"
        "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination"
    )
    (finding,) = findings(tmp_path, text, "RLY004")
    assert finding.fix is not None
    assert finding.fix.applicability == "unsafe"
    (edit,) = finding.fix.edits
    source = edit.location.source.text
    span = edit.location.span
    mended = source[: span.start] + edit.text + source[span.end :]
    assert not findings(tmp_path, mended.removeprefix(HEAD), "RLY004")


def test_services_are_merged(tmp_path: Path) -> None:
    master = SMTPD + "587 inet n - n - - smtpd\n"
    text = "smtpd_relay_restrictions = static:OK, reject"
    (finding,) = findings(tmp_path, text, "RLY001", master)
    assert [name for name, _ in finding.services] == ["smtp/inet", "587/inet"]


def test_a_misspelt_word_in_front_of_an_open_relay(tmp_path: Path) -> None:
    text = (
        "mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
        "smtpd_data_restrictions = reject_unauth_pipeling"
    )
    (finding,) = findings(tmp_path, text, "RLY001")
    assert finding.message.startswith('open relay as soon as "reject_unauth_pipeling" is put right')
    assert any("451" in item.message for item in finding.related)


def test_forged_clients_are_told_with_what_they_claim(tmp_path: Path) -> None:
    text = (
        "smtpd_relay_restrictions = permit_mynetworks, reject\n"
        "smtpd_authorized_xclient_hosts = static:all"
    )
    (finding,) = findings(tmp_path, text, "RLY001")
    assert "client 198.51.100.7 says XCLIENT ADDR=127.0.0.1 and may send" in finding.message or (
        "client 198.51.100.7 says XCLIENT ADDR=192.0.2.0 and may send" in finding.message
    )


def test_one_domain_is_named(tmp_path: Path) -> None:
    text = "smtpd_relay_restrictions = check_recipient_access inline:{partner.example=OK}, reject"
    (finding,) = findings(tmp_path, text, "RLY001")
    assert finding.message.startswith("open relay to partner.example by ")
    assert finding.severity.label == "warning"


def test_reinjection_listens_on_loopback_after_the_fix(tmp_path: Path) -> None:
    master = SMTPD + "10025 inet n - n - - smtpd\n  -o content_filter= -o mynetworks=0.0.0.0/0\n"
    text = "content_filter = scan:[127.0.0.1]:10024"
    (finding,) = findings(tmp_path, text, "RLY011", master)
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    assert edit.text == "127.0.0.1:10025"
    assert finding.severity.label == "error"
