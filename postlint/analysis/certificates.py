"""Certificates and keys in PEM files, by the library ``cryptography`` where it is installed.

It is imported only when a file holds something to decode; without it an instance gets one note,
and what needs no decoding (is there a key at all, what comes first) is known nevertheless. Of
private keys only the public half is kept. What the library does not know or refuses is None:
OpenSSL takes certificates that it does not.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from postlint.config.derived import once
from postlint.syntax.pem import read_pem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from typing import TypeVar

    from cryptography import x509

    from postlint.config.instance import Instance
    from postlint.syntax.pem import PemBlock

    T = TypeVar("T")

LARGEST_FILE: Final = 4 << 20
"""Bytes; the authorities of a whole system take up a quarter of a megabyte."""

MOST_OBJECTS: Final = 2000
"""Further objects of a file are not looked at."""

_LARGEST_CERTIFICATE: Final = 256 << 10
_LARGEST_KEY: Final = 20_000
_LARGEST_DSA_KEY: Final = 1500
"""Bytes of DER: larger ones are made to keep somebody busy, for a DSA key is raised to a power."""

_MOST_KEYS: Final = 8
"""Further private keys of a file are not decoded."""

MOST_ISSUERS: Final = 8
"""Further certificates with the name of an issuer are not asked whether they are it."""

_DSA_AND_DH: Final = (bytes.fromhex("2a8648ce380401"), bytes.fromhex("2a864886f70d010301"))

MISSING_LIBRARY: Final = (
    "certificates were not looked into, for want of the Python library cryptography (42 or newer):"
    " pip install postlint[certificates]"
)

CERTIFICATE_LABELS: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_KEY_LABELS: Final = frozenset(
    {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"}
)
_PROOFS_OF_LOGGING: Final = "1.3.6.1.4.1.11129.2.4.2"
_WEAK_BY_NUMBER: Final = {"1.2.840.113549.1.1.2": "md2", "1.2.840.113549.1.1.3": "md4"}
_LONGEST_NAME: Final = 80


def now() -> datetime:
    """The time that certificates are judged by, in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


class PublicKey:
    """A public key. ``der``: its SubjectPublicKeyInfo; ``bits`` is None for Edwards curves."""

    __slots__ = ("algorithm", "bits", "der")

    def __init__(self, algorithm: str, bits: int | None, der: bytes) -> None:
        """``algorithm``: RSA, EC, DSA, Ed25519 or Ed448."""
        self.algorithm = algorithm
        self.bits = bits
        self.der = der

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)


class Certificate:
    """What rules want to know of an X.509 certificate; names are in lower case."""

    __slots__ = (
        "_x509",
        "common_name",
        "from_authority",
        "key",
        "key_kind",
        "names",
        "not_after",
        "not_before",
        "signature_hash",
        "subject",
    )

    def __init__(self, loaded: x509.Certificate) -> None:
        self._x509 = loaded
        self.common_name: str | None = _known(lambda: _common_name(loaded.subject))
        self.subject: str = self.common_name or _known(loaded.subject.rfc4514_string) or "?"
        """Its name for people, at most 80 characters."""
        if len(self.subject) > _LONGEST_NAME:
            self.subject = self.subject[: _LONGEST_NAME - 1] + "…"
        self.names: tuple[str, ...] | None = _known(lambda: _dns_names(loaded))
        """The dNSNames of subjectAltName, empty without that extension."""
        self.not_before = loaded.not_valid_before_utc
        self.not_after = loaded.not_valid_after_utc
        self.key: PublicKey | None = _known(lambda: _public(loaded.public_key()))
        self.key_kind: str | None = _known(lambda: loaded.public_key_algorithm_oid.dotted_string)
        """The object identifier of the key's algorithm, which tells RSA-PSS from RSA."""
        self.signature_hash: str | None = _known(lambda: _signature_hash(loaded))
        """``sha256``; None where the signature has none of its own or it is unknown."""
        self.from_authority: bool = bool(_known(lambda: _from_authority(loaded)))
        """Whether it has what public authorities put in: where the issuer's own is, or SCTs."""

    @property
    def issuer(self) -> str:
        """The name of who signed it, for people."""
        name = _known(lambda: _common_name(self._x509.issuer))
        name = name or _known(self._x509.issuer.rfc4514_string) or "?"
        return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same: a root, or a self-signed certificate."""
        return bool(self._x509.subject == self._x509.issuer)

    @property
    def is_local(self) -> bool:
        """Whether a system made it for itself: self-signed, and for localhost."""
        name = (self.common_name or "").lower()
        is_own = name.partition(".")[0] == "localhost" or name.endswith(".localdomain")
        return is_own and self.self_issued

    def has_issuer(self, others: Iterable[Certificate]) -> bool:
        """Whether one of the others signed this; too many with the right name are taken for it."""
        named = [other for other in others if self._names(other)]
        return len(named) > MOST_ISSUERS or any(self.issued_by(other) for other in named)

    def _names(self, other: Certificate) -> bool:
        return bool(self._x509.issuer == other._x509.subject)

    def issued_by(self, other: Certificate) -> bool:
        """Whether the other's key signed this; by the name alone where that can not be checked."""
        from cryptography.exceptions import InvalidSignature

        if not self._names(other):
            return False
        try:
            self._x509.verify_directly_issued_by(other._x509)
        except InvalidSignature:
            return False
        except Exception:
            return True
        return True


