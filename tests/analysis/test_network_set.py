"""Sets of networks say what the networks say one by one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from hypothesis import given
from hypothesis import strategies as st

from postlint.analysis.network_set import NetworkSet


def of(address: int, length: int, *, v6: bool) -> IPv4Network | IPv6Network:
    if v6:
        return IPv6Network(((0x20010DB8 << 96) | (address << 88), 32 + length), strict=False)
    return IPv4Network(((10 << 24) | (address << 16), 8 + length), strict=False)


NETWORKS = st.one_of(
    st.builds(of, st.integers(0, 255), st.integers(0, 8), v6=st.booleans()),
    st.sampled_from(["0.0.0.0/0", "::/0", "10.1.2.3/32", "2001:db8::1/128"]).map(ip_network),
)


@given(st.lists(NETWORKS, max_size=6), NETWORKS)
def test_covers(
    networks: list[IPv4Network | IPv6Network], network: IPv4Network | IPv6Network
) -> None:
    found = NetworkSet()
    for item in networks:
        found.add(item)
    expected = any(
        item.version == network.version and network.subnet_of(item)  # type: ignore[arg-type]
        for item in networks
    )
    assert found.covers(network) == expected
