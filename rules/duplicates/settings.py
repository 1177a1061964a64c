"""DUP001: parameters that main.cf sets more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.shapes import guards
from postlint.analysis.templates import has_template_marks
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.analysis.branches import Branches
    from postlint.config.instance import Instance
    from postlint.syntax.main_cf import Assignment


@rule("DUP001", severity=Severity.WARNING, tags=("CWE-694",))
def duplicate_parameter(instance: Instance) -> Iterator[Finding]:
    """A parameter is set more than once in main.cf.

    Why: Postfix takes the last line and says so only in a warning that nobody sees. Whoever
        reads or edits the earlier line is deceived.
    Fix: Keep one line. If both values were meant, join them in it.
    Bad:
        smtpd_tls_mandatory_protocols = TLSv1, SSLv3
        smtpd_tls_mandatory_protocols = !SSLv2
    Good:
        smtpd_tls_mandatory_protocols = >=TLSv1.2
    References: postconf(5), src/util/dict.c
    """
    if instance.main_cf is None:
        return
    branches: Branches | None = None
    for name, entries in instance.assignments.items():
        if len(entries) == 1 or has_template_marks(name):
            continue
        if branches is None:
            from postlint.analysis.branches import Branches

            branches = Branches(instance.main_cf.source)
        yield from _dead(name, entries, branches)


def _dead(name: str, entries: Sequence[Assignment], branches: Branches) -> Iterator[Finding]:
    last = entries[-1]
    line = last.name.location.start.line
    winner = Related("the line that counts", Location(last.line.source, last.span))
    times = "twice" if len(entries) == 2 else f"{len(entries)} times"
    for entry in entries[:-1]:
        location = Location(entry.line.source, entry.span)
        same = entry.value.text == last.value.text
        alternative = branches.differ(entry, last)
        if alternative:
            severity = Severity.INFO
            consequence = f"unless the template chooses one of them, only line {line} counts"
        elif same:
            severity = Severity.INFO
            consequence = f"this line says the same as line {line}"
        else:
            severity = Severity.ERROR if guards(name) else Severity.WARNING
            consequence = f"only line {line} counts, {_shown(entry)} is dead"
        fix = None
        if not alternative:
            edits = (delete_lines(location),)
            fix = Fix("delete this line", edits, "safe" if same else "unsafe")
        yield Finding(
            location,
            f"{name} is set {times}: {consequence}",
            severity=severity,
            parameter=name,
            related=(winner,),
            fix=fix,
        )


def _shown(entry: Assignment) -> str:
    text = " ".join(entry.value.text.split())
    if not text:
        return "this empty value"
    return f'"{text}"' if len(text) <= 40 else f'"{text[:39]}…"'
