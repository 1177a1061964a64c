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
MANY = 100_000
"""Lines from which the table counts, and not how long Python takes to start."""
COMPARED = {"regexp": (10_000, 100_000), "pcre": (100_000,), "header checks": (10_000, 100_000)}
"""Lines with which kinds are compared with their peers; a million patterns take Postfix six
gigabytes."""

_INDEX = ("postmap", "lmdb:{table}")
_PEERS = {
    "indexed": (_INDEX,),
    "access": (_INDEX,),
    "cidr": (_INDEX, ("postmap", "-q", "203.0.113.1", "cidr:{table}")),
    "aliases": (("postalias", "lmdb:{table}"),),
    "regexp": (("postmap", "-q", "nobody", "regexp:{table}"),),
    "pcre": (("postmap", "-q", "nobody", "pcre:{table}"),),
    "header checks": (
        ("postmap", "-q", "nobody", "regexp:{table}"),
        ("postmap", "-q", "nobody", "pcre:{table}"),
    ),
}
"""What reads the file for Postfix; the first is the one that the budget is about. ``-q`` only
loads the table, for one question, and looks for no mistakes."""


def ratios(folder: Path, rounds: int) -> Iterator[Ratio]:
    """Each kind of table against its peers, and ten times the lines."""
    for kind in _PEERS:
        for lines in COMPARED.get(kind, (LINES,)):
            yield from _to_peers(folder, kind, lines, rounds)
        large = inputs.write_table(folder / f"{kind}-{LINES}", kind, LINES)
        small = inputs.write_table(folder / f"{kind}-{LINES // 10}", kind, LINES // 10)
        few, many = interleaved([check(small), check(large)], rounds)
        what = f"A table with {LINES:,} lines, {kind}, to {LINES // 10:,} lines"
        yield Ratio(what, many.seconds, few.seconds, 11.0, many.memory)


def _to_peers(folder: Path, kind: str, lines: int, rounds: int) -> Iterator[Ratio]:
    empty = inputs.write(folder / "empty", {"main.cf": ""})
    made = inputs.write_table(folder / f"{kind}-{lines}", kind, lines)
    peers = _PEERS[kind]
    commands = [
        [words[0], "-c", str(empty), *(word.format(table=made / "table") for word in words[1:])]
        for words in peers
    ]
    own, *others = interleaved([check(made), *commands], rounds)
    for at, (words, other) in enumerate(zip(peers, others, strict=True)):
        what = f"A table with {lines:,} lines, {kind}, to `{' '.join(words).format(table='…')}`"
        budget = 1.0 if at == 0 and lines >= MANY else None
        yield Ratio(what, own.seconds, other.seconds, budget, own.memory)


def in_parallel(folder: Path, rounds: int) -> Ratio:
    """The tables of one instance in two processes, by the clock."""
    made = inputs.write_tables(folder, SHARED_LINES)
    one, two = interleaved([check(made), check("--jobs", "2", made)], rounds)
    what = f"Four tables with {SHARED_LINES:,} lines, `--jobs 2` to one process, by the clock"
    return Ratio(what, two.elapsed, one.elapsed, None, two.memory)
