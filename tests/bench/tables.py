"""Tables with a million lines, against Postfix's own programs on the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import inputs
from tests.bench.measure import Ratio, interleaved
from tests.bench.startup import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = 1_000_000
SHARED_LINES = 250_000
FEWER = {"regexp": 10_000}
"""Kinds of which fewer lines are measured: a million patterns take Postfix six gigabytes."""

_INDEX = ("postmap", "lmdb:{table}")
_PEERS = {
    "indexed": (_INDEX,),
    "access": (_INDEX,),
    "cidr": (_INDEX, ("postmap", "-q", "203.0.113.1", "cidr:{table}")),
    "aliases": (("postalias", "lmdb:{table}"),),
    "regexp": (("postmap", "-q", "nobody", "regexp:{table}"),),
}
"""What reads the file for Postfix; the first is the one that the budget is about. ``-q`` only
loads the table, for one question, and looks for no mistakes."""


def ratios(folder: Path, rounds: int) -> Iterator[Ratio]:
    """Each kind of table against its peers, and ten times the lines."""
    empty = inputs.write(folder / "empty", {"main.cf": ""})
    for kind, peers in _PEERS.items():
        lines = FEWER.get(kind, LINES)
        large = inputs.write_table(folder / kind, kind, lines)
        small = inputs.write_table(folder / f"{kind}-small", kind, lines // 10)
        commands = [
            [
                words[0],
                "-c",
                str(empty),
                *(word.format(table=large / "table") for word in words[1:]),
            ]
            for words in peers
        ]
        few, many, *others = interleaved([check(small), check(large), *commands], rounds)
        what = f"A table with {lines:,} lines, {kind}"
        for at, (words, other) in enumerate(zip(peers, others, strict=True)):
            shown = " ".join(words).format(table="…")
            budget = 1.0 if at == 0 else None
            yield Ratio(f"{what}, to `{shown}`", many.seconds, other.seconds, budget, many.memory)
        yield Ratio(f"{what}, to {lines // 10:,} lines", many.seconds, few.seconds, 11.0)


def in_parallel(folder: Path, rounds: int) -> Ratio:
    """The tables of one instance in two processes, by the clock."""
    made = inputs.write(folder, inputs.tables(SHARED_LINES))
    one, two = interleaved([check(made), check("--jobs", "2", made)], rounds)
    what = f"Four tables with {SHARED_LINES:,} lines, `--jobs 2` to one process, by the clock"
    return Ratio(what, two.elapsed, one.elapsed, None, two.memory)
