"""Reports point to pages that exist."""

from __future__ import annotations

from postlint.lint.registry import bundled_rules
from postlint.report.links import REPOSITORY, rule_page
from tests.installed import ROOT


def test_every_rule_has_the_page_that_reports_name() -> None:
    for rule in bundled_rules():
        place, _, anchor = rule_page(rule.code).partition("#")
        path = place.removeprefix(f"{REPOSITORY}/blob/main/")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f'<a id="{anchor}"></a>\n\n### {rule.code} {rule.name}\n' in text, "make docs"
