"""Addresses that reports point to."""

from __future__ import annotations

REPOSITORY = "https://github.com/postlint/postlint"
HOME = "https://postlint.dev"
FINDINGS_SCHEMA = f"{HOME}/schemas/findings-1.json"
SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def rule_page(code: str) -> str:
    """The page that explains a rule, in docs/rules.md; the same from version to version."""
    return f"{REPOSITORY}/blob/main/docs/rules.md#{code.lower()}"
