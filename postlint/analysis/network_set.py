"""Networks of which it can be asked whether they cover another one, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


class NetworkSet:
    """A set of networks, by their version, length and first bits."""

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits: dict[tuple[int, int], set[int]] = {}

    def add(self, network: IPv4Network | IPv6Network) -> None:
        """Take a network in."""
        length = network.prefixlen
        first = int(network.network_address) >> (network.max_prefixlen - length)
        self._bits.setdefault((network.version, length), set()).add(first)

    def covers(self, network: IPv4Network | IPv6Network) -> bool:
        """Whether one of them has every address of a network."""
        address = int(network.network_address)
        return any(
            version == network.version
            and length <= network.prefixlen
            and address >> (network.max_prefixlen - length) in bits
            for (version, length), bits in self._bits.items()
        )
