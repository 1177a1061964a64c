"""Which transports settings and lookup tables send mail to, for MST011."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from postlint.analysis.nexthops import destination
from postlint.config.derived import once
from postlint.config.placeholders import has_placeholder
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table
    from postlint.lint.finding import Location
    from postlint.syntax.source import SourceText

_SINGLE = (
    "mailbox_transport",
    "fallback_transport",
    "address_verify_default_transport",
    "address_verify_local_transport",
    "address_verify_relay_transport",
    "address_verify_virtual_transport",
)
_BY_CLASS = {
    "local_transport": "mydestination",
    "relay_transport": "relay_domains",
    "virtual_transport": "virtual_mailbox_domains",
}
_TRANSPORT_MAPS = "transport_maps"
"""The end of the names of all parameters whose tables hold ``transport:nexthop``."""

_FILTERED_BY = frozenset(
    {
        "body_checks",
        "header_checks",
        "milter_header_checks",
        "mime_header_checks",
        "nested_header_checks",
    }
)
"""Message checks of cleanup(8), which knows FILTER; those of smtp(8) do not."""

_FILTER = LazyPattern(r"[Ff][Ii][Ll][Tt][Ee][Rr][ \t]+(?=[^\s:]+:)")
_FILTERS = LazyPattern(r"\n[^\n]*?[Ff][Ii][Ll][Tt][Ee][Rr][ \t]")
_TRANSPORT = LazyPattern(r"[^\s:$\[\]/@]+(?=:)")

_TABLE_LIMIT = 100_000
"""Entries of a table that are looked at."""


class Destined(NamedTuple):
    """Mail that goes to a transport: what sends it there, and where that is written.

    ``parameter`` is the one that says so; None for a table.
    """

    transport: str
    reason: str
    location: Location | None
    parameter: str | None = None


@once
def transports_of(instance: Instance) -> tuple[Destined, ...]:
    """The transports that the settings and the readable tables of an instance name."""
    return tuple(_transports(instance))


def _transports(instance: Instance) -> Iterator[Destined]:
    main = instance.main
    if instance.main_cf is None:
        return
    yield from _named(main["default_transport"])
    for parameter, domains in _BY_CLASS.items():
        of_others = domains == "relay_domains" and not main[domains].explicit
        if main[domains].empty is False and not of_others:
            yield from _named(main[parameter], main[domains])
    for parameter in _SINGLE:
        if main[parameter].explicit:
            yield from _named(main[parameter])
    yield from _named(main["content_filter"])
    for service in instance.services:
        if service.overrides("content_filter"):
            yield from _named(service["content_filter"])
    for table in instance.tables:
        yield from _in_table(table)


def _named(value: Effective, cause: Effective | None = None) -> Iterator[Destined]:
    """The transport of a value; a default counts from where ``cause`` is set."""
    target = destination(value)
    if target is None or not target.transport or not target.known:
        return
    location = target.element.location or value.value_location
    parameter = value.name
    if location is None and cause is not None:
        location, parameter = cause.value_location, cause.name
    reason = f"mail that {value.name} sends there stays in the queue"
    yield Destined(target.transport, reason, location, parameter)


def _in_table(table: Table) -> Iterator[Destined]:
    routes = any(use.parameter.endswith(_TRANSPORT_MAPS) for use in table.uses)
    filters = any(
        use.parameter in _FILTERED_BY or use.purpose.endswith(" access") for use in table.uses
    )
    if not (routes or filters) or not table.readable:
        return
    first: dict[str, tuple[str, SourceText]] = {}
    counts: dict[str, int] = {}
    for key, value in islice(_results(table, filters=filters), _TABLE_LIMIT):
        text = value.text
        start = 0
        if filters:
            action = _FILTER.match(text)
            if action is None:
                continue
            start = action.end()
        transport = _TRANSPORT.match(text, start)
        if transport is not None and not has_placeholder(text):
            name = transport[0]
            counts[name] = counts.get(name, 0) + 1
            first.setdefault(name, (key, value.cut(start, transport.end())))
    for name, (key, where) in first.items():
        more = "" if counts[name] == 1 else f" and {counts[name] - 1} more"
        about = f"mail for {key}{more}" if key else "mail that this table sends there"
        yield Destined(name, f"{about} stays in the queue", table.locate(where))


def _results(table: Table, *, filters: bool) -> Iterator[tuple[str, SourceText]]:
    """What the table answers, with the key where it is not a pattern."""
    if table.patterns is not None:
        rules = table.patterns.find(_FILTERS, "filter") if filters else table.patterns
        for rule in rules:
            if rule.problem is None and rule.kind == "match":
                yield "", rule.value
    elif table.type == "cidr":
        for network in table.networks():
            if network.problem is None and network.kind == "match":
                yield "", network.value
    else:
        for entry in table.entries():
            if entry.problem is None:
                yield entry.key.text, entry.value
