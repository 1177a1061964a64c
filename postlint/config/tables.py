"""Lookup tables that settings name, and the TLS policy tables among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.table import Policy, TableEntry, parse_policy, read_indexed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective, Element
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.syntax.source import SourceFile

INDEXED_TYPES = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm", "texthash"})
"""Types whose source is a postmap(1) file of the same name."""

POLICY_PARAMETERS = ("smtp_tls_policy_maps", "lmtp_tls_policy_maps")


class TableReference(NamedTuple):
    """``type:name``, the ``proxy:`` before it taken off."""

    type: str
    name: str
    element: Element
    proxied: bool


def table_reference(element: Element) -> TableReference | None:
    """Read ``type:name``; None for anything else and for what is not known."""
    text = element.text
    proxied = text.startswith("proxy:")
    kind, colon, name = text.removeprefix("proxy:").partition(":")
    if not colon or not kind or not name or not element.known:
        return None
    return TableReference(kind, name, element, proxied)


def table_references(value: Effective) -> Iterator[TableReference]:
    """The tables of a maps-type value, in their order."""
    for element in value.elements():
        reference = table_reference(element)
        if reference is not None:
            yield reference


class PolicyTable:
    """A TLS policy table whose source can be read.

    ``services`` are the clients that look it up; ``parameter`` the one that names it. ``inline``
    are the entries of a table that stands in a setting itself; ``source`` is that of the setting.
    """

    __slots__ = ("inline", "instance", "parameter", "reference", "services", "source")

    def __init__(
        self,
        instance: Instance,
        parameter: str,
        reference: TableReference,
        source: SourceFile,
        services: tuple[Service, ...],
        inline: tuple[TableEntry, ...] | None = None,
    ) -> None:
        self.instance = instance
        self.parameter = parameter
        self.reference = reference
        self.source = source
        self.services = services
        self.inline = inline

    def entries(self) -> Iterator[TableEntry]:
        """The entries in their order, streamed."""
        if self.inline is not None:
            return iter(self.inline)
        return read_indexed(self.source, quoted_keys=self.instance.version >= (3, 2))

    def policies(self) -> Iterator[tuple[TableEntry, Policy]]:
        """The entries with their right-hand sides read as smtp(8) does."""
        braces = self.instance.version >= (3, 10)
        for entry in self.entries():
            if entry.problem is None:
                yield entry, parse_policy(entry.value, braces=braces)


def policy_tables(instance: Instance) -> list[PolicyTable]:
    """The readable TLS policy tables of an instance, each file once."""
    found: dict[str, tuple[str, TableReference, list[Service]]] = {}
    for service in instance.services:
        if service.program not in ("smtp", "lmtp"):
            continue
        parameter = f"{service.program}_tls_policy_maps"
        for reference in table_references(service[parameter]):
            if reference.type in INDEXED_TYPES or reference.type == "inline":
                found.setdefault(reference.name, (parameter, reference, []))[2].append(service)
    tables = []
    for name, (parameter, reference, services) in found.items():
        if reference.type == "inline":
            table = _inline(instance, parameter, reference, tuple(services))
            tables += [] if table is None else [table]
            continue
        source = instance.files.read(name)
        if source is not None:
            tables.append(PolicyTable(instance, parameter, reference, source, tuple(services)))
    return tables


def _inline(
    instance: Instance, parameter: str, reference: TableReference, services: tuple[Service, ...]
) -> PolicyTable | None:
    """A policy table in a setting; None where its text is put together from others."""
    for table in instance.tables_named("inline", reference.name):
        if table.text is not None:
            source = table.text.source
            entries = tuple(entry for entry in table.entries() if entry.value.source.path)
            return PolicyTable(instance, parameter, reference, source, services, entries)
    return None
