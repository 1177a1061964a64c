"""Postfix release numbers: parsing, ordering, and the series whose facts are known.

Facts are measured at the latest patch release of a series, so a version without
a patch number ("3.7") stands for that latest release and is newer than any
"3.7.x".  This module imports nothing: it is on the path of every run.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Self

__all__ = [
    "NEWEST_KNOWN",
    "NEWEST_STABLE",
    "OLDEST_KNOWN",
    "SERIES",
    "PostfixVersion",
]

SERIES: Final[tuple[tuple[int, int], ...]] = (
    *((2, minor) for minor in range(6, 12)),
    *((3, minor) for minor in range(13)),
)
"""All known release series, oldest first."""

_INDEX: Final = {series: number for number, series in enumerate(SERIES)}
_LATEST: Final = 1 << 30
_PARSED: Final[dict[str, PostfixVersion]] = {}
_RELEASES: Final[dict[str, tuple[int, ...]]] = {}
_AT_LEAST: Final[dict[tuple[PostfixVersion, str], bool]] = {}
_HAS: Final[dict[tuple[PostfixVersion, str], bool]] = {}
"""Answers that were given before: facts ask the same few questions thousands of times."""


def _key(version: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Sort key; a plain two-tuple is the start of a series, before its ".0"."""
    if len(version) == 2:
        return (*version, -1)
    if len(version) == 3 and version[2] is None:
        return (*version[:2], _LATEST)
    return version


class PostfixVersion(tuple[int, int, "int | None"]):
    """A Postfix release: ``(major, minor, patch)``, immutable and hashable.

    ``patch`` is None for "the latest patch release of the series".  Versions
    compare with each other, with ``(major, minor, patch)`` and with
    ``(major, minor)``, which means the start of that series: ``v >= (3, 6)`` is
    "3.6 or any later release" and ``v < (3, 6)`` "before any 3.6 release".
    """

    __slots__ = ()

    def __new__(cls, major: int, minor: int, patch: int | None = None) -> Self:
        """Raise ValueError for a series without facts."""
        if (major, minor) not in _INDEX:
            known = f"{_dotted(SERIES[0])} to {_dotted(SERIES[-1])}"
            raise ValueError(f"Postfix {major}.{minor} is not known (known: {known})")
        if patch is not None and patch < 0:
            raise ValueError(f"a patch number can not be negative: {patch}")
        return super().__new__(cls, (major, minor, patch))

    @classmethod
    def parse(cls, text: str) -> PostfixVersion:
        """Read "3.7", "3.7.11", or a snapshot or candidate name ("3.12-20260821").

        Snapshots and release candidates count as their series.  ValueError says
        what is wrong with anything else, and with series that are not known.
        """
        known = _PARSED.get(text)
        if known is not None:
            return known
        release, dash, tag = text.partition("-")
        fields = release.split(".")
        good = all(_is_number(field) for field in fields)
        if (
            not good
            or not (len(fields) == 2 or (len(fields) == 3 and not dash))
            or (dash and not _is_tag(tag))
        ):
            raise ValueError(f'"{text}" is not a Postfix version: write it like 3.7 or 3.7.11')
        version = cls(*map(int, fields))
        _PARSED[text] = version
        return version

    def __getnewargs__(self) -> tuple[int, int, int | None]:
        """Copy and pickle through the constructor."""
        return (self.major, self.minor, self.patch)

    @property
    def major(self) -> int:
        """The 3 of 3.7.11."""
        return self[0]

    @property
    def minor(self) -> int:
        """The 7 of 3.7.11."""
        return self[1]

    @property
    def patch(self) -> int | None:
        """The 11 of 3.7.11; None means the latest patch release."""
        return self[2]

    @property
    def series(self) -> tuple[int, int]:
        """The (3, 7) of 3.7.11."""
        return (self[0], self[1])

    @property
    def series_index(self) -> int:
        """The position of the series in SERIES, which dates all facts."""
        return _INDEX[self[:2]]

    def at_least(self, release: str) -> bool:
        """Whether this is *release* or later; "3.6" means 3.6 with any patch number.

        *release* may be older than the known series: at_least("2.3") is always true.
        """
        question = (self, release)
        answer = _AT_LEAST.get(question)
        if answer is None:
            answer = _AT_LEAST[question] = self >= _release(release)
        return answer

    def has(self, releases: str) -> bool:
        """Whether a feature that came with *releases* is in this version.

        *releases* as in "3.5.23, 3.6.13, 3.7.9, 3.8.4": the patch releases to which
        it was ported back, and then every later series.  One release is at_least().
        """
        question = (self, releases)
        answer = _HAS.get(question)
        if answer is None:
            dates = [_release(release) for release in releases.replace(",", " ").split()]
            own = [date for date in dates if date[:2] == self.series] or dates[-1:]
            answer = _HAS[question] = any(self >= date for date in own[:1])
        return answer

    def __str__(self) -> str:
        return _dotted(self.series if self.patch is None else (self.major, self.minor, self.patch))

    def __repr__(self) -> str:
        return f"PostfixVersion({self})"

    def __lt__(self, other: tuple[int | None, ...]) -> bool:
        return tuple.__lt__(_key(self), _key(other))

    def __le__(self, other: tuple[int | None, ...]) -> bool:
        return tuple.__le__(_key(self), _key(other))

    def __gt__(self, other: tuple[int | None, ...]) -> bool:
        return tuple.__gt__(_key(self), _key(other))

    def __ge__(self, other: tuple[int | None, ...]) -> bool:
        return tuple.__ge__(_key(self), _key(other))


def _release(text: str) -> tuple[int, ...]:
    """(major, minor) or (major, minor, patch) of any release, however old."""
    known = _RELEASES.get(text)
    if known is not None:
        return known
    fields = text.split(".")
    if len(fields) not in (2, 3) or not all(map(_is_number, fields)):
        raise ValueError(f'"{text}" is not a Postfix release')
    release = _RELEASES[text] = tuple(map(int, fields))
    return release


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6 and (text == "0" or text[0] != "0")


def _is_tag(text: str) -> bool:
    """Snapshot dates ("20260821", "20260821-nonprod") and candidates ("RC1")."""
    date = text.removesuffix("-nonprod")
    if len(date) == 8 and date.isascii() and date.isdigit():
        return True
    return text.startswith("RC") and _is_number(text[2:])


OLDEST_KNOWN: Final = PostfixVersion(2, 6)
NEWEST_STABLE: Final = PostfixVersion(3, 11)
NEWEST_KNOWN: Final = PostfixVersion(3, 12)
