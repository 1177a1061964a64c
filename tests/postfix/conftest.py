"""The measured facts and the installed Postfix, where there are any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from postlint.postfix.versions import PostfixVersion

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 30


@pytest.fixture(scope="session")
def facts_dir() -> Path:
    """The folder of fact files that the data modules were generated from."""
    shared = Path(os.environ.get("POSTLINT_SHARED") or ROOT.parent / "shared")
    folder = shared / "facts"
    if not (folder / "parameters.json").is_file():
        pytest.skip(f"no fact files in {folder} (POSTLINT_SHARED names the folder above)")
    return folder


@pytest.fixture(scope="session")
def facts(facts_dir: Path) -> dict[str, Any]:
    """All JSON fact files by name."""
    names = ("parameters", "obsolete", "restrictions", "enums", "mastercf")
    return {
        name: json.loads((facts_dir / f"{name}.json").read_text(encoding="utf-8")) for name in names
    }


class Postconf:
    """The postconf command of this host."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.version = PostfixVersion.parse(self.run("-d", "-h", "mail_version").strip())

    def run(self, *arguments: str) -> str:
        """Its standard output."""
        return subprocess.run(
            [self.command, *arguments], check=True, capture_output=True, text=True, timeout=TIMEOUT
        ).stdout

    def defaults(self, folder: Path, master_cf: str) -> dict[str, str]:
        """``postconf -d`` with an empty main.cf and this master.cf."""
        for name, text in (("main.cf", ""), ("master.cf", master_cf)):
            (folder / name).write_text(text, encoding="utf-8")
            os.utime(folder / name, (1_000_000_000, 1_000_000_000))
        lines = self.run("-c", str(folder), "-d").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(" =") for line in lines)}


@pytest.fixture(scope="session")
def postconf() -> Postconf:
    """The installed postconf, if its version is known."""
    command = shutil.which(
        "postconf", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
    )
    if command is None:
        pytest.skip("postconf is not installed")
    try:
        return Postconf(command)
    except ValueError as error:
        pytest.skip(f"installed Postfix: {error}")
