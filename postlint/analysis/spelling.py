"""What a wrong name was probably meant to be: letters off, words moved, the other side.

Only names of the version asked for are proposed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.postfix import parameters
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from postlint.postfix.versions import PostfixVersion


class Suggestion(NamedTuple):
    """What was probably meant. ``close``: one or two letters off, or the same words."""

    name: str
    close: bool


def looks_built_in(name: str) -> bool:
    """Whether a name starts as Postfix's own do, so that a user would hardly invent it."""
    return name.partition("_")[0] in _first_words()


def counterpart(name: str, version: PostfixVersion) -> str | None:
    """The parameter of the other side: that of smtp_ for a name in smtpd_, and the reverse."""
    swaps = (("smtpd_", "smtp_"), ("smtp_", "smtpd_"), ("lmtp_", "smtp_"), ("lmtp_", "smtpd_"))
    for mine, other in swaps:
        if name.startswith(mine):
            swapped = other + name.removeprefix(mine)
            parameter = parameters.get(swapped)
            if parameter is not None and parameter.exists_in(version):
                return swapped
    return None


def suggest(name: str, version: PostfixVersion) -> Suggestion | None:
    """The parameter of a version that a wrong name probably means."""
    index = _index(version)
    lower = name.lower().replace("-", "_")
    if lower in index.names and lower != name:
        return Suggestion(lower, close=True)
    other = counterpart(name, version)
    if other is not None:
        return Suggestion(other, close=True)
    renamed = index.renamed(lower)
    if renamed is not None:
        return Suggestion(renamed, close=True)
    words = tuple(sorted(lower.split("_")))
    reordered = index.by_words.get(words)
    if reordered is not None:
        return Suggestion(reordered, close=True)
    nearest = index.nearest(lower)
    if nearest is not None and edit_distance(lower, nearest, 1) is not None:
        return Suggestion(nearest, close=True)
    for suffix in _SUFFIXES:
        if lower + suffix in index.names:
            return Suggestion(lower + suffix, close="_" in lower)
    if nearest is not None:
        return Suggestion(nearest, close=True)
    longer = index.longer(lower)
    if longer is not None:
        return Suggestion(longer, close=True)
    singular = tuple(sorted(word.removesuffix("s") for word in lower.split("_")))
    plural = index.by_singulars.get(singular)
    if plural is not None:
        return Suggestion(plural, close=True)
    for prefix in ("smtpd_", "smtp_", "virtual_", "local_"):
        if prefix + lower in index.names:
            return Suggestion(prefix + lower, close=False)
    shorter = lower.partition("_")[2]
    if "_" in shorter and shorter in index.names:
        return Suggestion(shorter, close=False)
    return None


_RENAMED = (
    ("whitelist", "allowlist"),
    ("blacklist", "denylist"),
    ("per_record_deadline", "per_request_deadline"),
    ("connection_limit_exceptions", "event_limit_exceptions"),
    ("connection_concurrency", "connection_count"),
)
"""Words that later versions replaced in their names, or that people take for each other."""

_SUFFIXES = ("_maps", "_map", "_file", "_enable", "_limit", "_domains")
"""Last words that are forgotten: transport for transport_maps."""


class _Index:
    """Finds the names of a version that are nearly a given one.

    Two names at most two edits apart share one of three equal parts of either, moved by no
    more than two letters: only such candidates are compared letter by letter.
    """

    __slots__ = ("_by_stem", "_parts", "by_singulars", "by_words", "names")

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.by_words: dict[tuple[str, ...], str] = {}
        self.by_singulars: dict[tuple[str, ...], str] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._parts: dict[tuple[int, int, str], list[str]] = {}
        for name in sorted(names):
            words = name.split("_")
            for count in range(1, len(words)):
                self._by_stem.setdefault("_".join(words[:count]), []).append(name)
            self.by_words[tuple(sorted(words))] = name
            self.by_singulars[tuple(sorted(word.removesuffix("s") for word in words))] = name
            for number, (start, end) in enumerate(_thirds(len(name))):
                self._parts.setdefault((len(name), number, name[start:end]), []).append(name)

    def renamed(self, name: str) -> str | None:
        """The name as this version has it, where another one uses another word."""
        for old, new in _RENAMED:
            for mine, other in ((old, new), (new, old)):
                if mine in name and name.replace(mine, other) in self.names:
                    return name.replace(mine, other)
        return None

    def longer(self, name: str) -> str | None:
        """The one name whose beginning this is, but for one letter of its last word."""
        stem, _, last = name.rpartition("_")
        if not stem or len(last) < 4 or len(name) > 100:
            return None
        found = []
        for known in self._by_stem.get(stem, ()):
            word = known[len(stem) + 1 :].partition("_")[0]
            if word.startswith(last) or (
                len(last) >= 5
                and word[:1] == last[:1]
                and any(
                    edit_distance(last, word[:length], 1) is not None
                    for length in range(len(last) - 1, min(len(last) + 1, len(word)) + 1)
                )
            ):
                found.append(known)
        return found[0] if len(found) == 1 else None

    def nearest(self, name: str) -> str | None:
        """The nearest name within one edit, of long names within two; the first of several."""
        limit = 2 if len(name) >= 8 else 1 if len(name) >= 4 else 0
        best: tuple[int, str] | None = None
        for candidate in self._candidates(name, limit):
            distance = edit_distance(name, candidate, limit)
            if distance is not None and (best is None or (distance, candidate) < best):
                best = (distance, candidate)
        return None if best is None else best[1]

    def _candidates(self, name: str, limit: int) -> set[str]:
        found: set[str] = set()
        if len(name) > 100:
            return found
        for length in range(len(name) - limit, len(name) + limit + 1):
            for number, (start, end) in enumerate(_thirds(max(length, 0))):
                for shift in range(-limit, limit + 1):
                    if start + shift >= 0:
                        part = name[start + shift : end + shift]
                        found.update(self._parts.get((length, number, part), ()))
        return found


def edit_distance(left: str, right: str, limit: int) -> int | None:
    """Letters to insert, delete, replace or swap with their neighbour; None above ``limit``."""
    if abs(len(left) - len(right)) > limit:
        return None
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row] + [limit + 1] * len(right)
        first = max(1, row - limit)
        last = min(len(right), row + limit)
        for column in range(first, last + 1):
            other = right[column - 1]
            cost = min(
                previous[column - 1] + (letter != other),
                previous[column] + 1,
                current[column - 1] + 1,
            )
            if (
                row > 1
                and column > 1
                and letter == right[column - 2]
                and left[row - 2] == other
                and letter != other
            ):
                cost = min(cost, before[column - 2] + 1)
            current[column] = cost
        if min(current) > limit:
            return None
        before, previous = previous, current
    return previous[-1] if previous[-1] <= limit else None


def _thirds(length: int) -> tuple[tuple[int, int], ...]:
    one, two = length // 3, 2 * length // 3
    return ((0, one), (one, two), (two, length))


@lru_cache(maxsize=4)
def _index(version: PostfixVersion) -> _Index:
    return _Index(parameters.names(version))


@lru_cache(maxsize=1)
def _first_words() -> frozenset[str]:
    return frozenset(name.partition("_")[0] for name in parameters.all_names())


@lru_cache(maxsize=4)
def by_small_letters(version: PostfixVersion) -> dict[str, str]:
    """The few names with capitals (smtp_tls_CAfile) by their small letters."""
    return {name.lower(): name for name in parameters.names(version) if name != name.lower()}
