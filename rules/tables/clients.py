"""TBL013 and TBL014: tables behind a network, and queries of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import listens_on_loopback
from postlint.config.placeholders import has_placeholder
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

from .common import Reporter, described, named_at, quoted, sensitive_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table
    from postlint.syntax.source import SourceText

_SQL = frozenset({"mysql", "pgsql", "sqlite"})
_OWN_DOMAINS = (".local", ".internal", ".lan", ".localdomain", ".home.arpa")
_EXPANSION = LazyPattern(r"%[%sSuUdD1-9]")
_IDENTIFIER = LazyPattern(r"(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+[`\w.]*%[sSuUdD1-9]\Z")
_MONGODB = LazyPattern(r"mongodb://[^/@\s]*+@([^/\s]++)")
_MONGODB_TLS = LazyPattern(r"(?i)[?&](?:tls|ssl)=true")
_OLD_FORM = ("select_field", "table", "where_field")


@rule("TBL013", severity=Severity.WARNING, security=5.9, tags=("CWE-319", "CWE-300"))
def db_config_secrets_network(instance: Instance) -> Iterator[Finding]:
    """A lookup table is asked over the network without encryption.

    Why: The password of the database, and every answer, cross the network as clear text. Who is
        in between reads the one and can change the other: the answers decide where mail goes and
        who may relay. For aliases and the mailboxes of virtual(8) such servers are refused.
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
    for table in instance.tables:
        if table.type in ("memcache", "socketmap", "tcp"):
            yield from _not_trusted(table)
        if table.type in ("socketmap", "tcp"):
            yield from _asked(table)
        elif table.type in _CLIENTS:
            yield from _CLIENTS[table.type](table, _Settings(table))


