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
FEWER = {"regexp": 10_000}
"""Kinds of which fewer lines are measured: a million patterns take Postfix six gigabytes."""

_PEERS = {
    "indexed": ("postmap", "lmdb:{table}"),
    "access": ("postmap", "lmdb:{table}"),
    "cidr": ("postmap", "-q", "203.0.113.1", "cidr:{table}"),
    "aliases": ("postalias", "lmdb:{table}"),
    "regexp": ("postmap", "-q", "nobody", "regexp:{table}"),
}
"""What reads the file for Postfix. It also writes an index where Postfix needs one."""


def ratios(folder: Path, rounds: int) -> Iterator[Ratio]:
    """Each kind of table against its peer, and ten times the lines."""
    for kind, peer in _PEERS.items():
        lines = FEWER.get(kind, LINES)
        large = inputs.write_table(folder / kind, kind, lines)
        small = inputs.write_table(folder / f"{kind}-small", kind, lines // 10)
        empty = inputs.write(folder / "empty", {"main.cf": ""})
        words = [word.format(table=large / "table") for word in peer]
        command = [words[0], "-c", str(empty), *words[1:]]
        few, many, other = interleaved([check(small), check(large), command], rounds)
        shown = " ".join(peer).format(table="…")
        what = f"A table with {lines:,} lines, {kind}"
        yield Ratio(f"{what}, to `{shown}`", many.seconds, other.seconds, 1.0, many.memory)
        yield Ratio(f"{what}, to {lines // 10:,} lines", many.seconds, few.seconds, 11.0)
