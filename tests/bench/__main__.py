"""Print the figures of README.md.

    python -m tests.bench [--rounds N] [--only WORD] [--write]

With --write they are put into README.md, between the marks there.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.bench import growth, instances, startup, tables
from tests.installed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.bench.measure import Ratio

README = ROOT / "README.md"
MARKED = re.compile(r"(<!-- figures: make bench -->\n).*?(<!-- end of the figures -->)", re.DOTALL)
HEAD = "| | Ratio | At most | Seconds | Memory |\n| --- | --- | --- | --- | --- |"


def line(row: Ratio) -> str:
    """A row of the table."""
    seconds = f"{row.measured:.3g}, {row.against:.3g}"
    memory = "" if row.memory is None else f"{row.memory:.0f} MB"
    budget = "" if row.budget is None else f"{row.budget:g}"
    return f"| {row.what} | {row.ratio:.2f} | {budget} | {seconds} | {memory} |"


def measurements(folder: Path, rounds: int) -> dict[str, Callable[[], Iterable[Ratio]]]:
    """All there are, by a word for each."""
    return {
        "startup": lambda: [startup.cold_start(6 * rounds)],
        "instance": lambda: [instances.one_more(folder / "distinct", rounds)],
        "tables": lambda: tables.ratios(folder, rounds),
        "parallel": lambda: [tables.in_parallel(folder / "shared", rounds)],
        "growth": lambda: growth.ratios(folder, rounds),
        "fleet": lambda: [
            instances.growth(folder / "identical", 1, distinct=False),
            instances.growth(folder / "different", 1, distinct=True),
        ],
    }


def main() -> None:
    """Measure, with enough rounds for figures that can be quoted."""
    parser = argparse.ArgumentParser(description="measure what README.md says of speed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", metavar="WORD", action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [HEAD]
    print(HEAD)
    with TemporaryDirectory(prefix="postlint-bench-") as folder:
        for word, measure in measurements(Path(folder), options.rounds).items():
            if options.only and word not in options.only:
                continue
            for row in measure():
                lines.append(line(row))
                print(lines[-1], flush=True)
    if options.write:
        text = README.read_text(encoding="utf-8")
        table = "\n".join(lines) + "\n"
        new, number = MARKED.subn(lambda match: match[1] + table + match[2], text)
        if not number:
            sys.exit("README.md has no marks for the figures")
        README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
