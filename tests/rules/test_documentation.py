"""Every rule's page is complete, and its Bad and Good snippets do what they say."""

from __future__ import annotations

import shutil
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from postlint.lint.registry import bundled_rules
from postlint.postfix.services import stock_services
from postlint.postfix.versions import NEWEST_STABLE, PostfixVersion
from tests.installed import ROOT
from tests.linting import lint_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postlint.lint.rule import Example, Rule

RULES = bundled_rules()
CASES = ROOT / "corpus" / "rules"
WITH_HOST = frozenset({"CRT002", "CRT005", "TBL001", "TBL002", "TBL003", "TBL015"})
"""Rules that look at files of the host itself."""


BAD_MODES = {"TBL015": {"main.cf": 0o666}}
"""Modes of files other than 0644, where that is what a rule is about."""


def stock_master_cf(version: PostfixVersion) -> str:
    """The services that the stock master.cf of a version has switched on."""
    lines = [" ".join(service) for service in stock_services(version)]
    return "\n".join(lines) + "\n"


def findings_of(
    example: Example, folder: Path, rule: Rule, modes: Mapping[str, int] = MappingProxyType({})
) -> list[str]:
    """The codes of the snippet's findings, beside a stock master.cf."""
    select = rule.code if rule.opt_in else None
    version = PostfixVersion.parse(example.version) if example.version else NEWEST_STABLE
    files = {"main.cf": "", "master.cf": stock_master_cf(version), **example.files}
    host = rule.code in WITH_HOST
    for suffix in ("pem", "key"):
        for path in sorted(CASES.glob(f"{rule.code}/[bg]*-*/*.{suffix}")):
            shutil.copy(path, folder)
    for name in files if host else ():
        (folder / name).touch()
        (folder / name).chmod(modes.get(name, 0o644))
    findings = lint_files(folder, files, version=example.version, select=select, host=host)
    return [finding.code for finding in findings]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_page_is_complete(rule: Rule) -> None:
    page = rule.documentation
    assert page.summary.endswith(".")
    assert page.why and page.fix and page.references
    assert page.bad.files and page.good.files


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_bad_snippet_fires(rule: Rule, tmp_path: Path) -> None:
    modes = BAD_MODES.get(rule.code, {})
    assert rule.code in findings_of(rule.documentation.bad, tmp_path, rule, modes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_good_snippet_does_not(rule: Rule, tmp_path: Path) -> None:
    assert rule.code not in findings_of(rule.documentation.good, tmp_path, rule)
