"""The exposure of installations as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postlint.report.escape import visible
from postlint.report.exposure_words import (
    auth_phrases,
    cipher_phrases,
    destination_phrases,
    endpoint,
    hop_name,
    relay_phrases,
    tls_phrases,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from postlint.analysis.exposure import ServiceExposure
    from postlint.config.instance import Instance
    from postlint.report.exposure_words import Phrase

NARROW: Final = 72
"""Columns below which lines are easier to read than a table."""

WIDE: Final = 120
"""Columns from which the longest restriction has room."""

_STYLES: Final = {"good": "green", "plain": "", "doubtful": "yellow", "bad": "bold red"}


def as_table(
    found: Iterable[tuple[Instance, Sequence[ServiceExposure]]], *, width: int, color: bool
) -> str:
    """A table of servers and one of clients for every installation."""
    from rich.text import Text

    from postlint.report.screen import Screen

    screen = Screen(width=max(width, NARROW), color=color)
    console = screen.console
    for number, (instance, services) in enumerate(found):
        if number:
            console.print()
        title = f"{visible(instance.path)} (Postfix {instance.version})"
        console.print(Text(title, style="bold"))
        servers = [item for item in services if item.relay is not None or not _is_client(item)]
        clients = [item for item in services if _is_client(item)]
        if servers:
            console.print(_servers(servers, instance.path, console.width))
        if clients:
            console.print(_clients(clients))
        if servers or clients:
            console.print("Ciphers are those of TLS 1.2 and older; TLS 1.3 has good ones only.")
    return screen.text()


def _is_client(item: ServiceExposure) -> bool:
    return item.service.program in ("smtp", "lmtp")


def _servers(services: Sequence[ServiceExposure], folder: str, width: int) -> Table:
    table = _table("server", "TLS", "ciphers", "AUTH", "relay for strangers")
    if width >= WIDE:  # "by reject_unauth_destination" on one line
        table.columns[-1].min_width = 28
    for item in services:
        table.add_row(
            _name([item], endpoint(item)),
            _cell(tls_phrases(item.tls, folder)),
            _cell(cipher_phrases(item.tls)),
            _cell(auth_phrases(item.auth)),
            _cell(relay_phrases(item.relay, folder)),
        )
        table.add_section()
    return table


def _clients(services: Sequence[ServiceExposure]) -> Table:
    table = _table("client", "next hop", "TLS", "ciphers")
    alike: dict[tuple[object, ...], tuple[list[ServiceExposure], list[tuple[str, Text, Text]]]] = {}
    for item in services:
        rows = list(_client_rows(item))
        key = (item.service.program, *(tuple(map(str, row)) for row in rows))
        alike.setdefault(key, ([], rows))[0].append(item)
    for items, rows in alike.values():
        name = _name(items, "")
        for hop, tls, ciphers in rows:
            table.add_row(name, hop, tls, ciphers)
            name = None
        table.add_section()
    return table


def _client_rows(item: ServiceExposure) -> Iterator[tuple[str, Text, Text]]:
    """Next hop, TLS and ciphers."""
    for hop in item.destinations:
        yield hop_name(hop), _cell(destination_phrases(hop)), _cell(cipher_phrases(hop.tls))
    if not item.destinations:
        yield "none known", _cell(tls_phrases(item.tls)), _cell(cipher_phrases(item.tls))


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.HORIZONTALS, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", min_width=8)
    return table


def _name(items: Sequence[ServiceExposure], endpoint_text: str) -> Text | None:
    """The services that a row is about, and their program."""
    from rich.text import Text

    labels = "\n".join(visible(item.service.label) for item in items)
    text = Text(labels, style="bold")
    text.append(f"\n{items[0].service.program}", style="not bold")
    if endpoint_text:
        text.append(f"\n{endpoint_text}", style="not bold")
    return text


def _cell(phrases: Iterator[Phrase]) -> Text:
    from rich.text import Text

    cell = Text()
    for number, phrase in enumerate(phrases):
        cell.append(f"{chr(10) if number else ''}{phrase.text}", style=_STYLES[phrase.mood])
    return cell
