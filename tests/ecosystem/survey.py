"""The findings of all rules over the collection, and how they differ from the accepted ones."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from postlint.lint.finding import Severity
from tests.ecosystem.configurations import configurations
from tests.linting import lint_candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.lint.finding import Finding

ACCEPTED = Path(__file__).with_name("accepted.json")

Places: TypeAlias = dict[str, list[str]]
"""By rule and severity (``TLS001 error``), where a configuration has such findings: main.cf:12."""


class Found(NamedTuple):
    """A finding and the configuration that it is about."""

    configuration: str
    finding: Finding

    @property
    def kind(self) -> str:
        """Rule and severity."""
        return f"{self.finding.code} {self.finding.severity.label}"

    @property
    def place(self) -> str:
        """File and line; the file is left out where a configuration has only one."""
        line = str(self.finding.location.start.line)
        if not self.configuration.startswith("pairs/"):
            return line
        return f"{Path(self.finding.location.path).name}:{line}"


def survey() -> Iterator[Found]:
    """The findings, configuration by configuration, in report order."""
    for name, candidates in configurations():
        for finding in lint_candidates(candidates).findings:
            yield Found(name, finding)


def places(found: Iterable[Found]) -> dict[str, Places]:
    """What is accepted: places only, nothing of what the configurations contain."""
    by_name: dict[str, Places] = {name: {} for name, _ in configurations()}
    for item in found:
        by_name[item.configuration].setdefault(item.kind, []).append(item.place)
    return {
        name: {kind: kinds[kind] for kind in sorted(kinds)}
        for name, kinds in sorted(by_name.items())
    }


def accepted() -> dict[str, Places]:
    """The places that were last accepted."""
    if not ACCEPTED.is_file():
        return {}
    loaded: dict[str, Places] = json.loads(ACCEPTED.read_text("utf-8"))
    return loaded


def accept(now: dict[str, Places]) -> None:
    """Make these places the accepted ones: one line per configuration, for readable diffs."""
    rows = [f"  {json.dumps(name)}: {json.dumps(kinds)}" for name, kinds in now.items()]
    ACCEPTED.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


def added(old: dict[str, Places], new: dict[str, Places]) -> Counter[tuple[str, str, str]]:
    """What is in ``new`` and not in ``old``: configuration, rule with severity, place."""
    return _flat(new) - _flat(old)


def _flat(by_name: dict[str, Places]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (name, kind, place)
        for name, kinds in by_name.items()
        for kind, where in kinds.items()
        for place in where
    )


def per_rule(found: Iterable[Found], total: int) -> Iterator[str]:
    """A table: findings by severity, and in how many configurations at warning or above."""
    counts: Counter[tuple[str, Severity]] = Counter()
    grave: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for item in found:
        finding = item.finding
        counts[finding.code, finding.severity] += 1
        names[finding.code] = finding.name
        if finding.severity >= Severity.WARNING:
            grave.setdefault(finding.code, set()).add(item.configuration)
    yield f"{'rule':44} {'error':>6} {'warning':>8} {'info':>6}   configurations, warning or above"
    order = sorted(names, key=lambda code: (-len(grave.get(code, ())), code))
    for code in order:
        errors, warnings, notes = (
            counts[code, severity] for severity in sorted(Severity, reverse=True)
        )
        share = len(grave.get(code, ()))
        mark = "  more than a tenth" if share * 10 > total else ""
        row = f"{code} {names[code]:36.36} {errors:6} {warnings:8} {notes:6}"
        yield f"{row}   {share:4} ({share / total:5.1%}){mark}"


def per_configuration(found: Iterable[Found], names: Iterable[str]) -> str:
    """Median and extremes of the findings at warning or above."""
    grave = Counter(
        item.configuration for item in found if item.finding.severity >= Severity.WARNING
    )
    numbers = sorted(grave[name] for name in names)
    clean = sum(not number for number in numbers)
    return (
        f"{len(numbers)} configurations; at warning or above: median {median(numbers):g},"
        f" most {numbers[-1]}, none at all in {clean}"
    )


def drawn(found: list[Found], number: int, seed: int) -> list[Found]:
    """A random sample to read, the same for the same seed and findings."""
    return random.Random(seed).sample(found, min(number, len(found)))
