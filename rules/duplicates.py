"""DUP: settings, overrides and services that are given more than once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance

_SECURITY_RELEVANT = re.compile(r"_restrictions$|_tls_|^mynetworks$|^relay_domains$|_sasl_")


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
    for name, entries in instance.assignments.items():
        if len(entries) == 1:
            continue
        last = entries[-1]
        line = last.name.location.start.line
        for entry in entries[:-1]:
            same = entry.value.text == last.value.text
            severity = Severity.INFO if same else Severity.WARNING
            if not same and _SECURITY_RELEVANT.search(name):
                severity = Severity.ERROR
            consequence = "this line says the same" if same else "this line is dead"
            location = Location(entry.line.source, entry.span)
            yield Finding(
                location,
                f"{name} is set {len(entries)} times; only line {line} counts, {consequence}",
                severity=severity,
                parameter=name,
                related=(Related("the line that counts", Location(last.line.source, last.span)),),
                fix=Fix(
                    "delete this line",
                    (delete_lines(location),),
                    "safe" if same else "unsafe",
                ),
            )
