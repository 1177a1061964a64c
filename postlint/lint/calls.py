"""Calling rules: what they are given, what they say, and that a crash of one stops no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.config.instance import Instance
    from postlint.lint.finding import Finding
    from postlint.lint.rule import Rule, Scope


class Said(NamedTuple):
    """What a rule said: its findings, attributed to it, and the crashes in between."""

    findings: list[Finding]
    crashes: list[str]


def inputs(scope: Scope, instance: Instance, programs: tuple[str, ...] = ()) -> Iterable[object]:
    """What the rules of a scope are called with, one after the other.

    ``programs``: those of services are for one of them; for all services where it is empty.
    """
    match scope:
        case "main_cf":
            return () if instance.main_cf is None else (instance.main_cf,)
        case "master_cf":
            return () if instance.master_cf is None else (instance.master_cf,)
        case "service":
            return instance.services_running(*programs) if programs else instance.services
        case "policy_table":
            return instance.policy_tables
        case "table":
            return (table for table in instance.tables if table.readable)
        case _:
            return (instance,)


def call(rule: Rule, values: Iterable[object]) -> Said:
    """Call a rule with each value. What it found before it crashed counts."""
    findings: list[Finding] = []
    crashes: list[str] = []
    for value in values:
        try:
            for finding in rule.check(value):
                finding.attribute(rule)
                if rule.scope == "service":
                    finding.services = ((value.label, value.location),)  # type: ignore[attr-defined]
                findings.append(finding)
        except Exception as error:
            crashes.append(crash(error))
    return Said(findings, crashes)


def joined(parts: Iterable[Said]) -> Said:
    """What a rule said in several calls."""
    findings: list[Finding] = []
    crashes: list[str] = []
    for part in parts:
        findings += part.findings
        crashes += part.crashes
    return Said(findings, crashes)


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
