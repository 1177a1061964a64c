"""``show -d`` of every version, against what builds of those versions print."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postlint.postfix.defaults import HOST_DEPENDENT
from tests.showing import shown_by_postlint

SHARED = Path(os.environ.get("POSTLINT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
DEFAULTS = SHARED / "facts" / "defaults"
VERSIONS = (
    *("2.6", "2.8", "2.9", "2.10", "2.11"),
    *(f"3.{minor}" for minor in range(13)),
)


@pytest.mark.skipif(not DEFAULTS.is_dir(), reason=f"no recorded defaults in {DEFAULTS}")
@pytest.mark.parametrize("version", VERSIONS)
def test_defaults_are_those_of_the_version(version: str, tmp_path: Path) -> None:
    recorded = (DEFAULTS / f"postconf-d-{version}.txt").read_bytes()
    (tmp_path / "master.cf").touch()
    shown = shown_by_postlint(["-d", "-c", str(tmp_path)], version=version)
    assert (shown.status, shown.messages) == (0, [])
    assert without_host(shown.output) == without_host(recorded)


def without_host(output: bytes) -> list[str]:
    """The lines, without the values that are found out on each host and for each process."""
    lines = []
    for line in output.decode().splitlines():
        name = line.partition(" =")[0]
        lines.append(name if name in HOST_DEPENDENT else line)
    return lines
