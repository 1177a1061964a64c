"""LNT: suppression comments that hide nothing or name nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.lint.suppression import Suppressions


@rule("LNT001", severity=Severity.WARNING)
def unused_suppression(suppressions: Suppressions) -> Iterator[Finding]:
    """A suppression comment hides no finding.

    Why: The problem is gone, or the comment stands in the wrong place. Left behind, it will
        hide the next problem of this kind without anybody having decided so.
    Fix: Delete the comment, or the code in it that is not needed.
    Bad:
        # postlint: ignore[DUP001] both are meant
        myhostname = mx.example.com
    Good:
        # postlint: ignore[DUP001] the second is for the migration
        myhostname = mx.example.com
        myhostname = mx2.example.com
    References: postlint check
    """
    for comment, word, location in suppressions.unused():
        where = "in this file" if comment.scope is None else "on the next line"
        yield Finding(location, f"suppression of {word} is not needed: nothing to hide {where}")


@rule("LNT002", severity=Severity.WARNING)
def unknown_suppression(suppressions: Suppressions) -> Iterator[Finding]:
    """A suppression comment names no rule.

    Why: A misspelt code hides nothing, and a comment without codes would hide everything;
        postlint takes neither.
    Fix: Name the codes in square brackets, as the findings print them.
    Bad:
        # postlint: ignore[DUB001]
        myhostname = mx.example.com
    Good:
        # the name that the MX record gives
        myhostname = mx.example.com
    References: postlint rules
    """
    for _, word, location in suppressions.unknown():
        if word:
            yield Finding(location, f'suppression of "{word}": there is no such rule')
        else:
            yield Finding(location, "suppression without codes: write ignore[CODE, …]")
