"""RST: messages, severities by version, fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.lint.registry import bundled_rules
from postlint.lint.runner import Runner, Target
from postlint.postfix import dnsbl
from tests.linting import lint_files

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.config.discovery import Candidate
    from postlint.lint.finding import Finding

HEAD = "compatibility_level = 3.6\nmydestination = example.com\nmynetworks = 192.0.2.0/24\n"
SMTPD = "smtp inet n - n - - smtpd\n"
SAFE = "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"


def findings(
    folder: Path, main: str, code: str, *, version: str | None = None, **more: str
) -> list[Finding]:
    files = {"main.cf": f"{HEAD}{main}\n", "master.cf": SMTPD, **more}
    return lint_files(folder, files, select=code, version=version)


def mended(finding: Finding) -> str:
    """The text of the file with the fix applied."""
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    text, span = edit.location.source.text, edit.location.span
    return text[: span.start] + edit.text + text[span.end :]


def test_swallowed_check_is_critical(tmp_path: Path) -> None:
    text = (
        "smtpd_relay_restrictions = permit_mynetworks, reject_rbl_client reject_unauth_destination"
    )
    (finding,) = findings(tmp_path, text, "RST002")
    assert finding.security_severity == 9.1
    assert "reject_unauth_destination is never carried out" in finding.message


@pytest.mark.parametrize(("version", "severity"), [("3.8", "warning"), ("3.9", "error")])
def test_removed_by_version(tmp_path: Path, version: str, severity: str) -> None:
    text = "smtpd_relay_restrictions = permit_mynetworks, check_relay_domains"
    (finding,) = findings(tmp_path, text, "RST003", version=version)
    assert finding.severity.label == severity
    assert "reject_unauth_destination" in mended(finding)


def test_old_spelling_is_mended(tmp_path: Path) -> None:
    text = SAFE + "smtpd_helo_restrictions = reject_invalid_hostname"
    (finding,) = findings(tmp_path, text, "RST003")
    assert finding.fix is not None
    assert finding.fix.applicability == "safe"
    again = mended(finding).removeprefix(HEAD)
    assert "smtpd_helo_restrictions = reject_invalid_helo_hostname" in again
    assert not findings(tmp_path, again, "RST003")


def test_bare_table_is_mended(tmp_path: Path) -> None:
    text = SAFE + "smtpd_sender_restrictions = hash:/etc/postfix/x"
    (finding,) = findings(tmp_path, text, "RST005")
    again = mended(finding).removeprefix(HEAD)
    assert "= check_sender_access hash:/etc/postfix/x" in again
    assert not findings(tmp_path, again, "RST005")


def test_digits_are_mended_in_the_table(tmp_path: Path) -> None:
    text = SAFE + "smtpd_client_restrictions = check_client_access hash:/etc/postfix/clients"
    (finding,) = findings(tmp_path, text, "RST019", clients="192.0.2.1 550\n")
    assert finding.security_severity == 8.1
    assert mended(finding) == "192.0.2.1 REJECT\n"


def test_filter_is_added_before_the_weight(tmp_path: Path) -> None:
    files = {
        "main.cf": f"{HEAD}postscreen_dnsbl_sites = zen.spamhaus.org*3\n",
        "master.cf": "smtp inet n - n - 1 postscreen\n",
    }
    (finding,) = lint_files(tmp_path, files, select="RST012")
    assert "zen.spamhaus.org=127.0.0.[2..11]*3" in mended(finding)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("dnsbl.sorbs.net", "dead"),
        ("relays.ordb.org", "lists everything"),
        ("key.dbl.dq.spamhaus.net", "domains"),
        ("bl.example.org", None),
    ],
)
def test_dns_lists(name: str, status: str | None) -> None:
    zone = dnsbl.lookup(name)
    assert (zone.status if zone is not None else None) == status


def test_dns_lists_have_sources() -> None:
    assert all(zone.source for zone in dnsbl.ZONES.values())
    assert dnsbl.split("zen.spamhaus.org=127.0.0.[2..11]*3") == (
        "zen.spamhaus.org",
        "127.0.0.[2..11]",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "reject_rbl_client dnsbl.ahbl.org, reject_unlisted_recipient",
            "reject_unlisted_recipient",
        ),
        (
            "permit_mynetworks,\n  warn_if_reject reject_rbl_client list.dsbl.org,\n  permit",
            "permit_mynetworks,\n  permit",
        ),
    ],
)
def test_dead_lists_are_taken_out(tmp_path: Path, before: str, after: str) -> None:
    text = f"{SAFE}smtpd_recipient_restrictions = {before}"
    (finding,) = findings(tmp_path, text, "RST011")
    assert finding.fix is not None
    assert finding.fix.applicability == "safe"
    again = mended(finding).removeprefix(HEAD)
    assert again == f"{SAFE}smtpd_recipient_restrictions = {after}\n"


def test_dead_lists_of_postscreen_are_taken_out(tmp_path: Path) -> None:
    main = f"{HEAD}postscreen_dnsbl_sites = dnsbl.ahbl.org*2, bl.spamcop.net\n"
    files = {"main.cf": main, "master.cf": "smtp inet n - n - 1 postscreen\n"}
    (finding,) = lint_files(tmp_path, files, select="RST011")
    assert mended(finding) == f"{HEAD}postscreen_dnsbl_sites = bl.spamcop.net\n"


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        (
            "RST004",
            "smtpd_recipient_restrictions = permit, check_sender_access hash:/x",
            "smtpd_recipient_restrictions = permit",
        ),
        (
            "RST006",
            "smtpd_recipient_restrictions = reject_unlisted_recipient, warn_if_reject",
            "smtpd_recipient_restrictions = reject_unlisted_recipient",
        ),
        (
            "RST006",
            "smtpd_recipient_restrictions = warn_if_reject reject_unauth_destination, permit",
            "smtpd_recipient_restrictions = reject_unauth_destination, permit",
        ),
        (
            "RST009",
            "smtpd_sasl_auth_enable = yes\n"
            "smtpd_client_restrictions = reject_rbl_client x.example, permit_sasl_authenticated",
            "smtpd_sasl_auth_enable = yes\n"
            "smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, "
            "reject_rbl_client x.example, permit_sasl_authenticated",
        ),
    ],
)
def test_unsafe_fixes(tmp_path: Path, code: str, before: str, after: str) -> None:
    (finding,) = findings(tmp_path, f"{SAFE}{before}", code)
    assert finding.fix is not None
    assert finding.fix.applicability == "unsafe"
    assert mended(finding).removeprefix(HEAD + SAFE) == f"{after}\n"
    assert not findings(tmp_path, f"{SAFE}{after}", code)


def test_own_list_for_the_port_of_users(tmp_path: Path) -> None:
    master = SMTPD + "submission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"
    main = HEAD + SAFE + "smtpd_client_restrictions = reject_rbl_client x.example\n"
    (finding,) = lint_files(tmp_path, {"main.cf": main, "master.cf": master}, select="RST010")
    text = mended(finding)
    assert "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n" in text
    assert not lint_files(tmp_path, {"main.cf": main, "master.cf": text}, select="RST010")


def test_dunno_for_the_own_domain(tmp_path: Path) -> None:
    text = SAFE + (
        "smtpd_recipient_restrictions = check_sender_access hash:/etc/postfix/senders, "
        "reject_unknown_sender_domain"
    )
    (finding,) = findings(tmp_path, text, "RST015", senders="example.com  OK\n")
    assert mended(finding) == "example.com  DUNNO\n"


def test_a_public_resolver_is_no_good_for_spamhaus(tmp_path: Path) -> None:
    (tmp_path / "root" / "etc").mkdir(parents=True)
    resolver = tmp_path / "root" / "etc" / "resolv.conf"
    text = SAFE + "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org"
    for address, severity in (("9.9.9.9", "error"), ("127.0.0.53", "warning")):
        resolver.write_text(f"# mine\nnameserver {address}\n", encoding="utf-8")
        (candidate,) = _written(tmp_path, text)
        target = Target(load_instance(candidate, None, tmp_path / "root"))
        rules = [rule for rule in bundled_rules() if rule.code == "RST012"]
        (finding,) = Runner(bundled_rules(), rules).run([target]).findings
        assert finding.severity.label == severity


def _written(folder: Path, main: str) -> list[Candidate]:
    (folder / "main.cf").write_text(f"{HEAD}{main}\n", encoding="utf-8")
    (folder / "master.cf").write_text(SMTPD, encoding="utf-8")
    return list(Discovery().find([str(folder)], bytes))
