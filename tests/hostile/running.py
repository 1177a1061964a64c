"""The real command line on hostile input: with a limit of time and of memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]

SECONDS = 300
"""A run that takes longer hangs: nothing here needs ten of them on an idle machine."""

MEMORY = 3 << 30
"""Bytes of address space of a run."""


class Run(NamedTuple):
    """What a run gave; texts as bytes, since control characters are what is looked for."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()


def postlint(
    *arguments: str | Path,
    folder: Path,
    python: tuple[str, ...] = ("-m", "postlint"),
    env: Mapping[str, str] | None = None,
    limit: Callable[[], None] | None = None,
    stdin: bytes = b"",
) -> Run:
    """Run a command line in a folder."""

    def begin() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        if limit is not None:
            limit()

    done = subprocess.run(
        [sys.executable, *python, *map(str, arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env={
            **{name: text for name, text in os.environ.items() if name != "MAIL_CONFIG"},
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "80",
            **(env or {}),
        },
        timeout=SECONDS,
        check=False,
        preexec_fn=begin,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert b"internal error" not in done.stderr, done.stderr.decode()
    assert b" failed on " not in done.stderr, done.stderr.decode()
    assert b"could not be checked" not in done.stderr, done.stderr.decode()
    return Run(done.returncode, done.stdout, done.stderr)


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files, their folders too."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        path.write_bytes(data)
    return folder


MASTER = "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n"
