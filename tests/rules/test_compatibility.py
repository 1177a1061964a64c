"""OPS006: compatibility_level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from postlint_rules.operating.compatibility import _DEPENDENT

from postlint.lint.finding import Severity
from postlint.postfix import parameters
from postlint.postfix.versions import SERIES, PostfixVersion
from tests.linting import lint_files
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

FILLER = "".join(f"x{number} = y\n" for number in range(8))


def check(folder: Path, text: str, version: str | None = "3.11") -> list[Finding]:
    return lint_files(folder, {"main.cf": text}, version=version, select="OPS006")


def test_all_dependent_parameters_are_known() -> None:
    found = set()
    for series in SERIES:
        version = PostfixVersion(*series)
        for name in parameters.names(version):
            parameter = parameters.get(name)
            if parameter is not None and parameter.compatibility(version) is not None:
                found.add(name)
    assert found == set(_DEPENDENT)


def test_message_lists_what_matters(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, FILLER)
    assert finding.location.span == (0, 0)
    assert finding.severity is Severity.WARNING and finding.security_severity == 5.3
    assert finding.message == (
        "without compatibility_level Postfix 3.11 keeps old defaults: "
        "smtpd_relay_restrictions = (empty), mynetworks_style = subnet, "
        "relay_domains = $mydestination, smtp_tls_security_level = (empty)"
    )


def test_only_what_is_not_set(tmp_path: Path) -> None:
    text = FILLER + "mynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = reject\nrelay_domains =\n"
    (finding,) = check(tmp_path, text)
    assert finding.message.endswith("keeps old defaults: smtp_tls_security_level = (empty)")
    assert finding.security_severity is None
    assert check(tmp_path, text, "3.10") == []


def test_unpinned_depends_on_the_version(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, FILLER, None)
    assert finding.severity is Severity.INFO and finding.fix is None
    assert finding.message.endswith("(depends on the version)")
    text = FILLER + "smtputf8_enable = no\n"  # a parameter of 3.0
    (finding,) = check(tmp_path, text, None)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("level", "version", "severity"),
    [
        ("x", "3.11", Severity.ERROR),
        ("", "3.11", Severity.ERROR),
        ("3.6.1.2", "3.11", Severity.ERROR),
        ("-1", "3.11", Severity.ERROR),
        ("3.6", "3.5", Severity.ERROR),
        ("9999", "3.7", Severity.INFO),
        ("3.8", "3.7", Severity.INFO),
        ("3.7", "3.7", None),
        ("3.7.1", "3.7", None),
        ("3", "3.5", None),
    ],
)
def test_levels(level: str, version: str, severity: Severity | None, tmp_path: Path) -> None:
    text = f"smtp_tls_security_level = may\nsmtpd_tls_fingerprint_digest = sha256\n{FILLER}"
    found = check(tmp_path, f"compatibility_level = {level}\n{text}", version)
    assert [item.severity for item in found] == ([] if severity is None else [severity])
    if found and level:
        assert marked(found[0]) == level


def test_fix_keeps_what_was(tmp_path: Path) -> None:
    files = {
        "main.cf": "# mine\nmyhostname = mx.example.com\ncompatibility_level = 0\n# end\n",
        "master.cf": "25 inet n - - - - smtpd # \n",
    }
    (finding,) = lint_files(tmp_path, files, version="3.11", select="OPS006")
    assert finding.fix is not None and finding.fix.applicability == "unsafe"
    apply_fix(finding)
    lines = (tmp_path / "main.cf").read_text().splitlines()
    assert lines[:3] == ["# mine", "myhostname = mx.example.com", "compatibility_level = 3.11"]
    assert "mynetworks_style = subnet" in lines and "smtpd_relay_restrictions =" in lines
    assert lines[-1] == "# end"
    assert (tmp_path / "master.cf").read_text() == "25 inet n - y - - smtpd # \n"


def test_fix_inserts_at_the_beginning(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, FILLER)
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text()
    assert text.startswith("compatibility_level = 3.11\n") and text.endswith(FILLER)
    assert lint_files(tmp_path, {}, version="3.11", select="OPS006") == []
