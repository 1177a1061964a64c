"""What postconf(1) said about real configurations has a finding in the right place.

The configurations and the recorded messages are not part of the project: they are read where
the environment variable POSTLINT_SHARED (or the folder beside the checkout) has them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.config.discovery import Discovery
from postlint.lint.finding import Severity
from postlint.postfix.service_parameters import match_service_parameter
from tests.linting import lint_candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.lint.finding import Finding

REAL_WORLD = (
    Path(os.environ.get("POSTLINT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    / "real-world"
)
ORACLE = REAL_WORLD / "oracle"
RECORDED_WITH = "3.7.11"
FAMILIES = frozenset({"SYN", "DUP", "PAR", "VAL"})

_MESSAGE = re.compile(
    r"postconf: (?:warning|fatal): DIR/(main|master)\.cf(?:, line (\d+))?: "
    r"(unused parameter|undefined parameter|overriding earlier entry|missing '='[^:]*"
    r"|missing attribute name|logical line must not start with whitespace)(?:: (.*))?$"
)

CODES = {
    "unused parameter": ("PAR001", "PAR002", "PAR004", "PAR006", "PAR008", "PAR010", "SYN007"),
    "undefined parameter": ("PAR007",),
    "overriding earlier entry": ("DUP001",),
    "missing '=' after attribute name": ("SYN001",),
    "missing attribute name": ("SYN001",),
    "logical line must not start with whitespace": ("SYN003",),
}


class Said(NamedTuple):
    """One message; ``name`` is the parameter it is about."""

    file: str
    line: int | None
    what: str
    name: str


def recorded() -> list[str]:
    """The configurations that postconf was run on."""
    if not ORACLE.is_dir():
        return []
    return sorted(path.stem for path in ORACLE.glob("*.err") if "." not in path.stem)


def messages(identifier: str) -> Iterator[Said]:
    section = ""
    for line in (ORACLE / f"{identifier}.err").read_text("utf-8", "replace").splitlines():
        if line.startswith("## "):
            section = line.partition(":")[0]
            continue
        match = _MESSAGE.match(line)
        if match is not None and section == "## postconf -n":
            name = (match[4] or "").partition("=")[0].strip()
            yield Said(match[1], int(match[2]) if match[2] else None, match[3], name)


def findings(identifier: str) -> list[Finding]:
    pair = REAL_WORLD / "pairs" / identifier
    found = Discovery()
    if pair.is_dir():
        candidates = found.find([str(pair)], bytes)
    elif (REAL_WORLD / "main" / f"{identifier}.cf").is_file():
        path = REAL_WORLD / "main" / f"{identifier}.cf"
        candidates = Discovery("main.cf").find([str(path)], bytes)
    else:
        path = REAL_WORLD / "master" / f"{identifier}.cf"
        candidates = Discovery("master.cf").find([str(path)], bytes)
    return list(lint_candidates(candidates, version=RECORDED_WITH).findings)


@pytest.mark.skipif(not ORACLE.is_dir(), reason=f"no recorded messages in {ORACLE}")
@pytest.mark.parametrize("identifier", recorded() or ["none"])
def test_every_message_has_a_finding(identifier: str) -> None:
    has_both = (REAL_WORLD / "pairs" / identifier).is_dir()
    said = [message for message in messages(identifier) if not _excused(message, has_both)]
    if not said:
        return
    found = findings(identifier)
    missing = [message for message in said if not any(_fits(item, message) for item in found)]
    assert not missing


def _excused(said: Said, has_both: bool) -> bool:
    """Messages that come from how postconf was run, or of which another family speaks."""
    if said.name == "config_directory":
        return True  # the recording gave it with -c
    if said.what == "undefined parameter" and said.name.isupper():
        return True  # a placeholder for envsubst(1)
    if said.what == "unused parameter" and not has_both:
        # The missing half was replaced by an empty file; what it may define is no finding.
        return match_service_parameter(said.name) is not None or said.file == "master"
    return said.file == "master" and said.what != "undefined parameter"


def _fits(finding: Finding, said: Said) -> bool:
    if finding.code not in CODES[said.what]:
        return False
    start = finding.location.start.line
    if said.what == "overriding earlier entry":
        # Read again and again, a file has each of the lines override the other.
        return finding.parameter == said.name and said.line is not None and start <= said.line
    if said.what == "undefined parameter":
        return f"${said.name} " in finding.message
    if said.line is not None:
        return start == said.line
    return said.name in (finding.parameter, "") or finding.code == "SYN007"


SEEN = (
    ("c0004", 704, "PAR006"),
    ("c0015", 697, "PAR004"),
    ("c0021", 683, "SYN004"),
    ("c0021", 685, "SYN004"),
    ("c0021", 697, "SYN004"),
    ("c0021", 707, "SYN004"),
    ("c0021", 709, "SYN004"),
    ("c0023", 54, "PAR001"),
    ("c0038", 8, "SYN006"),
    ("c0057", 30, "DUP001"),
    ("c0090", 700, "DUP001"),
    ("c0111", 13, "SYN001"),
    ("c0113", 71, "PAR001"),
    ("c0126", 408, "PAR003"),
    ("c0127", 51, "VAL006"),
    ("c0147", 82, "PAR001"),
    ("c0151", 85, "DUP001"),
    ("c0151", 89, "PAR001"),
    ("c0168", 25, "PAR001"),
    ("c0184", 8, "PAR004"),
    ("c0184", 35, "DUP001"),
    ("c0193", 24, "PAR001"),
    ("c0193", 25, "PAR001"),
    ("c0206", 687, "SYN001"),
    ("c0247", 34, "DUP001"),
    ("c0251", 41, "DUP001"),
    ("c0251", 42, "DUP001"),
    ("c0251", 71, "PAR008"),
    ("c0251", 108, "DUP001"),
    ("c0251", 160, "DUP001"),
    ("c0281", 1, "SYN008"),
    ("c0318", 20, "DUP003"),
    ("c0411", 43, "DUP003"),
)
"""Mistakes that somebody saw when reading the files."""


@pytest.mark.skipif(not ORACLE.is_dir(), reason=f"no configurations in {REAL_WORLD}")
@pytest.mark.parametrize(("identifier", "line", "code"), SEEN)
def test_what_readers_saw_is_found(identifier: str, line: int, code: str) -> None:
    found = findings(identifier)
    assert (line, code) in [(item.location.start.line, item.code) for item in found]


MODELS = ("c0020", "c0017", "c0042", "c0046", "c0061", "c0085", "c0103", "c0131", "c0282")


@pytest.mark.skipif(not ORACLE.is_dir(), reason=f"no configurations in {REAL_WORLD}")
@pytest.mark.parametrize("identifier", MODELS)
def test_model_configurations_get_no_more_than_notes(identifier: str) -> None:
    """For the version that they are written for, of which nothing but the newest is known."""
    pair = REAL_WORLD / "pairs" / identifier
    path = pair if pair.is_dir() else REAL_WORLD / "main" / f"{identifier}.cf"
    candidates = Discovery(None if pair.is_dir() else "main.cf").find([str(path)], bytes)
    found = [
        (item.code, item.location.start.line, item.message)
        for item in lint_candidates(candidates).findings
        if item.code[:3] in FAMILIES and item.severity > Severity.INFO
    ]
    assert found == []
