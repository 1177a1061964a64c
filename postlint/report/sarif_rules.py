"""Rules as SARIF reporting descriptors, within GitHub's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postlint.lint.finding import Severity
from postlint.report import details, links
from postlint.report.sarif_text import code_block, markdown, pascal_case, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.lint.rule import Documentation, Example, Rule

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

_PROBLEM_SEVERITIES = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "recommendation",
}
_MOST_TAGS = 20
_PRECISION = "high"
"""Rules report only what is certain; what can not be known is left alone."""


def descriptor(rule: Rule) -> dict[str, Any]:
    """One element of ``tool.driver.rules``."""
    documentation = details.documentation(rule)
    summary = rule.summary or rule.name
    full = f"{summary} {documentation.why}" if documentation else summary
    properties: dict[str, Any] = {
        "tags": tags(rule),
        "precision": _PRECISION,
        "problem.severity": _PROBLEM_SEVERITIES[rule.severity],
    }
    if rule.security_severity is not None:
        properties["security-severity"] = score(rule.security_severity)
    return {
        "id": rule.code,
        "name": pascal_case(rule.name),
        "shortDescription": {"text": plain(summary)},
        "fullDescription": {"text": plain(full)},
        "help": _help(rule, summary, documentation),
        "helpUri": links.rule_page(rule.code),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": properties,
    }


def score(security_severity: float | None) -> str:
    """A security severity as GitHub reads it: a string."""
    return f"{security_severity or 0:.1f}"


def tags(rule: Rule) -> list[str]:
    """``security`` first, then the family: GitHub shows ten and accepts twenty."""
    found = ["security"] if rule.security_severity is not None else []
    found += [rule.family, *(_tag(tag) for tag in rule.tags)]
    return list(dict.fromkeys(found))[:_MOST_TAGS]


def _tag(tag: str) -> str:
    # The spelling that GitHub recognises as a weakness and links.
    return f"external/cwe/{tag.lower()}" if tag.startswith("CWE-") else tag


def _help(rule: Rule, summary: str, documentation: Documentation | None) -> dict[str, str]:
    page = links.rule_page(rule.code)
    if documentation is None:
        return {"text": plain(summary), "markdown": markdown(summary)}
    references = ", ".join(documentation.references)
    text = [
        summary,
        f"Why: {documentation.why}",
        f"Fix: {documentation.fix}",
        f"References: {references}",
        page,
    ]
    formatted = [
        f"**{markdown(summary)}**",
        f"**Why:** {markdown(documentation.why)}",
        f"**Fix:** {markdown(documentation.fix)}",
        *_example("Bad", documentation.bad),
        *_example("Good", documentation.good),
        f"**References:** {markdown(references)}",
        f"[{rule.code} {rule.name}]({page})",
    ]
    return {"text": "\n".join(text), "markdown": "\n\n".join(formatted)}


def _example(title: str, example: Example) -> Iterable[str]:
    version = f" (Postfix {example.version})" if example.version else ""
    for name, content in example.files.items():
        yield f"**{title}**, {markdown(name)}{version}:"
        yield code_block(content)
