"""RLY003: smtpd does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Severity
from tests.linting import lint_files
from tests.rules.fixes import marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

RELAY = "smtpd_relay_restrictions"
RECIPIENT = "smtpd_recipient_restrictions"
FILLER = "".join(f"x{number} = y\n" for number in range(8))
"""Enough lines for a main.cf to count as whole."""


def check(folder: Path, text: str, version: str | None = "3.11") -> list[Finding]:
    return lint_files(folder, {"main.cf": text}, version=version, select="RLY003")


def test_both_lists_are_pointed_at(tmp_path: Path) -> None:
    text = f"{RELAY} = permit, reject\n{RECIPIENT} = warn_if_reject reject\n"
    (finding,) = check(tmp_path, text)
    assert finding.severity is Severity.ERROR
    assert finding.parameter == RELAY and marked(finding) == "permit, reject"
    assert finding.message.startswith(f"smtpd will not start: {RELAY} and {RECIPIENT}")
    assert sorted(item.message for item in finding.related) == [
        'reject: "permit" ends the list before it',
        "reject: warn_if_reject only logs it",
        f"{RECIPIENT} has none either",
    ]


def test_default_by_version(tmp_path: Path) -> None:
    """2.10 to 3.2 have a safe default, later ones only from compatibility_level 1 on."""
    text = f"{FILLER}{RECIPIENT} = permit_mynetworks\n"
    for version, count in (("2.9", 1), ("2.10", 0), ("3.2", 0), ("3.3", 1), ("3.11", 1)):
        assert len(check(tmp_path, text, version)) == count, version
    assert check(tmp_path, f"{text}compatibility_level = 1\n") == []
    (finding,) = check(tmp_path, text, None)
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("(depends on the version)")


def test_nothing_set(tmp_path: Path) -> None:
    files = {"main.cf": FILLER, "master.cf": "25 inet n - n - - smtpd\n"}
    (finding,) = lint_files(tmp_path, files, version="3.11", select="RLY003")
    assert finding.location.span == (0, 0)
    assert "below compatibility_level 1" in finding.message
    files["main.cf"] = f"compatibility_level = 0\n{FILLER}"
    (finding,) = lint_files(tmp_path, files, version="3.11", select="RLY003")
    assert marked(finding) == "0" and finding.parameter == "compatibility_level"


def test_without_master_cf_nothing_is_missing(tmp_path: Path) -> None:
    assert check(tmp_path, FILLER) == []


def test_endless_classes(tmp_path: Path) -> None:
    text = f"smtpd_restriction_classes = c\nc = c\n{RELAY} = c, reject\n{RECIPIENT} =\n"
    (finding,) = check(tmp_path, text)
    assert "crashes" in finding.message
