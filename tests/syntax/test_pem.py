"""PEM: objects of any text, by the lines around them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postlint.syntax.pem import read_pem

WORDS = st.sampled_from([b"PRIVATE KEY", b"CERTIFICATE", b"ENCRYPTED PRIVATE KEY", b""])
LINES = st.one_of(
    st.binary(max_size=20),
    WORDS.map(lambda word: b"-----BEGIN " + word + b"-----"),
    WORDS.map(lambda word: b"-----END " + word + b"-----"),
    st.binary(max_size=40).map(base64.b64encode),
)


def block(label: str, data: bytes, header: str = "") -> bytes:
    body = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{header}{body}-----END {label}-----\n".encode()


@given(st.lists(st.tuples(st.sampled_from(["CERTIFICATE", "RSA PRIVATE KEY"]), st.binary())))
def test_what_is_written_is_read(objects: list[tuple[str, bytes]]) -> None:
    text = b"".join(b"text\n" + block(label, data) for label, data in objects)
    assert [(item.label, item.data) for item in read_pem(text)] == objects
    assert list(read_pem(text.replace(b"\n", b" \r\n"))) == list(read_pem(text))


@given(st.one_of(st.binary(), st.lists(LINES).map(b"\n".join)))
def test_anything_can_be_read(text: bytes) -> None:
    for item in read_pem(text):
        assert item.data is None or isinstance(item.data, bytes)
        assert f"-----BEGIN {item.label}".encode()[:11] in text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (block("CERTIFICATE", b"x")[:-5], "CERTIFICATE"),
        (block("CERTIFICATE", b"x").replace(b"END CERTIFICATE", b"END KEY"), "CERTIFICATE"),
        (b"-----BEGIN CERTIFICATE-----\nAA!A\n-----END CERTIFICATE-----\n", "CERTIFICATE"),
        (b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "CERTIFICATE"),
        (b"-----BEGIN CERTIFICATE-----", "CERTIFICATE"),
    ],
)
def test_damaged(text: bytes, label: str) -> None:
    (item,) = read_pem(text)
    assert (item.label, item.data) == (label, None)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN X----\n", b" -----BEGIN X-----\n", b"0\x82"])
def test_no_object(text: bytes) -> None:
    assert not list(read_pem(text))


def test_keys_with_a_password() -> None:
    header = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
    for label, head, sealed in (
        ("RSA PRIVATE KEY", header, True),
        ("ENCRYPTED PRIVATE KEY", "", True),
        ("PRIVATE KEY", "", False),
        ("RSA PRIVATE KEY", "Comment: none\n\n", False),
    ):
        (item,) = read_pem(block(label, b"key", head))
        assert (item.is_key, item.encrypted, item.data) == (True, sealed, b"key")
