"""Running the command line in this process, or as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
SECONDS = 60


class Run(NamedTuple):
    """What a run gave."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in its own empty folder, without the environment's opinions."""
    monkeypatch.chdir(tmp_path)
    for name in ("MAIL_CONFIG", "NO_COLOR", "POSTLINT_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def postlint(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run a command line in this process."""

    def run(*arguments: str) -> Run:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        return Run(status, *capsys.readouterr())

    return run


@pytest.fixture
def program() -> Callable[..., Run]:
    """Run the command line as ``python -m postlint``."""

    def run(
        *arguments: str,
        stdin: bytes | None = b"",
        env: Mapping[str, str] | None = None,
        python: tuple[str, ...] = ("-m", "postlint"),
    ) -> Run:
        done = subprocess.run(
            [sys.executable, *python, *arguments],
            input=stdin,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            timeout=SECONDS,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def write(files: Mapping[str, str], folder: Path | str = ".") -> None:
    """Write files, their folders too."""
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


MASTER = "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n"
ERROR = "smtpd_tls_mandatory_protocols = TLSv1\nsmtpd_tls_mandatory_protocols = !SSLv2\n"
WARNING = "relayhost = [a.example.com]\nrelayhost = [b.example.com]\n"
INFO = "relayhost = [a.example.com]\nrelayhost = [a.example.com]\n"
CLEAN = "relayhost = [a.example.com]\n"
"""Texts whose worst finding of DUP001 has that severity."""
