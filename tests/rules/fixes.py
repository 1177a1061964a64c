"""Applying the fix of a finding to the files it was found in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postlint.lint.finding import Edit, Finding


def apply_fix(finding: Finding) -> None:
    """Write the files as the finding's fix says."""
    assert finding.fix is not None, finding.message
    by_path: dict[str, list[Edit]] = {}
    for edit in finding.fix.edits:
        by_path.setdefault(edit.location.path, []).append(edit)
    for path, edits in by_path.items():
        text = edits[0].location.source.text
        for edit in sorted(edits, key=lambda edit: edit.location.span, reverse=True):
            start, end = edit.location.span
            text = text[:start] + edit.text + text[end:]
        Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))


def marked(finding: Finding) -> str:
    """The text that a finding points at."""
    start, end = finding.location.span
    return finding.location.source.text[start:end]
