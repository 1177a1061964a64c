"""Every case of the corpus gets exactly the findings that its marks name."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from postlint.config.files import read_file
from tests.expectations import Expected, expectations, logical_line_of
from tests.linting import lint_folder

CORPUS = Path(__file__).parents[1] / "corpus"
RULE_CASES = CORPUS / "rules"


def cases() -> list[tuple[Path, str]]:
    """Every case with every version that its marks name."""
    found = []
    for main in sorted([*CORPUS.rglob("main.cf"), *CORPUS.rglob("master.cf")]):
        folder = main.parent
        text = "\n".join(
            path.read_text(encoding="utf-8", errors="surrogateescape")
            for path in sorted(folder.iterdir())
            if path.is_file()
        )
        match = re.search(r"^#~versions:[ \t]*(.*)$", text, re.MULTILINE)
        for version in match[1].split() if match else ["default"]:
            if (folder, version) not in found:
                found.append((folder, version))
    return found


def as_installed(folder: Path, copy: Path) -> Path:
    """A copy of a case for the host, where modes do not depend on how it was checked out.

    ``#~mode 0600 NAME`` in main.cf gives a file another one than 0644.
    """
    shutil.copytree(folder, copy)
    copy.chmod(0o755)
    for path in copy.iterdir():
        path.chmod(0o644)
    marks = (copy / "main.cf").read_text(encoding="utf-8", errors="surrogateescape")
    for mode, name in re.findall(r"^#~mode[ \t]+([0-7]+)[ \t]+(\S+)", marks, re.MULTILINE):
        (copy / name).chmod(int(mode, 8))
    return copy


def case_id(value: object) -> str:
    return value.relative_to(CORPUS).as_posix() if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("folder", "version"), cases(), ids=case_id)
def test_findings_are_as_marked(folder: Path, version: str, tmp_path: Path) -> None:
    select = folder.parent.name if RULE_CASES in folder.parents else None
    pinned = None if version == "default" else version
    main = folder / "main.cf"
    host = main.is_file() and b"#~host" in main.read_bytes().split(b"\n")
    if host:
        folder = as_installed(folder, tmp_path / folder.name)
    result = lint_folder(folder, version=pinned, select=select, host=host)
    expected: Counter[Expected] = Counter()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix != ".md":
            expected.update(expectations(read_file(path), version))
    graded = {(item.path, item.line, item.code) for item in expected if item.severity}
    actual: Counter[Expected] = Counter()
    for finding in result.findings:
        path, code = finding.location.path, finding.code
        line = logical_line_of(finding.location.source, finding.location.span.start)
        severity = finding.severity.label if (path, line, code) in graded else None
        actual[Expected(path, line, code, severity)] += 1
    missing = sorted(str(item) for item in (expected - actual).elements())
    surplus = sorted(str(item) for item in (actual - expected).elements())
    assert not missing and not surplus, f"missing: {missing}\nsurplus: {surplus}"
