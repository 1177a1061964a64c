"""Regular expressions that are compiled when they are first used.

Compiling takes longer than importing the module around it, and most runs need few of them:
start-up time is a budget.
"""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "split", "sub", "subn")


class _Pattern:
    """Stands for the compiled pattern until it is needed, then lends its methods."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._source = (pattern, flags)

    def __repr__(self) -> str:
        return f"pattern{self._source}"

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._source)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """Like ``re.compile``, for patterns of modules."""
    return cast("re.Pattern[str]", _Pattern(text, flags))
