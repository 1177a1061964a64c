"""JSON, version 1: the contract is findings.schema.json beside this module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from postlint.lint.finding import Severity
from postlint.report import details, links, redact
from postlint.version import VERSION

if TYPE_CHECKING:
    from postlint.lint.finding import Finding, Fix, Location
    from postlint.lint.result import InstanceSummary, Notification, Result
    from postlint.report.formats import Options
    from postlint.syntax.source import Position

FORMAT_VERSION = 1


def render(result: Result, _options: Options | None = None) -> str:
    """ASCII only: undecodable bytes appear as the escaped lone surrogates that carry them."""
    return json.dumps(document(result), indent=2) + "\n"


def document(result: Result) -> dict[str, Any]:
    """The report as JSON values, keys in the order of the contract."""
    return {
        "version": FORMAT_VERSION,
        "postlint": VERSION,
        "instances": [_instance(instance) for instance in result.instances],
        "findings": [_finding(finding) for finding in result.findings],
        "summary": {
            "error": result.count(Severity.ERROR),
            "warning": result.count(Severity.WARNING),
            "info": result.count(Severity.INFO),
            "files": result.file_count,
            "suppressed": len(result.suppressed),
        },
        "notifications": [_notification(note) for note in result.notifications],
    }


def _instance(instance: InstanceSummary) -> dict[str, Any]:
    return {
        "path": instance.path,
        "main_cf": instance.main_cf,
        "master_cf": instance.master_cf,
        "postfix_version": instance.postfix_version,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.label,
        "security_severity": finding.security_severity,
        "message": details.message(finding),
        **_range(finding.location),
        "parameter": finding.parameter,
        "service": finding.service,
        "related": [
            {"message": place.message, **_range(place.location)}
            for place in details.related(finding)
        ],
        "fix": None if finding.fix is None else _fix(finding, finding.fix),
        "help": links.rule_page(finding.code),
        "fingerprint": details.fingerprint(finding),
    }


def _fix(finding: Finding, fix: Fix) -> dict[str, Any]:
    # A fix that would print a secret keeps its description only; --fix still applies it.
    printable = not any(redact.edit_has_secret(edit) for edit in fix.edits)
    return {
        "applicability": fix.applicability,
        "message": details.fix_message(finding, fix),
        "edits": [{**_range(edit.location), "text": edit.text} for edit in fix.edits if printable],
    }


def _range(location: Location) -> dict[str, Any]:
    return {
        "path": location.path,
        "start": _position(location.start),
        "end": _position(location.end),
    }


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}


def _notification(note: Notification) -> dict[str, Any]:
    return {
        "kind": note.kind,
        "level": note.level,
        "message": note.message,
        "path": note.path,
        "rule": note.rule.code if note.rule else None,
    }