class PemObject:
    """One object of a PEM file: a certificate, a private key, or something else."""

    __slots__ = ("block", "certificate", "number", "public_key")

    def __init__(
        self,
        number: int,
        block: PemBlock,
        certificate: Certificate | None = None,
        public_key: PublicKey | None = None,
    ) -> None:
        """``number`` counts the objects of the file from 1, as Postfix's warnings do."""
        self.number = number
        self.block = block
        self.certificate = certificate
        self.public_key = public_key
        """The public half of a private key."""

    @property
    def is_certificate(self) -> bool:
        return self.block.label in CERTIFICATE_LABELS

    @property
    def is_key(self) -> bool:
        return self.block.is_key


class PemFile:
    """A file that was read. ``is_der``: it holds binary objects, which Postfix does not read."""

    __slots__ = ("complete", "is_der", "name", "objects")

    def __init__(self, name: str, objects: tuple[PemObject, ...], *, is_der: bool) -> None:
        self.name = name
        self.objects = objects[:MOST_OBJECTS]
        self.is_der = is_der
        self.complete = len(objects) <= MOST_OBJECTS

    @property
    def certificates(self) -> list[Certificate]:
        """Those that could be decoded."""
        return [item.certificate for item in self.objects if item.certificate is not None]

    def has(self, wanted: Callable[[PemObject], bool]) -> bool:
        """Whether any object is of a kind."""
        return any(wanted(item) for item in self.objects)


class Store:
    """The PEM files of an instance, each read and decoded once."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._files: dict[str, PemFile | None] = {}

    def file(self, name: str) -> PemFile | None:
        """A file by its path in the configuration; None when it may not or can not be read."""
        if name not in self._files:
            data = self._instance.files.data(name, LARGEST_FILE)
            self._files[name] = None if data is None else self._read(name, data)
        return self._files[name]

    def _read(self, name: str, data: bytes) -> PemFile:
        objects = tuple(self._objects(data))
        return PemFile(name, objects, is_der=not objects and data[:2] in (b"\x30\x82", b"\x30\x81"))

    def _objects(self, data: bytes) -> Iterator[PemObject]:
        keys = 0
        for number, block in enumerate(read_pem(data), 1):
            keys += block.is_key
            if number > MOST_OBJECTS + 1:
                return
            if block.data is None or not (block.is_key or block.label in CERTIFICATE_LABELS):
                yield PemObject(number, block)
            elif not _library():
                self._instance.note(MISSING_LIBRARY)
                yield PemObject(number, block)
            elif block.is_key:
                half = _half(block) if keys <= _MOST_KEYS else None
                yield PemObject(number, block, public_key=half)
            else:
                yield PemObject(number, block, certificate=decode_certificate(block.data))


@once
def store_of(instance: Instance) -> Store:
    """The PEM files of an instance."""
    return Store(instance)


def decode_certificate(data: bytes) -> Certificate | None:
    """A certificate from DER; None for what the library does not take."""
    from cryptography import x509

    if len(data) > _LARGEST_CERTIFICATE:
        return None
    return _known(lambda: Certificate(x509.load_der_x509_certificate(data)))


def _library() -> bool:
    """Whether the library is there, and new enough to tell times with their zone."""
    try:
        from cryptography import x509
    except ImportError:
        return False
    return hasattr(x509.Certificate, "not_valid_after_utc")


def _half(block: PemBlock) -> PublicKey | None:
    """The public half of a private key; None for encrypted and unknown ones."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    data = block.data
    if block.encrypted or block.label not in _KEY_LABELS or data is None:
        return None
    is_dsa = block.label.startswith("DSA") or any(name in data[:64] for name in _DSA_AND_DH)
    if len(data) > (_LARGEST_DSA_KEY if is_dsa else _LARGEST_KEY):
        return None
    # A full check of the primes takes long for keys made to take long.
    return _known(
        lambda: _public(
            load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True).public_key()
        )
    )


def _public(key: Any) -> PublicKey | None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    name = type(key).__name__.upper()
    algorithm = next(
        (word for word in ("Ed25519", "Ed448", "RSA", "DSA", "EC") if word.upper() in name), None
    )
    if algorithm is None:
        return None
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(algorithm, getattr(key, "key_size", None), der)


def _common_name(name: x509.Name) -> str | None:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not found:
        return None
    value = found[-1].value
    return value if isinstance(value, str) else None


def _dns_names(loaded: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def _signature_hash(loaded: x509.Certificate) -> str | None:
    weak = _WEAK_BY_NUMBER.get(loaded.signature_algorithm_oid.dotted_string)
    if weak is not None:
        return weak
    algorithm = loaded.signature_hash_algorithm
    return None if algorithm is None else algorithm.name


def _from_authority(loaded: x509.Certificate) -> bool:
    from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

    for extension in loaded.extensions:
        if extension.oid.dotted_string == _PROOFS_OF_LOGGING:
            return True
        if extension.oid == ExtensionOID.AUTHORITY_INFORMATION_ACCESS:
            places = [item.access_method for item in extension.value]
            return AuthorityInformationAccessOID.CA_ISSUERS in places
    return False


def _known(find: Callable[[], T]) -> T | None:
    """What the library finds; None where it gives up. It warns of old algorithms: rules do that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return find()
    except Exception:
        return None
