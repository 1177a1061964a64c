"""Findings in collected configurations that people have judged: models, and known mistakes.

The collection is no part of the project: POSTLINT_SHARED names the folder that has it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.config.discovery import Discovery
from tests.linting import lint_candidates

if TYPE_CHECKING:
    from postlint.config.discovery import Kind
    from postlint.lint.finding import Finding

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("POSTLINT_SHARED") or ROOT.parent / "shared") / "real-world"

FAMILIES = ("DUP", "MST", "PAR", "SYN", "VAL", "XTP")

MODELS = (
    *("c0017", "c0020", "c0022", "c0042", "c0046", "c0061", "c0085", "c0103", "c0131"),
    *("c0153", "c0176", "c0248", "c0263", "c0282", "c0344"),
)
"""Configurations of people who know Postfix."""

MISTAKES = {
    "c0021": (
        *((line, "SYN004") for line in (683, 685, 697, 707, 709)),
        (710, "PAR005"),
    ),
    "c0041": ((72, "VAL011"), (103, "RST011"), (132, "PAR005"), (17, "SASL001")),
    "c0081": (*((line, "TLS002") for line in (37, 48, 49)), (120, "RST012"), (123, "SMTP006")),
    "c0090": ((700, "DUP001"), (709, "PAR004"), (745, "RST011"), (748, "RST011")),
    "c0107": ((300, "RST011"), (770, "SASL001")),
    "c0127": ((51, "VAL006"), (200, "RLY004"), (236, "TLS004")),
    "c0159": ((699, "SASL001"), (876, "SASL012")),
    "c0168": (
        *((14, "NET001"), (25, "PAR001"), (46, "RST011")),
        *((48, "RST001"), (50, "RST001")),
    ),
    "c0193": ((22, "NET004"), (24, "PAR001"), (25, "PAR001")),
    "c0203": ((5, "OPS005"), (64, "TLS002"), (25, "SASL001")),
    "c0206": ((687, "SYN001"), (690, "SMTP006"), (726, "RST012")),
    "c0215": ((102, "OPS005"), (111, "PAR005"), (116, "SASL001")),
    "c0251": (
        *((line, "DUP001") for line in (41, 42, 108, 160)),
        *((71, "PAR008"), (109, "VAL011"), (217, "RST003"), (193, "SASL001")),
    ),
    "c0267": ((34, "PAR005"), (72, "RST011"), (95, "TLS006"), (116, "PAR005")),
    "c0364": ((95, "MST010"),),
    "c0390": ((134, "PAR003"),),
    "c0411": tuple((line, "DUP003") for line in range(41, 67) if line not in (44, 56, 57, 63)),
}
"""What is wrong with the worst ones: line and rule."""

LEGITIMATE = {
    "c0021": (687,),
    "c0081": (56,),
    "c0127": range(159, 192),
    "c0159": (807, 884, 885),
}
"""Lines that look wrong and are not, as far as the rules about editing go."""


def folder_of(name: str) -> Path:
    """The pair of main.cf and master.cf, where there is one, else the file."""
    if not REAL.is_dir():
        pytest.skip(f"no collected configurations in {REAL} (POSTLINT_SHARED names the folder)")
    places = (REAL / "pairs" / name, REAL / "main" / f"{name}.cf", REAL / "master" / f"{name}.cf")
    return next(place for place in places if place.exists())


def findings(name: str) -> list[Finding]:
    place = folder_of(name)
    kind: Kind | None = None
    if place.suffix:
        kind = "main.cf" if place.parent.name == "main" else "master.cf"
    candidates = Discovery(kind).find([str(place)], bytes)
    return list(lint_candidates(candidates).findings)


@pytest.mark.parametrize("name", MODELS)
def test_models_get_nothing_above_info(name: str) -> None:
    loud = [
        (item.code, item.location.start.line, item.message)
        for item in findings(name)
        if item.code.startswith(FAMILIES) and item.severity.label != "info"
    ]
    assert not loud


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_found_where_they_are(name: str) -> None:
    found = findings(name)
    places = {(item.location.start.line, item.code) for item in found}
    assert set(MISTAKES[name]) <= places, sorted(set(MISTAKES[name]) - places)
    quiet = set(LEGITIMATE.get(name, ()))
    wrong = [
        (item.code, item.location.start.line, item.message)
        for item in found
        if item.code.startswith(FAMILIES)
        and item.location.start.line in quiet
        and item.severity.label != "info"
    ]
    assert not wrong
