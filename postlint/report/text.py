"""Plain text: one line per finding, for pipes, files and grep."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from postlint.lint.finding import Severity
from postlint.report.details import message
from postlint.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.lint.finding import Finding
    from postlint.lint.result import Result
    from postlint.lint.rule import Rule
    from postlint.report.formats import Options


def render(result: Result, options: Options) -> str:
    """Findings, a blank line, the summary; then the statistics when they are asked for."""
    lines = [] if options.quiet else [finding_line(finding) for finding in result.findings]
    if lines:
        lines.append("")
    lines.append(summary_line(result))
    if options.statistics and result.findings:
        lines += ["", *_statistics_lines(result)]
    return "\n".join(lines) + "\n"


def finding_line(finding: Finding) -> str:
    """``path:line:column: CODE severity message [services]``, always one physical line."""
    line, column = finding.location.start
    services = ", ".join(name for name, _ in finding.services)
    text = f"{finding.location.path}:{line}:{column}: {finding.code} {finding.severity.label} "
    text += message(finding)
    return visible(f"{text} [{services}]" if services else text)


def summary_line(result: Result) -> str:
    """What was found, in one sentence."""
    counts = [
        count_of(result.count(Severity.ERROR), "error"),
        count_of(result.count(Severity.WARNING), "warning"),
        count_of(result.count(Severity.INFO), "info", "info"),
    ]
    found = ", ".join(text for text in counts if not text.startswith("0 "))
    suppressed = f" ({len(result.suppressed)} suppressed)" if result.suppressed else ""
    files = count_of(result.file_count, "file")
    return f"{f'Found {found}' if found else 'No problems found'} in {files}{suppressed}."


def count_of(count: int, singular: str, plural: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def statistics(result: Result) -> Iterator[tuple[int, Rule]]:
    """How many findings each rule has, the most frequent first."""
    rules = {finding.code: finding.rule for finding in result.findings}
    counts = Counter(finding.code for finding in result.findings)
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield count, rules[code]


def _statistics_lines(result: Result) -> Iterator[str]:
    rows = list(statistics(result))
    width = len(str(rows[0][0]))
    code_width = max(len(rule.code) for _, rule in rows)
    for count, rule in rows:
        yield f"{count:>{width}}  {rule.code:<{code_width}}  {rule.name}"


def notification_lines(result: Result) -> list[str]:
    """What the command line prints on standard error about the run itself."""
    return [
        visible(": ".join(part for part in ("postlint", note.path, note.message) if part))
        for note in result.notifications
    ]
