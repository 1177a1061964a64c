"""The patterns of a match list, the contents of the files in it included (match_list.c)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.config.effective import Element
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.config.effective import Effective
    from postlint.config.files import Files
    from postlint.postfix.versions import PostfixVersion

Kind: TypeAlias = Literal[
    "pattern",
    "file",  # one that can not be read
    "unknown",
]

TOO_MANY: Final = 100_000
"""Patterns that are looked at; the rest of a longer list is unknown."""

_FILE_DEPTH: Final = 8


class Word(NamedTuple):
    """One word of a list; ``element`` is it as written, ``text`` without the ``!`` before it."""

    element: Element
    kind: Kind
    text: str = ""
    negated: bool = False


def match_list(value: Effective, version: PostfixVersion, files: Files) -> Iterator[Word]:
    """The words of a list in their order; the last one is "unknown" where there may be more."""
    if value.problem is None:
        elements = value.elements(braces=version >= (3, 0))
        words = _words(elements, version, files, negated=False, depth=0)
        yield from islice(words, TOO_MANY)
        if next(words, None) is None:
            return
    yield Word(Element(value.text, value.value_location), "unknown")


def _words(
    elements: Iterable[Element],
    version: PostfixVersion,
    files: Files,
    *,
    negated: bool,
    depth: int,
) -> Iterator[Word]:
    for element in elements:
        text = element.text
        if text.startswith("#") and version >= (3, 0):
            return  # the rest is taken for a comment, with a warning
        bare = text.lstrip("!")
        inverted = negated != bool((len(text) - len(bare)) % 2)
        if not element.known:
            yield Word(element, "unknown", negated=inverted)
        elif not bare.startswith("/"):
            yield Word(element, "pattern", bare, inverted)
        else:
            within = _elements(bare, version, files) if depth < _FILE_DEPTH else None
            if within is None:
                yield Word(element, "file", bare, inverted)
            else:
                yield from _words(within, version, files, negated=inverted, depth=depth + 1)


def _elements(name: str, version: PostfixVersion, files: Files) -> Iterable[Element] | None:
    """The words of a file; None for one that can not be read."""
    from postlint.syntax.list_file import list_words

    source = files.read(name)
    if source is None:
        return None
    words = list_words(source, braces=version >= (3, 0))
    return (Element(word.text, word.location) for word in words)
