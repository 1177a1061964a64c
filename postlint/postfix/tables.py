"""Lookup table types.

Sources: src/util/dict_open.c, src/global/mail_dict.c, DATABASE_README, the man
pages of the types, mail_params.h of every release for their first appearance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = ["TABLE_TYPES", "TableKind", "TableType", "get", "names", "split"]

TableKind = Literal["indexed", "text", "client", "inline", "adapter", "network", "system"]
"""indexed: compiled by postmap or postalias; text: the source is read as it is; client: a
settings file for a database, or a prefix of main.cf names; inline: contents in the name;
adapter: wraps other tables; network: asks a server; system: asks the operating system."""


class TableType(NamedTuple):
    """One ``type`` of ``type:name``; type names are case-sensitive."""

    name: str
    first: str
    """First series; "1.1" also stands for earlier."""
    kind: TableKind
    suffixes: tuple[str, ...] = ()
    """What is appended to the name for the compiled files (indexed only)."""
    needs: str = ""
    """The library that must be compiled in; "" is always there."""
    package: str = ""
    """The extra package of Debian and Red Hat that brings it."""
    patterns: bool = False
    """Keys are patterns: no postmap, no partial keys, the order of rules counts."""
    inline_since: str | None = None
    """``type:{ … }`` with the contents in main.cf from this series on."""
    proxyable: bool = True
    """``proxy:type:name`` makes sense."""
    obsolete: bool = False
    """Only for platforms that are gone."""
    note: str = ""

    @property
    def file_based(self) -> bool:
        """Whether the name is the path of a file that Postfix opens."""
        return self.kind in ("indexed", "text", "client")

    @property
    def compiled(self) -> bool:
        """Whether changes count only after postmap or postalias."""
        return self.kind == "indexed"

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether *version* knows it, given that it is compiled in."""
        return version.at_least(self.first)

    def inline_in(self, version: PostfixVersion) -> bool:
        """Whether *version* reads its contents from ``type:{ … }``."""
        return self.inline_since is not None and version.at_least(self.inline_since)


def _types(*types: TableType) -> dict[str, TableType]:
    return {table.name: table for table in types}


_BERKELEY: Final = "may be missing or redirected to lmdb from 3.11 on (non_bdb_migration_level)"

TABLE_TYPES: Final[dict[str, TableType]] = _types(
    TableType("btree", "1.1", "indexed", (".db",), "Berkeley DB", note=_BERKELEY),
    TableType(
        "cdb",
        "2.2",
        "indexed",
        (".cdb",),
        "CDB",
        "postfix-cdb",
        note="written as a whole, never updated",
    ),
    TableType("cidr", "2.1", "text", patterns=True, inline_since="3.7"),
    TableType("dbm", "1.1", "indexed", (".dir", ".pag"), "NDBM"),
    TableType("debug", "3.11", "adapter", note="debug:type:name logs every lookup"),
    TableType("environ", "1.1", "system", proxyable=False, note="for tests"),
    TableType("fail", "2.9", "inline", note="every lookup fails"),
    TableType("hash", "1.1", "indexed", (".db",), "Berkeley DB", note=_BERKELEY),
    TableType(
        "inline", "3.0", "inline", inline_since="3.0", note="inline:{ key=value, { key = text } }"
    ),
    TableType(
        "internal", "1.1", "system", proxyable=False, note="in memory; not for configuration"
    ),
    TableType("ldap", "1.1", "client", needs="LDAP", package="postfix-ldap"),
    TableType("lmdb", "2.11", "indexed", (".lmdb",), "LMDB", "postfix-lmdb"),
    TableType("memcache", "2.9", "client"),
    TableType("mongodb", "3.9", "client", needs="MongoDB", package="postfix-mongodb"),
    TableType("mysql", "2.1", "client", needs="MySQL or MariaDB", package="postfix-mysql"),
    TableType("netinfo", "1.1", "system", needs="NetInfo", obsolete=True),
    TableType("nis", "1.1", "system", needs="NIS"),
    TableType("nisplus", "1.1", "system", needs="NIS+", obsolete=True),
    TableType(
        "pcre",
        "1.1",
        "text",
        needs="PCRE",
        package="postfix-pcre",
        patterns=True,
        inline_since="3.7",
    ),
    TableType("pgsql", "2.1", "client", needs="PostgreSQL", package="postfix-pgsql"),
    TableType(
        "pipemap", "3.0", "adapter", inline_since="3.0", note="pipemap:{ type:name, type:name }"
    ),
    TableType(
        "proxy", "2.0", "adapter", proxyable=False, note="proxy:type:name asks the proxymap service"
    ),
    TableType("randmap", "3.0", "inline", inline_since="3.0", note="randmap:{ value, value }"),
    TableType("regexp", "1.1", "text", patterns=True, inline_since="3.7"),
    TableType("sdbm", "2.2", "indexed", (".dir", ".pag"), "SDBM", "postfix-sdbm"),
    TableType(
        "socketmap",
        "2.10",
        "network",
        note="socketmap:inet:host:port:name or socketmap:unix:path:name",
    ),
    TableType("sqlite", "2.8", "client", needs="SQLite", package="postfix-sqlite"),
    TableType("static", "1.1", "inline", inline_since="3.0", note="every lookup gives the name"),
    TableType("tcp", "1.1", "network", note="tcp:host:port; experimental"),
    TableType("texthash", "2.8", "text", note="read whole when a program starts"),
    TableType(
        "unionmap", "3.0", "adapter", inline_since="3.0", note="unionmap:{ type:name, type:name }"
    ),
    TableType("unix", "1.1", "system", note="unix:passwd.byname and unix:group.byname"),
)
"""Type name -> type, of any version."""


def get(name: str, version: PostfixVersion | None = None) -> TableType | None:
    """The table type of that name; with *version* only if that version knows it."""
    found = TABLE_TYPES.get(name)
    if found is None or version is None or found.exists_in(version):
        return found
    return None


def names(version: PostfixVersion) -> frozenset[str]:
    """The types that *version* may know, whatever is compiled in."""
    return frozenset(name for name, table in TABLE_TYPES.items() if table.exists_in(version))


def split(text: str) -> tuple[tuple[str, ...], str, str]:
    """Take "proxy:hash:/etc/aliases" apart: (("proxy",), "hash", "/etc/aliases").

    Wrappers are proxy and debug, as postconf skips them; type or name are empty
    where the text lacks them.
    """
    wrappers: list[str] = []
    kind, colon, name = text.partition(":")
    while kind in ("proxy", "debug") and ":" in name:
        wrappers.append(kind)
        kind, colon, name = name.partition(":")
    return (tuple(wrappers), kind, name) if colon else (tuple(wrappers), "", kind)
