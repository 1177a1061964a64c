"""Printing parameters of main.cf (postconf_main.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.show.origin import origin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.show.engine import Engine, Which
    from postlint.show.names import Node
    from postlint.show.printer import Printer
    from postlint.show.services import Service


class MainPrinter:
    """Prints parameters, as main.cf says or as one service sees them."""

    def __init__(
        self, engine: Engine, printer: Printer, which: Which, service: Service | None = None
    ) -> None:
        self._engine = engine
        self._printer = printer
        self._which: Which = which
        self._service = service

    def print_class(self, classes: int) -> None:
        """All parameters of some classes, sorted by name."""
        table = self._engine.table
        for name in sorted(table):
            node = table[name]
            if node.classes & classes:
                self._print(name, node)

    def print_named(self, names: Sequence[str]) -> None:
        """The parameters of the command line, in its order."""
        for name in names:
            node = self._engine.table.get(name)
            if node is None:
                self._engine.messages.warning(f"{name}: unknown parameter")
            else:
                self._print(name, node)

    def _print(self, name: str, node: Node) -> None:
        engine, printer = self._engine, self._printer
        value = engine.lookup(name, self._service, self._which)
        if value is None:
            return
        if printer.style.expand and not printer.style.hide_value and not node.raw:
            value = engine.expand(value, self._service, self._which)
        printer.value(name, value, origin_of(engine, name, self._service, self._which))
