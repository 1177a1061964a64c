"""DUP001: parameters that main.cf sets more than once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.templates import has_template_marks
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.config.instance import Instance
    from postlint.syntax.main_cf import Assignment
    from postlint.syntax.source import SourceFile

_SECURITY_RELEVANT = LazyPattern(r"_restrictions\Z|_tls_|\Amynetworks\Z|\Arelay_domains\Z|_sasl_")

_BRANCH = LazyPattern(
    r"""^[ \t]*(?:
        \{%[-+]?[ \t]*(?P<jinja>if|elif|else|endif)\b
      | <%[-_]?[ \t]*(?P<erb>if|unless|elsif|else|end|case|when|\})(?![A-Za-z0-9_])
      | \{\{-?[ \t]*(?P<go>if|else|end|with|range)\b
      | <\?(?:php|=)?[ \t]*(?:\}[ \t]*)?(?P<php>
          if|elseif|else|endif|foreach|endforeach|\})(?![A-Za-z0-9_])
      | %[ \t]*(?P<mako>if|elif|else|endif)\b
    )""",
    re.VERBOSE | re.MULTILINE,
)
_OPENING = frozenset({"if", "unless", "case", "with", "range", "foreach"})
_CLOSING = frozenset({"endif", "end", "endforeach", "}"})


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
    branches: _Branches | None = None
    for name, entries in instance.assignments.items():
        if len(entries) == 1 or has_template_marks(name):
            continue
        branches = branches or _Branches(instance.main_cf.source)
        yield from _dead(name, entries, branches)


def _dead(name: str, entries: Sequence[Assignment], branches: _Branches) -> Iterator[Finding]:
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
            relevant = _SECURITY_RELEVANT.search(name)
            severity = Severity.ERROR if relevant else Severity.WARNING
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


class _Branches:
    """Which branches of template conditions the lines of a file are in.

    Two lines are alternatives when their innermost common condition has them in different
    branches, or when one of them is in a condition that the other is outside of.
    """

    __slots__ = ("_marks", "_paths")

    def __init__(self, source: SourceFile) -> None:
        self._marks: list[int] = []
        self._paths: list[tuple[tuple[int, int], ...]] = []
        path: list[tuple[int, int]] = []
        if not any(sign in source.text for sign in ("{%", "<%", "<?", "{{", "\n%")):
            return
        for number, match in enumerate(_BRANCH.finditer(source.text)):
            word = match["jinja"] or match["erb"] or match["go"] or match["php"] or match["mako"]
            if word in _OPENING:
                path.append((number, 0))
            elif word in _CLOSING:
                if path:
                    path.pop()
            elif path:
                path[-1] = (path[-1][0], path[-1][1] + 1)
            self._marks.append(match.start())
            self._paths.append(tuple(path))

    def differ(self, one: Assignment, other: Assignment) -> bool:
        """Whether a template may contain only one of two settings."""
        if not self._marks:
            return False
        return self._path(one.span.start) != self._path(other.span.start)

    def _path(self, offset: int) -> tuple[tuple[int, int], ...]:
        from bisect import bisect_right

        at = bisect_right(self._marks, offset) - 1
        return self._paths[at] if at >= 0 else ()
