"""Diffie-Hellman parameters: groups of openssl(1), and files that hold none."""

from __future__ import annotations

import base64

import pytest

from postlint.analysis.dh_parameters import read_group

SAFE_512 = """\
-----BEGIN DH PARAMETERS-----
MEYCQQCMdnSlQA9U7zPwvp6BHQDAxO+tG4qDhQBFl5J77t2nqd41pW+onOLjoIqP
EJlSDbW8Iaa+n+uPRsrDhfhxQHFXAgEC
-----END DH PARAMETERS-----
"""


def pem(prime: int) -> bytes:
    """A group with a prime, as PEM."""
    body = prime.to_bytes(prime.bit_length() // 8 + 1, "big")
    integer = b"\x02\x82" + len(body).to_bytes(2, "big") + body + b"\x02\x01\x02"
    data = b"\x30\x82" + len(integer).to_bytes(2, "big") + integer
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{text}-----END DH PARAMETERS-----\n".encode()


def test_a_group_of_ones_own() -> None:
    group = read_group(SAFE_512.encode())
    assert group is not None
    assert (group.bits, group.standard, group.safe) == (512, False, True)


def test_a_number_that_is_no_prime() -> None:
    group = read_group(pem((1 << 1024) - 2))
    assert group is not None and group.bits == 1024 and group.safe is False


def test_a_prime_that_is_not_safe() -> None:
    group = read_group(pem((1 << 127) - 1))
    assert group is not None and group.safe is False


def test_standard_groups_are_known_by_their_ends() -> None:
    ones = (1 << 64) - 1
    group = read_group(pem((ones << 1984) | 12345 << 64 | ones))
    assert group is not None and (group.bits, group.standard, group.safe) == (2048, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n",
        "-----BEGIN DH PARAMETERS-----\nMEY=\n-----END DH PARAMETERS-----\n",
        "-----BEGIN DH PARAMETERS-----\nMEYCQQ==\n-----END DH PARAMETERS-----\n",
        "-----BEGIN DH PARAMETERS-----\n====\n-----END DH PARAMETERS-----\n",
        SAFE_512.replace("-----END", ""),
    ],
)
def test_files_without_a_group(text: str) -> None:
    assert read_group(text.encode()) is None
