"""Running rules over instances: call, merge, suppress, sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.calls import call, inputs
from postlint.lint.finding import Finding, Identity
from postlint.lint.result import InstanceSummary, Notification, Result
from postlint.lint.sources import sources_of, table_sources
from postlint.lint.suppression import Suppressions
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from postlint.config.instance import Instance
    from postlint.lint.calls import Said
    from postlint.lint.rule import Rule
    from postlint.syntax.source import Location


_IDENTIFYING = 4096
"""Characters of the text of a finding that tell it from others."""


class Target:
    """An instance to check; ``reported`` are the paths whose findings count, None for all."""

    __slots__ = ("instance", "reported")

    def __init__(self, instance: Instance, reported: frozenset[str] | None = None) -> None:
        self.instance = instance
        self.reported = reported


class Outcome(NamedTuple):
    """What checking one instance gave."""

    instance: InstanceSummary
    findings: list[Finding]
    suppressed: list[Finding]
    notifications: list[Notification]
    paths: frozenset[str]
    """The files that were read."""
    notes: tuple[str, ...]
    """What the run should say once, however many instances say it."""


class Runner:
    """Runs rules. ``known`` are all rules there are, ``rules`` those to run.

    ``notifications`` takes what is known before the run; reports show it first.
    """

    def __init__(self, known: Sequence[Rule], rules: Sequence[Rule], jobs: int = 1) -> None:
        """``jobs``: processes for the tables of an instance."""
        self._known = tuple(known)
        self._rules = tuple(rules)
        self._jobs = jobs
        self.notifications: list[Notification] = []
        self.watch: Callable[[float], None] | None = None
        """Is told, while an instance is checked, which part of its rules have run."""

    def run(self, targets: Iterable[Target]) -> Result:
        """Check every target; a rule that crashes is reported and the others go on."""
        return self.combine(self.check(target) for target in targets)

    def combine(self, outcomes: Iterable[Outcome | Notification]) -> Result:
        """One result from the outcomes of the instances, and notifications between them."""
        findings: list[Finding] = []
        suppressed: list[Finding] = []
        instances: list[InstanceSummary] = []
        paths: set[str] = set()
        notes: dict[str, None] = {}
        for outcome in outcomes:
            if isinstance(outcome, Notification):
                self.notifications.append(outcome)
                continue
            instances.append(outcome.instance)
            findings += outcome.findings
            suppressed += outcome.suppressed
            paths |= outcome.paths
            self.notifications += outcome.notifications
            notes.update(dict.fromkeys(outcome.notes))
        self.notifications += [Notification("note", text, level="note") for text in notes]
        return Result(
            instances,
            sorted(findings, key=_order),
            sorted(suppressed, key=_order),
            self.notifications,
            self._rules,
            len(paths),
        )

    def check(self, target: Target) -> Outcome:
        """Run the rules on one instance."""
        instance = target.instance
        said = self._all_said(instance)
        found = [finding for _, item in said for finding in item.findings]
        suppressions = Suppressions(sources_of(instance), self._known, self._rules)
        findings, hidden = suppressions.apply(merge(found))
        for rule in self._rules:
            if rule.scope == "suppressions":
                said.append((rule, call(rule, (suppressions,))))
                findings += said[-1][1].findings
        _identify(findings + hidden)
        _mark_secrets(instance, findings)
        if target.reported is not None:
            reported = target.reported | {source.path for source in table_sources(instance)}
            findings = [item for item in findings if item.location.path in reported]
            hidden = [item for item in hidden if item.location.path in reported]
        crashed = [(rule, item) for rule, item in said if item.crashes]
        notifications = [note for rule, item in crashed for note in _crashes(rule, item, instance)]
        notifications += [
            Notification("unreadable-file", reason, level="note", path=path)
            for path, reason in sorted(instance.files.refused)
        ]
        paths = frozenset(source.path for source in sources_of(instance))
        notes = tuple(instance.notes)
        return Outcome(_summary(instance), findings, hidden, notifications, paths, notes)

    def _all_said(self, instance: Instance) -> list[tuple[Rule, Said]]:
        """What each rule says, in their order; not of suppressions, which come later."""
        said: dict[int, Said] = {}
        tables = None
        if self._jobs > 1:
            from postlint.lint.table_processes import share_tables

            tables = share_tables(instance, self._rules, self._jobs)

        def watch() -> None:
            if self.watch is not None:
                part = len(said) / len(self._rules)
                self.watch(part if tables is None else (part + tables.part) / 2)

        for number, rule in enumerate(self._rules):
            if rule.scope != "suppressions" and (tables is None or not tables.takes(rule)):
                said[number] = call(rule, inputs(rule.scope, instance, rule.programs))
            watch()
        if tables is not None:
            said |= tables.said(watch)
        return [(self._rules[number], said[number]) for number in sorted(said)]


def _crashes(rule: Rule, said: Said, instance: Instance) -> Iterator[Notification]:
    for text in dict.fromkeys(said.crashes):
        message = f"rule {rule.code} failed on {instance.path}: {text}"
        yield Notification("internal-error", message, path=instance.path, rule=rule)


def _mark_secrets(instance: Instance, findings: Iterable[Finding]) -> None:
    """For reports: whoever read a table need not know that it holds passwords."""
    trees = [tree.source for tree in (instance.main_cf, instance.master_cf) if tree is not None]
    places = (
        place
        for item in findings
        for place in (item.location, *(related.location for related in item.related))
    )
    if any(place.source not in trees for place in places):
        from postlint.config.lookup_table import mark_secrets

        mark_secrets(instance)


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for what the same rule says of the same place for several services."""
    merged: dict[tuple[object, ...], Finding] = {}
    services: dict[int, dict[str, Location | None]] = {}
    for finding in findings:
        key = (
            finding.code,
            finding.location.path,
            finding.location.span,
            finding.message,
            finding.severity,
        )
        first = merged.setdefault(key, finding)
        if first is not finding:
            known = services.setdefault(id(first), dict(first.services))
            for name, location in finding.services:
                known.setdefault(name, location)
    for finding in merged.values():
        if id(finding) in services:
            finding.services = tuple(services[id(finding)].items())
    return list(merged.values())


def _summary(instance: Instance) -> InstanceSummary:
    main, master = instance.main_cf, instance.master_cf
    return InstanceSummary(
        instance.path,
        None if main is None else main.source.path,
        None if master is None else master.source.path,
        str(instance.version),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    location = finding.location
    return (location.path, location.span.start, finding.code, finding.message)


def _identify(findings: Iterable[Finding]) -> None:
    """Tell findings apart by what stands there, not where: lines may move and be reformatted."""
    seen: dict[Identity, int] = {}
    for finding in sorted(findings, key=_order):
        location = finding.location
        start, end = location.span
        text = location.source.text[start : min(end, start + _IDENTIFYING)]
        file_name = location.path.rpartition("/")[2]
        identity = Identity(
            finding.code, file_name, finding.parameter or "", " ".join(text.split()), 0
        )
        seen[identity] = number = seen.get(identity, 0) + 1
        finding.identity = identity._replace(number=number)
