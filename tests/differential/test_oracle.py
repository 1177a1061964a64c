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
