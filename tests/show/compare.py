"""Compare ``postlint show`` with postconf(1) on many generated pairs of files.

    python -m tests.show.compare [--pairs N] [--seed N] [--jobs N] [--program P] [--save FOLDER]

prints how many pairs, modes and comparisons there were, what the pairs made postconf say, and
every disagreement; its exit status is 1 if there was one. The files of pairs that are read
differently are saved. The same seed gives the same pairs.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import re
import sys
import tempfile
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings

from postlint.postfix.versions import PostfixVersion
from tests.show.nasty import CLIENT_FILE, DIRECTORY, Nasty, pairs
from tests.showing import Running, version_of, write_old

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.showing import Both

MODES = ("-n", "-nx", "-M", "-P", "-Mx", "-Px", "-F", "-nf", "-Mf")
OLD_MODES = {
    (2, 10): ("-n", "-nx", "-M", "-Mx", "-nf", "-Mf"),
    (2, 9): ("-n", "-M", "-nf", "-Mf"),
    (2, 6): ("-n", ""),
}
AT_ONCE = 12
"""Pairs that postconf works on at the same time."""

_BATCH = 500
_VARIABLE = re.compile(
    rb'".*"|(?<=: )[^:]*(?=: unused)|\d+|[^ ]*/[^ :]*|(?<=(?:er|nt|ry|xx): ).*', re.DOTALL
)


class Disagreement(NamedTuple):
    """A pair that one of the programs reads differently."""

    mode: str
    files: Nasty
    both: Both


class Figures:
    """What was compared."""

    def __init__(self) -> None:
        self.pairs = 0
        self.comparisons = 0
        self.fatal = 0
        self.crashes = 0
        self.messages: Counter[str] = Counter()
        """Kind of message -> comparisons with one of them."""
        self.disagreements: list[Disagreement] = []

    def add(self, files: Nasty, by_mode: dict[str, Both]) -> None:
        self.pairs += 1
        for mode, both in by_mode.items():
            self.comparisons += 1
            self.fatal += both.postconf.status != 0
            self.crashes += both.postconf.status < 0
            self.messages.update({_kind(message) for message in both.postconf.messages})
            if not agree(both):
                self.disagreements.append(Disagreement(mode, files, both))

    def summary(self) -> str:
        return (
            f"{self.pairs} pairs, {self.comparisons} comparisons,"
            f" {len(self.disagreements)} disagreements;"
            f" postconf failed in {self.fatal}, {self.crashes} of them crashes"
        )


def agree(both: Both) -> bool:
    """The same output, messages in the same order, and exit status.

    Comparisons in comparisons, some ten thousand deep, fill the stack of postconf: it crashes
    where postlint gives up.
    """
    if both.postconf.status < 0:
        return both.postlint.status == 1
    return both.postlint == both.postconf


def modes_of(version: str) -> tuple[str, ...]:
    """The modes to compare, as far as a version has them."""
    parsed = PostfixVersion.parse(version)
    if parsed >= (2, 11):
        return MODES
    return next(modes for since, modes in OLD_MODES.items() if parsed >= since)


def write(folder: Path, files: Nasty) -> None:
    """Put a pair and its client file into a folder that they may name."""
    here = os.fsencode(folder)
    for name, data in (
        ("main.cf", files.main),
        ("master.cf", files.master),
        (CLIENT_FILE, files.client),
    ):
        write_old(folder / name, data.replace(DIRECTORY, here))


def generated(first_seed: int) -> Iterator[Nasty]:
    """Pairs without end, all different; the same for the same seed."""
    seen = set()
    number = first_seed
    while True:
        found: list[Nasty] = []

        @seed(number)
        @settings(
            max_examples=_BATCH,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(pairs)
        def collect(files: Nasty) -> None:
            found.append(files)  # noqa: B023 - called before the next turn

        collect()
        for files in found:
            if files not in seen:
                seen.add(files)
                yield files
        number += 1_000_003


def compare(
    program: str, count: int, first_seed: int, *, jobs: int = 1, save: Path | None = None
) -> Figures:
    """Compare so many generated pairs, in several processes.

    The files of a pair that is read differently go to the folder ``save`` as soon as it is found.
    """
    figures = Figures()
    modes = modes_of(version_of(program))
    tasks = ((program, modes, some) for some in _chunks(islice(generated(first_seed), count)))
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        for found in pool.imap_unordered(_compare_some, tasks):
            for files, by_mode in found:
                before = len(figures.disagreements)
                figures.add(files, by_mode)
                if save is not None and len(figures.disagreements) > before:
                    _save(figures.disagreements[before:], save / str(figures.pairs))
                if figures.pairs % 1000 == 0:
                    print(figures.summary(), file=sys.stderr, flush=True)
    return figures


def _save(disagreements: list[Disagreement], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, disagreements[0].files)
    said = "\n".join(
        f"{mode}\n {both.postconf}\n {both.postlint}" for mode, _, both in disagreements
    )
    (folder / "said").write_text(said, encoding="utf-8")


def _chunks(files: Iterator[Nasty]) -> Iterator[list[Nasty]]:
    while some := list(islice(files, AT_ONCE)):
        yield some


def _compare_some(
    task: tuple[str, Sequence[str], list[Nasty]],
) -> list[tuple[Nasty, dict[str, Both]]]:
    """What both programs say about some pairs. All postconf processes run at the same time."""
    program, modes, some = task
    version = version_of(program)
    with tempfile.TemporaryDirectory() as name:
        running = []
        for number, files in enumerate(some):
            folder = Path(name) / str(number)
            folder.mkdir()
            write(folder, files)
            running.append(Running(program, modes, folder, version))
        return [(files, each.finish()) for files, each in zip(some, running, strict=True)]


def _kind(message: bytes) -> str:
    return _VARIABLE.sub(b"_", message).decode("latin-1")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.show.compare")
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--program", default="postconf", help="a postconf(1) of any version")
    parser.add_argument("--save", type=Path, help="a folder for pairs that are read differently")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    gc.freeze()  # what is loaded stays; a collection has only what a run makes to go through
    figures = compare(
        arguments.program,
        arguments.pairs,
        arguments.seed,
        jobs=arguments.jobs,
        save=arguments.save,
    )
    version = version_of(arguments.program)
    print(f"postconf {version}, seed {arguments.seed}, modes {' '.join(modes_of(version))}")
    print(figures.summary())
    for kind, count in figures.messages.most_common():
        print(f"{count:8} {kind}")
    for mode, _, both in figures.disagreements[:20]:
        print(f"\n{mode}:\n  postconf {both.postconf}\n  postlint {both.postlint}")
    return 1 if figures.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