class _Settings:
    """The settings of a database client, in its file or in main.cf (``ldap:NAME``)."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._client = table.client if table.readable else None

    def get(self, name: str) -> tuple[str, Location] | None:
        """The text of a setting and where it stands; None when it is not there."""
        if self._client is not None:
            setting = self._client.get(name)
            return None if setting is None else (setting.value.text, setting.value.location)
        if self._table.name.startswith("/"):
            return None
        value = self._table.instance.main.get(f"{self._table.name}_{name}")
        if value is None or not value.known or value.value_location is None:
            return None
        return value.text, value.value_location

    def text(self, name: str, default: str = "") -> str:
        """The text of a setting, or its default."""
        found = self.get(name)
        return default if found is None else found[0]

    def has_any(self, prefixes: tuple[str, ...]) -> bool:
        """Whether a setting begins with one of some words."""
        if self._client is not None:
            return any(item.name.text.startswith(prefixes) for item in self._client.settings)
        start = tuple(f"{self._table.name}_{prefix}" for prefix in prefixes)
        return any(name.startswith(start) for name in self._table.instance.settings)


def _not_trusted(table: Table) -> Iterator[Finding]:
    """A server that anybody may be, for what an agent does as root."""
    sensitive = sensitive_use(table)
    if sensitive is None or sensitive[0].location is None or sensitive[0].proxied:
        return
    use, program = sensitive
    assert use.location is not None
    yield Finding(
        use.location,
        f"{program} opens no {table.type} table for {described(use)}, it does not trust what"
        " comes from there: the mail is deferred",
        severity=Severity.ERROR,
        parameter=use.parameter,
        service=use.service_label,
    )


def _asked(table: Table) -> Iterator[Finding]:
    """tcp:host:port and socketmap:inet:host:port:name."""
    use = table.uses[0]
    name = table.name
    if table.type == "socketmap":
        if not name.startswith("inet:"):
            return
        name = name.removeprefix("inet:")
    host = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    reach = _reach(host)
    if reach == "local" or use.location is None:
        return
    yield Finding(
        use.location,
        f"the answers for {described(use)} come from {quoted(host)} in clear text, and anybody on"
        " the way can change them",
        severity=Severity.WARNING if reach == "public" else Severity.INFO,
        security_severity=5.9 if reach == "public" else None,
        parameter=use.parameter,
        service=use.service_label,
    )


def _ldap(table: Table, settings: _Settings) -> Iterator[Finding]:
    server = settings.get("server_host")
    if server is None or not settings.text("bind_pw"):
        return
    if settings.text("start_tls").lower() == "yes":
        return
    if settings.text("bind", "yes").lower() in ("no", "none", "sasl"):
        return
    for host in server[0].replace(",", " ").split():
        scheme, colon, rest = host.partition("://")
        name = (rest if colon else host).rstrip("/").partition(":")[0]
        if (colon and scheme.lower() != "ldap") or has_placeholder(host):
            continue
        message = f"the bind password goes to {quoted(name)} in clear text: start_tls is not on"
        yield from _plain(table, server[1], message, _reach(name))


def _sql(table: Table, settings: _Settings) -> Iterator[Finding]:
    hosts = settings.get("hosts")
    if hosts is None or not settings.text("password") or settings.has_any(("tls_", "option_")):
        return
    for host in hosts[0].replace(",", " ").split():
        if "://" in host or host.startswith(("unix:", "/")) or has_placeholder(host):
            continue  # a connection string says for itself whether it wants TLS
        name = host.removeprefix("inet:")
        name = name[1:].partition("]")[0] if name[:1] == "[" else name.partition(":")[0]
        if table.type == "pgsql":
            message = (
                f"nothing makes the connection to {quoted(name)} encrypted: libpq uses TLS if the"
                " server offers it, and checks no name"
            )
            yield from _plain(
                table, hosts[1], message, "local" if _reach(name) == "local" else "private"
            )
        else:
            message = (
                f"login and answers of {quoted(name)} go in clear text: no tls_ setting is there"
            )
            yield from _plain(table, hosts[1], message, _reach(name))


def _mongodb(table: Table, settings: _Settings) -> Iterator[Finding]:
    uri = settings.get("uri")
    match = None if uri is None or has_placeholder(uri[0]) else _MONGODB.match(uri[0])
    if uri is None or match is None or _MONGODB_TLS.search(uri[0]):
        return
    for host in match[1].split(","):
        name = host[1:].partition("]")[0] if host[:1] == "[" else host.partition(":")[0]
        message = f"the password goes to {quoted(name)} without TLS: the URI has no tls=true"
        yield from _plain(table, uri[1], message, _reach(name))


def _memcache(table: Table, settings: _Settings) -> Iterator[Finding]:
    server = settings.get("memcache")
    if server is None or not server[0].startswith("inet:") or has_placeholder(server[0]):
        return
    host = server[0].removeprefix("inet:")
    name = host[1:].partition("]")[0] if host[:1] == "[" else host.rpartition(":")[0]
    message = (
        f"the answers come from {quoted(name)} in clear text, and anybody can write them there"
    )
    yield from _plain(table, server[1], message, _reach(name))


_CLIENTS = {
    "ldap": _ldap,
    "memcache": _memcache,
    "mongodb": _mongodb,
    "mysql": _sql,
    "pgsql": _sql,
}


def _plain(table: Table, location: Location, message: str, reach: str) -> Iterator[Finding]:
    if reach != "local":
        yield Finding(
            location,
            message,
            severity=Severity.WARNING if reach == "public" else Severity.INFO,
            security_severity=5.9 if reach == "public" else None,
            parameter=table.uses[0].parameter,
            related=named_at(table),
        )


def _reach(host: str) -> str:
    """How far a host is: ``local``, ``private`` (a network of one's own) or ``public``.

    A name without a dot is that of a container, or of this host.
    """
    if not host or listens_on_loopback(host) or ("." not in host and ":" not in host):
        return "local"
    from ipaddress import ip_address

    try:
        return "private" if ip_address(host).is_private else "public"
    except ValueError:
        return "private" if host.endswith(_OWN_DOMAINS) else "public"


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
        problem = None if match[0] == "%%" else _unquoted(text, match.start(), table.type)
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
