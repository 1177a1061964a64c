"""TBL006: mistakes in tables of regular expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.placeholders import is_shell_variable
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

from .common import Reporter, described, limited, quoted, retype, sensitive_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table, TableUse
    from postlint.syntax.regexp_table import PatternRule

_VARIABLE = LazyPattern(r"\$[({]?([A-Za-z_][A-Za-z0-9_]*)")
_PERL_GROUPS = ("(?:", "(?=", "(?!", "(?<", "(?>", "(?i", "(?s", "(?x", "(?m", "(?P", "(?#")


@rule("TBL006", severity=Severity.ERROR, tags=("CWE-185", "CWE-777"))
def regexp_errors(table: Table) -> Iterator[Finding]:
    r"""A rule of a table of regular expressions is skipped, or can not match.

    Why: Postfix skips a rule that it can not read, with nothing but a warning in the log, and the
        rule neither lets in nor keeps out. A regexp table takes POSIX expressions: Perl's \d is
        the letter d to it. An indented line belongs to the line above it, also behind an if.
        For aliases and the mailboxes of virtual(8) no result may have $1 in it: local and virtual
        skip such rules, and the mail bounces.
    Fix: Correct the pattern, and try it with postmap -q; use a pcre table for Perl's syntax.
    Bad:
        header_checks = regexp:/etc/postfix/header_checks
        --- header_checks
        /^Subject: (win/ REJECT
    Good:
        header_checks = regexp:/etc/postfix/header_checks
        --- header_checks
        /^Subject: \(win/ REJECT
    References: regexp_table(5), pcre_table(5), src/util/dict_regexp.c, src/util/dict_pcre.c
    """
    if table.patterns is None:
        return
    report = Reporter(table)
    sensitive = sensitive_use(table)
    rules = table.patterns.odd(references=sensitive is not None)
    found = (_complaint(entry, table, sensitive, report) for entry in rules)
    yield from limited(found, "mistakes in this table")


def _complaint(
    entry: PatternRule, table: Table, sensitive: tuple[TableUse, str] | None, report: Reporter
) -> Finding | None:
    from postlint.syntax import regexp_table as words
    from postlint.syntax.pattern_facts import impossible_part, perl_escape

    if entry.problem == words.UNCLOSED:
        message = (
            f"{quoted(entry.line.text)} is never closed by endif: all rules to the end of the"
            " table depend on it"
        )
        return report.finding(entry.line, message)
    if entry.problem is not None:
        return _skipped(entry, table, report)
    if entry.references and sensitive is not None:
        use, program = sensitive
        message = (
            f"{program} skips this rule: for {described(use)} no result may take over a part of"
            " what a stranger has written"
        )
        return report.finding(entry.value, message)
    perl = perl_escape(entry) if table.dialect == "regexp" else None
    if perl is not None:
        pattern, token = perl
        letter = token.text
        message = (
            f'"\\{letter}" is Perl: in a regexp table it stands for the letter {letter}, so that'
            " the rule does not match what it should"
        )
        fix = retype(table.uses[0], "regexp", "pcre")
        return report.finding(pattern.text.cut(token.start, token.end), message, fix=fix)
    impossible = impossible_part(entry)
    if impossible is not None and not impossible.negated:
        message = (
            f"{quoted(impossible.text.text)} can never match: it wants text before its beginning"
            " (^) or behind its end ($)"
        )
        return report.finding(impossible.text, message, severity=Severity.WARNING)
    if entry.remark == words.TEXT_AFTER_IF:
        message = (
            "this line goes on in the next one, which is indented: the rule in it is not read, and"
            " the condition stays without it"
        )
        return report.finding(entry.line, message)
    if entry.remark == words.TEXT_AFTER_ENDIF:
        return report.finding(
            entry.line, "what stands behind endif is ignored", severity=Severity.WARNING
        )
    if entry.remark == words.NO_RESULT and entry.kind == "match":
        return _without_result(entry, table, report)
    return None


def _skipped(entry: PatternRule, table: Table, report: Reporter) -> Finding | None:
    from postlint.syntax import regexp_table as words

    from .types import is_plain_line

    assert entry.problem is not None
    if is_plain_line(entry):
        return None  # TBL004
    if entry.problem.startswith(words.NOT_NUMERIC) and _has_shell_variable(entry.value.text):
        return None  # for envsubst(1)
    at = entry.at if entry.at is not None and entry.at.text else entry.line
    if entry.problem == words.UNRECOGNIZED:
        return report.finding(entry.line, f"{quoted(entry.line.text)} is no rule: it is skipped")
    message = f"Postfix skips this rule: {entry.problem}"
    fix: Fix | None = None
    if table.dialect == "regexp" and entry.first is not None:
        text = entry.first.text.text
        group = next((group for group in _PERL_GROUPS if group in text), None)
        if group is not None:
            message = f'Postfix skips this rule: "{group}" is Perl, which no regexp table knows'
            fix = retype(table.uses[0], "regexp", "pcre")
    return report.finding(at, message, fix=fix)


def _has_shell_variable(text: str) -> bool:
    return any(is_shell_variable(match[1]) for match in _VARIABLE.finditer(text))


def _without_result(entry: PatternRule, table: Table, report: Reporter) -> Finding | None:
    if table.purposes <= {"addresses", "domains", "names"}:
        return None
    message = "this rule has no result, and an empty one makes the lookup fail"
    if table.purposes <= {"checks"}:
        message = "this rule has no action: the line that it matches is passed with a warning"
    return report.finding(entry.line, message, severity=Severity.WARNING)
