"""From the certificate of a server to its issuers: what is sent, and what is missing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.analysis.certificates import store_of
from postlint.analysis.tls_identities import named_file
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from postlint.analysis.certificates import Certificate, PemFile
    from postlint.analysis.tls_identities import Pair
    from postlint.config.service import Service

_WHOLE = "fullchain.pem"
"""What programs that get certificates call the file with all of them."""


class Chain(NamedTuple):
    """``missing``: the leaf, when nobody sends its issuer. ``misplaced``: an issuer out of order.

    ``root``: a root that is sent although every client has it. ``better``: a file beside that of
    the certificate which holds the issuer.
    """

    missing: Certificate | None = None
    misplaced: Certificate | None = None
    root: Certificate | None = None
    better: str | None = None


def chain_of(service: Service, pair: Pair) -> Chain:
    """The chain that clients of a service get."""
    leaf, issuers = pair.leaf, pair.issuers
    if leaf.self_issued or not pair.whole:
        return Chain()
    if not leaf.has_issuer(issuers):
        if not issuers and _authorities_have_issuer(service, leaf) is not False:
            return Chain()
        return Chain(missing=leaf, better=_better(service, pair))
    root = issuers[-1] if issuers[-1].self_issued else None
    return Chain(misplaced=_misplaced(leaf, issuers), root=root)


def completes_chain(service: Service, pair: Pair) -> bool | None:
    """Whether smtpd_tls_CAfile has the issuer that the file of the certificate lacks.

    OpenSSL adds what it finds there to a certificate that comes alone (SSL_CTX_set_mode(3)). None
    where it is unknown.
    """
    if pair.leaf.self_issued or pair.issuers:
        return False
    return _authorities_have_issuer(service, pair.leaf)


def _authorities_have_issuer(service: Service, leaf: Certificate) -> bool | None:
    """Whether the authorities of a server have who signed its certificate."""
    if service["smtpd_tls_CApath"].empty is not True:
        return None
    value = service["smtpd_tls_CAfile"]
    if value.empty is True:
        return False  # tls_append_default_CA counts only beside a file or folder (tls_certkey.c)
    named = named_file(value)
    file = None if named is None else store_of(service.instance).file(named.path)
    if file is None or not file.complete:
        return None
    if _holds_issuer(file, leaf):
        return True
    return False if service["tls_append_default_CA"].yes is False else None


@lru_cache(maxsize=64)
def _holds_issuer(file: PemFile, leaf: Certificate) -> bool:
    return leaf.has_issuer(file.certificates)


def _misplaced(leaf: Certificate, issuers: tuple[Certificate, ...]) -> Certificate | None:
    """The first certificate that is in the file and not behind the one it signed."""
    current = leaf
    for at, item in enumerate(issuers):
        if not current.issued_by(item):
            return item if current.has_issuer(issuers[at + 1 :]) else None
        current = item
    return None


def _better(service: Service, pair: Pair) -> str | None:
    folder, slash, name = pair.file.path.rpartition("/")
    path = f"{folder}{slash}{_WHOLE}"
    if not slash or name == _WHOLE:
        return None
    file = store_of(service.instance).file(path)
    if file is None:
        return None
    certificates = file.certificates
    fits = any(item.key == pair.leaf.key for item in certificates[:1])
    return path if fits and pair.leaf.has_issuer(certificates) else None
