"""Running rules over instances: call, attribute, merge, suppress, sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Finding, Identity
from postlint.lint.result import InstanceSummary, Notification, Result
from postlint.lint.suppression import Suppressions
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from postlint.config.instance import Instance
    from postlint.lint.rule import Rule
    from postlint.syntax.source import Location, SourceFile


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

    def __init__(self, known: Sequence[Rule], rules: Sequence[Rule]) -> None:
        self._known = tuple(known)
        self._rules = tuple(rules)
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
        notifications: list[Notification] = []
        found: list[Finding] = []
        for number, rule in enumerate(self._rules):
            if rule.scope != "suppressions":
                found += _call(rule, _inputs(rule, instance), instance, notifications)
            if self.watch is not None:
                self.watch(number / len(self._rules))
        suppressions = Suppressions(_sources(instance), self._known, self._rules)
        findings, hidden = suppressions.apply(merge(found))
        for rule in self._rules:
            if rule.scope == "suppressions":
                findings += _call(rule, (suppressions,), instance, notifications)
        _identify(findings + hidden)
        _mark_secrets(instance, findings)
        if target.reported is not None:
            reported = target.reported | {source.path for source in _table_sources(instance)}
            findings = [item for item in findings if item.location.path in reported]
            hidden = [item for item in hidden if item.location.path in reported]
        notifications += [
            Notification("unreadable-file", reason, level="note", path=path)
            for path, reason in instance.files.refused
        ]
        paths = frozenset(source.path for source in _sources(instance))
        notes = tuple(instance.notes)
        return Outcome(_summary(instance), findings, hidden, notifications, paths, notes)


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


def _call(
    rule: Rule, inputs: Iterable[object], instance: Instance, notifications: list[Notification]
) -> list[Finding]:
    findings: list[Finding] = []
    try:
        for value in inputs:
            for finding in rule.check(value):
                finding.attribute(rule)
                if rule.scope == "service":
                    finding.services = ((value.label, value.location),)  # type: ignore[attr-defined]
                findings.append(finding)
    except Exception as error:
        message = f"rule {rule.code} failed on {instance.path}: {crash(error)}"
        notifications.append(Notification("internal-error", message, path=instance.path, rule=rule))
    return findings


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


def _inputs(rule: Rule, instance: Instance) -> Iterable[object]:
    match rule.scope:
        case "main_cf":
            return () if instance.main_cf is None else (instance.main_cf,)
        case "master_cf":
            return () if instance.master_cf is None else (instance.master_cf,)
        case "service":
            return instance.services
        case "policy_table":
            return instance.policy_tables
        case "table":
            return (table for table in instance.tables if table.readable)
        case _:
            return (instance,)


def _sources(instance: Instance) -> list[SourceFile]:
    trees = [tree.source for tree in (instance.main_cf, instance.master_cf) if tree is not None]
    return trees + _table_sources(instance)


def _table_sources(instance: Instance) -> list[SourceFile]:
    """The lookup tables that have been read; finding them is not what this is for."""
    found = [table.source for table in instance.policy_tables if table.inline is None]
    for table in instance.__dict__.get("tables", ()):
        if table.loaded is not None and table.loaded not in found:
            found.append(table.loaded)
    return found


def _summary(instance: Instance) -> InstanceSummary:
    main, master = instance.main_cf, instance.master_cf
    return InstanceSummary(
        instance.path,
        None if main is None else main.source.path,
        None if master is None else master.source.path,
        str(instance.version),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    start = finding.location.start
    return (finding.location.path, start.line, start.column, finding.code, finding.message)


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


def crash(error: BaseException) -> str:
    """What postlint failed on; not in the words of the exception, which may quote a secret."""
    return f"{type(error).__name__} at {crash_site(error)}"


def crash_site(error: BaseException) -> str:
    """File and line where an exception was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
