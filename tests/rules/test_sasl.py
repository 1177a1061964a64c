"""SASL: messages, places, severities and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.fixes import apply_fix, marked
from tests.rules.test_tls import lint, texts

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = "smtpd_sasl_auth_enable = yes\n"
MSA = "submission inet n - n - - smtpd\n"


def test_cleartext_is_mended_where_tls_works(tmp_path: Path) -> None:
    main = LOGIN + "smtpd_tls_security_level = may\nsmtpd_tls_auth_only = no\n"
    (finding,) = lint(tmp_path, "SASL001", main)
    assert marked(finding) == "no" and finding.fix is None
    main += "smtpd_tls_chain_files = /etc/ssl/a.pem\n"
    (finding,) = lint(tmp_path, "SASL001", main)
    assert finding.fix is not None and finding.fix.applicability == "safe"
    apply_fix(finding)
    mended = (tmp_path / "main.cf").read_text("utf-8")
    assert mended == main.replace("auth_only = no", "auth_only = yes")
    assert not lint(tmp_path, "SASL001", mended)


def test_cleartext_without_a_setting_is_reported_where_auth_is_on(tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "SASL001", LOGIN)
    assert marked(finding) == "yes" and finding.location.start.line == 1
    assert finding.security_severity == 8.1


@pytest.mark.parametrize(
    "more",
    [
        "smtpd_tls_auth_only = yes\n",
        "smtpd_tls_security_level = encrypt\n",
        "smtpd_sasl_security_options = noanonymous, noplaintext\n",
        "smtpd_discard_ehlo_keywords = auth\n",
        "smtpd_sasl_exceptions_networks = 0.0.0.0/0\n",
        "inet_interfaces = loopback-only\n",
        "smtpd_tls_auth_only = {{ auth_only }}\n",
    ],
)
def test_no_cleartext(more: str, tmp_path: Path) -> None:
    assert not lint(tmp_path, "SASL001", LOGIN + more)


def test_logins_that_wait_for_a_certificate(tmp_path: Path) -> None:
    main = LOGIN + "smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n"
    assert texts(lint(tmp_path, "SASL002", main)) == [
        ("error", "logins wait for TLS, and TLS has no certificate: nobody can log in")
    ]


@pytest.mark.parametrize(
    ("main", "severity"),
    [
        ("", "warning"),
        ("smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n", "info"),
        ("smtpd_client_auth_rate_limit = 5\n", "info"),
    ],
)
def test_port_25(main: str, severity: str, tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "SASL003", LOGIN + main, MSA)
    assert finding.severity.label == severity


def test_submission_of_this_host_only(tmp_path: Path) -> None:
    assert not lint(tmp_path, "SASL004", "biff = no\n", f"127.0.0.1:{MSA}")
    (finding,) = lint(tmp_path, "SASL004", "biff = no\n", MSA)
    assert marked(finding) == "submission" and finding.service == "submission/inet"


@pytest.mark.parametrize(
    ("restrictions", "open_to_strangers"),
    [
        ("smtpd_client_restrictions=permit_sasl_authenticated,reject", False),
        ("smtpd_sender_restrictions=permit_mynetworks,reject", False),
        ("smtpd_data_restrictions=permit_sasl_authenticated,reject", False),
        ("smtpd_relay_restrictions=permit_sasl_authenticated,defer", False),
        ("smtpd_client_restrictions=permit_sasl_authenticated", True),
        ("smtpd_client_restrictions=permit_sasl_authenticated,permit,reject", True),
        ("smtpd_recipient_restrictions=reject_unknown_recipient_domain", True),
        (
            "smtpd_client_restrictions=check_client_access,mysql:/x",
            True,
        ),  # strangers are in no list
        ("smtpd_client_restrictions={{restrictions}}", None),
    ],
)
def test_strangers(restrictions: str, open_to_strangers: bool | None, tmp_path: Path) -> None:
    main = "compatibility_level = 3.6\nmydestination = example.com\n" + LOGIN
    found = lint(tmp_path, "SASL005", main, f"{MSA}  -o {restrictions}\n")
    assert bool(found) == bool(open_to_strangers)


def test_anonymous_logins_are_mended(tmp_path: Path) -> None:
    main = LOGIN + "smtpd_sasl_security_options = noplaintext\n"
    (finding,) = lint(tmp_path, "SASL008", main)
    assert marked(finding) == "noplaintext"
    assert finding.fix is not None and finding.fix.applicability == "safe"
    apply_fix(finding)
    mended = (tmp_path / "main.cf").read_text("utf-8")
    assert mended == LOGIN + "smtpd_sasl_security_options = noplaintext, noanonymous\n"
    assert not lint(tmp_path, "SASL008", mended)


def test_anonymous_logins_with_an_empty_list(tmp_path: Path) -> None:
    main = LOGIN + "smtpd_sasl_security_options =\nbiff = no\n"
    (finding,) = lint(tmp_path, "SASL008", main)
    apply_fix(finding)
    mended = (tmp_path / "main.cf").read_text("utf-8")
    assert mended == LOGIN + "smtpd_sasl_security_options = noanonymous\nbiff = no\n"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("noanon", "noanonymous"),
        ("no_anonymous", "noanonymous"),
        ("noplain", "noplaintext"),
        ("none", None),
        ("no", None),
    ],
)
def test_options(word: str, meant: str | None, tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "SASL010", f"smtpd_sasl_security_options = {word}\n")
    assert (
        finding.message == f'smtpd_sasl_security_options: "{word}" is no option: smtpd dies of it'
    )
    if meant is None:
        assert finding.fix is None
        return
    apply_fix(finding)
    mended = (tmp_path / "main.cf").read_text("utf-8")
    assert mended == f"smtpd_sasl_security_options = {meant}\n"


def test_backends(tmp_path: Path) -> None:
    main = LOGIN + "smtpd_sasl_type = dovcot\n"
    assert texts(lint(tmp_path, "SASL011", main)) == [
        ("error", "there is no SASL backend dovcot: smtpd dies of it")
    ]
    main = LOGIN + "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = /run/dovecot/auth\n"
    assert not lint(tmp_path, "SASL011", main)
    (finding,) = lint(tmp_path, "SASL011", main, "2525 inet n - y - - smtpd\n")
    assert finding.severity.label == "warning" and finding.service == "2525/inet"


def test_login_maps(tmp_path: Path) -> None:
    main = "smtpd_sender_restrictions = reject_sender_login_mismatch, reject_non_fqdn_sender\n"
    msa = f"{MSA}  -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt\n"
    (finding,) = lint(tmp_path, "SASL012", main, msa)
    assert finding.severity.label == "error"
    assert marked(finding) == "reject_sender_login_mismatch"
    main += "smtpd_sender_login_maps = hash:/etc/postfix/owners\n"
    assert not lint(tmp_path, "SASL012", main, msa)


def test_passwords_for_the_relay_host(tmp_path: Path) -> None:
    main = (
        "relayhost = [mail.example.org]:587\nsmtp_sasl_auth_enable = yes\n"
        "smtp_sasl_password_maps = static:user:geheim\nsmtp_sasl_security_options = noanonymous\n"
        "smtp_tls_security_level = may\n"
    )
    (finding,) = lint(tmp_path, "SASL013", main)
    assert finding.message == (
        "the password for [mail.example.org]:587 can be sent in clear text: TLS is optional"
    )
    assert marked(finding) == "noanonymous" and finding.related[0].location.start.line == 5
    apply_fix(finding)
    mended = (tmp_path / "main.cf").read_text("utf-8")
    assert mended == main.replace("= may", "= encrypt")
    assert [item.severity.label for item in lint(tmp_path, "SASL013", mended)] == ["info"]


@pytest.mark.parametrize("relayhost", ["[127.0.0.1]:25", "localhost", "{{ relay }}"])
def test_passwords_for_this_host(relayhost: str, tmp_path: Path) -> None:
    main = (
        f"relayhost = {relayhost}\nsmtp_sasl_auth_enable = yes\n"
        "smtp_sasl_password_maps = hash:/x\nsmtp_sasl_security_options = noanonymous\n"
    )
    assert not lint(tmp_path, "SASL013", main)


def test_plain_is_forbidden_by_default(tmp_path: Path) -> None:
    main = (
        "relayhost = [mail.example.org]:587\nsmtp_sasl_auth_enable = yes\n"
        "smtp_sasl_password_maps = hash:/x\nsmtp_tls_security_level = encrypt\n"
    )
    (finding,) = lint(tmp_path, "SASL014", main)
    assert marked(finding) == "yes"
    assert finding.message == (
        "smtp_sasl_tls_security_options has noplaintext by default:"
        " no login at [mail.example.org]:587 with PLAIN or LOGIN"
    )


@pytest.mark.parametrize(
    ("relayhost", "key", "matches"),
    [
        ("[mail.example.org]:587", "[mail.example.org]:587", True),
        ("[mail.example.org]:587", "MAIL.example.org", True),
        ("[mail.example.org]:587", "[mail.example.org]", False),
        ("[mail.example.org]:587", "mail.example.org:587", False),
        ("example.org", "mx.example.org", True),  # may be its MX host
        ("example.org", "[example.org]", False),
        ("[mail.example.org]:587", "user@example.com", False),
    ],
)
def test_password_keys(relayhost: str, key: str, matches: bool, tmp_path: Path) -> None:
    main = (
        f"relayhost = {relayhost}\nsmtp_sasl_auth_enable = yes\n"
        "smtp_sasl_password_maps = hash:/etc/postfix/passwd\n"
    )
    found = lint(tmp_path, "SASL015", main, passwd=f"{key} user:geheim\n")
    assert bool(found) != matches
    assert not [item for item in found if "geheim" in item.message]
