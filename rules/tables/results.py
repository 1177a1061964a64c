"""TBL010: results that Postfix takes for something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.nexthops import next_hop
from postlint.config.effective import Element
from postlint.config.placeholders import has_placeholder
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

from .common import Reporter, find, limited, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.aliases import Alias
    from postlint.syntax.indexed_table import Search
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import TableEntry

_ADDRESSES = frozenset({"generic", "rewrite", "virtual alias"})
_WITH_TEXT = frozenset({"discard", "error", "retry"})
"""Transports whose next hop is a text for people."""

_ONE_ADDRESS = frozenset({"generic", "rewrite"})
_DOMAIN = LazyPattern(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}\Z")
_KNOWN_DOMAIN = LazyPattern(
    r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:com|edu|example|gov|info|mil|net|org)\Z"
)
"""What nobody takes for the name of a user (``john.doe`` is one)."""

_HOST = LazyPattern(r"\[|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\Z")
_COMMENT = LazyPattern(r"(?:\A|[ \t])#")

_ENTRY = r"\n[^ \t\v\f\r\n#][^ \t\v\f\r\n]*+[ \t\v\f\r]++"
_NEXT_HOP = r"(?:\[[A-Za-z0-9.-]++\]|[A-Za-z0-9.-]++)(?::[A-Za-z0-9-]*+)?+"
_COMMENTED = LazyPattern(rf"{_ENTRY}(?:[^\n]*?[ \t])?#")
_NO_COLON = LazyPattern(rf"{_ENTRY}[^:\n]*+(?=\n|\Z)")
_ODD_ROUTE = LazyPattern(rf"{_ENTRY}(?![A-Za-z0-9_-]*+:(?:{_NEXT_HOP})?+[ \t\r]*+(?=\n|\Z))")
_CATCH_ALL = LazyPattern(r"\n@")
_SEVERAL = LazyPattern(rf"{_ENTRY}[^ \t\v\f\r\n,]++[ \t,]++[^ \t\r\n]")
_ANY = LazyPattern(_ENTRY)


@rule("TBL010", severity=Severity.ERROR, tags=("CWE-1287",))
def result_hazards(table: Table) -> Iterator[Finding]:
    """The result of a lookup means something else than it seems to.

    Why: What stands behind the key is the result, to the end of the line: there are no comments
        in it. Each kind of table wants its own form: transport:nexthop, login:password,
        addresses, a path below the mailbox base. Anything else is taken for one of those, and
        mail is deferred or goes to an address that nobody meant.
    Fix: Write the result in the form that the parameter's manual page gives.
    Bad:
        transport_maps = hash:/etc/postfix/transport
        --- transport
        example.com mail.example.org
    Good:
        transport_maps = hash:/etc/postfix/transport
        --- transport
        example.com smtp:[mail.example.org]
    References: transport(5), virtual(5), canonical(5), generic(5), aliases(5), postconf(5)
    """
    report = Reporter(table)
    if table.is_alias_file:
        yield from limited(_aliases(table, report), "results hold a comment")
        return
    if any(use.piped for use in table.uses):
        return
    for purpose in sorted(table.purposes):
        for search, judge in _checks(table, purpose, report):
            found = (judge(entry) for entry in find(table, search))
            yield from limited(found, "results like this one")


_Check = tuple["Search", "Callable[[TableEntry], Finding | None]"]


def _checks(table: Table, purpose: str, report: Reporter) -> Iterator[_Check]:
    """What to look for among the results of a table of one purpose."""
    from postlint.syntax.indexed_table import Search

    parameters = {use.parameter for use in table.uses if use.purpose == purpose}
    if purpose in _ADDRESSES:
        yield (
            Search(_COMMENTED.compiled, _has_comment, (" #", "\t#")),
            lambda entry: _comment(entry.value, report, "an address"),
        )
        yield (
            Search(_CATCH_ALL.compiled, _is_domain_for_domain, ("\n@",)),
            lambda entry: _domain_without_at(entry, report),
        )
        yield (
            Search(_SEVERAL.compiled, _is_read),
            lambda entry: _domain_among_addresses(entry, report),
        )
    if purpose in _ONE_ADDRESS:
        yield Search(_SEVERAL.compiled, _has_several), lambda entry: _several(entry, report)
    if purpose == "transport" or any("transport_maps" in name for name in parameters):
        yield Search(_ODD_ROUTE.compiled, _is_read), lambda entry: _route(entry, table, report)
    elif purpose == "sender route":
        yield Search(_ANY.compiled, _is_read), lambda entry: _next_hop(entry.value, report)
    if purpose == "passwords":
        yield Search(_NO_COLON.compiled, _lacks_colon), lambda entry: _password(entry, report)
        yield (
            Search(_COMMENTED.compiled, _has_comment, (" #", "\t#")),
            lambda entry: _password_comment(entry, report),
        )
    if "virtual_mailbox_maps" in parameters:
        base = _mailbox_base(table)
        if base:
            candidate = re.compile(rf"{_ENTRY}(?:/|[^\n]*(?:\.\.|[ \t]#))")
            search = Search(candidate, _is_read, ("..", " #", "\t#", " /", "\t/"))
            yield search, lambda entry: _mailbox(entry, base, report)
    if parameters & {"virtual_uid_maps", "virtual_gid_maps"}:
        candidate = re.compile(rf"{_ENTRY}(?![0-9]++[ \t\r]*+(?=\n|\Z))")
        yield Search(candidate, _is_read), lambda entry: _number(entry, report)


def _is_read(entry: TableEntry) -> bool:
    return entry.problem is None and not has_placeholder(entry.value.text)


def _has_comment(entry: TableEntry) -> bool:
    return _is_read(entry) and _COMMENT.search(entry.value.text) is not None


def _comment(value: SourceText, report: Reporter, what: str) -> Finding | None:
    match = _COMMENT.search(value.text)
    assert match is not None
    start = value.text.index("#", match.start())
    comment = value.cut(start, len(value.text))
    fix = None
    if start and "\n" not in value.source.text[value.span.start : value.span.end]:
        kept = value.text[:start].rstrip(" \t,")
        end = value.span.start + len(kept)
        edit = Edit(Location(value.source, Span(end, value.span.end)), "")
        fix = Fix("delete the comment", (edit,), "unsafe")
    message = (
        f"{quoted(comment.text)} is no comment: there are none behind text, and every word of it"
        f" is {what}"
    )
    return report.finding(comment, message, fix=fix)


def _is_domain_for_domain(entry: TableEntry) -> bool:
    return _is_read(entry) and entry.key.text[:1] == "@" and bool(_DOMAIN.match(entry.value.text))


def _domain_without_at(entry: TableEntry, report: Reporter) -> Finding | None:
    value = entry.value
    message = (
        f"{quoted(value.text)} is taken for a user of that name; to keep the user and change the"
        f" domain it must be @{value.text}"
    )
    fix = Fix(f"write @{value.text}", (Edit(value.location, f"@{value.text}"),), "unsafe")
    return report.finding(value, message, fix=fix)


def _domain_among_addresses(entry: TableEntry, report: Reporter) -> Finding | None:
    """A domain beside addresses: ``user@example.com example.org``."""
    words = list(_words(entry.value.text))
    texts = [entry.value.text[start:end] for start, end in words]
    if len(texts) < 2 or not any("@" in text for text in texts):
        return None
    for (start, end), text in zip(words, texts, strict=True):
        if _KNOWN_DOMAIN.match(text):
            message = f"{quoted(text)} is taken for a user of that name beside the other addresses"
            return report.finding(entry.value.cut(start, end), message, severity=Severity.WARNING)
    return None


def _has_several(entry: TableEntry) -> bool:
    text = entry.value.text
    if not _is_read(entry) or any(mark in text for mark in '"(<#\\'):
        return False
    return len(text.replace(",", " ").split()) > 1


def _several(entry: TableEntry, report: Reporter) -> Finding | None:
    message = (
        f"{quoted(entry.value.text)} is more than one address; here an address is replaced by one,"
        " and Postfix takes the first"
    )
    return report.finding(entry.value, message, severity=Severity.WARNING)


def _route(entry: TableEntry, table: Table, report: Reporter) -> Finding | None:
    """``transport:nexthop``."""
    value = entry.value
    text = value.text
    transport, colon, rest = text.partition(":")
    if _COMMENT.search(text) and transport not in _WITH_TEXT:
        return _comment(value, report, "part of the next hop")
    if colon and "[" not in transport:
        if not _runs_smtp(transport, table) or not rest:
            return None
        return _next_hop(value.cut(len(transport) + 1, len(text)), report)
    instance = table.instance
    known = {service.name for service in instance.services if service.type == "unix"}
    if text in known or (not _HOST.match(text) and not instance.whole_master_cf):
        return None
    fix = None
    if _HOST.match(text):
        fix = Fix(f"write smtp:{text}", (Edit(value.location, f"smtp:{text}"),), "unsafe")
    message = (
        f"{quoted(text)} has no colon, so that it is a transport; no service has that name, and"
        " the mail is deferred"
    )
    return report.finding(value, message, fix=fix)


def _runs_smtp(transport: str, table: Table) -> bool:
    if not transport:
        return False
    programs = {
        service.program
        for service in table.instance.services
        if service.name == transport and service.type == "unix"
    }
    if programs:
        return programs <= {"smtp", "lmtp"}
    return transport in ("smtp", "relay") and not table.instance.whole_master_cf


def _next_hop(value: SourceText, report: Reporter) -> Finding | None:
    if not value.text or value.text.upper() == "DUNNO":
        return None
    for start, end in _words(value.text):
        word = value.cut(start, end)
        if word.text.startswith(("unix:", "inet:")):
            continue
        hop = next_hop(Element(word.text, None))
        if hop.problem is not None:
            message = (
                f"{quoted(word.text)} is no host that the SMTP client can read ({hop.problem}): the"
                " mail is deferred"
            )
            return report.finding(word, message)
    return None


def _words(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^ \t,]+", text):
        yield match.span()


def _lacks_colon(entry: TableEntry) -> bool:
    return entry.problem is None and ":" not in entry.value.text and _is_read(entry)


def _password(entry: TableEntry, report: Reporter) -> Finding | None:
    message = (
        "there is no colon between login and password in this result: all of it is a login with"
        " an empty password"
    )
    return report.finding(entry.key, message)


def _password_comment(entry: TableEntry, report: Reporter) -> Finding | None:
    message = (
        "what looks like a comment is a part of the password: there are no comments behind text"
    )
    return report.finding(entry.key, message)


def _mailbox_base(table: Table) -> str:
    """What virtual(8) puts before every mailbox; empty where it does not deliver."""
    main = table.instance.main
    if main["virtual_transport"].word() not in ("virtual", "virtual:"):
        return ""
    base = main["virtual_mailbox_base"]
    return base.text.rstrip("/") if base.known else ""


def _mailbox(entry: TableEntry, base: str, report: Reporter) -> Finding | None:
    path = entry.value.text
    if path.startswith(f"{base}/"):
        message = (
            f"{quoted(path)} is put behind virtual_mailbox_base, which it begins with: the mailbox"
            f" is {quoted(f'{base}/{path}')}"
        )
        edit = Edit(entry.value.location, path.removeprefix(f"{base}/"))
        return report.finding(
            entry.value, message, fix=Fix("leave the base out", (edit,), "unsafe")
        )
    if ".." in path.split("/"):
        return report.finding(entry.value, f"{quoted(path)} leads out of virtual_mailbox_base")
    if _COMMENT.search(path):
        return _comment(entry.value, report, "part of the path")
    if path.startswith("/"):
        message = (
            f"{quoted(path)} is no absolute path: it is put behind virtual_mailbox_base, and the"
            f" mailbox is {quoted(base + path)}"
        )
        return report.finding(entry.value, message, severity=Severity.WARNING)
    return None


def _number(entry: TableEntry, report: Reporter) -> Finding | None:
    message = f"{quoted(entry.value.text)} is no number: virtual(8) defers the mail"
    return report.finding(entry.value, message)


def _aliases(table: Table, report: Reporter) -> Iterator[Finding | None]:
    for alias in table.aliases.unusual() if table.aliases is not None else ():
        if alias.problem is None and "#" in alias.value.text:
            yield _alias_comment(alias, report)


def _alias_comment(alias: Alias, report: Reporter) -> Finding | None:
    comment = next((target for target in alias.targets() if target.name.startswith("#")), None)
    if comment is None or comment.kind != "address":
        return None
    start = alias.value.text.find("#")
    return _comment(alias.value.cut(start, len(alias.value.text)), report, "an address")
