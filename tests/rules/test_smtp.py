"""SMTP: versions, places, fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

HEAD = "compatibility_level = 2\nmydestination = example.com\nmynetworks = 192.0.2.0/24\n"
FILL = (
    "myhostname = mx.example.com\nmyorigin = example.com\nrelay_domains =\nrelayhost =\nbiff = no\n"
)
SMTPD = "smtp inet n - n - - smtpd\n"


def findings(folder: Path, main: str, code: str, *, version: str | None = None) -> list[Finding]:
    files = {"main.cf": f"{HEAD}{FILL}{main}\n", "master.cf": SMTPD}
    return lint_files(folder, files, select=code, version=version)


@pytest.mark.parametrize(
    ("version", "severity"),
    [("3.7.8", "warning"), ("3.7.9", "error"), ("3.7.10", "error"), ("3.9.0", None)],
)
def test_smuggling_by_version(tmp_path: Path, version: str, severity: str | None) -> None:
    found = findings(tmp_path, "", "SMTP001", version=version)
    assert [item.severity.label for item in found] == ([severity] if severity else [])


@pytest.mark.parametrize(("version", "word"), [("3.7.9", "yes"), ("3.7.10", "normalize")])
def test_smuggling_fix_by_version(tmp_path: Path, version: str, word: str) -> None:
    (finding,) = findings(tmp_path, "smtpd_forbid_bare_newline = no", "SMTP001", version=version)
    assert finding.fix is not None
    assert finding.fix.edits[0].text == word


def test_unknown_version_says_nothing_of_defaults(tmp_path: Path) -> None:
    assert not findings(tmp_path, "", "SMTP001")
    assert not findings(tmp_path, "", "SMTP003")


def test_helo_fix(tmp_path: Path) -> None:
    text = "smtpd_helo_restrictions = reject_invalid_helo_hostname"
    (finding,) = findings(tmp_path, text, "SMTP006")
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    assert edit.text == "smtpd_helo_required = yes\n"


def test_postscreen_limit_stands_at_the_field(tmp_path: Path) -> None:
    files = {
        "main.cf": HEAD,
        "master.cf": "smtp inet n - n - 5 postscreen\nsmtpd pass - - n - - smtpd\n",
    }
    (finding,) = lint_files(tmp_path, files, select="SMTP011")
    span = finding.location.span
    assert finding.location.source.text[span.start : span.end] == "5"
