"""TBL004: tables whose contents are for another type."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

from .client_files import unusable
from .common import Reporter, described, find, quoted, retype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.regexp_table import PatternRule
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import TableEntry

_NETWORK_KEY = LazyPattern(
    r"\[?[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}\]?/[0-9]{1,2}\]?\Z|\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:]*\]?/[0-9]{1,3}\]?\Z"
)
_WILDCARD_KEY = LazyPattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}(?:\.\*)+\Z")
_PATTERN_KEY = LazyPattern(r"!?/(?=.*[\^$*+?|\\()\[\]@]).*/[imsxAEUX]*\Z|\^.*\$\Z")
_CANDIDATE = LazyPattern(
    r"\n(?:!?/|\^|\[?[0-9A-Fa-f.:]*+(?:\]?/|\*))",
)
_HOST_NAME = LazyPattern(r"!?\.?[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*\.?\Z|\S*@\S*\Z")
_PLAIN_LINE = LazyPattern(r"[A-Za-z0-9.@*<_-]\S*[ \t]+\S")

NO_NETWORK = ("bad address", "bad network", "bad mask value")
"""What Postfix says of a rule that may be for another type of table."""

_SEVERAL = 3
"""From so many lines on the table as a whole is of the wrong type."""


@rule("TBL004", severity=Severity.ERROR, tags=("CWE-1287",))
def wrong_table_for_content(table: Table) -> Iterator[Finding]:
    """What a table holds is written for another type of table.

    Why: Every type takes the left-hand side for something else: a hash table finds only the very
        text, a cidr table only networks, a regexp table only patterns between delimiters. The
        entries of the wrong kind are skipped or never match, and what they should have let in or
        kept out goes the other way. A database client wants name = value, and all that its type
        can not do without: otherwise every program that opens the table dies.
    Fix: Name the table with the type that its contents are for, or rewrite the entries.
    Bad:
        smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
        --- senders
        /^bulk@/ REJECT
    Good:
        smtpd_sender_restrictions = check_sender_access regexp:/etc/postfix/senders
        --- senders
        /^bulk@/ REJECT
    References: access(5), cidr_table(5), regexp_table(5), aliases(5), DATABASE_README
    """
    if not table.purposes - {"cache"}:
        return
    useless = list(_by_use(table))
    yield from useless
    if useless:
        return
    if table.dialect is not None:
        yield from _together(table, _plain_lines(table))
    elif table.type == "cidr":
        yield from _together(table, _names_among_networks(table))
    elif table.is_alias_file:
        yield from _together(table, _plain_among_aliases(table))
    elif table.client is not None:
        yield from (item for item in unusable(table, Reporter(table)) if item is not None)
    else:
        yield from _together(table, _foreign_keys(table))
        yield from _together(table, _aliases_among_keys(table))


def _by_use(table: Table) -> Iterator[Finding]:
    """A type that can never match what is looked up."""
    from postlint.config.table_uses import ADDRESS_KEYS, TEXT_KEYS

    for use in table.uses:
        location = use.location
        if location is None or use.piped:
            continue
        text = None
        if table.type == "cidr" and use.purpose not in ADDRESS_KEYS | {"domains"}:
            text = "a cidr table matches nothing but network addresses"
        elif table.indexed is not None and use.purpose in TEXT_KEYS:
            text = f"a {table.type} table finds nothing but the whole text of a line"
        if text is not None:
            yield Finding(
                location,
                f"{table.label} never answers: {described(use)} looks up no such keys, and {text}",
                parameter=use.parameter,
                service=use.service_label,
            )


_Odd = tuple["SourceText", str, str]
"""(where, what is wrong, the type that it is for)."""


def _together(table: Table, found: Iterator[_Odd]) -> Iterator[Finding]:
    """A finding per entry, or one for the table when there are many."""
    report = Reporter(table)
    first = list(islice(found, _SEVERAL))
    number = len(first) + sum(1 for _ in found)
    for text, problem, wanted in first if number <= _SEVERAL else first[:1]:
        message = problem
        if number > _SEVERAL:
            message += f"; so are {number - 1} more entries of {table.label}"
        fix = None
        if wanted and not table.in_place and number == _number_of_entries(table):
            fix = retype(table.uses[0], table.type, wanted)
        finding = report.finding(text, message, fix=fix)
        if finding is not None:
            yield finding


def _number_of_entries(table: Table) -> int:
    """Entries of a small table; -1 for a big one."""
    if table.source is None or len(table.source.text) > 1 << 16:
        return -1
    return sum(1 for _ in table.lines())


def _plain_lines(table: Table) -> Iterator[_Odd]:
    if table.patterns is None:
        return
    for entry in table.patterns.odd(among=_PLAIN_LINE):
        if is_plain_line(entry):
            key = entry.line.cut(0, len(entry.line.text.split(None, 1)[0]))
            yield key, f"{quoted(key.text)} is no pattern: {table.type} skips this line", "hash"


def is_plain_line(entry: PatternRule) -> bool:
    """Whether a line that Postfix skips is a key and a value, and no pattern."""
    from postlint.syntax.regexp_table import UNRECOGNIZED

    if entry.problem is None or not _PLAIN_LINE.match(entry.line.text):
        return False
    if entry.problem == UNRECOGNIZED:
        return True
    unclosed = entry.problem.startswith(("no closing", "unknown regexp option"))
    return unclosed and entry.line.text[0] in "@.*<"


def _names_among_networks(table: Table) -> Iterator[_Odd]:
    for entry in table.networks() if table.cidr is None else table.cidr.odd():
        if entry.problem is None or not entry.problem.startswith(NO_NETWORK):
            continue
        text = entry.pattern.text
        if is_no_network(text):
            pattern = text.startswith("/")
            problem = f"{quoted(text)} is {'a pattern' if pattern else 'a name'}, no network: "
            yield entry.pattern, problem + "cidr skips this line", "pcre" if pattern else ""


def is_no_network(text: str) -> bool:
    """Whether what stands for a network is the key of another type of table."""
    if text.startswith("/"):
        return text.count("/") > 1
    digits = text.replace(".", "").replace("*", "").isdigit()
    return not digits and _HOST_NAME.fullmatch(text) is not None


def _plain_among_aliases(table: Table) -> Iterator[_Odd]:
    from postlint.syntax.aliases import NEED_PAIR

    for alias in table.aliases.unusual() if table.aliases is not None else ():
        if alias.problem == NEED_PAIR and _PLAIN_LINE.match(alias.line.text):
            key = alias.line.cut(0, len(alias.line.text.split(None, 1)[0]))
            problem = f"{quoted(key.text)} has no colon behind it: postalias ignores this line"
            yield key, problem, ""


def _aliases_among_keys(table: Table) -> Iterator[_Odd]:
    if table.indexed is None:
        return
    for entry in table.indexed.odd():
        if entry.remark is not None:
            key = entry.key.text
            problem = f"{quoted(key)} is the key with its colon, which nothing looks up"
            if "aliases" in table.purposes:
                problem += f": {table.type} tables can not be in the format of aliases(5)"
            yield entry.key, problem, ""


def _foreign_keys(table: Table) -> Iterator[_Odd]:
    from postlint.syntax.indexed_table import Search

    if table.purposes <= {"tls policy", "server names"}:
        return
    search = Search(_CANDIDATE.compiled, is_foreign, ("/", "*", "^"))
    for entry in find(table, search):
        key = entry.key.text
        if _PATTERN_KEY.match(key):
            problem = f"{quoted(key)} is a pattern, but a {table.type} table looks for this text"
            yield entry.key, problem, "pcre" if "\\" in key or "?:" in key else "regexp"
        else:
            problem = f"{quoted(key)} is a network, but a {table.type} table looks for this text"
            yield entry.key, problem, "cidr" if _NETWORK_KEY.match(key) else ""


def is_foreign(entry: TableEntry) -> bool:
    """Whether a key is a network or a pattern."""
    key = entry.key.text
    return any(
        pattern.match(key) is not None for pattern in (_NETWORK_KEY, _WILDCARD_KEY, _PATTERN_KEY)
    )
