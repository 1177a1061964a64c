"""Certificates and keys: what is known of every kind, and what no file can do."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from postlint.analysis import certificates
from postlint.analysis.certificates import Certificate, decode_certificate, store_of
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.certificates import (
    authority,
    certificate,
    kept_key,
    key_text,
    new_key,
    traditional,
)
from tests.linting import lint_folder

if TYPE_CHECKING:
    from postlint.analysis.certificates import PemFile
    from postlint.config.instance import Instance
    from tests.certificates import Issued

SETTINGS = """\
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/a
smtpd_tls_key_file = /etc/postfix/b
smtpd_tls_CAfile = /etc/postfix/a
smtpd_tls_dh1024_param_file = /etc/postfix/b
smtp_tls_security_level = may
smtp_tls_chain_files = /etc/postfix/a, /etc/postfix/b
"""
DER = authority("A").certificate.public_bytes(Encoding.DER)
GOOD = (certificate().chain + authority("A").pem).encode()


def instance_of(folder: Path, *, host: bool = False) -> Instance:
    (folder / "main.cf").touch()
    return load_instance(Discovery().find([str(folder)], bytes)[0], host=host)


def read(folder: Path, text: str | bytes) -> PemFile:
    (folder / "x.pem").write_bytes(text.encode() if isinstance(text, str) else text)
    file = store_of(instance_of(folder)).file("/etc/postfix/x.pem")
    assert file is not None
    return file


def decoded(issued: Issued) -> Certificate:
    found = decode_certificate(issued.certificate.public_bytes(Encoding.DER))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "algorithm", "bits"),
    [
        ("P-256", "EC", 256),
        ("P-384", "EC", 384),
        ("2048", "RSA", 2048),
        ("1024", "RSA", 1024),
        ("DSA", "DSA", 2048),
        ("Ed25519", "Ed25519", None),
    ],
)
def test_kinds_of_keys(kind: str, algorithm: str, bits: int | None, tmp_path: Path) -> None:
    issued = certificate(key=kept_key(kind))
    key, own = read(tmp_path, issued.chain).objects
    assert own.certificate is not None and own.certificate.key is not None
    assert (own.certificate.key.algorithm, own.certificate.key.bits) == (algorithm, bits)
    assert key.public_key == own.certificate.key
    assert key.public_key != decoded(certificate(key=new_key("P-384"))).key
    if kind != "Ed25519":
        (old, _) = read(tmp_path, traditional(issued.key) + issued.pem + " ").objects
        assert old.block.label == f"{algorithm} PRIVATE KEY" and old.public_key == key.public_key


def test_names_and_dates() -> None:
    found = decoded(certificate("MX.example.com", names=["MX.example.com", "*.example.com"]))
    assert found.subject == "MX.example.com" and found.self_issued
    assert found.names == ("mx.example.com", "*.example.com")
    assert f"{found.not_before:%Y} {found.not_after:%Y}" == "2020 2120"
    assert found.signature_hash == "sha256" and not found.from_authority
    assert decoded(certificate(names=[])).names == ()


def test_long_names_are_cut() -> None:
    found = decoded(certificate("x" * 64))
    assert found.subject == "x" * 64
    assert len(decoded(certificate(by=authority("y" * 64))).issuer) == 64


def test_issuers() -> None:
    root = authority("Root")
    middle = authority("Middle", by=root)
    leaf = decoded(certificate(by=middle, public=True))
    assert leaf.from_authority and not leaf.self_issued and leaf.issuer == "Middle"
    assert leaf.issued_by(decoded(middle)) and not leaf.issued_by(decoded(root))
    assert not leaf.issued_by(decoded(authority("Middle", by=root))), "same name, other key"


def test_made_for_the_system_itself() -> None:
    assert decoded(certificate("localhost.localdomain")).is_local
    assert decoded(certificate("box.localdomain")).is_local
    assert not decoded(certificate("localhost.example.com", by=authority("A"))).is_local
    assert not decoded(certificate("mx.example.com")).is_local


def test_weak_signature() -> None:
    signed = certificate(by=authority("A"), key=kept_key("2048"), digest=hashes.SHA224())
    assert decoded(signed).signature_hash == "sha224"


@settings(max_examples=60)
@given(
    st.one_of(st.binary(), st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=3))),
    st.one_of(st.just(GOOD), st.binary(), st.integers(0, len(GOOD))),
)
def test_no_file_can_do_any_harm(first: bytes | tuple[int, bytes], second: bytes | int) -> None:
    """Any bytes, a good file with some of them changed, and a good file cut off."""
    texts = {
        "a": first
        if isinstance(first, bytes)
        else GOOD[: first[0]] + first[1] + GOOD[first[0] + len(first[1]) :],
        "b": second if isinstance(second, bytes) else GOOD[:second],
    }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "main.cf").write_text(SETTINGS, "utf-8")
        for name, text in texts.items():
            (folder / name).write_bytes(text)
        lint_folder(folder, select="CRT")


@settings(max_examples=60)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_changed_certificates_are_decoded_or_not(at: int, change: bytes) -> None:
    found = decode_certificate(DER[:at] + change + DER[at + len(change) :])
    assert found is None or isinstance(found.subject, str)


def test_without_the_library_there_is_one_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    instance = instance_of(tmp_path)
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).write_text(certificate().chain, "utf-8")
        file = store_of(instance).file(f"/etc/postfix/{name}")
        assert file is not None and [item.is_key for item in file.objects] == [True, False]
        assert not file.certificates
    assert instance.notes == [certificates.MISSING_LIBRARY]


def test_without_the_library_other_files_are_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    read(tmp_path, "no certificate\n")
    instance = instance_of(tmp_path)
    assert store_of(instance).file("/etc/postfix/absent.pem") is None and not instance.notes


def test_keys_that_are_made_to_take_long(tmp_path: Path) -> None:
    """The public half of a DSA key is a power of its private one: minutes, for a large one."""
    huge = pem("PRIVATE KEY", dsa_key(octets=3000))
    usual = key_text(kept_key("DSA"))
    (first, second) = read(tmp_path, huge + usual).objects
    assert first.is_key and first.public_key is None
    assert second.public_key is not None and second.public_key.bits == 2048


def test_only_some_keys_and_certificates_are_decoded(tmp_path: Path) -> None:
    own = certificate()
    objects = read(tmp_path, own.key_pem * 10).objects
    assert [item.public_key is not None for item in objects] == [True] * 8 + [False] * 2
    many = read(tmp_path, own.pem * (certificates.MOST_OBJECTS + 1))
    assert len(many.objects) == certificates.MOST_OBJECTS and not many.complete


def test_many_certificates_with_the_name_of_the_issuer() -> None:
    leaf = decoded(certificate(by=authority("A")))
    others = [decoded(authority("A")) for _ in range(certificates.MOST_ISSUERS)]
    assert not leaf.has_issuer(others)
    assert leaf.has_issuer([*others, others[0]]), "too many to ask each of them"


def pem(label: str, data: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


def dsa_key(octets: int) -> bytes:
    """A DSA key in PKCS #8 with a modulus and an exponent of this length, both of ones."""
    number = der(2, b"\x00" + b"\xff" * octets)
    algorithm = der(0x30, bytes.fromhex("06072a8648ce380401") + der(0x30, number * 3))
    return der(0x30, der(2, b"\x00") + algorithm + der(4, number))


def der(tag: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:
        return bytes([tag, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def test_files_out_of_reach(tmp_path: Path) -> None:
    """Only regular files of the instance, of a sensible size."""
    folder = tmp_path / "instance"
    folder.mkdir()
    (tmp_path / "out.pem").write_bytes(GOOD)
    (folder / "link.pem").symlink_to(tmp_path / "out.pem")
    (folder / "folder.pem").mkdir()
    with (folder / "large.pem").open("wb") as file:
        file.truncate(certificates.LARGEST_FILE + 1)
    instance = instance_of(folder)
    store = store_of(instance)
    for name in ("link.pem", "folder.pem", "large.pem", "../out.pem", "absent.pem"):
        assert store.file(f"/etc/postfix/{name}") is None
    assert store.file(str(tmp_path / "out.pem")) is None
    reasons = sorted(reason.partition(",")[0] for _, reason in instance.files.refused)
    assert reasons == [
        "a link leads out of the instance",
        "a link leads out of the instance",
        "larger than 4 MiB",
        "not a regular file",
    ]
    assert instance_of(folder, host=True).files.data(str(tmp_path / "out.pem"), 1 << 20) == GOOD
