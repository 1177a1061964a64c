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

    from postlint.config.lookup_table import Table
    from postlint.syntax.pattern import PatternToken
    from postlint.syntax.regexp_table import PatternRule, PatternText

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
    if table.dialect is None:
        return
    report = Reporter(table)
    found = (_complaint(entry, table, report) for entry in table.patterns())
    yield from limited(found, "mistakes in this table")


def _complaint(entry: PatternRule, table: Table, report: Reporter) -> Finding | None:
    from postlint.syntax import regexp_table as words

    if entry.problem == words.UNCLOSED:
        message = (
            f"{quoted(entry.line.text)} is never closed by endif: all rules to the end of the"
            " table depend on it"
        )
        return report.finding(entry.line, message)
    if entry.problem is not None:
        return _skipped(entry, table, report)
    sensitive = sensitive_use(table) if entry.references else None
    if sensitive is not None:
        use, program = sensitive
        message = (
            f"{program} skips this rule: for {described(use)} no result may take over a part of"
            " what a stranger has written"
        )
        return report.finding(entry.value, message)
    perl = _perl_escape(entry, table)
    if perl is not None:
        pattern, token = perl
        letter = token.text
        message = (
            f'"\\{letter}" is Perl: in a regexp table it stands for the letter {letter}, so that'
            " the rule does not match what it should"
        )
        fix = retype(table.uses[0], "regexp", "pcre")
        return report.finding(pattern.text.cut(token.start, token.end), message, fix=fix)
    impossible = next(
        (part for part in (entry.first, entry.second) if part is not None and _impossible(part)),
        None,
    )
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


def _perl_escape(entry: PatternRule, table: Table) -> tuple[PatternText, PatternToken] | None:
    """An escape that means a class in Perl and a letter in POSIX."""
    if table.dialect != "regexp":
        return None
    for part in (entry.first, entry.second):
        for token in part.pattern.tokens if part is not None and part.pattern is not None else ():
            escaped = token.kind == "literal" and token.end - token.start == 2
            if escaped and token.text in "dDhHvVRnrtfAzZQEKpPxu":
                return part, token  # type: ignore[return-value]
    return None


def _impossible(part: PatternText) -> bool:
    """Whether a pattern wants text where there is none, whatever it is matched with."""
    if part.pattern is None or part.pattern.error is not None or "m" in part.flags:
        return False
    if any(token.kind == "ignored" and "m" in token.text for token in part.pattern.tokens):
        return False
    alternatives = part.pattern.alternatives
    return bool(alternatives) and all(_is_impossible(tokens) for tokens in alternatives)


def _is_impossible(tokens: list[PatternToken]) -> bool:
    depth = 0
    wanted = ended = False
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind in ("open", "close"):
            depth += 1 if token.kind == "open" else -1
        if depth or token.kind == "close":
            continue
        optional = (
            following is not None and following.kind == "repeat" and following.text[0] in "*?{"
        )
        if token.kind == "begin" and wanted:
            return True
        if token.kind == "end":
            ended = True
        elif token.kind in ("literal", "any", "set", "class") and not optional:
            if ended and token.text not in ("\n", "\r"):
                return True
            wanted = True
    return False
