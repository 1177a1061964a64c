"""Which addresses are those of the host itself (own_inet_addr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postlint.config.scope import Scope

_LOOPBACK = ("127.0.0.1", "::1")


def own_address(scope: Scope, address: str) -> bool | None:
    """Whether inet_interfaces takes in an address; None where only the host can tell.

    Every program goes by its own inet_interfaces, an override included.
    """
    from ipaddress import ip_address

    try:
        wanted = ip_address(address)
    except ValueError:
        return False
    value = scope["inet_interfaces"]
    doubtful = not value.known
    for element in value.elements():
        word = element.text.lower()
        if word in ("all", "loopback-only"):
            if address in _LOOPBACK:
                return True
            # Other addresses of 127.0.0.0/8 reach the host, but no interface has them.
            doubtful = doubtful or (word == "all" and not wanted.is_loopback)
            continue
        try:
            if ip_address(word.strip("[]")) == wanted:
                return True
        except ValueError:  # a host name
            doubtful = True
    return None if doubtful else False
