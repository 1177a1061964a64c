"""TBL007: regular expressions that match more names than they name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from postlint.analysis.access_results import parse_access_result
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.syntax.pattern_facts import matches_everything
from postlint.syntax.patterns import LazyPattern

from .common import Reporter, limited, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.pattern import PatternToken
    from postlint.syntax.regexp_table import PatternRule

    from .common import Late

_DOMAIN = LazyPattern(r"[A-Za-z0-9-]+\.[A-Za-z]{2,}")
_ACCESS = frozenset({"client access", "mail access", "name access", "server access"})
_LISTS = frozenset({"addresses", "address", "domains", "names"})
_NAMES = (
    _ACCESS
    | _LISTS
    | {
        "bcc",
        "generic",
        "login owners",
        "mailbox",
        "passwords",
        "recipients",
        "relocated",
        "rewrite",
        "sender route",
        "transport",
        "virtual alias",
    }
)

_ESCAPED = r"\\[^A-Za-z0-9\n\0]"
_PLAIN = rf"[^\\|.\n/()\[*+?$\0]++|{_ESCAPED}"
_GROUP = rf"\((?!\?)(?:[^\\\n/()\[\0]++|{_ESCAPED})*\)"
_SOME = rf"(?:[^\\|\n/()\[$\0]++|{_ESCAPED}|{_GROUP})*\$"
_HARMLESS = "|".join(
    (
        rf"\^(?:{_PLAIN})*\$",
        rf"\^?[A-Za-z0-9@_-](?:[^\\.\n/\0]++|{_ESCAPED})*",  # no dot, no domain
        rf"\^(?:{_PLAIN}|\.)*(?:[*+?]|{_GROUP}){_SOME}",  # no plain name
        rf"\(\^\|(?:[^\\\n/()\[\0]++|{_ESCAPED})*\){_SOME}",
    )
)
_DOMAIN_WITHIN = LazyPattern(r"[A-Za-z0-9-]\\?\.(?:\\?[A-Za-z]){2}")
"""A domain, as it may be written where there are no groups."""

_NOT_PLAIN = LazyPattern(r"(?:[^\\([{*+?|]|\\[^sSwWdDbB])*+(?:[([{*+?|]|\\[sSwWdDbB])")
"""More than a name, in the pattern of an ordinary rule."""

_CANDIDATE = LazyPattern(
    rf"\n(?=[^ \t\v\f\r\n#])(?!/(?!\^?\.[*+]\??\$?/)(?:{_HARMLESS})/i?(?:[ \t\n]|\Z))"
)
"""Any rule but those whose pattern is anchored, or names no domain, as can be seen."""


@rule("TBL007", severity=Severity.WARNING, security=5.4, tags=("CWE-777", "CWE-625"))
def unanchored_regexp(table: Table) -> Iterator[Finding]:
    r"""A pattern for a domain or address also matches names that only contain it.

    Why: A regular expression matches anywhere in the text unless ^ and $ hold it, and a dot
        stands for any character unless a backslash precedes it. Who registers a name that
        contains the one that is let in is let in too.
    Fix: Anchor the pattern at both ends and escape the dots: (^|\.)example\.com$ for a domain
        with its subdomains, ^user@example\.com$ for an address.
    Bad:
        smtpd_client_restrictions = check_client_access regexp:/etc/postfix/clients
        --- clients
        /example.com/ OK
    Good:
        smtpd_client_restrictions = check_client_access regexp:/etc/postfix/clients
        --- clients
        /(^|\.)example\.com$/ OK
    References: regexp_table(5), pcre_table(5), access(5)
    """
    if table.patterns is None or not table.purposes & _NAMES:
        return
    report = Reporter(table)
    found = (_complaint(entry, table, report) for entry in table.patterns.find(_CANDIDATE))
    yield from limited(found, "patterns of this table are not anchored")


def _complaint(entry: PatternRule, table: Table, report: Reporter) -> Finding | Late | None:
    if entry.problem is not None or entry.kind != "match" or entry.first is None:
        return None
    part = entry.first
    if part.negated or part.pattern is None or entry.second is not None or "A" in part.flags:
        return None
    ordinary = part.pattern.ordinary
    if ordinary and _names_no_domain(part.text.text):
        return None
    lets_in = _lets_in(entry, table)
    if lets_in and not table.purposes & {"names", "domains"} and matches_everything(entry):
        return _everything(entry, table, report)
    if ordinary and not lets_in and _NOT_PLAIN.match(part.text.text) is not None:
        return None
    tokens = [token for token in part.pattern.tokens if token.kind != "ignored"]
    plain = all(token.kind in ("literal", "any", "begin", "end") for token in tokens)
    if not (lets_in or plain) or _DOMAIN.search(_rendered(tokens)) is None:
        return None
    alternatives = part.pattern.alternatives
    open_start = not all(map(_holds_start, alternatives))
    open_end = not all(map(_holds_end, alternatives))
    if not (open_start or open_end):
        loose = any(token.kind == "any" for token in tokens) and plain and lets_in
        return partial(_loose, entry, tokens, report) if loose else None
    plain_tokens = tokens if plain else None
    return partial(_open, entry, plain_tokens, report, (open_start, open_end), lets_in=lets_in)


def _loose(entry: PatternRule, tokens: list[PatternToken], report: Reporter) -> Finding | None:
    assert entry.first is not None
    text = entry.first.text
    message = f"a dot in {quoted(text.text)} stands for any character: write \\."
    return report.finding(text, message, severity=Severity.INFO, fix=_fix(entry, tokens))


def _open(
    entry: PatternRule,
    tokens: list[PatternToken] | None,
    report: Reporter,
    ends: tuple[bool, bool],
    *,
    lets_in: bool,
) -> Finding | None:
    """``tokens``: those of a plain name; ``ends``: whether it is open where it begins and ends."""
    assert entry.first is not None
    text = entry.first.text
    side = "at either end" if all(ends) else "at its beginning" if ends[0] else "at its end"
    message = f"{quoted(text.text)} is not anchored {side}: it matches every name that contains it"
    if lets_in:
        message += f", and {_consequence(report.table)}"
    return report.finding(
        text,
        message,
        severity=Severity.WARNING if lets_in else Severity.INFO,
        security_severity=5.4 if lets_in else None,
        fix=None if tokens is None else _fix(entry, tokens),
    )


def _names_no_domain(text: str) -> bool:
    """Whether that is sure of the pattern of an ordinary rule."""
    return "." not in text or ("(" not in text and _DOMAIN_WITHIN.search(text) is None)


def _everything(entry: PatternRule, table: Table, report: Reporter) -> Finding | None:
    assert entry.first is not None
    trusted = bool(table.purposes & {"address", "addresses"})
    message = (
        f"{quoted(entry.first.text.text)} matches everything, and"
        f" {'trusts every client' if trusted else 'lets in all that no rule above it names'}"
    )
    severity = Severity.WARNING if trusted else Severity.INFO
    return report.finding(entry.first.text, message, severity=severity)


def _consequence(table: Table) -> str:
    return "lets in" if table.purposes & _ACCESS else "trusts them"


def _lets_in(entry: PatternRule, table: Table) -> bool:
    """Whether a match opens something."""
    if table.purposes & _LISTS:
        return True
    if not table.purposes & _ACCESS:
        return False
    value = entry.value.text
    if parse_access_result(value, table.instance.version).kind == "permit":
        return True
    return value.lower().startswith(("permit", "redirect"))


def _rendered(tokens: list[PatternToken]) -> str:
    """The pattern as a name, as far as it is one."""
    return "".join(
        token.text if token.kind == "literal" else "." if token.kind == "any" else " "
        for token in tokens
        if token.kind not in ("open", "close")
    )


def _holds_start(tokens: list[PatternToken]) -> bool:
    """Whether an alternative can match at a certain place only: the start, or behind @ or a dot."""
    if not tokens or tokens[0].kind in ("begin", "boundary"):
        return True
    if tokens[0].kind == "literal" and tokens[0].text in "@.<[":
        return not _optional(tokens, 1)
    if tokens[0].kind == "open":
        inside = tokens[: _group_end(tokens)]
        return any(
            token.kind == "begin" or (token.kind == "literal" and token.text in "@.")
            for token in inside
        )
    return False


def _holds_end(tokens: list[PatternToken]) -> bool:
    if not tokens or tokens[-1].kind in ("end", "boundary"):
        return True
    if tokens[-1].kind == "literal" and tokens[-1].text in "@>]":
        return True
    if tokens[-1].kind == "close":
        depth = 0
        for token in reversed(tokens):
            depth += (token.kind == "close") - (token.kind == "open")
            if token.kind == "end":
                return True
            if not depth:
                break
    return False


def _optional(tokens: list[PatternToken], at: int) -> bool:
    return at < len(tokens) and tokens[at].kind == "repeat" and tokens[at].text[0] in "*?"


def _group_end(tokens: list[PatternToken]) -> int:
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.kind == "open") - (token.kind == "close")
        if not depth:
            return at
    return len(tokens)


def _fix(entry: PatternRule, tokens: list[PatternToken]) -> Fix | None:
    """Hold a pattern that is nothing but a name at both ends."""
    assert entry.first is not None
    part = entry.first
    name = "".join(
        "." if token.kind == "any" else token.text
        for token in tokens
        if token.kind in ("literal", "any")
    )
    if (
        part.delimiter in name
        or not name.replace(".", "").replace("-", "").replace("@", "").isalnum()
    ):
        return None
    escaped = name.replace(".", "\\.")
    start = "^" if "@" in name.strip("@") else "(^|\\.)"
    if name.startswith((".", "@")):
        start = ""
    end = "" if name.endswith("@") else "$"
    text = f"{start}{escaped}{end}"
    return Fix(f"write {text}", (Edit(part.text.location, text),), "unsafe")
