"""Settings: a name, its text, and where that text comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.limits import WORD_LIMIT, excess
from postlint.syntax.source import Location

if TYPE_CHECKING:
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.main_cf import Assignment
    from postlint.syntax.master_cf import Override
    from postlint.syntax.source import SourceText

Origin: TypeAlias = Literal["main.cf", "master.cf", "default"]
"""Where a setting comes from; ``master.cf`` is an ``-o`` override of one service."""


class Setting:
    """``name = text`` before macro expansion.

    ``written``: the line or argument that says so; None for a default of ``version``.
    """

    __slots__ = ("_written", "limit", "name", "origin", "text", "version")

    def __init__(
        self,
        name: str,
        text: str,
        origin: Origin,
        *,
        written: Assignment | Override | None = None,
        version: PostfixVersion | None = None,
    ) -> None:
        self.name = name
        self.text = text
        self.origin: Origin = origin
        self._written = written
        self.version = version
        self.limit = excess(text) if len(text) > WORD_LIMIT else None
        """What there is too much of in the text to look at it; None as a rule."""

    @classmethod
    def of_assignment(cls, entry: Assignment) -> Setting:
        """A line of main.cf."""
        return cls(entry.name.text, entry.value.text, "main.cf", written=entry)

    @classmethod
    def of_override(cls, override: Override) -> Setting | None:
        """An ``-o name=value`` of master.cf; None when it has no ``=``."""
        if override.name is None or override.value is None:
            return None
        return cls(override.name.text, override.value.text, "master.cf", written=override)

    @classmethod
    def of_default(cls, name: str, text: str, version: PostfixVersion) -> Setting:
        """What Postfix takes when nothing is said."""
        return cls(name, text, "default", version=version)

    @property
    def explicit(self) -> bool:
        """Whether somebody wrote it down."""
        return self.origin != "default"

    @property
    def name_text(self) -> SourceText | None:
        """The name with its place in a file; None for a default."""
        return None if self._written is None else self._written.name

    @property
    def value(self) -> SourceText | None:
        """The text with its place in a file; None for a default."""
        return None if self._written is None else self._written.value

    @property
    def location(self) -> Location | None:
        """Where the whole setting or override stands; None for a default."""
        if self._written is None or self._written.value is None:
            return None
        return Location(self._written.value.source, self._written.span)

    @property
    def value_location(self) -> Location | None:
        """Where the value stands; that of the whole setting when the value is empty."""
        value = self.value
        if value is not None and value.text:
            return value.location
        return self.location

    def describe_origin(self) -> str:
        """The origin in words, as reports print it: ``main.cf:12``, ``default of Postfix 3.7``."""
        location = self.location
        if location is None:
            return f"default of Postfix {self.version}"
        return f"{location.path}:{location.start.line}"
