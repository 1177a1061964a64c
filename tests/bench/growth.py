"""Ten times the input, against the time for a tenth of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import inputs
from tests.bench.measure import Ratio, interleaved
from tests.bench.startup import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def ratios(folder: Path, rounds: int) -> Iterator[Ratio]:
    """Each kind of input that can be long."""
    for kind, (number, files) in inputs.SIZES.items():
        small = inputs.write(folder / f"{kind}-small", files(number))
        large = inputs.write(folder / kind, files(10 * number))
        few, many = interleaved([check("--quiet", small), check("--quiet", large)], rounds)
        what = f"{10 * number:,} {kind}, to {number:,}"
        yield Ratio(what, many.seconds, few.seconds, 11.0, many.memory)
