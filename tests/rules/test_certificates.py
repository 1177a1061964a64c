"""CRT: messages, places, severities by version and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.config.discovery import Discovery
from tests.linting import lint_candidates, lint_files
from tests.rules.fixes import apply_fix, marked
from tests.rules.test_tls import STOCK, lint, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_without_certificate_every_mode_has_its_consequence(tmp_path: Path) -> None:
    main = "smtpd_tls_security_level = may\n"
    services = (
        "submission inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
        "smtps inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        "2525 inet n - n - - smtpd\n  -o smtpd_tls_cert_file=/etc/ssl/a.pem\n"
    )
    messages = [
        message.partition(": ")[2] for _, message in texts(lint(tmp_path, "CRT001", main, services))
    ]
    assert messages == [
        "STARTTLS is offered and then refused, mail comes in clear text",
        "STARTTLS is refused and so is mail without it",
        "every connection is dropped",
    ]


def test_chain_files_are_not_known_before_3_4(tmp_path: Path) -> None:
    main = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/ssl/mx.pem\n"
    assert not lint(tmp_path, "CRT001", main, version="3.4")
    assert len(lint(tmp_path, "CRT001", main, version="3.3")) == 1


def test_a_file_named_like_a_template_may_get_more_lines(tmp_path: Path) -> None:
    lines = [f"smtpd_{word}_restrictions =\n" for word in ("client", "helo", "sender", "data")]
    text = "smtpd_tls_security_level = may\nbiff = no\nmyhostname = a.b\n" + "".join(lines)
    for name, count in (("main.cf", 1), ("main.cf.tmpl", 0), ("main.cf.j2", 0)):
        (tmp_path / name).write_text(text + "mydomain = b\n", "utf-8")
        candidates = Discovery("main.cf").find([str(tmp_path / name)], bytes)
        (tmp_path / name).unlink()
        assert len(lint_candidates(candidates, select="CRT001").findings) == count


def test_a_template_may_bring_the_certificate(tmp_path: Path) -> None:
    main = "{% if cert %}\n{% include 'cert' %}\n{% endif %}\nsmtpd_tls_security_level = may\n"
    assert not lint(tmp_path, "CRT001", main)


@pytest.mark.parametrize(
    ("name", "severity", "consequence"),
    [
        (
            "smtpd_tls_cert_file",
            "error",
            "TLS is off, STARTTLS is offered and then refused, mail comes in clear text",
        ),
        (
            "smtpd_tls_CAfile",
            "error",
            "TLS is off, STARTTLS is offered and then refused, mail comes in clear text",
        ),
        ("smtpd_tls_chain_files", "error", "without certificate most handshakes fail"),
        ("smtpd_tls_dh1024_param_file", "warning", "the built-in parameters are used"),
        ("smtp_tls_CAfile", "error", "TLS is off, all mail leaves in clear text"),
        ("smtp_tls_chain_files", "warning", "no certificate is shown"),
    ],
)
def test_missing_files(name: str, severity: str, consequence: str, tmp_path: Path) -> None:
    side = name.partition("_")[0]
    setting = f"{name} = /etc/postfix/x.pem\n"
    files = {"main.cf": f"{setting}{side}_tls_security_level = may\n", "master.cf": STOCK}
    (finding,) = lint_files(tmp_path, files, select="CRT002", host=True)
    said = f"{name}: there is no file /etc/postfix/x.pem: "
    assert texts([finding]) == [(severity, said + consequence)]
    files["main.cf"] = f"{setting}{side}_tls_security_level = none\n"
    (finding,) = lint_files(tmp_path, files, select="CRT002", host=True)
    assert texts([finding]) == [("info", f"{said}nothing looks for it, TLS is off")]


def test_missing_files_by_mode(tmp_path: Path) -> None:
    files = {
        "main.cf": "smtpd_tls_cert_file = /etc/postfix/x.pem\nsmtpd_tls_security_level = may\n"
        "smtp_tls_CAfile = /etc/postfix/x.pem\nsmtp_tls_security_level = verify\n",
        "master.cf": STOCK + "smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n",
    }
    messages = [
        message for _, message in texts(lint_files(tmp_path, files, select="CRT002", host=True))
    ]
    assert [message.rpartition(": TLS is off, ")[2] for message in messages] == [
        "STARTTLS is offered and then refused, mail comes in clear text;"
        " elsewhere every connection is dropped",
        "mail is deferred",
    ]


@pytest.mark.parametrize("value", ["none", "x.pem", "$missing/x.pem", "/etc/postfix/${x", ""])
def test_paths_that_are_none(value: str, tmp_path: Path) -> None:
    files = {"main.cf": f"smtpd_tls_cert_file = {value}\n", "master.cf": STOCK}
    assert not [
        item
        for item in lint_files(tmp_path, files, select="CRT002", host=True)
        if not value.startswith("$")
    ]


def test_a_folder_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "ssl").mkdir()
    files = {"main.cf": "smtpd_tls_cert_file = /etc/postfix/ssl\n", "master.cf": STOCK}
    (finding,) = lint_files(tmp_path, files, select="CRT002", host=True)
    assert marked(finding) == "/etc/postfix/ssl"


def test_client_certificate_goes_with_its_key(tmp_path: Path) -> None:
    main = (
        "smtp_tls_security_level = may\nsmtp_tls_cert_file = /a.pem\n"
        "smtp_tls_key_file = /a.key\nbiff = no\n"
    )
    (finding,) = lint(tmp_path, "CRT012", main)
    assert marked(finding) == "/a.pem" and finding.severity.label == "warning"
    assert finding.fix is not None and finding.fix.applicability == "unsafe"
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text("utf-8")
    assert text == "smtp_tls_security_level = may\nbiff = no\n"


def test_client_certificate_of_the_server(tmp_path: Path) -> None:
    main = (
        "smtp_tls_security_level = may\nsmtpd_tls_cert_file = /a.pem\n"
        "smtp_tls_cert_file = $smtpd_tls_cert_file\n"
    )
    (finding,) = lint(tmp_path, "CRT012", main)
    assert finding.severity.label == "info"


@pytest.mark.parametrize(
    ("version", "applicability"), [("3.0", "unsafe"), ("3.1", "safe"), (None, "unsafe")]
)
def test_dh_parameters_go(version: str | None, applicability: str, tmp_path: Path) -> None:
    main = "smtpd_tls_dh1024_param_file = /etc/ssl/dh1024.pem\n"
    (finding,) = lint(tmp_path, "CRT013", main, version=version)
    assert finding.severity.label == "info" and "suggests 1024 bits" in finding.message
    assert finding.fix is not None and finding.fix.applicability == applicability
    apply_fix(finding)
    assert (tmp_path / "main.cf").read_text("utf-8") == ""


@pytest.mark.parametrize("name", ["dh2048.pem", "dhparams.pem", "dh10240.pem", "dh.512bytes/x.pem"])
def test_names_that_say_nothing(name: str, tmp_path: Path) -> None:
    assert not lint(tmp_path, "CRT013", f"smtpd_tls_dh1024_param_file = /etc/ssl/{name}\n")


def test_export_parameters_are_ignored_since_3_6(tmp_path: Path) -> None:
    main = "smtpd_tls_dh512_param_file = /etc/ssl/dh512.pem\n"
    assert texts(lint(tmp_path, "CRT013", main, version="3.5")) == [
        ("error", "smtpd_tls_dh512_param_file: 512 bits are for export ciphers and broken (Logjam)")
    ]
    assert not lint(tmp_path, "CRT013", main, version="3.6")


def test_verified_without_authority(tmp_path: Path) -> None:
    main = "smtp_tls_security_level = verify\n"
    assert texts(lint(tmp_path, "CRT014", main)) == [
        (
            "error",
            "level verify without any certificate authority:"
            " no server can be verified and mail is deferred",
        )
    ]
    for name in ("smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file"):
        assert not lint(tmp_path, "CRT014", f"{main}{name} = /etc/ssl\n")
    assert lint(tmp_path, "CRT014", f"{main}tls_append_default_CA = yes\n"), (
        "it only adds to others"
    )


def test_certificates_nobody_is_asked_for(tmp_path: Path) -> None:
    words = ["check_ccert_access", "permit_tls_clientcerts", "permit_tls_all_clientcerts"]
    main = f"smtpd_client_restrictions = {words[0]} hash:/x, {words[1]}, {words[2]}\n"
    found = lint(tmp_path, "CRT015", main)
    assert [marked(item) for item in found] == words
    optional = main + "smtpd_tls_security_level = may\nsmtpd_tls_req_ccert = yes\n"
    found = lint(tmp_path, "CRT015", optional)
    assert [marked(item) for item in found] == [*words, "yes"], "to require is not to ask"
    assert not lint(tmp_path, "CRT015", optional.replace("may", "encrypt"))
    assert not lint(tmp_path, "CRT015", main + "smtpd_tls_ask_ccert = yes\n")


@pytest.mark.parametrize("side", ["smtpd", "smtp"])
def test_authorities_for_nothing_go(side: str, tmp_path: Path) -> None:
    main = f"{side}_tls_security_level = may\n{side}_tls_CAfile = /etc/ssl/ca.pem\nbiff = no\n"
    (finding,) = lint(tmp_path, "CRT014", main)
    assert finding.fix is not None and finding.fix.applicability == "unsafe"
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text("utf-8")
    assert text == f"{side}_tls_security_level = may\nbiff = no\n"
