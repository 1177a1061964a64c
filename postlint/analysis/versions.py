"""The Postfix versions that a configuration may be for, and what holds for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.derived import once
from postlint.postfix.versions import SERIES, PostfixVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from postlint.config.instance import Instance

Extent: TypeAlias = Literal["always", "sometimes", "never"]


class Interval:
    """From the oldest version that the configuration can be meant for to the run's own."""

    __slots__ = ("newest", "oldest", "versions")

    def __init__(self, instance: Instance) -> None:
        self.newest = instance.version
        self.oldest = min(instance.oldest_version, self.newest)
        between = [
            PostfixVersion(*series)
            for series in SERIES
            if self.oldest.series < series < self.newest.series
        ]
        self.versions = tuple(dict.fromkeys((self.oldest, *between, self.newest)))

    def holds(self, condition: Callable[[PostfixVersion], bool]) -> Extent:
        """For which of the versions a condition is true."""
        answers = {condition(version) for version in self.versions}
        if answers == {True}:
            return "always"
        return "never" if answers == {False} else "sometimes"


@once
def interval_of(instance: Instance) -> Interval:
    """The versions that an instance may be for."""
    return Interval(instance)
