"""``make ecosystem``: lint the real configurations and say what changed since the last look.

    python -m tests.ecosystem [--accept] [--sample N [--seed S]] [--severity-at-least LEVEL]

Without options: findings per rule and per configuration, then what came and what went against
``accepted.json``; the exit status is 1 where that is anything. ``--accept`` makes the present
findings the accepted ones. ``--sample`` prints N findings in full, drawn at random, to be read
and judged.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from postlint.lint.finding import Severity
from tests.ecosystem import survey
from tests.ecosystem.configurations import COLLECTION, available

if TYPE_CHECKING:
    from collections import Counter

SHOWN = 40
"""Differences that are printed one by one."""


def main() -> int:
    """The command; returns the exit status."""
    options = _options()
    if not available():
        print(f"no real configurations in {COLLECTION}: POSTLINT_SHARED names the folder above")
        return 2
    found = list(survey.survey())
    if options.sample:
        least = Severity.parse(options.severity_at_least)
        pool = [item for item in found if item.finding.severity >= least]
        _print_sample(survey.drawn(pool, options.sample, options.seed))
        return 0
    now = survey.places(found)
    for row in survey.per_rule(found, len(now)):
        print(row)
    print(survey.per_configuration(found, now))
    old = survey.accepted()
    came = survey.added(old, now)
    went = survey.added(now, old)
    _print_difference("new", came)
    _print_difference("gone", went)
    if options.accept:
        survey.accept(now)
        print(f"accepted: {len(found)} findings")
        return 0
    return 1 if came or went else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ecosystem")
    parser.add_argument("--accept", action="store_true", help="accept what is found now")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N to be read")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another sample")
    parser.add_argument("--severity-at-least", default="info", metavar="LEVEL")
    return parser.parse_args()


def _print_difference(word: str, difference: Counter[tuple[str, str, str]]) -> None:
    print(f"{word}: {difference.total()}")
    for name, kind, place in sorted(difference.elements())[:SHOWN]:
        print(f"  {kind:14} {name} {place}")
    if difference.total() > SHOWN:
        print(f"  ... and {difference.total() - SHOWN} more")


def _print_sample(sample: list[survey.Found]) -> None:
    for number, item in enumerate(sample, 1):
        name, finding = item
        label, location = finding.severity.label, finding.location
        print(f"{number}. {name} {item.place} {finding.code} {label}: {finding.message}")
        print(f"      | {location.source.line(location.start.line)[:160].strip()}")


if __name__ == "__main__":
    sys.exit(main())
