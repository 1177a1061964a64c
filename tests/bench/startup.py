"""What a cold run costs: ``postlint check`` against ``python -c "import lark"``."""

from __future__ import annotations

import compileall
import shutil
import venv
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.measure import Ratio, interleaved
from tests.installed import ROOT, built

HOWTO = ROOT / "corpus" / "openbsd-tls-howto"
BUDGET = 1.8
_NEEDED = ("lark", "pathspec")
"""Packages beside postlint: the one to compare with, and one that a run may import."""
_KEPT: list[TemporaryDirectory[str]] = []


@cache
def python() -> Path:
    """The interpreter of a new environment with the built wheel in it, bytecode included."""
    keeper = TemporaryDirectory(prefix="postlint-bench-")
    _KEPT.append(keeper)
    top = Path(keeper.name) / "venv"
    venv.create(top, symlinks=True)
    (packages,) = top.glob("lib/python*/site-packages")
    shutil.copytree(built().site, packages, dirs_exist_ok=True)
    for name in _NEEDED:
        spec = find_spec(name)
        assert spec is not None
        (folder,) = spec.submodule_search_locations or ()
        shutil.copytree(folder, packages / name, dirs_exist_ok=True)
    assert compileall.compile_dir(packages, quiet=2, force=True)
    return top / "bin" / "python"


def check(*arguments: str | Path) -> list[str | Path]:
    """The command ``postlint check``."""
    return [python(), "-P", "-m", "postlint", "check", "--no-config", *arguments]


def cold_start(rounds: int) -> Ratio:
    """A run on the tutorial's configuration."""
    lark: list[str | Path] = [python(), "-P", "-c", "import lark"]
    own, reference = interleaved([check(HOWTO), lark], rounds)
    what = 'A cold run on the tutorial\'s configuration, to `python -c "import lark"`'
    return Ratio(what, own.seconds, reference.seconds, BUDGET)
