"""TBL013 and TBL014: tables behind a network, and queries of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import listens_on_loopback
from postlint.config.placeholders import has_placeholder
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.service_parameters import DATABASE_SUFFIXES
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

from .common import Reporter, described, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.lookup_table import Table
    from postlint.syntax.source import SourceText

_SQL = frozenset({"mysql", "pgsql", "sqlite"})
_PRIVATE_SOCKET = ("unix:", "/", "ldapi:", "inet:localhost", "inet:127.", "localhost")
_EXPANSION = LazyPattern(r"%[sSuUdD1-9]")
_DOUBLE_QUOTED = LazyPattern(r'"[^"\']*%[sSuUdD1-9][^"\']*"')
_IDENTIFIER = LazyPattern(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+[`\w.]*%[sSuUdD1-9]", 2)
_OLD_FORM = ("select_field", "table", "where_field")


@rule("TBL013", severity=Severity.WARNING, security=5.9, tags=("CWE-319", "CWE-300"))
def db_config_secrets_network(table: Table) -> Iterator[Finding]:
    """A lookup table is asked over the network without encryption.

    Why: The password of the database, and every answer, cross the network as clear text. Who is
        in between reads the one and can change the other: the answers decide where mail goes and
        who may relay.
    Fix: Use start_tls or ldaps: for LDAP, the TLS settings of the client for SQL, and a local
        replica or tunnel for tcp: and socketmap:.
    Bad:
        virtual_alias_maps = ldap:/etc/postfix/aliases.cf
        --- aliases.cf
        server_host = ldap://ldap.example.com
        bind_dn = cn=postfix
        bind_pw = secret
    Good:
        virtual_alias_maps = ldap:/etc/postfix/aliases.cf
        --- aliases.cf
        server_host = ldap://ldap.example.com
        start_tls = yes
        bind_dn = cn=postfix
        bind_pw = secret
    References: ldap_table(5), mysql_table(5), pgsql_table(5), tcp_table(5), socketmap_table(5)
    """
    if table.client is None:
        return
    report = Reporter(table)
    if table.type == "ldap":
        yield from _ldap(table, report)
    elif table.type in ("mysql", "pgsql"):
        yield from _sql(table, report)


def _ldap(table: Table, report: Reporter) -> Iterator[Finding]:
    client = table.client
    assert client is not None
    server = client.get("server_host")
    if server is None or not client.text("bind_pw") or client.text("start_tls").lower() == "yes":
        return
    if client.text("bind", "yes").lower() in ("no", "none", "sasl"):
        return
    for host in server.value.text.replace(",", " ").split():
        scheme, colon, rest = host.partition("://")
        name = (rest if colon else host).partition(":")[0].rstrip("/")
        if (colon and scheme.lower() != "ldap") or _is_local(name) or has_placeholder(host):
            continue
        message = f"the bind password goes to {quoted(name)} in clear text: start_tls is not on"
        finding = report.finding(server.value, message, security_severity=5.9)
        if finding is not None:
            yield finding
        return


def _sql(table: Table, report: Reporter) -> Iterator[Finding]:
    client = table.client
    assert client is not None
    hosts = client.get("hosts")
    if hosts is None or not client.text("password"):
        return
    if any(name.name.text.startswith(("tls_", "option_")) for name in client.settings):
        return
    for host in hosts.value.text.replace(",", " ").split():
        if "://" in host:  # a connection string says for itself whether it wants TLS
            return
        name = host.removeprefix("inet:")
        name = name.partition("]")[0].lstrip("[") if name[:1] == "[" else name.partition(":")[0]
        if host.startswith(_PRIVATE_SOCKET) or _is_local(name) or has_placeholder(host):
            continue
        if table.type == "pgsql":
            message = (
                f"nothing makes the connection to {quoted(name)} encrypted: libpq uses TLS if the"
                " server offers it, and checks no name"
            )
            severity = Severity.INFO
        else:
            message = (
                f"login and answers of {quoted(name)} go in clear text: no tls_ setting is there"
            )
            severity = Severity.WARNING
        finding = report.finding(
            hosts.value,
            message,
            severity=severity,
            security_severity=5.9 if severity is Severity.WARNING else None,
        )
        if finding is not None:
            yield finding
        return


def _is_local(name: str) -> bool:
    """Whether a host is this one, or one that only a container network has."""
    return not name or listens_on_loopback(name) or "." not in name.strip("[]")


@rule("TBL014", severity=Severity.WARNING, security=5.4, tags=("CWE-89",))
def sql_injection_quoting(table: Table) -> Iterator[Finding]:
    """A query puts the text of an address where the database does not expect text.

    Why: Postfix escapes what it puts in for %s, so that it can stand between single quotes. In
        double quotes SQL takes it for the name of a column (sqlite for either, as it sees fit),
        without quotes or as the name of a table for SQL. Addresses come from strangers.
    Fix: Write '%s' with single quotes.
    Bad:
        virtual_alias_maps = sqlite:/etc/postfix/aliases.cf
        --- aliases.cf
        dbpath = /var/lib/mail/aliases.db
        query = SELECT goto FROM alias WHERE address = "%s"
    Good:
        virtual_alias_maps = sqlite:/etc/postfix/aliases.cf
        --- aliases.cf
        dbpath = /var/lib/mail/aliases.db
        query = SELECT goto FROM alias WHERE address = '%s'
    References: mysql_table(5), pgsql_table(5), sqlite_table(5), CWE-89
    """
    client = table.client
    if client is None or table.type not in _SQL:
        return
    report = Reporter(table)
    query = client.get("query")
    if query is None:
        yield from _old_form(table, report)
        return
    text = query.value.text
    if has_placeholder(text):
        return
    for match in _EXPANSION.finditer(text):
        problem = _unquoted(text, match.start(), table.type)
        if problem is None:
            continue
        message, severity = problem
        fix = _requoted(query.value, match.start()) if '"' in message else None
        finding = report.finding(
            query.value.cut(match.start(), match.end()),
            message,
            severity=severity,
            security_severity=5.4 if severity is Severity.WARNING else None,
            fix=fix,
        )
        if finding is not None:
            yield finding


def _unquoted(text: str, at: int, kind: str) -> tuple[str, Severity] | None:
    """Why an expansion is not safely quoted; None if it is."""
    quote = _quote_at(text, at)
    expansion = text[at : at + 2]
    if quote == "'":
        return None
    if quote == '"':
        if kind == "mysql":  # a string there, unless ANSI_QUOTES is on
            message = f'"{expansion}" stands in double quotes, which are for strings in MySQL only'
            return message, Severity.INFO
        return (
            f'"{expansion}" stands in double quotes, which are for names in SQL',
            Severity.WARNING,
        )
    if quote == "`":
        return f"{expansion} is put into the name of a table or column", Severity.WARNING
    if _IDENTIFIER.search(text[: at + 2]):
        return f"{expansion} is put into the name of a table", Severity.WARNING
    return f"{expansion} stands without quotes", Severity.WARNING


def _quote_at(text: str, at: int) -> str:
    """The quotes that are open at a place; "" for none."""
    quote = ""
    index = 0
    while index < at:
        character = text[index]
        if character == "\\" and quote:
            index += 1
        elif not quote and character in "'\"`":
            quote = character
        elif character == quote:
            quote = ""
        index += 1
    return quote


def _requoted(value: SourceText, at: int) -> Fix | None:
    text = value.text
    start = text.rfind('"', 0, at)
    end = text.find('"', at)
    if start < 0 or end < 0 or "'" in text[start:end]:
        return None
    edits = [
        Edit(Location(value.source, Span(offset, offset + 1)), "'")
        for offset in (value.source_offset(start), value.source_offset(end))
    ]
    return Fix("use single quotes", edits, "unsafe")


def _old_form(table: Table, report: Reporter) -> Iterator[Finding]:
    client = table.client
    assert client is not None
    if table.type == "sqlite" or not all(client.get(name) for name in _OLD_FORM):
        return
    setting = client.get("select_field")
    assert setting is not None
    message = "select_field, table and where_field are the old form: query says the same, and more"
    finding = report.finding(setting.name, message, severity=Severity.INFO)
    if finding is not None:
        yield finding
