"""Findings: what a rule says about one place, and how to mend it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple
from postlint.syntax.source import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.lint.rule import Rule

__all__ = [
    "Applicability",
    "Edit",
    "Finding",
    "Fix",
    "Location",
    "Related",
    "Severity",
    "Suppression",
]

Applicability: TypeAlias = Literal["safe", "unsafe"]
"""``safe``: provably no change of behaviour, or the only possible intent. Else ``unsafe``."""


class Severity(IntEnum):
    """How bad it is; in SARIF ``error``, ``warning`` and ``note``."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def label(self) -> str:
        """The word that reports and the command line use."""
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> Severity:
        """Raises KeyError for a word that is no severity."""
        return cls[label.upper()]


class Identity(NamedTuple):
    """What tells a finding from others; ``number`` counts those that are the same otherwise."""

    code: str
    file_name: str
    parameter: str
    text: str
    number: int


class Related:
    """Another place that belongs to a finding, and what it has to do with it."""

    __slots__ = ("location", "message")

    def __init__(self, message: str, location: Location) -> None:
        self.message = message
        self.location = location


class Edit:
    """Replace the text at a location."""

    __slots__ = ("location", "text")

    def __init__(self, location: Location, text: str) -> None:
        self.location = location
        self.text = text


class Fix:
    """Edits that together mend one finding; they do not overlap."""

    __slots__ = ("applicability", "edits", "message")

    def __init__(self, message: str, edits: Sequence[Edit], applicability: Applicability) -> None:
        self.message = message
        self.edits = tuple(edits)
        self.applicability: Applicability = applicability


class Suppression:
    """The comment that hides a finding; ``justification`` is the text after the codes."""

    __slots__ = ("justification", "location")

    def __init__(self, location: Location, justification: str) -> None:
        self.location = location
        self.justification = justification


class Finding:
    """What a rule found at one place.

    A rule gives the location, the message and what deviates from its own metadata; the runner
    fills in ``rule``, ``identity`` and ``suppression``, and merges equal findings of several
    services into one whose ``services`` names them all.
    """

    __slots__ = (
        "_severity",
        "fix",
        "identity",
        "location",
        "message",
        "parameter",
        "related",
        "rule",
        "security_severity",
        "services",
        "suppression",
    )

    rule: Rule

    def __init__(
        self,
        location: Location,
        message: str,
        *,
        severity: Severity | None = None,
        security_severity: float | None = None,
        parameter: str | None = None,
        service: str | None = None,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
    ) -> None:
        """``severity`` and ``security_severity`` default to the rule's own.

        A finding with a severity of its own carries the rule's ``security_severity`` only when
        it is given again: a harmless variant of a security rule is not a security finding.
        """
        self.location = location
        self.message = message
        self._severity = severity
        self.security_severity = security_severity
        self.parameter = parameter
        self.services: tuple[tuple[str, Location | None], ...] = (
            ((service, None),) if service else ()
        )
        self.related = tuple(related)
        self.fix = fix
        self.identity: Identity | None = None
        """What tells it from other findings, the same wherever the lines move."""
        self.suppression: Suppression | None = None

    def attribute(self, rule: Rule) -> None:
        """Make this a finding of ``rule``."""
        self.rule = rule
        if self._severity is None:
            self._severity = rule.severity
            if self.security_severity is None:
                self.security_severity = rule.security_severity

    @property
    def severity(self) -> Severity:
        return self.rule.severity if self._severity is None else self._severity

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def service(self) -> str | None:
        """The first service it holds for, as ``name/type``."""
        return self.services[0][0] if self.services else None
