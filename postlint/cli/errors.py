"""What ends a run with one clear line on standard error and exit status 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_TROUBLE = 2


class UsageError(Exception):
    """Wrong usage; the text is what the user reads after ``postlint: error: ``."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a complaint: ``; did you mean …?``, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def reason(error: OSError) -> str:
    """What the system says, without the number and the file name."""
    return (error.strerror or str(error)).lower()
