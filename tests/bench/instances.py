"""What one more instance costs, and ten times as many."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.bench import inputs
from tests.bench.measure import Ratio, interleaved, run
from tests.bench.startup import check

if TYPE_CHECKING:
    from pathlib import Path

MORE = 30
"""Instances by which the longer run differs from the shorter one."""
MANY = {"identical": 1_000, "distinct": 100}


def one_more(folder: Path, rounds: int) -> Ratio:
    """One more instance in a run, to the three processes that print it as Postfix reads it."""
    made = list(inputs.instances(folder, MORE + 1, distinct=True))
    more: list[float] = []
    peers: list[float] = []
    for _ in range(rounds):
        one = run(check(made[0])).seconds
        many = run(check(*made)).seconds
        more.append((many - one) / MORE)
        peers += [
            sum(run(["postconf", "-c", path, word]).seconds for word in _WORDS)
            for path in made[:: MORE // 3]
        ]
    what = "One more instance in a run, to `postconf -n`, `-M` and `-P` on it"
    return Ratio(what, median(more), median(peers), 1.0)


_WORDS = ("-n", "-M", "-P")


def growth(folder: Path, rounds: int, *, distinct: bool) -> Ratio:
    """Ten times the instances, to the time for a tenth of them."""
    kind = "distinct" if distinct else "identical"
    number = MANY[kind]
    few, many = folder / "few", folder / "many"
    for top, size in ((few, number), (many, 10 * number)):
        list(inputs.instances(top, size, distinct=distinct))
    small, large = interleaved([check("--quiet", few), check("--quiet", many)], rounds)
    what = f"{10 * number:,} {kind} instances, to {number:,}"
    return Ratio(what, large.seconds, small.seconds, 11.0, large.memory)
