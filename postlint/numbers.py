"""Decimal numbers of any length: Python's int() refuses more than 4300 digits."""

from __future__ import annotations

_LONGEST = 40
"""Digits; no program that is spoken of here holds half as many."""


def integer(text: str) -> int:
    """Digits, perhaps with a sign, as a number; of very long ones the first 40 digits count."""
    text = text.strip()
    if len(text) <= _LONGEST:
        return int(text)
    sign = text[0] if text[0] in "+-" else ""
    return int(sign + (text.removeprefix(sign).lstrip("0")[:_LONGEST] or "0"))
