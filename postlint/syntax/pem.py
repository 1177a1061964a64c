"""PEM (RFC 7468) as OpenSSL reads it: objects between BEGIN and END lines, text around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = b"-----BEGIN "
_END = b"-----END "
_DASHES = b"-----"
_BLANK = bytes(range(0x21))
"""What OpenSSL cuts off the end of a line (pem_lib.c)."""


class PemBlock(NamedTuple):
    """One object. ``data`` is its DER, None when the base64 or the END line is broken.

    ``encrypted``: the header of the old form says so (RFC 1421), or the label of PKCS #8.
    """

    label: str
    data: bytes | None
    encrypted: bool

    @property
    def is_key(self) -> bool:
        """Whether it is a private key of any form."""
        return self.label.endswith("PRIVATE KEY")


def read_pem(text: bytes) -> Iterator[PemBlock]:
    """The objects of a file in their order; linear in its length, whatever it holds."""
    label: bytes | None = None
    body: list[bytes] = []
    for raw in text.split(b"\n"):
        line = raw.rstrip(_BLANK)
        if label is None:
            if line.startswith(_BEGIN) and line.endswith(_DASHES):
                label = line[len(_BEGIN) : -len(_DASHES)]
                body = []
        elif line.startswith(_END):
            whole = line == _END + label + _DASHES
            yield _block(label, body, whole=whole)
            label = None
        else:
            body.append(line)
    if label is not None:
        yield _block(label, body, whole=False)


def _block(name: bytes, body: list[bytes], *, whole: bool) -> PemBlock:
    label = name.decode("ascii", "replace")
    headers: list[bytes] = []
    if body and b":" in body[0]:
        end = body.index(b"") if b"" in body else len(body)
        headers, body = body[:end], body[end:]
    encrypted = label.startswith("ENCRYPTED ") or any(b"ENCRYPTED" in line for line in headers)
    return PemBlock(label, _decoded(body) if whole else None, encrypted)


def _decoded(body: list[bytes]) -> bytes | None:
    from base64 import b64decode

    try:
        return b64decode(b"".join(body), validate=True)
    except ValueError:
        return None
