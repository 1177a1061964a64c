"""``${domain_to_ascii{…}}`` and ``${domain_to_utf8{…}}`` of Postfix 3.11 (mac_midna.c).

Postfix asks the ICU library (UTS 46). Names that are in use come out the same here; what ICU
refuses for its finer rules (joiners, right-to-left text) may be accepted.
"""

from __future__ import annotations

import unicodedata

from postlint.show.octets import ENCODING

_PREFIX = "xn--"
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_LONGEST_LABEL = 63


def convert(function: str, octets: str) -> str | None:
    """The name with its labels as the function says; None for a bad name."""
    ascii_only = octets.isascii()
    if ascii_only == (function == "domain_to_ascii"):
        return octets
    try:
        name = octets.encode(ENCODING).decode("utf-8")
        labels = unicodedata.normalize("NFC", name.lower()).translate(_DOTS).split(".")
        if ascii_only:
            result = ".".join(_to_unicode(label) for label in labels)
        else:
            result = ".".join(_to_ascii(label) for label in labels)
    except (UnicodeError, ValueError):
        return None
    return result.encode("utf-8").decode(ENCODING)


def _to_ascii(label: str) -> str:
    if label.isascii():
        return label
    result = _PREFIX + label.encode("punycode").decode("ascii")
    if len(result) > _LONGEST_LABEL:
        raise ValueError("label too long")
    return result


def _to_unicode(label: str) -> str:
    if not label.startswith(_PREFIX):
        return label
    return label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
