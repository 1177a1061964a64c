"""Keys and certificates for tests, made as they are needed by the library ``cryptography``.

    ca = authority("Test Root")
    middle = authority("Test Issuing CA", by=ca)
    leaf = certificate("mx.example.com", by=middle)
    chain = leaf.key_pem + leaf.pem + middle.pem

``python -m tests.certificates`` makes the PEM files of the corpus anew: throw-away keys that
nobody uses, valid until 2120, or never again where that is what the case is about.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

FAR = datetime(2120, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CORPUS = Path(__file__).parents[1] / "corpus" / "rules"
WARNING = "This key is for the tests of postlint only: it is public, use it for nothing.\n"


class Issued(NamedTuple):
    """A certificate with its key."""

    key: CertificateIssuerPrivateKeyTypes
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return key_text(self.key)

    @property
    def chain(self) -> str:
        """Key and certificate, as smtpd_tls_chain_files wants them."""
        return self.key_pem + self.pem


def key_text(key: CertificateIssuerPrivateKeyTypes, password: str | None = None) -> str:
    """A key in PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password.encode()),
    ).decode()


def traditional(key: CertificateIssuerPrivateKeyTypes) -> str:
    """A key in the form of its algorithm (RSA PRIVATE KEY …)."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def new_key(kind: str = "P-256") -> CertificateIssuerPrivateKeyTypes:
    """A new key: a curve (``P-256``), ``Ed25519``, ``DSA`` or the bits of an RSA key."""
    match kind:
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "P-224":
            return ec.generate_private_key(ec.SECP224R1())
        case "P-192":
            return ec.generate_private_key(ec.SECP192R1())
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "DSA":
            return dsa.generate_private_key(2048)
    return rsa.generate_private_key(65537, int(kind))


@cache
def kept_key(kind: str = "P-256", number: int = 0) -> CertificateIssuerPrivateKeyTypes:
    """A key that all tests of a run share: making RSA keys takes long."""
    return new_key(kind)


def certificate(
    name: str = "mx.example.com",
    *,
    names: Sequence[str] | None = None,
    by: Issued | None = None,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    begin: datetime = LONG_AGO,
    end: datetime = FAR,
    is_authority: bool = False,
    public: bool = False,
    digest: hashes.HashAlgorithm | None = None,
) -> Issued:
    """A certificate for a host, self-signed without ``by``.

    ``names`` are the dNSNames (that of the host when not given); ``public``: with the address of
    the issuer's certificate, as public authorities put it in.
    """
    key = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    listed = [name] if names is None and not is_authority else names or []
    if listed:
        alternative = x509.SubjectAlternativeName([x509.DNSName(item) for item in listed])
        builder = builder.add_extension(alternative, critical=False)
    if public:
        place = x509.UniformResourceIdentifier("http://ca.example.org/issuing.der")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    signer = key if by is None else by.key
    is_edwards = isinstance(signer, ed25519.Ed25519PrivateKey)
    algorithm = None if is_edwards else digest or hashes.SHA256()
    return Issued(key, builder.sign(signer, algorithm))  # type: ignore[arg-type]


def authority(name: str, *, by: Issued | None = None, end: datetime = FAR) -> Issued:
    """The certificate of an authority, a root without ``by``."""
    return certificate(name, by=by, is_authority=True, end=end)


def _corpus_files() -> dict[str, str]:
    """The PEM files of the corpus by their path below ``corpus/rules``."""
    root = authority("postlint Test Root")
    middle = authority("postlint Test Issuing CA", by=root)
    leaf = certificate(by=middle, public=True)
    own = certificate()
    other = certificate()
    month = timedelta(days=90)
    expired = certificate(end=LONG_AGO + month)
    short = certificate(key=new_key("1024"))
    elsewhere = certificate("www.example.com")
    wildcard = certificate("mail.example.com", names=["*.example.com"])
    local = certificate("localhost.localdomain")
    private = certificate(by=root)
    files = {
        "CRT004/bad-other-key/cert.pem": own.pem,
        "CRT004/bad-other-key/other.key": other.key_pem,
        "CRT004/bad-no-key/cert.pem": own.pem,
        "CRT004/bad-certificate-first/chain.pem": own.pem + own.key_pem,
        "CRT004/good-chain/chain.pem": own.chain,
        "CRT004/tricky-one-file/server.pem": own.pem + own.key_pem,
        "CRT004/tricky-not-used/cert.pem": own.pem,
        "CRT004/tricky-not-used/other.key": other.key_pem,
        "CRT004/tricky-override/cert.pem": own.pem,
        "CRT004/tricky-override/cert.key": own.key_pem,
        "CRT004/tricky-override/other.key": other.key_pem,
        "CRT005/bad-chain/chain.pem": own.chain,
        "CRT005/good-mode/chain.pem": own.chain,
        "CRT005/tricky-no-key/cert.pem": own.pem,
        "CRT005/tricky-no-key/cert.key": own.key_pem,
        "CRT005/tricky-encrypted/sealed.key": key_text(own.key, "password"),
        "CRT005/tricky-encrypted/cert.pem": own.pem,
        "CRT007/bad-expired/expired.pem": expired.chain,
        "CRT007/good-valid/chain.pem": own.chain,
        "CRT007/tricky-issuer/chain.pem": leaf.chain
        + authority("postlint Test Issuing CA", by=root, end=LONG_AGO + month).pem,
        "CRT008/bad-short/short.pem": short.chain,
        "CRT008/good-curve/chain.pem": own.chain,
        "CRT008/tricky-root/chain.pem": private.chain
        + certificate("postlint Test Root", key=new_key("1024"), is_authority=True).pem,
        "CRT009/bad-other-name/other.pem": elsewhere.chain,
        "CRT009/good-name/chain.pem": own.chain,
        "CRT009/tricky-wildcard/chain.pem": wildcard.chain,
        "CRT009/tricky-mx/other.pem": elsewhere.chain,
        "CRT010/bad-leaf-only/leaf.pem": leaf.chain,
        "CRT010/bad-order/server.pem": leaf.key_pem + middle.pem + leaf.pem,
        "CRT010/good-chain/full.pem": leaf.chain + middle.pem,
        "CRT010/tricky-authorities/leaf.pem": leaf.chain,
        "CRT010/tricky-authorities/ca.pem": middle.pem + root.pem,
        "CRT010/tricky-private/leaf.pem": private.chain,
        "CRT010/tricky-private/own.pem": own.chain,
        "CRT011/bad-localhost/local.pem": local.chain,
        "CRT014/tricky-completes/leaf.pem": leaf.chain,
        "CRT014/tricky-completes/ca.pem": middle.pem + root.pem,
        "CRT002/bad-no-authorities/ca.pem": "No certificate in here.\n",
    }
    return {path: (WARNING + text if "PRIVATE" in text else text) for path, text in files.items()}


if __name__ == "__main__":
    for path, text in _corpus_files().items():
        (CORPUS / path).parent.mkdir(exist_ok=True, parents=True)
        (CORPUS / path).write_text(text, "utf-8")
