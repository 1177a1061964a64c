"""Running rules on texts and folders, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.discovery import Candidate, Discovery
from postlint.config.load import load_instance
from postlint.lint.registry import bundled_rules
from postlint.lint.runner import Runner, Target
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postlint.lint.finding import Finding
    from postlint.lint.result import Result


def lint_folder(
    folder: Path, *, version: str | None = None, select: str | None = None, **options: bool
) -> Result:
    """Check the one instance in a folder with all rules, or with those of a code prefix."""
    candidates = Discovery().find([str(folder)], bytes)
    return lint_candidates(candidates, version=version, select=select, **options)


def lint_candidates(
    candidates: list[Candidate],
    *,
    version: str | None = None,
    select: str | None = None,
    host: bool = False,
) -> Result:
    known = bundled_rules()
    rules = [
        rule for rule in known if (rule.code.startswith(select) if select else not rule.opt_in)
    ]
    pinned = None if version is None else PostfixVersion.parse(version)
    result = Runner(known, rules).run(
        Target(load_instance(candidate, pinned, host=host)) for candidate in candidates
    )
    crashes = [item for item in result.notifications if item.kind == "internal-error"]
    assert not crashes, [item.message for item in crashes]
    return result


def lint_files(
    folder: Path,
    files: Mapping[str, str],
    *,
    version: str | None = None,
    select: str | None = None,
    **options: bool,
) -> list[Finding]:
    """Write files to a folder and check it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return list(lint_folder(folder, version=version, select=select, **options).findings)
