"""Running commands and taking their processor time and memory."""

from __future__ import annotations

import os
from shutil import which
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from tests.installed import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Usage(NamedTuple):
    """What one command took, its children included.

    ``seconds``: user and system time; ``memory``: the most that a process had, in MB;
    ``elapsed``: seconds on the clock.
    """

    seconds: float
    memory: float
    elapsed: float


class Ratio(NamedTuple):
    """A row of the table. ``budget``: the ratio may not be larger; None: just to know.

    ``memory`` in MB, or None.
    """

    what: str
    measured: float
    against: float
    budget: float | None
    memory: float | None = None

    @property
    def ratio(self) -> float:
        return self.measured / self.against


def run(command: Sequence[str | Path], *, input_file: str | Path = os.devnull) -> Usage:
    """Run a command; its output goes nowhere, and is no terminal."""
    words = [str(word) for word in command]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, str(input_file), os.O_RDONLY, 0),
        *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)),
    ]
    program = which(words[0])
    assert program is not None, f"{words[0]} is not here"
    start = monotonic()
    process = os.posix_spawn(program, words, environment(), file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) in {0, 1}, words
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, monotonic() - start)


def interleaved(commands: Sequence[Sequence[str | Path]], rounds: int) -> list[Usage]:
    """The medians of each command, the commands run in turns: what slows one slows all."""
    taken: list[list[Usage]] = [[] for _ in commands]
    for _ in range(rounds):
        for command, usages in zip(commands, taken, strict=True):
            usages.append(run(command))
    return [
        Usage(
            median(usage.seconds for usage in usages),
            max(usage.memory for usage in usages),
            median(usage.elapsed for usage in usages),
        )
        for usages in taken
    ]
