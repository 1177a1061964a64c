"""What a cold run costs: ``postlint check`` against ``python -c "import lark"``."""

from __future__ import annotations

import compileall
import os
import shutil
import venv
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.installed import ROOT, built, environment

HOWTO = "corpus/openbsd-tls-howto"
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


def commands() -> tuple[list[str], list[str]]:
    """What is measured, and what it is measured against."""
    program = str(python())
    check = [program, "-P", "-m", "postlint", "check", HOWTO]
    return check, [program, "-P", "-c", "import lark"]


def processor_time(command: list[str]) -> float:
    """Seconds of user and system time; the output goes nowhere, and is no terminal."""
    nowhere = [
        (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)
    ]
    process = os.posix_spawn(command[0], command, environment(), file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) in {0, 1}
    return usage.ru_utime + usage.ru_stime


def ratio(rounds: int) -> tuple[float, float, float]:
    """The ratio, and the seconds of both; the least of interleaved runs, noise only adds."""
    check, reference = commands()
    os.chdir(ROOT)
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        best = [min(best[0], processor_time(check)), min(best[1], processor_time(reference))]
    return best[0] / best[1], best[0], best[1]
