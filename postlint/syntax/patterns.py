"""Regular expressions that are compiled when they are first used.

Most rules of a run have nothing to do, and compiling an expression costs more than importing
the module that holds it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


class LazyPattern:
    """``re.compile(text, flags)``, done late; its methods are those of the compiled expression."""

    __slots__ = ("_flags", "_text", "compiled", *_METHODS)

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    def __repr__(self) -> str:
        return f"LazyPattern({self._text!r})"

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there: at the first use of a pattern, that is all of it."""
        if name != "compiled" and name not in _METHODS:
            raise AttributeError(name)
        self.compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(self.compiled, method))
        return getattr(self, name)

    if TYPE_CHECKING:
        compiled: re.Pattern[str]

        def match(self, text: str, start: int = 0, /) -> re.Match[str] | None: ...
        def fullmatch(self, text: str, /) -> re.Match[str] | None: ...
        def search(self, text: str, start: int = 0, /) -> re.Match[str] | None: ...
        def finditer(self, text: str, /) -> Iterator[re.Match[str]]: ...
        def findall(self, text: str, /) -> list[Any]: ...
        def split(self, text: str, /) -> list[str | None]: ...
        def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str, /) -> str: ...
