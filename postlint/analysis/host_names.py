"""Names and addresses of hosts as Postfix takes them (valid_hostname.c)."""

from __future__ import annotations

from functools import lru_cache

from postlint.syntax.patterns import LazyPattern

_NAME = LazyPattern(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\Z")
_NUMERIC = LazyPattern(r"[0-9.]+\Z")
_LONGEST = 255


def is_host_name(text: str) -> bool:
    """Whether a text is a host name: digits and dots alone are none."""
    return len(text) <= _LONGEST and _NAME.match(text) is not None and not is_numeric(text)


def is_numeric(text: str) -> bool:
    """Whether a text is digits and dots alone."""
    return _NUMERIC.match(text) is not None


@lru_cache(maxsize=1024)
def is_ip_address(text: str) -> bool:
    """Whether a text is an address, without brackets."""
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
