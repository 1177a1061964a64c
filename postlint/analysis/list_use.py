"""Walking the restriction lists of an installation: each item with the list it is used in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.restrictions import restriction_lists
from postlint.config.derived import once
from postlint.records import NamedTuple
from postlint.syntax.source import Location, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import Item, RestrictionList, RestrictionLists
    from postlint.config.instance import Instance
    from postlint.config.service import Service

ETRN = "smtpd_etrn_restrictions"


class Use(NamedTuple):
    """An item, the list or class that holds it, and the list that it counts for."""

    item: Item
    within: RestrictionList
    start: RestrictionList

    @property
    def name(self) -> str:
        """The present name of the restriction; "" for anything else."""
        restriction = self.item.restriction
        if restriction is None:
            return ""
        return restriction.alias_of or restriction.name

    @property
    def location(self) -> Location | None:
        """Where it is written, as exactly as possible."""
        return (
            self.item.element.location
            or self.within.value.value_location
            or self.start.value.value_location
        )

    @property
    def where(self) -> str:
        """The list in words."""
        if self.within is self.start:
            return self.start.name
        return f"restriction class {self.within.name}"


@once
def uses(service: Service) -> tuple[Use, ...]:
    """Every item of every list of an smtpd service, those of classes too."""
    lists = restriction_lists(service)
    return tuple(use for start in lists for use in uses_in(lists, start))


def uses_in(lists: RestrictionLists, start: RestrictionList) -> Iterator[Use]:
    """Every item of one list, those of the classes in it too."""
    for part in lists.with_classes(start):
        for item in part.items:
            yield Use(item, part, start)


def top_of_main_cf(instance: Instance) -> Location | None:
    """Where things that are missing are reported."""
    main_cf = instance.main_cf
    return None if main_cf is None else Location(main_cf.source, Span(0, 0))


def anchor(service: Service, *names: str) -> Location | None:
    """The value of the first of the settings that is written down, else what makes it matter."""
    for name in names:
        if service[name].explicit:
            return service[name].value_location
    return service.location or top_of_main_cf(service.instance)
