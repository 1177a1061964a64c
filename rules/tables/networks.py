"""TBL005: mistakes in CIDR tables."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

from .common import Reporter, limited, quoted
from .types import NO_NETWORK, is_no_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.cidr_table import CidrRule, Shadow

_CLIENTS = frozenset({"client access", "address"})
_IPV6_RULE = LazyPattern(r"^(?:if[ \t]+)?[!\[ \t]*[0-9A-Fa-f]*:", re.MULTILINE | re.IGNORECASE)
_REFUSAL = LazyPattern(r"(?:REJECT|DROP|DEFER|[45][0-9][0-9])\b", re.IGNORECASE)
_SHADOWS = 1000
_IN_PLACE = 300
"""Rules of a table in main.cf that are compared, each with each."""

_SEVERAL = 3
"""Redundant rules that are named one by one."""


@rule("TBL005", severity=Severity.ERROR, tags=("CWE-185",))
def cidr_errors(table: Table) -> Iterator[Finding]:
    """A rule of a CIDR table is skipped or never reached.

    Why: Postfix skips a rule that it can not read and goes on, with a warning in the log: the
        addresses are neither let in nor kept out. Of several networks that hold an address the
        first one in the table counts, so that a wider one above hides the exception below it.
    Fix: Correct the network; put special cases above the network that holds them.
    Bad:
        smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients
        --- clients
        192.0.2.1/24 REJECT
    Good:
        smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients
        --- clients
        192.0.2.0/24 REJECT
    References: cidr_table(5), src/util/cidr_match.c
    """
    if table.type != "cidr":
        return
    from postlint.syntax.cidr_table import shadows

    report = Reporter(table)
    rules = table.networks() if table.cidr is None else table.cidr.odd()
    yield from limited(
        (_skipped(entry, report) for entry in rules if entry.problem is not None),
        "rules are skipped",
    )
    if table.cidr is not None:
        found, number = table.cidr.shadowed(_SHADOWS)
        yield from _shadows(found, number, report)
        yield from _only_ipv4(table, report)
    else:
        few = list(shadows(islice(table.networks(), _IN_PLACE)))
        yield from _shadows(few, len(few), report)


def _only_ipv4(table: Table, report: Reporter) -> Iterator[Finding]:
    """A table that refuses all IPv4 clients that it has not let in, and knows no IPv6."""
    assert table.cidr is not None
    text = table.cidr.source.text
    if "0.0.0.0/0" not in text or not table.purposes <= _CLIENTS or _IPV6_RULE.search(text):
        return
    protocols = {
        element.text.lower() for element in table.instance.main["inet_protocols"].elements()
    }
    if not protocols & {"all", "ipv6"}:
        return
    for entry in table.cidr:
        if str(entry.network) == "0.0.0.0/0" and _REFUSAL.match(entry.value.text):
            message = (
                "this refuses every other IPv4 client, and the table has no rule for IPv6, over"
                " which Postfix takes mail too: ::/0 is missing"
            )
            finding = report.finding(entry.line, message, severity=Severity.INFO)
            if finding is not None:
                yield finding


def _skipped(entry: CidrRule, report: Reporter) -> Finding | None:
    from postlint.syntax.cidr_table import UNCLOSED

    assert entry.problem is not None
    if entry.problem == UNCLOSED:
        message = (
            f"{quoted(entry.line.text)} is never closed by endif: all rules to the end of the"
            " table depend on it"
        )
        return report.finding(entry.line, message)
    if entry.corrected is not None:
        message = (
            f"{quoted(entry.pattern.text)} has address bits behind its prefix, so that Postfix"
            f" skips the rule; the network is {entry.corrected}"
        )
        edit = Edit(entry.pattern.location, entry.corrected)
        fix = Fix(f"write {entry.corrected}", (edit,), "safe")
        return report.finding(entry.pattern, message, fix=fix)
    if entry.problem.startswith(NO_NETWORK) and is_no_network(entry.pattern.text):
        return None  # TBL004
    where = entry.pattern if entry.pattern.text else entry.line
    return report.finding(where, f"Postfix skips this rule: {entry.problem}")


def _shadows(found: list[Shadow], number: int, report: Reporter) -> Iterator[Finding]:
    same = [shadow for shadow in found if shadow.rule.value.text == shadow.cover.value.text]
    other = [shadow for shadow in found if shadow.rule.value.text != shadow.cover.value.text]
    yield from limited((_shadow(shadow, report) for shadow in other), "rules are never looked at")
    if len(same) <= _SEVERAL:
        for shadow in same:
            yield from limited((_shadow(shadow, report, same=True),), "")
        return
    rest = f"{len(same) - 1}{' or more' if number > len(found) else ''} more rules"
    finding = _shadow(same[0], report, same=True)
    if finding is not None:
        finding.message += f"; {rest} of this table say nothing new either"
        yield finding


def _shadow(shadow: Shadow, report: Reporter, *, same: bool = False) -> Finding | None:
    entry, cover = shadow
    place = report.table.locate(cover.line)
    where = f" in line {cover.line.location.start.line}" if cover.line.source.path else ""
    message = f"{entry.network} is never looked at: {cover.network}{where} comes first"
    if same:
        message += " and answers the same"
    return report.finding(
        entry.pattern,
        message,
        severity=Severity.INFO if same else Severity.WARNING,
        related=() if place is None else (Related("the rule that counts", place),),
    )
