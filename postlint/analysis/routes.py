"""Routes: which next hops an SMTP client service is given, as far as settings and tables tell.

The text of a next hop is what policies and passwords are looked up by. A transport of main.cf or
of a table names the service; without a next hop of its own it takes relayhost, or the domain of
the recipient (resolve.c, transport.c).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from postlint.analysis.nexthops import SMTP_PROGRAMS, destination, next_hop
from postlint.config.derived import once
from postlint.config.effective import UNKNOWN, Element
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.nexthops import NextHop
    from postlint.config.instance import Instance
    from postlint.config.lookup_table import Table
    from postlint.config.service import Service
    from postlint.syntax.source import Location

TOO_MANY: Final = 5_000
"""Entries of a table that are looked at; the routes of a longer one are not all known."""

_TABLES: Final = (
    "transport_maps",
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
)
_OWN_TRANSPORTS: Final = (
    "local_transport",
    "mailbox_transport",
    "fallback_transport",
    "virtual_transport",
    "content_filter",
)
_USUALLY_NOT: Final = frozenset({"discard", "error", "local", "retry", "virtual"})


class Route(NamedTuple):
    """A next hop of a service. ``hop`` is None for mail that goes by the recipient's domain.

    ``location``: where the next hop is written; ``parameter``: what it comes from.
    """

    service: str
    hop: NextHop | None
    location: Location | None
    parameter: str


class Routes:
    """The routes of an instance. ``complete``: no other next hops are possible."""

    def __init__(self, instance: Instance) -> None:
        self.complete = True
        self._instance = instance
        self._default: str | None = None
        self.routes = tuple(dict.fromkeys(self._all()))

    def of(self, service: Service) -> tuple[Route, ...]:
        """The routes that lead to a service of master.cf."""
        return tuple(route for route in self.routes if route.service == service.name)

    def _all(self) -> Iterator[Route]:
        main = self._instance.main
        relayhost = main["relayhost"]
        hops = [
            (element, element.location or relayhost.value_location)
            for element in relayhost.elements(braces=False)
        ]
        if relayhost.empty is None:
            self.complete = False
        for name in ("default_transport", "relay_transport"):
            target = destination(main[name])
            if target is None or not target.known:
                self.complete = False
                continue
            place = main[name].value_location
            if name == "default_transport":
                self._default = target.transport
            if target.nexthop.text:
                yield from self._hops(target.transport, target.nexthop.text, place, name)
                continue
            for element, location in hops:
                yield from self._hops(target.transport, element.text, location, "relayhost")
            if not hops:
                yield Route(target.transport, None, place, name)
        for name in _OWN_TRANSPORTS:
            target = destination(main[name])
            if target is None:
                continue
            if UNKNOWN in target.transport:
                self.complete = False
            elif target.nexthop.text:
                place = main[name].value_location
                yield from self._hops(target.transport, target.nexthop.text, place, name)
        for client in self._instance.services_running("smtp"):
            fallback = client["smtp_fallback_relay"]
            self.complete = self.complete and fallback.known
            yield from self._hops(
                client.name, fallback.text, fallback.value_location, fallback.name
            )
        for table in self._instance.tables:
            uses = {use.parameter for use in table.uses}
            for name in _TABLES:
                if name in uses:
                    yield from self._table(table, name)

    def _table(self, table: Table, parameter: str) -> Iterator[Route]:
        entries = list(islice(table.entries(), TOO_MANY + 1)) if table.readable else []
        if not table.readable or table.dialect is not None or len(entries) > TOO_MANY:
            self.complete = False
        for entry in entries[:TOO_MANY]:
            if entry.problem is not None:
                continue
            text = entry.value.text.strip()
            place = entry.value.location
            if parameter == "sender_dependent_relayhost_maps":
                if text != "DUNNO" and self._default is not None:
                    yield from self._hops(self._default, text, place, parameter)
                continue
            transport, _, hop = text.partition(":")
            transport = transport or self._default or ""
            if hop:
                yield from self._hops(transport, hop, place, parameter)
            elif transport:
                yield Route(transport, None, place, parameter)

    def _hops(
        self, transport: str, text: str, place: Location | None, parameter: str
    ) -> Iterator[Route]:
        for start, end in split_list(text, braces=False):
            element = Element(text[start:end], place)
            if not element.known and self._goes_by_smtp(transport):
                self.complete = False
            yield Route(transport, next_hop(element), place, parameter)

    def _goes_by_smtp(self, transport: str) -> bool:
        """Whether a service is an SMTP client; of one that is not there its usual name tells."""
        programs = {item.program for item in self._instance.services if item.name == transport}
        if not programs:
            return transport not in _USUALLY_NOT
        return not SMTP_PROGRAMS.isdisjoint(programs)


@once
def routes_of(instance: Instance) -> Routes:
    """The routes of an instance, found out once."""
    return Routes(instance)
