"""Diffie-Hellman parameters in PEM files: the size and kind of the group (PKCS #3, X9.42)."""

from __future__ import annotations

from typing import Final

from postlint.records import NamedTuple
from postlint.syntax.pem import read_pem

_LABELS: Final = frozenset({"DH PARAMETERS", "X9.42 DH PARAMETERS"})
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


def read_group(text: bytes) -> Group | None:
    """The first group that a PEM file holds; None for anything else."""
    block = next((block for block in read_pem(text) if block.label in _LABELS), None)
    if block is None or block.data is None:
        return None
    try:
        prime = _prime(block.data)
    except IndexError:
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
