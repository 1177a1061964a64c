"""Plain files that match lists name: ``mynetworks = /etc/postfix/networks`` (match_list.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.effective import UNKNOWN
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.syntax.source import Location


class ListFile(NamedTuple):
    """One place that names a file of patterns. ``service``: that of an override."""

    name: str
    value: Effective
    location: Location
    service: Service | None

    @property
    def parameter(self) -> str:
        return self.value.name


def list_files(instance: Instance) -> Iterator[ListFile]:
    """The files of patterns that settings name, in the order of the parameters."""
    from postlint.config.table_uses import MATCH_LISTS, values_of

    for value, service in values_of(instance, MATCH_LISTS):
        for element in value.elements():
            name = element.text.lstrip("!")
            location = element.location or value.value_location
            if name.startswith("/") and UNKNOWN not in name and location is not None:
                yield ListFile(name, value, location, service)
