"""TLS: messages, places, severities by version and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.postfix.versions import NEWEST_STABLE
from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked
from tests.rules.test_documentation import stock_master_cf

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

STOCK = stock_master_cf(NEWEST_STABLE)


def lint(
    folder: Path,
    code: str,
    main: str,
    services: str = "",
    version: str | None = None,
    **tables: str,
) -> list[Finding]:
    """The findings of one rule beside a stock master.cf with more services."""
    files = {"main.cf": main, "master.cf": STOCK + services, **tables}
    return lint_files(folder, files, select=code, version=version)


def texts(found: list[Finding]) -> list[tuple[str, str]]:
    return [(item.severity.label, item.message) for item in found]


def mend(finding: Finding, folder: Path, code: str, version: str | None = None) -> str:
    """Apply the fix; the rule has nothing more to say. The text of main.cf."""
    apply_fix(finding)
    files = {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}
    again = lint_files(folder, files, select=code, version=version)
    assert not [item for item in again if item.message == finding.message]
    return (folder / "main.cf").read_text("utf-8")


class TestOldVersions:
    """TLS001."""

    def test_one_finding_for_all_services_that_it_is_as_bad_for(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\n"
        master = "submission inet n - n - - smtpd\nsmtps inet n - n - - smtpd\n"
        note, finding = lint(tmp_path, "TLS001", main, master)
        assert note.severity.label == "info" and note.security_severity == 3.1
        assert [label for label, _ in note.services] == ["smtp/inet"]
        assert finding.severity.label == "warning" and finding.security_severity == 5.9
        assert [label for label, _ in finding.services] == ["submission/inet", "smtps/inet"]
        assert finding.message == (
            "clients can still negotiate TLSv1 and TLSv1.1: smtpd_tls_protocols = !SSLv2 allows it;"
            " only the OpenSSL library of today keeps SSLv3 out"
        )
        (related,) = finding.related
        assert related.location.start.line == 1

    def test_the_word_that_lets_them_in_is_marked(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2, >=TLSv1.1\n"
        (finding,) = lint(tmp_path, "TLS001", main)
        assert marked(finding) == ">=TLSv1.1"
        assert finding.security_severity == 3.1

    def test_a_default_is_reported_once(self, tmp_path: Path) -> None:
        master = (
            "587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n"
            "465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
        )
        (finding,) = lint(tmp_path, "TLS001", "", master)
        assert marked(finding) == "encrypt"
        assert [label for label, _ in finding.services] == ["587/inet", "465/inet"]

    @pytest.mark.parametrize(
        "settings",
        [
            "tls_medium_cipherlist = EECDH+AESGCM:EDH+AESGCM\n",
            "smtpd_tls_exclude_ciphers = SHA1, SHA256, SHA384\n",
        ],
    )
    def test_old_versions_need_ciphers_of_their_own(self, settings: str, tmp_path: Path) -> None:
        main = f"smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=TLSv1\n{settings}"
        assert not lint(tmp_path, "TLS001", main)

    def test_required_client_certificates_keep_old_versions_out(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n"
        (finding,) = lint(tmp_path, "TLS001", f"{main}smtpd_tls_mandatory_protocols = !SSLv2\n")
        assert finding.message.endswith("where the OpenSSL library has it")

    def test_a_default_is_reported_where_tls_is_turned_on(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS001", "smtpd_tls_security_level = may\n")
        assert marked(finding) == "may" and finding.fix is None
        assert "not set and by default >=TLSv1" in finding.message

    @pytest.mark.parametrize(
        ("version", "severity", "message"),
        [
            ("2.8", "error", "SSLv3, TLSv1 and TLSv1.1"),
            ("3.5", "warning", "(and SSLv3 where the OpenSSL library has it)"),
            ("3.6", "info", "only the OpenSSL library of today keeps SSLv3 out"),
        ],
    )
    def test_versions(self, version: str, severity: str, message: str, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2\n"
        (finding,) = lint(tmp_path, "TLS001", main, version=version)
        assert finding.severity.label == severity and message in finding.message

    @pytest.mark.parametrize(
        ("version", "text"),
        [("3.5", "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"), ("3.6", ">=TLSv1.2")],
    )
    def test_fix(self, version: str, text: str, tmp_path: Path) -> None:
        main = (
            "# kept\nsmtpd_tls_security_level = encrypt\nsmtpd_tls_mandatory_protocols = !SSLv2\n"
        )
        (finding,) = lint(tmp_path, "TLS001", main, version=version)
        assert finding.fix is not None and finding.fix.applicability == "unsafe"
        assert mend(finding, tmp_path, "TLS001", version) == main.replace("!SSLv2", text)

    def test_services_of_this_host_only_are_left_alone(self, tmp_path: Path) -> None:
        main = "inet_interfaces = loopback-only\nsmtpd_tls_security_level = may\n"
        assert not lint(tmp_path, "TLS001", main)

    @pytest.mark.parametrize(("level", "found"), [("may", []), ("encrypt", ["info"]), ("none", [])])
    def test_defaults_of_a_client(self, level: str, found: list[str], tmp_path: Path) -> None:
        main = f"smtp_tls_security_level = {level}\n"
        real = [item.severity.label for item in lint(tmp_path, "TLS001", main)]
        assert real == found


class TestLists:
    """TLS002 to TLS006."""

    def test_inclusion(self, tmp_path: Path) -> None:
        main = "smtp_tls_security_level = may\nsmtp_tls_protocols = !SSLv3 TLSv1 TLSv1.1\n"
        (finding,) = lint(tmp_path, "TLS002", main)
        assert marked(finding) == "TLSv1"
        assert finding.message == (
            'smtp_tls_protocols: the plain "TLSv1" makes this a list of all that is allowed;'
            " TLSv1.2 and TLSv1.3 are off"
        )
        assert mend(finding, tmp_path, "TLS002").endswith(
            "smtp_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1\n"
        )

    @pytest.mark.parametrize(
        ("version", "severity"),
        [(None, "warning"), ("3.3", None), ("3.4", "error"), ("3.11", "error")],
    )
    def test_only_tls_1_3_is_dropped(
        self, version: str | None, severity: str | None, tmp_path: Path
    ) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = TLSv1.2\n"
        found = lint(tmp_path, "TLS002", main, version=version)
        assert [item.severity.label for item in found] == ([severity] if severity else [])

    def test_releases_that_know_no_newer_names(self, tmp_path: Path) -> None:
        main = "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_protocols = SSLv3, TLSv1\n"
        (finding,) = lint(tmp_path, "TLS002", main, version="2.8.3")
        assert finding.severity.label == "warning" and "later patch releases" in finding.message

    def test_a_policy_that_takes_the_list_is_named(self, tmp_path: Path) -> None:
        main = (
            "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"
            "smtp_tls_mandatory_protocols = TLSv1\n"
        )
        table = "a.example encrypt protocols=TLSv1.2\nb.example encrypt\n"
        (finding,) = lint(tmp_path, "TLS002", main, tls_policy=table)
        (related,) = finding.related
        assert related.location.path.endswith("tls_policy") and related.location.start.line == 2

    def test_joining_what_a_blank_parts(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=  TLSv1.2, <=TLSv1.3\n"
        (finding,) = lint(tmp_path, "TLS005", main)
        assert marked(finding) == ">=" and "only TLSv1.2 is allowed" in finding.message
        assert finding.fix is not None and finding.fix.applicability == "safe"
        assert mend(finding, tmp_path, "TLS005").endswith("= >=TLSv1.2, <=TLSv1.3\n")

    def test_a_lone_bound(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv3 >=\n"
        (finding,) = lint(tmp_path, "TLS005", main)
        assert finding.message.endswith('">=" without a version has no effect')
        assert finding.fix is None

    @pytest.mark.parametrize(
        ("word", "meant"),
        [
            ("TLS1.2", "TLSv1.2"),
            ("TLSv1_2", "TLSv1.2"),
            ("-SSLv3", "!SSLv3"),
            ("!TLSv1.0", "!TLSv1"),
            (">=TLS1.2", ">=TLSv1.2"),
            ("all", None),
            ("TLSv1.4", None),
            ("!", None),
        ],
    )
    def test_bad_words(self, word: str, meant: str | None, tmp_path: Path) -> None:
        main = f"smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2, {word}\n"
        (finding,) = lint(tmp_path, "TLS006", main)
        assert marked(finding) == word
        if meant is None:
            assert finding.fix is None
        else:
            assert finding.fix is not None and finding.fix.applicability == "safe"
            assert mend(finding, tmp_path, "TLS006").endswith(f"!SSLv2, {meant}\n")

    def test_words_of_later_releases(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = TLSv1.3\n"
        (finding,) = lint(tmp_path, "TLS006", main, version="2.11")
        assert "Postfix 2.11 does not know it" in finding.message

    def test_holes(self, tmp_path: Path) -> None:
        main = "smtpd_tls_protocols = !TLSv1.1\nsmtp_tls_protocols = !TLSv1.1\n"
        server, client = lint(tmp_path, "TLS004", main)
        assert server.message == (
            "smtpd_tls_protocols leaves out TLSv1.1 between versions that it allows"
        )
        assert client.message.endswith(": a client then does not offer TLSv1.2 and TLSv1.3 either")

    def test_nothing_is_left(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS003", "smtp_tls_protocols = >=TLSv1.2, TLSv1\n")
        assert finding.message.endswith("leaves no TLS version: every handshake fails")


class TestTwins:
    """TLS007."""

    def test_without_effect(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_mandatory_ciphers = high\n"
        assert texts(lint(tmp_path, "TLS007", main)) == [
            (
                "warning",
                "smtpd_tls_mandatory_ciphers has no effect: no service requires TLS;"
                " smtpd_tls_ciphers counts and is medium by default",
            )
        ]

    def test_a_macro_uses_it(self, tmp_path: Path) -> None:
        main = (
            "smtpd_tls_security_level = may\nsmtpd_tls_mandatory_ciphers = high\n"
            "my_ciphers = $smtpd_tls_mandatory_ciphers\n"
        )
        assert not lint(tmp_path, "TLS007", main)

    def test_what_is_no_stricter_is_no_loss(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_mandatory_protocols = !SSLv2, !SSLv3\n"
        assert not lint(tmp_path, "TLS007", main)
        main = "smtpd_tls_security_level = may\nsmtpd_tls_mandatory_protocols = !TLSv1.3\n"
        assert not lint(tmp_path, "TLS007", main)

    def test_submission_with_the_list_of_port_25(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=TLSv1.2\n"
        msa = "smtps inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        (finding,) = lint(tmp_path, "TLS007", main, msa)
        assert marked(finding) == "yes" and finding.severity.label == "warning"
        assert finding.message.startswith("in wrapper mode smtpd_tls_mandatory_protocols counts")


class TestCiphers:
    """TLS009 to TLS016."""

    def test_grade(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS009", "smtpd_tls_ciphers = HIGH:!aNULL\n")
        assert finding.message == (
            'smtpd_tls_ciphers: "HIGH:!aNULL" is not one of high, medium, low, export and null:'
            " every handshake fails (a list of ciphers belongs into tls_high_cipherlist)"
        )

    @pytest.mark.parametrize(
        ("version", "severity", "applicability"),
        [("3.7", "warning", "unsafe"), ("3.8", "info", "safe"), (None, "info", "unsafe")],
    )
    def test_weak_grade(
        self, version: str | None, severity: str, applicability: str, tmp_path: Path
    ) -> None:
        main = "smtp_tls_security_level = may\nsmtp_tls_ciphers = export\n"
        (finding,) = lint(tmp_path, "TLS010", main, version=version)
        assert finding.severity.label == severity
        assert finding.fix is not None and finding.fix.applicability == applicability
        assert mend(finding, tmp_path, "TLS010", version) == main.replace("export", "medium")

    def test_exclusions(self, tmp_path: Path) -> None:
        main = "smtpd_tls_exclude_ciphers = aNULL:!MD5, -RC4\n"
        first, second = lint(tmp_path, "TLS012", main)
        assert (marked(first), marked(second)) == ("!MD5", "-RC4")
        assert first.fix is not None and second.fix is None
        assert mend(first, tmp_path, "TLS012") == "smtpd_tls_exclude_ciphers = aNULL:MD5, -RC4\n"

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("RC4-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384", "lets RC4-SHA in"),
            ("AES128-GCM-SHA256:AES256-GCM-SHA384", "has only 2 ciphers"),
            ("AES128-SHA:AES256-SHA:CAMELLIA128-SHA", "knows no AEAD cipher"),
            ("HIGH:!RC4:!aNULL", None),
            ("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", None),
        ],
    )
    def test_cipher_lists(self, value: str, problem: str | None, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS016", f"tls_medium_cipherlist = {value}\n")
        assert (problem is not None) == (finding.severity.label == "warning")
        assert problem is None or finding.message.endswith(problem)


class TestFingerprints:
    """TLS029."""

    def test_level_below_3_6(self, tmp_path: Path) -> None:
        main = "relay_clientcerts = hash:/etc/postfix/certs\n"
        (finding,) = lint(tmp_path, "TLS029", main)
        assert marked(finding) == "hash:/etc/postfix/certs"
        assert "by default md5 below compatibility_level 3.6" in finding.message
        assert not lint(tmp_path, "TLS029", "compatibility_level = 3.6\n" + main)

    def test_what_compares_them_is_named(self, tmp_path: Path) -> None:
        main = (
            "smtp_tls_fingerprint_digest = sha1\n"
            "smtp_tls_fingerprint_cert_match = 00:11\nsmtpd_tls_fingerprint_digest = sha1\n"
        )
        used, unused = lint(tmp_path, "TLS029", main)
        assert used.severity.label == "warning" and used.related[0].location.start.line == 2
        assert unused.severity.label == "info"

    @pytest.mark.parametrize("digest", ["sha256", "SHA2-256", "sha512-256", "blake2b512", "sm3"])
    def test_digests_that_openssl_knows(self, digest: str, tmp_path: Path) -> None:
        assert not lint(tmp_path, "TLS029", f"smtp_tls_fingerprint_digest = {digest}\n")


class TestLevels:
    """TLS018 to TLS028."""

    @pytest.mark.parametrize(
        ("level", "main", "expected"),
        [
            ("may", "", [("error", "passwords and mail can go in clear text")]),
            ("may", "smtpd_tls_auth_only = yes\n", [("warning", "only the login waits")]),
            ("encrypt", "", []),
        ],
    )
    def test_submission(
        self, level: str, main: str, expected: list[tuple[str, str]], tmp_path: Path
    ) -> None:
        msa = "submission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n"
        found = lint(tmp_path, "TLS021", f"smtpd_tls_security_level = {level}\n{main}", msa)
        assert len(found) == len(expected)
        for finding, (severity, text) in zip(found, expected, strict=True):
            assert finding.severity.label == severity and text in finding.message
            assert marked(finding) == "submission"

    def test_fix_adds_an_override(self, tmp_path: Path) -> None:
        main = "smtpd_tls_security_level = may\n"
        msa = (
            "submission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\nx unix - - n - - y\n"
        )
        (finding,) = lint(tmp_path, "TLS021", main, msa)
        mend(finding, tmp_path, "TLS021")
        assert (
            (tmp_path / "master.cf")
            .read_text("utf-8")
            .endswith(
                "  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_tls_security_level=encrypt\n"
                "x unix - - n - - y\n"
            )
        )

    def test_wrapper_mode(self, tmp_path: Path) -> None:
        main = "smtpd_tls_wrappermode = yes\n"
        found = lint(tmp_path, "TLS022", main, "smtps inet n - n - - smtpd\n")
        assert texts(found) == [
            (
                "error",
                "smtpd_tls_wrappermode = yes counts for port 25,"
                " where clients expect a greeting first",
            )
        ]
        assert mend(found[0], tmp_path, "TLS023") == ""

    def test_client_wrapper_mode_by_version(self, tmp_path: Path) -> None:
        main = "relayhost = [mail.example.org]:smtps\nsmtp_tls_security_level = encrypt\n"
        (finding,) = lint(tmp_path, "TLS023", main, version="2.11")
        assert "can not be reached by Postfix 2.11" in finding.message
        (finding,) = lint(tmp_path, "TLS023", main, version="3.0")
        assert "needs smtp_tls_wrappermode = yes" in finding.message

    def test_dnssec(self, tmp_path: Path) -> None:
        main = "smtp_tls_security_level = dane-only\ndisable_dns_lookups = yes\n"
        (finding,) = lint(tmp_path, "TLS024", main)
        assert finding.message == (
            "level dane-only without DNSSEC (smtp_dns_support_level is empty): mail is deferred"
        )

    def test_verify_is_encrypt(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS025", "smtpd_tls_security_level = Secure\n")
        assert finding.fix is not None and finding.fix.applicability == "safe"
        assert mend(finding, tmp_path, "TLS025") == "smtpd_tls_security_level = encrypt\n"

    def test_no_tls_for_outgoing_mail(self, tmp_path: Path) -> None:
        (finding,) = lint(tmp_path, "TLS019", "biff = no\n")
        assert finding.location.start == (1, 1) and marked(finding) == ""
        assert not lint(tmp_path, "TLS019", "compatibility_level = 3.11\n")
        assert not lint(tmp_path, "TLS019", "{% if x %}\nbiff = no\n{% endif %}\n")

    def test_useless_note_is_deleted(self, tmp_path: Path) -> None:
        main = "smtp_tls_security_level = may\nsmtp_tls_note_starttls_offer = yes\nbiff = no\n"
        (finding,) = lint(tmp_path, "TLS031", main)
        assert finding.fix is not None and finding.fix.applicability == "safe"
        assert mend(finding, tmp_path, "TLS031") == "smtp_tls_security_level = may\nbiff = no\n"

    def test_caches_that_share_a_file(self, tmp_path: Path) -> None:
        main = (
            "my_cache = lmdb:$data_directory/scache\n"
            "smtpd_tls_session_cache_database = $my_cache\n"
            "smtp_tls_session_cache_database = lmdb:$data_directory/scache\n"
        )
        found = lint(tmp_path, "TLS030", main)
        assert [item.severity.label for item in found] == ["info", "error"]
        assert found[1].related[0].location.start.line == 2
