"""Lookup tables of real installations, each taken for every type, against postmap and postalias.

They are collected files beside the checkout; see POSTLINT_SHARED in CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postlint.syntax.client_file import read_client
from postlint.syntax.source import SourceFile
from tests.differential.test_tables import (
    compare_cidr,
    compare_patterns,
    compare_postalias,
    compare_postmap,
    compare_texthash,
)
from tests.postfix_here import require_postfix

pytestmark = pytest.mark.postfix

FOLDER = (
    Path(os.environ.get("POSTLINT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    / "real-world"
    / "tables"
)
EVERY = 1 if "POSTLINT_TABLE_FILES" in os.environ else 8
"""Of so many files one is compared."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_postfix()
    return tmp_path_factory.mktemp("real")


def real_tables() -> list[str]:
    if not FOLDER.is_dir():
        pytest.skip(f"no collected tables in {FOLDER} (POSTLINT_SHARED)")
    files = sorted(FOLDER.iterdir())[::EVERY]
    return [file.read_bytes().decode("utf-8", "surrogateescape") for file in files]


@pytest.mark.parametrize("kind", ["texthash", "lmdb", "aliases", "cidr", "regexp", "pcre"])
def test_real_tables(place: Path, kind: str) -> None:
    for text in real_tables():
        match kind:
            case "texthash":
                compare_texthash(place, text, utf8=True)
            case "lmdb":
                compare_postmap(place, kind, text, utf8=True)
            case "aliases":
                compare_postalias(place, text, utf8=False)
            case "cidr":
                compare_cidr(place, text)
            case _:
                compare_patterns(place, text, "pcre" if kind == "pcre" else "regexp")


def test_real_client_files() -> None:
    """No collected client file has a line that Postfix refuses."""
    if not FOLDER.is_dir():
        pytest.skip(f"no collected tables in {FOLDER} (POSTLINT_SHARED)")
    for path in sorted(FOLDER.glob("*.cf")):
        source = SourceFile.from_bytes(path.name, path.read_bytes())
        settings = list(read_client(source))
        if any(setting.name.text in ("query", "server_host", "hosts") for setting in settings):
            broken = [setting.line.text for setting in settings if setting.problem is not None]
            assert not broken, path.name
