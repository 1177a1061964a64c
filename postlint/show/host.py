"""What Postfix finds out on the host: its name and networks (own_inet_addr.c, mynetworks.c)."""

from __future__ import annotations

import socket
import sys
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

from postlint.postfix.host_name import DEFAULT_DOMAIN
from postlint.show.messages import FatalError
from postlint.show.octets import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postlint.show.messages import Messages

_IPV4, _IPV6 = 1, 2
_PROTOCOLS = {"all": _IPV4 | _IPV6, "ipv4": _IPV4, "ipv6": _IPV6}
_STYLES = ("class", "subnet", "host")
_INTERFACE_UP = 1
_CLASSES = ((0x80000000, 8), (0xC0000000, 16), (0xE0000000, 24), (0xF0000000, 4))


class Interface(NamedTuple):
    """An address of this host and the length of its network prefix."""

    address: IPv4Address | IPv6Address
    prefix: int


def host_name(domain: Callable[[], str | None]) -> str:
    """The name of this host; one without a dot gets the domain (get_hostname.c)."""
    name = socket.gethostname()
    if "." in name:
        return name
    own = domain()
    return f"{name}.{DEFAULT_DOMAIN if own is None else own}"


def networks(
    interfaces: str, style: str, protocols: str, messages: Messages, *, look_up: bool = True
) -> str:
    """The default of mynetworks; raises FatalError as Postfix does.

    ``look_up``: host names may be asked for in the network.
    """
    families = _families(protocols, messages)
    if not families:
        return ""
    chosen = _one_style(style)
    patterns: dict[str, None] = {}
    for interface in _own_addresses(interfaces, families, look_up=look_up):
        patterns[_pattern(interface, chosen)] = None
    return " ".join(patterns) + " "


def _families(protocols: str, messages: Messages) -> int:
    mask = 0
    for name in words(protocols):
        if name not in _PROTOCOLS:
            raise FatalError(f'unknown inet_protocols value "{name}" in "{protocols}"')
        mask |= _PROTOCOLS[name]
    for bit, family, label in ((_IPV6, socket.AF_INET6, "IPv6"), (_IPV4, socket.AF_INET, "IPv4")):
        if mask & bit:
            try:
                socket.socket(family, socket.SOCK_STREAM).close()
            except OSError as error:
                messages.warning(
                    f"inet_protocols: disabling {label} name/address support: {error.strerror}"
                )
                mask &= ~bit
    return mask


def _one_style(style: str) -> str:
    names = words(style)
    for name in names:
        if name not in _STYLES:
            raise FatalError(f'unknown mynetworks mask style value "{name}" in "{style}"')
    if len(set(names)) != 1:
        raise FatalError(f"bad mynetworks_style value: {style}; specify exactly one value")
    return names[0]


def _pattern(interface: Interface, style: str) -> str:
    address = interface.address
    prefix = interface.prefix
    if style == "host":
        prefix = address.max_prefixlen
    elif style == "class" and isinstance(address, IPv4Address):
        number = int(address)
        for bound, bits in _CLASSES:
            if number < bound:
                prefix = bits
                break
        else:
            raise FatalError(f"mynetworks_core: unknown address class: {address}")
    shift = address.max_prefixlen - prefix
    network = type(address)(int(address) >> shift << shift)
    if isinstance(network, IPv6Address):
        return f"[{network}]/{prefix}"
    return f"{network}/{prefix}"


def _own_addresses(text: str, families: int, *, look_up: bool) -> list[Interface]:
    local = [
        interface
        for bit, version in ((_IPV4, 4), (_IPV6, 6))
        if families & bit
        for interface in local_interfaces()
        if interface.address.version == version
    ]
    if text in {"all", "loopback-only"}:
        if not local:
            raise FatalError("could not find any active network interfaces")
        return [item for item in local if text == "all" or item.address.is_loopback]
    named: set[IPv4Address | IPv6Address] = set()
    for host in text.replace("\t", " ").replace(",", " ").split(" "):
        if host:
            named.update(_resolve(host, families, look_up=look_up))
    if not local:
        raise FatalError("could not find any active network interfaces")
    found = []
    for address in sorted(named, key=lambda item: (item.version, item.packed)):
        match = next((item for item in local if item.address == address), None)
        if match is None:
            raise FatalError(f"parameter inet_interfaces: no local interface found for {address}")
        found.append(match)
    return found


def _resolve(host: str, families: int, *, look_up: bool) -> Iterator[IPv4Address | IPv6Address]:
    family = {_IPV4: socket.AF_INET, _IPV6: socket.AF_INET6}.get(families, socket.AF_UNSPEC)
    name = host[1:-1] if host[0] == "[" and host[-1] == "]" else host
    try:
        flags = 0 if look_up or name == "localhost" else socket.AI_NUMERICHOST
        answers = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM, 0, flags)
    except (OSError, UnicodeError):
        answers = []
    if not answers and not look_up:
        raise FatalError(f"inet_interfaces: {host} is looked up only with --host")
    if not answers:
        raise FatalError(f"config variable inet_interfaces: host not found: {host}")
    for answer in answers:
        yield ip_address(str(answer[4][0]).partition("%")[0])


@cache
def local_interfaces() -> tuple[Interface, ...]:
    """The addresses of the interfaces that are up, in the order of the system (getifaddrs(3))."""
    try:
        return tuple(_getifaddrs())
    except (OSError, AttributeError, ImportError):  # no such function here
        return (Interface(IPv4Address("127.0.0.1"), 8), Interface(IPv6Address("::1"), 128))


def _getifaddrs() -> Iterator[Interface]:
    import ctypes

    class IfAddrs(ctypes.Structure):
        pass

    IfAddrs._fields_ = [
        ("next", ctypes.POINTER(IfAddrs)),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
        ("mask", ctypes.c_void_p),
        ("destination", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
    ]
    library = ctypes.CDLL(None, use_errno=True)  # the C library is part of this process
    first = ctypes.POINTER(IfAddrs)()
    if library.getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "getifaddrs")
    try:
        item = first
        while item:
            entry = item.contents
            if entry.flags & _INTERFACE_UP and entry.address and entry.mask:
                yield from _interface(entry.address, entry.mask)
            item = entry.next
    finally:
        library.freeifaddrs(first)


def _interface(address: int, mask: int) -> Iterator[Interface]:
    import ctypes

    has_length = sys.platform != "linux"
    family = (
        ctypes.c_ubyte.from_address(address + 1).value
        if has_length
        else ctypes.c_ushort.from_address(address).value
    )
    if family == socket.AF_INET:
        own: IPv4Address | IPv6Address = IPv4Address(ctypes.string_at(address + 4, 4))
        bits = int(IPv4Address(ctypes.string_at(mask + 4, 4)))
    elif family == socket.AF_INET6:
        raw = bytearray(ctypes.string_at(address + 8, 16))
        if has_length and raw[:2] == b"\xfe\x80":  # KAME keeps the scope inside the address
            raw[2:4] = b"\0\0"
        own = IPv6Address(bytes(raw))
        bits = int(IPv6Address(ctypes.string_at(mask + 8, 16)))
    else:
        return
    if int(own) != 0:
        yield Interface(own, bits.bit_count())
