"""TBL009: keys and patterns that stand in a table more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

from .common import LIMIT, Reporter, limited, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.regexp_table import PatternRule
    from postlint.syntax.source import SourceText


@rule("TBL009", severity=Severity.WARNING, tags=("CWE-694", "CWE-561"))
def duplicate_keys(table: Table) -> Iterator[Finding]:
    """A key or a pattern stands in a table more than once.

    Why: postmap keeps the first of equal keys, whatever their case, and warns of the others; an
        inline table keeps the last. In a table of patterns the first that matches decides. The
        other entry is dead, and one who changes it changes nothing.
    Fix: Delete the entry that does not count, or correct its key.
    Bad:
        virtual_alias_maps = hash:/etc/postfix/virtual
        --- virtual
        info@example.com alice
        Info@example.com bob
    Good:
        virtual_alias_maps = hash:/etc/postfix/virtual
        --- virtual
        info@example.com alice, bob
    References: postmap(1), regexp_table(5), pcre_table(5), DATABASE_README
    """
    if table.purposes & {"tls policy"}:
        return  # POL005
    report = Reporter(table)
    if table.dialect is not None:
        yield from _patterns(table, report)
    elif table.is_alias_file:
        yield from limited(_aliases(table, report), "names stand above already")
    elif table.indexed is not None:
        found, number = table.indexed.duplicates(LIMIT + 1)
        for at, (first, again) in enumerate(found):
            finding = _repeated(report, first.line, again.line, again.key, first.value, again.value)
            if finding is not None and at == LIMIT:
                finding.message = f"{number - LIMIT} more keys stand above already"
            if finding is not None:
                yield finding
    elif table.type == "inline":
        yield from _inline(table, report)


def _repeated(
    report: Reporter,
    first: SourceText,
    again: SourceText,
    key: SourceText,
    value: SourceText,
    value_again: SourceText,
) -> Finding | None:
    from postlint.config.table_uses import ONLY_KEYS

    same = value.text == value_again.text or report.table.purposes <= ONLY_KEYS
    line = first.location.start.line
    if same:
        message = f"{quoted(key.text)} stands in line {line} already"
    else:
        message = (
            f"{quoted(key.text)} stands in line {line} already, with another result: only that"
            " one counts"
        )
    fix = Fix("delete this entry", (delete_lines(again.location),), "safe") if same else None
    return report.finding(
        key,
        message,
        severity=Severity.WARNING if same else Severity.ERROR,
        related=(Related("the entry that counts", first.location),),
        fix=fix,
    )


def _aliases(table: Table, report: Reporter) -> Iterator[Finding | None]:
    assert table.aliases is not None
    found, number = table.aliases.duplicates(LIMIT + 1)
    for at, (first, again) in enumerate(found):
        finding = _repeated(report, first.line, again.line, again.name, first.value, again.value)
        if finding is not None and at == LIMIT and number > LIMIT + 1:
            finding.message = f"{number - LIMIT} more names stand above already from here on"
            finding.related, finding.fix = (), None
        yield finding


def _inline(table: Table, report: Reporter) -> Iterator[Finding]:
    last = {entry.key.text.lower(): entry for entry in table.entries()}
    for entry in table.entries():
        counts = last[entry.key.text.lower()]
        if counts.key.span != entry.key.span and counts.value.text != entry.value.text:
            message = (
                f"{quoted(entry.key.text)} comes again with another result, and the last one counts"
            )
            finding = report.finding(entry.key, message, severity=Severity.ERROR)
            if finding is not None:
                yield finding


def _patterns(table: Table, report: Reporter) -> Iterator[Finding]:
    assert table.patterns is not None
    found, number = table.patterns.repeated(LIMIT + 1)
    for at, (above, again, behind_everything) in enumerate(found):
        judge = _behind_everything if behind_everything else _same_pattern
        finding = judge(again, above, report)
        if finding is not None and at == LIMIT and number > LIMIT + 1:
            finding.message = f"{number - LIMIT} more patterns stand above already from here on"
            finding.related = ()
        if finding is not None:
            yield finding


def _same_pattern(entry: PatternRule, above: PatternRule, report: Reporter) -> Finding | None:
    assert entry.first is not None
    same = entry.value.text == above.value.text
    text = quoted(entry.first.text.text)
    message = f"the pattern {text} stands above already"
    if above.line.source.path:
        message = f"the pattern {text} stands in line {above.line.location.start.line} already"
    if not same:
        message += ", with another result: only that one counts"
    return report.finding(
        entry.first.text, message, severity=Severity.INFO if same else Severity.WARNING
    )


def _behind_everything(
    entry: PatternRule, everything: PatternRule, report: Reporter
) -> Finding | None:
    assert entry.first is not None
    line = everything.line.location.start.line
    where = f" in line {line}" if everything.line.source.path else ""
    message = f"this rule and those below it are never reached: the one{where} matches everything"
    return report.finding(entry.first.text, message)
