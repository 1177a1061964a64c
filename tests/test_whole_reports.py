"""Whole reports of corpus cases, as snapshots: wording, order and shape in one look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.exposure import exposures
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.postfix.versions import PostfixVersion
from postlint.report.exposure_json import as_json
from postlint.report.exposure_table import as_table
from postlint.report.exposure_text import as_text
from postlint.report.formats import Options, render
from tests.linting import lint_folder

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ROOT = Path(__file__).parents[1]
CASES = [("openbsd-tls-howto", "2.8"), ("openbsd-tls-howto", None), ("modern-mx", None)]


@pytest.mark.parametrize(("case", "version"), CASES)
@pytest.mark.parametrize("format_name", ["text", "terminal", "json", "sarif"])
def test_report(
    case: str,
    version: str | None,
    format_name: str,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    rules = "TLS,POL,DUP,SASL,MST,PAR,CRT" if format_name == "sarif" else None
    result = lint_folder(Path("corpus") / case, version=version)
    if rules:  # the descriptions of all rules would bury the results
        result.rules = tuple(rule for rule in result.rules if rule.family in rules.split(","))
        codes = {rule.code for rule in result.rules}
        result.findings = tuple(item for item in result.findings if item.code in codes)
    terminal = format_name == "terminal"
    options = Options(terminal=terminal, width=100)
    assert render("text" if terminal else format_name, result, options) == snapshot


@pytest.mark.parametrize(("case", "version"), CASES)
@pytest.mark.parametrize("form", ["lines", "table", "json"])
def test_exposure(
    case: str,
    version: str | None,
    form: str,
    snapshot: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    candidate = Discovery().find([f"corpus/{case}"], bytes)[0]
    pinned = None if version is None else PostfixVersion.parse(version)
    instance = load_instance(candidate, pinned)
    found = [(instance, list(exposures(instance)))]
    reports = {
        "lines": lambda: as_text(found),
        "table": lambda: as_table(found, width=100, color=False),
        "json": lambda: as_json(found),
    }
    assert reports[form]() == snapshot
