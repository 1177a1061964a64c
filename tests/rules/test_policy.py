"""POL: messages, places, severities by version and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked
from tests.rules.test_tls import STOCK, texts

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

MAIN = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"


def lint(
    folder: Path,
    code: str,
    table: str,
    main: str = "",
    services: str = "",
    version: str | None = None,
    **tables: str,
) -> list[Finding]:
    """The findings of one rule in a policy table."""
    files = {"main.cf": MAIN + main, "master.cf": STOCK + services, "tls_policy": table, **tables}
    return lint_files(folder, files, select=code, version=version)


def test_fingerprint_without_match(tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "POL001", "example.com  FINGERPRINT ciphers=high\n")
    assert marked(finding) == "FINGERPRINT"
    assert finding.message == "example.com: fingerprint without match=: all its mail is deferred"


@pytest.mark.parametrize(
    ("match", "text", "message"),
    [
        ("00:11", "00:11", "a sha256 fingerprint has 32 bytes, this has 2"),
        ("00" * 16, "00" * 16, "a sha256 fingerprint has 32 bytes, this has 16, as of md5"),
        ("00" * 32 + "|0g", "0g", "the fingerprint is not in hexadecimal"),
        (
            "SHA256:" + "00" * 32,
            "SHA256:" + "00" * 32,
            'the fingerprint is not in hexadecimal (without "SHA256:"?)',
        ),
    ],
)
def test_bad_fingerprints(match: str, text: str, message: str, tmp_path: Path) -> None:
    table = f"example.com fingerprint match={match}\n"
    (finding,) = lint(tmp_path, "POL002", table, "compatibility_level = 3.6\n")
    assert marked(finding) == text
    assert finding.message == f"example.com: {message}; mail to it is deferred"


def test_an_unknown_digest_has_no_size(tmp_path: Path) -> None:
    table = "example.com fingerprint match=00:11\n"
    assert not lint(tmp_path, "POL002", table, "smtp_tls_fingerprint_digest = blake2b512\n")


def test_the_relay_host_in_another_spelling(tmp_path: Path) -> None:
    main = "relayhost = [Mail.example.org]:587\n"
    found = lint(tmp_path, "POL003", "mail.example.org:587 encrypt\nexample.com may\n", main)
    assert texts(found) == [
        (
            "warning",
            "mail.example.org:587 is never looked up:"
            " the next hop is spelled [Mail.example.org]:587",
        )
    ]
    assert found[0].fix is not None and found[0].fix.applicability == "unsafe"
    apply_fix(found[0])
    table = (tmp_path / "tls_policy").read_text("utf-8")
    assert table == "[Mail.example.org]:587 encrypt\nexample.com may\n"
    assert not lint(tmp_path, "POL003", table, main)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("*.example.com", 'there are no wildcards; for subdomains write ".example.com"'),
        ("smtp:[example.com]", "a next hop has no transport before it"),
        (".example.com:25", "the form for subdomains has no brackets and no port"),
        ("192.0.2.1", 'an address stands in brackets: "[192.0.2.1]"'),
        ("192.0.2", None),
        ("smtp.example.com:25", None),
        ("[2001:db8::1]", None),
    ],
)
def test_forms_that_no_next_hop_has(key: str, why: str | None, tmp_path: Path) -> None:
    found = [item.message for item in lint(tmp_path, "POL003", f"{key}  encrypt\n")]
    assert found == ([] if why is None else [f"{key} is never looked up: {why}"])


def test_two_spellings(tmp_path: Path) -> None:
    table = "[example.com]:587 encrypt\nExample.com may\n[example.com] encrypt\n"
    first, second = lint(tmp_path, "POL004", table)
    assert [marked(first), marked(second)] == ["[example.com]:587", "[example.com]"]
    assert first.message == (
        "example.com stands here as [example.com]:587 and as Example.com:"
        " only the spelling of the next hop is looked up, and the two differ"
    )


def test_duplicate_keys(tmp_path: Path) -> None:
    table = (
        "example.com may\n# again\nexample.COM encrypt\n  protocols=>=TLSv1.2\nexample.com may\n"
    )
    first, second = lint(tmp_path, "POL005", table)
    assert texts([first, second]) == [
        ("error", "example.COM stands in line 1 already: that one counts, this line is dead"),
        ("info", "example.com stands in line 1 already: this line says the same"),
    ]
    assert first.related[0].location.start.line == 1


@pytest.mark.parametrize(
    ("value", "severity", "message"),
    [
        ("encrypt protocols=TLSv1", "error", "protocols=TLSv1 allows TLSv1 and nothing newer"),
        ("may protocols=TLSv1", "error", "protocols=TLSv1 allows TLSv1 and nothing newer"),
        ("encrypt protocols=TLSv1.2", "warning", "switches TLSv1.3 off (depends on the version)"),
        ("encrypt protocols=TLSv1.1:TLSv1.2", "warning", "switches TLSv1.3 off"),
        ("encrypt protocols=TLSv1.1:TLSv1.3", "error", "allows TLSv1.1 and nothing newer"),
        ("encrypt protocols=!SSLv2", "warning", "still allows TLSv1 and TLSv1.1"),
        ("may protocols=!SSLv2", "info", "still allows TLSv1 and TLSv1.1"),
        ("encrypt protocols=TLS1.2", "error", '"TLS1.2" is no protocol of Postfix 3.11'),
    ],
)
def test_protocols(value: str, severity: str, message: str, tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "POL006", f"example.com {value}\n")
    assert finding.severity.label == severity and message in finding.message


def test_protocols_of_old_releases(tmp_path: Path) -> None:
    table = "example.com encrypt protocols=!SSLv2\n"
    (finding,) = lint(tmp_path, "POL006", table, version="2.8")
    assert finding.severity.label == "error"
    assert "still allows SSLv3, TLSv1, TLSv1.1 and TLSv1.2" in finding.message


@pytest.mark.parametrize(
    ("version", "text"),
    [("3.5", "!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"), ("3.6", ">=TLSv1.2")],
)
def test_protocols_are_mended(version: str, text: str, tmp_path: Path) -> None:
    table = "example.com  encrypt  protocols=TLSv1 ciphers=high\n"
    (finding,) = lint(tmp_path, "POL006", table, version=version)
    apply_fix(finding)
    mended = (tmp_path / "tls_policy").read_text("utf-8")
    assert mended == f"example.com  encrypt  protocols={text} ciphers=high\n"
    assert not lint(tmp_path, "POL006", mended, version=version)


def test_commas(tmp_path: Path) -> None:
    table = "example.com encrypt protocols=TLSv1.2, TLSv1.3,ciphers=high\n"
    (finding,) = lint(tmp_path, "POL007", table)
    assert marked(finding) == "TLSv1.3"
    assert finding.fix is not None and finding.fix.applicability == "safe"
    apply_fix(finding)
    mended = (tmp_path / "tls_policy").read_text("utf-8")
    assert mended == "example.com encrypt protocols=TLSv1.2:TLSv1.3,ciphers=high\n"
    assert not lint(tmp_path, "POL007", mended)


def test_blanks_have_no_safe_fix(tmp_path: Path) -> None:
    found = lint(tmp_path, "POL007", "example.com encrypt protocols = TLSv1.2\n")
    assert [marked(item) for item in found] == ["protocols", "=", "TLSv1.2"]
    assert not [item for item in found if item.fix is not None]


@pytest.mark.parametrize(
    ("version", "policy", "message"),
    [
        ("3.11", "encrypt foo=x", '"foo" is no attribute'),
        ("3.8", "encrypt enable_rpk=yes", '"enable_rpk" is for Postfix 3.9 and later'),
        ("3.11", "encrypt enable_rpk=on", "enable_rpk=on is not yes or no"),
        ("3.11", "encrypt tafile=/x", "tafile= has no place at level encrypt"),
        ("3.11", "secure match=", "match= is empty"),
        ("3.11", "secure ciphers=high ciphers=high", "ciphers= stands there twice"),
        ("3.11", "secure policy_ttl=1d policy_type=sts", "policy_ttl=1d is no number of seconds"),
        ("3.11", "secure policy_ttl=5", "policy_ttl= without policy_type="),
    ],
)
def test_attributes(version: str, policy: str, message: str, tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "POL009", f"example.com {policy}\n", version=version)
    assert finding.message == f"example.com: {message}; its mail is deferred"


def test_ciphers(tmp_path: Path) -> None:
    table = "a.example may ciphers=strong exclude=MD5:!RC4\nb.example none ciphers=strong\n"
    grade, sign = lint(tmp_path, "POL011", table)
    assert (marked(grade), marked(sign)) == ("strong", "!RC4")


@pytest.mark.parametrize(
    ("common", "policy", "fires"),
    [
        ("encrypt", "may", True),
        ("dane", "may", True),
        ("dane", "encrypt", False),
        ("may", "none", True),
        ("secure", "fingerprint", False),
        ("none", "may", False),
    ],
)
def test_downgrade(common: str, policy: str, fires: bool, tmp_path: Path) -> None:
    main = f"smtp_tls_security_level = {common}\n"
    found = lint(tmp_path, "POL012", f"example.com {policy}\n", main)
    assert [marked(item) for item in found] == ([policy] if fires else [])


def test_a_downgrade_needs_one_common_level(tmp_path: Path) -> None:
    main = "smtp_tls_security_level = encrypt\n"
    other = "other unix - - n - - smtp\n  -o smtp_tls_security_level=may\n"
    assert not lint(tmp_path, "POL012", "example.com may\n", main, other)


def test_a_password_makes_it_worse(tmp_path: Path) -> None:
    main = "smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = hash:/etc/postfix/passwd\n"
    found = lint(
        tmp_path,
        "POL014",
        "[a.example]:587 encrypt\nb.example encrypt\n",
        main,
        passwd="[A.example]:587 user:geheim\n",
    )
    assert [item.severity.label for item in found] == ["warning", "info"]
    assert not [item for item in found if "geheim" in item.message]


def test_a_lone_main_cf_may_have_a_wrapper(tmp_path: Path) -> None:
    files = {"main.cf": MAIN, "tls_policy": "[a.example]:465 encrypt\n"}
    assert not lint_files(tmp_path, files, select="POL013")
    assert lint_files(tmp_path, files, select="POL013", version="2.11")


def test_findings_in_a_long_table_have_a_limit(tmp_path: Path) -> None:
    lines = "".join(f"host{number}.example encrypt\n" for number in range(20_000))
    found = lint(tmp_path, "POL", lines)
    assert {item.code for item in found} == {"POL014"} and len(found) == 1000
