"""postlint as users get it: built, and installed into a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SECONDS = 300

_SOURCES = ("postlint", "rules", "tests", "corpus", "tools", ".ci")
_FILES = (
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "Makefile",
    "README.md",
    "pyproject.toml",
    ".pre-commit-hooks.yaml",
    "action.yml",
)
_IGNORED = shutil.ignore_patterns(
    "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "build", "dist"
)


class Built(NamedTuple):
    """The results of a build; ``site`` is where the wheel is installed, bytecode included."""

    sdist: Path
    wheel: Path
    site: Path


_KEPT: list[TemporaryDirectory[str]] = []


def copy_sources(target: Path) -> None:
    """The files of a checkout, without what is made from them."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _SOURCES:
        shutil.copytree(ROOT / name, target / name, ignore=_IGNORED)
    for name in _FILES:
        shutil.copy(ROOT / name, target / name)


@cache
def built() -> Built:
    """Build the source distribution, from it the wheel, and install that, once per process."""
    keeper = TemporaryDirectory(prefix="postlint-built-")
    _KEPT.append(keeper)  # removed when Python ends
    folder = Path(keeper.name)
    copy_sources(folder / "source")
    _run("-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "source")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    site = folder / "site"
    _run("-m", "pip", "install", "--no-deps", "--no-index", "--target", site, wheel)
    return Built(sdist, wheel, site)


def environment(site: Path | None = None) -> dict[str, str]:
    """The environment for running postlint from ``site``, without this run's own settings."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "MAIL_CONFIG", "NO_COLOR")
    result = {name: value for name, value in os.environ.items() if name not in unwanted}
    if site is not None:
        result["PYTHONPATH"] = str(site)
    return result


def _run(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
