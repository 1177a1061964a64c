"""Big tables of regular expressions get the findings that they would get rule by rule."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.config import lookup_table
from tests.linting import lint_folder
from tests.pattern_lines import pattern_tables

SETTINGS = (
    "header_checks = {0}\n",
    "alias_maps = {0}\n",
    "relay_domains = {0}\n",
    "transport_maps = {0}\n",
    "smtp_sasl_password_maps = {0}\n",
    "smtpd_recipient_restrictions = check_sender_access {0}, reject_rbl_client bl.example.org\n",
    "mydestination = example.com\n"
    "smtpd_relay_restrictions = check_client_access {0}, reject_unauth_destination\n",
    "virtual_mailbox_domains = example.com\nvirtual_mailbox_maps = {0}\nvirtual_alias_maps = {0}\n",
)


@given(pattern_tables(30), st.sampled_from(["regexp", "pcre"]), st.sampled_from(SETTINGS))
def test_same_findings(text: str, kind: str, setting: str) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        (folder / "main.cf").write_text(setting.format(f"{kind}:/etc/postfix/table"))
        (folder / "table").write_bytes(text.encode("utf-8", "surrogateescape"))
        kept = _findings(folder)
        patch.setattr(lookup_table, "KEPT_PATTERNS", -1)
        assert _findings(folder) == kept


def _findings(folder: Path) -> list[object]:
    return [
        (
            item.code,
            item.location.span,
            item.message,
            item.severity,
            item.security_severity,
            [(related.message, related.location.span) for related in item.related],
            item.fix and [(edit.location.span, edit.text) for edit in item.fix.edits],
        )
        for item in lint_folder(folder).findings
    ]


def test_counted(tmp_path: Path) -> None:
    """What is more than the first findings is counted, also in a table that is only surveyed."""
    mistakes = "".join(f"/(a{at}/ x\n" for at in range(3000))
    again = "".join(f"/^b{at}$/ x\n" for at in range(3000)) * 2
    everything = "/.*/ y\n/c/ z\n/c/ z\n"
    (tmp_path / "main.cf").write_text("header_checks = regexp:/etc/postfix/table\n")
    (tmp_path / "table").write_text(mistakes + again + everything)
    found = lint_folder(tmp_path, select="TBL").findings
    assert [item.message for item in found if "more" in item.message] == [
        "2980 more mistakes in this table from here on",
        "2981 more patterns stand above already from here on",
    ]


def test_empty_pattern(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("header_checks = regexp:/etc/postfix/table\n")
    (tmp_path / "table").write_text("// REJECT\n/a/ OK\n")
    (found,) = lint_folder(tmp_path, select="TBL").findings
    assert "the one in line 1 matches everything" in found.message
