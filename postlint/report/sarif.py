"""SARIF 2.1.0, for code scanning: complete, deterministic, within GitHub's limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from postlint.report import details, links, redact
from postlint.report.escape import visible
from postlint.report.sarif_rules import LEVELS, descriptor, score
from postlint.report.sarif_text import has_lone_surrogate, plain, uri
from postlint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.lint.finding import Edit, Finding, Fix, Location, Suppression
    from postlint.lint.result import Notification, Result
    from postlint.lint.rule import Rule
    from postlint.report.formats import Options

MOST_RESULTS = 25_000
MOST_LOCATIONS = 1_000

_BASE = "%SRCROOT%"
_NOTIFICATIONS = {
    "unreadable-file": "A file could not be read.",
    "internal-error": "A rule failed; its findings are missing.",
    "configuration": "The configuration of postlint has a problem.",
    "note": "A remark about the run.",
}


def render(result: Result, _options: Options | None = None) -> str:
    """ASCII only, and the same for the same result: no times, no absolute working directory."""
    log = {
        "$schema": links.SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [_Run(result).document()],
    }
    return json.dumps(log, indent=2) + "\n"


class _Run:
    """One run; knows the indexes of its rules and artifacts."""

    __slots__ = ("_artifacts", "_left_out", "_result", "_rule_index", "_rules", "_shown")

    def __init__(self, result: Result) -> None:
        self._result = result
        everything = sorted((*result.findings, *result.suppressed), key=_order)
        self._shown = _most_important(everything)
        self._left_out = len(everything) - len(self._shown)
        notes = (note.rule for note in result.notifications if note.rule)
        used = {rule.code: rule for rule in (*(each.rule for each in everything), *notes)}
        run = {rule.code: rule for rule in result.rules}
        self._rules = [*run.values(), *(used[code] for code in sorted(used.keys() - run.keys()))]
        self._rule_index = {rule.code: index for index, rule in enumerate(self._rules)}
        self._artifacts = {path: index for index, path in enumerate(sorted(self._paths()))}

    def document(self) -> dict[str, Any]:
        return {
            "tool": {"driver": self._driver()},
            "invocations": [self._invocation()],
            "originalUriBaseIds": {
                _BASE: {"description": {"text": "The directory in which postlint was started."}}
            },
            "artifacts": [
                {"location": self._artifact(path), "roles": ["analysisTarget"]}
                for path in self._artifacts
            ],
            "results": [self._finding(finding) for finding in self._shown],
            "columnKind": "unicodeCodePoints",
        }

    def _paths(self) -> set[str]:
        paths: set[str | None] = {note.path for note in self._result.notifications}
        for instance in self._result.instances:
            paths |= {instance.main_cf, instance.master_cf}
        for finding in self._shown:
            paths.add(finding.location.path)
            paths.update(place.location.path for place in details.related(finding))
            if finding.fix:
                paths.update(edit.location.path for edit in finding.fix.edits)
            if finding.suppression:
                paths.add(finding.suppression.location.path)
        return {path for path in paths if path}

    def _driver(self) -> dict[str, Any]:
        return {
            "name": "postlint",
            "informationUri": links.HOME,
            "version": VERSION,
            "semanticVersion": VERSION,
            "rules": [descriptor(rule) for rule in self._rules],
            "notifications": [
                {"id": kind, "shortDescription": {"text": text}}
                for kind, text in _NOTIFICATIONS.items()
            ],
        }

    def _invocation(self) -> dict[str, Any]:
        notes = self._result.notifications
        execution = [self._notification(note) for note in notes if note.kind != "configuration"]
        configuration = [self._notification(note) for note in notes if note.kind == "configuration"]
        if self._left_out:
            text = f"{self._left_out} of the less severe results were left out."
            execution.append(_notification("note", "warning", text))
        invocation: dict[str, Any] = {
            "executionSuccessful": all(note.level != "error" for note in notes),
            "toolExecutionNotifications": execution,
        }
        if configuration:
            invocation["toolConfigurationNotifications"] = configuration
        return invocation

    def _notification(self, note: Notification) -> dict[str, Any]:
        document = _notification(note.kind, note.level, note.message)
        if note.path:
            location = {"physicalLocation": {"artifactLocation": self._artifact(note.path)}}
            document["locations"] = [location]
        if note.rule:
            document["associatedRule"] = self._rule_reference(note.rule)
        return document

    def _rule_reference(self, rule: Rule) -> dict[str, Any]:
        return {"id": rule.code, "index": self._rule_index[rule.code]}

    def _artifact(self, path: str) -> dict[str, Any]:
        location: dict[str, Any] = {"uri": uri(path)}
        if not path.startswith("/"):
            location["uriBaseId"] = _BASE
        return {**location, "index": self._artifacts[path]}

    def _finding(self, finding: Finding) -> dict[str, Any]:
        document = {
            "ruleId": finding.code,
            "ruleIndex": self._rule_index[finding.code],
            "level": LEVELS[finding.severity],
            "message": {"text": plain(details.message(finding))},
            "locations": [
                {
                    "physicalLocation": self._physical(finding.location),
                    **_logical(finding.service, finding.parameter),
                }
            ],
        }
        related = self._related(finding)
        if related:
            document["relatedLocations"] = related
        fingerprint = details.fingerprint(finding)
        if fingerprint:
            document["partialFingerprints"] = {"postlintFingerprint/v1": fingerprint}
        if finding.fix and _is_printable(finding.fix):
            document["fixes"] = [self._fix(finding, finding.fix)]
        # All results of a run have suppressions or none has (SARIF 2.1.0, 3.27.23).
        if self._result.suppressed:
            document["suppressions"] = self._suppressions(finding.suppression)
        properties = _properties(finding)
        if properties:
            document["properties"] = properties
        return document

    def _related(self, finding: Finding) -> list[dict[str, Any]]:
        places = list(details.related(finding))[: MOST_LOCATIONS - 1]
        return [
            {
                "id": number,
                "physicalLocation": self._physical(place.location),
                "message": {"text": plain(place.message)},
                **(_logical(place.service, finding.parameter) if place.service else {}),
            }
            for number, place in enumerate(places, 1)
        ]

    def _physical(self, location: Location) -> dict[str, Any]:
        return {"artifactLocation": self._artifact(location.path), "region": _region(location)}

    def _fix(self, finding: Finding, fix: Fix) -> dict[str, Any]:
        text = f"{fix.applicability.capitalize()} fix: {details.fix_message(finding, fix)}"
        by_path: dict[str, list[Edit]] = {}
        for edit in fix.edits:
            by_path.setdefault(edit.location.path, []).append(edit)
        return {
            "description": {"text": plain(text)},
            "artifactChanges": [
                {
                    "artifactLocation": self._artifact(path),
                    "replacements": [
                        {
                            "deletedRegion": _region(edit.location),
                            "insertedContent": {"text": edit.text},
                        }
                        for edit in edits
                    ],
                }
                for path, edits in by_path.items()
            ],
        }

    def _suppressions(self, suppression: Suppression | None) -> list[dict[str, Any]]:
        if suppression is None:
            return []
        location = {"physicalLocation": self._physical(suppression.location)}
        document: dict[str, Any] = {"kind": "inSource", "location": location}
        if suppression.justification:
            document["justification"] = plain(suppression.justification)
        return [document]


def _order(finding: Finding) -> tuple[str, tuple[int, int], str]:
    return finding.location.path, finding.location.start, finding.code


def _most_important(findings: list[Finding]) -> list[Finding]:
    """All, or as many as GitHub accepts: the open and the severe ones first."""
    if len(findings) <= MOST_RESULTS:
        return findings
    ranked = sorted(findings, key=lambda each: (each.suppression is not None, -each.severity))
    return sorted(ranked[:MOST_RESULTS], key=_order)


def _notification(kind: str, level: str, text: str) -> dict[str, Any]:
    index = list(_NOTIFICATIONS).index(kind)
    return {
        "descriptor": {"id": kind, "index": index},
        "level": level,
        "message": {"text": plain(text)},
    }


def _is_printable(fix: Fix) -> bool:
    """Whether the edits can be told: bytes that are no UTF-8 can not, secrets must not be."""
    return bool(fix.edits) and not any(
        has_lone_surrogate(edit.text) or redact.edit_has_secret(edit) for edit in fix.edits
    )


def _region(location: Location) -> dict[str, int]:
    start, end = location.start, location.end
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _logical(service: str | None, parameter: str | None) -> dict[str, Any]:
    """The service and the parameter in it as logical locations, the outer one first."""
    found = []
    if service:
        found.append(_logical_location(service, [service], "module"))
    if parameter:
        found.append(_logical_location(parameter, [service, parameter], "property"))
    return {"logicalLocations": found} if found else {}


def _logical_location(name: str, path: Iterable[str | None], kind: str) -> dict[str, Any]:
    full = "/".join(part for part in path if part)
    return {"name": visible(name), "fullyQualifiedName": visible(full), "kind": kind}


def _properties(finding: Finding) -> dict[str, Any]:
    return dict(_property_items(finding))


def _property_items(finding: Finding) -> Iterator[tuple[str, Any]]:
    if finding.parameter:
        yield "parameter", visible(finding.parameter)
    if finding.service:
        yield "service", visible(finding.service)
        yield "services", [visible(name) for name, _ in finding.services]
    if finding.security_severity != finding.rule.security_severity:
        yield "security-severity", score(finding.security_severity)
