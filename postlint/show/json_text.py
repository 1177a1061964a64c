"""JSON strings as Postfix writes them: octets above 127 as they are (quote_for_json.c)."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


def quote(text: str) -> str:
    """The text as a JSON string, with its quotes."""
    return '"' + _SPECIAL.sub(_escape, text) + '"'


def json_object(**members: str | int | None) -> str:
    """One object on a line of its own; the members keep their order."""
    fields = []
    for name, value in members.items():
        text = "null" if value is None else str(value) if isinstance(value, int) else quote(value)
        fields.append(f"{quote(name)}: {text}")
    return "{" + ", ".join(fields) + "}\n"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"
