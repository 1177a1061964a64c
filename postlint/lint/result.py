"""The outcome of one run: what every report format is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.lint.finding import Finding
    from postlint.lint.rule import Rule

NotificationKind: TypeAlias = Literal["unreadable-file", "internal-error", "configuration", "note"]


class Notification:
    """Something about the run itself: a file that could not be read, a rule that crashed.

    ``level`` is SARIF's. ``path`` is the file concerned, as reports name it.
    """

    __slots__ = ("kind", "level", "message", "path", "rule")

    def __init__(
        self,
        kind: NotificationKind,
        message: str,
        *,
        level: Literal["error", "warning", "note"] = "error",
        path: str | None = None,
        rule: Rule | None = None,
    ) -> None:
        self.kind: NotificationKind = kind
        self.message = message
        self.level: Literal["error", "warning", "note"] = level
        self.path = path
        self.rule = rule


class InstanceSummary:
    """An instance as reports name it; paths are None for files that it does not have."""

    __slots__ = ("main_cf", "master_cf", "path", "postfix_version")

    def __init__(
        self, path: str, main_cf: str | None, master_cf: str | None, postfix_version: str
    ) -> None:
        self.path = path
        self.main_cf = main_cf
        self.master_cf = master_cf
        self.postfix_version = postfix_version


class Result:
    """Findings in report order (path, line, column, code), those hidden by comments apart."""

    __slots__ = ("file_count", "findings", "instances", "notifications", "rules", "suppressed")

    def __init__(
        self,
        instances: Sequence[InstanceSummary],
        findings: Sequence[Finding],
        suppressed: Sequence[Finding],
        notifications: Sequence[Notification],
        rules: Sequence[Rule],
        file_count: int,
    ) -> None:
        """``rules``: the rules that were run; ``file_count``: the files that were read."""
        self.instances = tuple(instances)
        self.findings = tuple(findings)
        self.suppressed = tuple(suppressed)
        self.notifications = tuple(notifications)
        self.rules = tuple(rules)
        self.file_count = file_count

    def count(self, severity: Severity) -> int:
        """How many findings have exactly this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def worst(self) -> Severity | None:
        """The highest severity of a finding that is not suppressed."""
        return max((finding.severity for finding in self.findings), default=None)
