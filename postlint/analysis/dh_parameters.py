"""Diffie-Hellman parameters in PEM files: the size and kind of the group (PKCS #3, X9.42)."""

from __future__ import annotations

import re
from typing import Final

from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

_PEM = LazyPattern(
    r"-----BEGIN (?:X9\.42 )?DH PARAMETERS-----([A-Za-z0-9+/=\s]{1,20000})-----END ", re.ASCII
)
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_MARGIN: Final = 64
_LARGEST: Final = 16_384
_ROUNDS: Final = (2, 3)


class Group(NamedTuple):
    """A group by its prime.

    ``standard``: made up as those of RFC 3526 and RFC 7919 are, with 64 one bits at both ends.
    ``safe``: the prime is one, and so is half of it; None where that was not looked into.
    """

    bits: int
    standard: bool
    safe: bool | None


def read_group(text: str) -> Group | None:
    """The group that a PEM file holds; None for anything else."""
    from base64 import b64decode

    match = _PEM.search(text)
    if match is None:
        return None
    try:
        prime = _prime(b64decode("".join(match[1].split()), validate=True))
    except (ValueError, IndexError):
        return None
    if prime is None or prime < 3:
        return None
    bits = prime.bit_length()
    ones = (1 << _MARGIN) - 1
    standard = prime & ones == ones and prime >> (bits - _MARGIN) == ones if bits > 256 else False
    safe = True if standard else _is_safe(prime) if bits <= _LARGEST else None
    return Group(bits, standard, safe)


def _prime(data: bytes) -> int | None:
    """The first integer of the sequence that DER data is."""
    if data[0] != _SEQUENCE:
        return None
    start, _ = _length(data, 1)
    if data[start] != _INTEGER:
        return None
    start, length = _length(data, start + 1)
    if start + length > len(data):
        return None
    return int.from_bytes(data[start : start + length], "big", signed=True)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where the contents begin, and how long they are."""
    first = data[at]
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    return at + 1 + count, int.from_bytes(data[at + 1 : at + 1 + count], "big")


def _is_safe(prime: int) -> bool:
    return _is_prime(prime) and _is_prime(prime // 2)


def _is_prime(number: int) -> bool:
    """Miller and Rabin; enough to tell a mistake from a prime, not to stop a forger."""
    if number < 4:
        return number > 1
    if number % 2 == 0:
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd //= 2
        twos += 1
    return all(_witness(base, odd, twos, number) for base in _ROUNDS if base < number - 1)


def _witness(base: int, odd: int, twos: int, number: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
