"""Verdicts on collected configurations: which are open, and that nothing else is called so.

The collection is no part of the project: POSTLINT_SHARED names the folder that has it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.relay import relay_verdict
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.linting import lint_candidates

if TYPE_CHECKING:
    from postlint.analysis.relay import RelayVerdict

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("POSTLINT_SHARED") or ROOT.parent / "shared") / "real-world"

OPEN = {
    "c0045": "depends",  # tables of a database come first
    "c0052": "allowed",
    "c0074": "allowed",
    "c0168": "refused",  # for a misspelt word only
    "c0184": "allowed",  # to every postmaster
}
"""mynetworks that takes in everybody, and an OK for postmaster@ anywhere."""

SAFE = (
    *("c0020", "c0022", "c0057", "c0134", "c0140", "c0144", "c0204", "c0254"),
    *("c0042", "c0061", "c0131", "c0263"),
)
"""What looks open to those who only look for reject_unauth_destination."""

MODELS = ("c0061", "c0131", "c0263")
"""Of whom the rules about relaying, restrictions and SMTP say nothing above info."""


def place_of(name: str) -> Path:
    """The pair of main.cf and master.cf, where there is one, else the file."""
    if not REAL.is_dir():
        pytest.skip(f"no collected configurations in {REAL} (POSTLINT_SHARED names the folder)")
    pair = REAL / "pairs" / name
    return pair if pair.exists() else REAL / "main" / f"{name}.cf"


def verdicts(place: Path) -> list[RelayVerdict]:
    kind = "main.cf" if place.is_file() else None
    candidates = Discovery(kind).find([str(place)], bytes)  # type: ignore[arg-type]
    return [
        relay_verdict(service)
        for candidate in candidates
        for service in load_instance(candidate, None).services_running("smtpd")
    ]


@pytest.mark.parametrize("name", SAFE)
def test_safe(name: str) -> None:
    found = verdicts(place_of(name))
    assert found
    assert {item.status for item in found} == {"refused"}


@pytest.mark.parametrize(("name", "status"), OPEN.items())
def test_open(name: str, status: str) -> None:
    place = place_of(name)
    candidates = Discovery("main.cf" if place.is_file() else None).find([str(place)], bytes)
    assert lint_candidates(candidates, select="RLY001").findings
    assert status in {item.status for item in verdicts(place)}


def test_nothing_else_is_called_open() -> None:
    place_of("")
    places = [*sorted((REAL / "pairs").iterdir()), *sorted((REAL / "main").glob("*.cf"))]
    called = {
        place.stem
        for place in places
        if any(
            item.by_restrictions == "allowed" or item.unhindered or item.once_mended
            for item in verdicts(place)
        )
    }
    assert called == set(OPEN)


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    candidates = Discovery().find([str(place_of(name))], bytes)
    found = lint_candidates(candidates).findings
    loud = {item.code for item in found if item.severity.label != "info"}
    assert not {code for code in loud if code.startswith(("RLY", "RST", "SMTP"))}
