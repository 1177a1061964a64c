"""openssl(1) for tests of TLS: a certificate, and what a handshake negotiates."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TIME_LIMIT = 20.0

VERSION_OPTIONS = {
    "TLSv1": "-tls1",
    "TLSv1.1": "-tls1_1",
    "TLSv1.2": "-tls1_2",
    "TLSv1.3": "-tls1_3",
}

_SESSION = re.compile(r"^ *Protocol *: *(\S+)", re.MULTILINE)
_NEW = re.compile(r"^New, (\S+), Cipher is (\S+)", re.MULTILINE)


def require_openssl() -> str:
    """The path of openssl(1); skips the test without it."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("openssl is not installed")
    return found


def make_certificate(folder: Path, name: str = "mx.example.com") -> Path:
    """A key and a self-signed certificate in one file."""
    path = folder / "server.pem"
    command = [
        *(require_openssl(), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=TIME_LIMIT)
    path.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    path.chmod(0o644)
    return path


EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
"""Ciphers of a client that knows all old ones."""

_NO_NEWER = {"TLSv1.2": ("-no_tls1_3",)}


def handshake(
    port: int,
    version: str | None = None,
    *,
    starttls: bool = True,
    ciphers: str = EVERYTHING,
    newest: str = "",
) -> tuple[str, str] | None:
    """(protocol, cipher) that a client with all old versions and ciphers gets; None: it fails.

    ``version`` is the only one that it offers, ``newest`` the newest one.
    """
    command = ["-connect", f"127.0.0.1:{port}", "-cipher", ciphers, *_NO_NEWER.get(newest, ())]
    if version is not None:
        command.append(VERSION_OPTIONS[version])
    said = _s_client(command, starttls=starttls)
    new = _NEW.search(said)
    if new is None or new[2] == "(NONE)":
        return None
    session = _SESSION.search(said)
    return (session[1] if session is not None else new[1], new[2])


def asks_for_certificate(port: int, *, starttls: bool = True) -> bool:
    """Whether the server sends a request for a certificate."""
    command = ["-connect", f"127.0.0.1:{port}", "-cipher", EVERYTHING, "-msg"]
    return "CertificateRequest" in _s_client(command, starttls=starttls)


def _s_client(options: list[str], *, starttls: bool) -> str:
    """What openssl s_client prints; nothing when it takes too long."""
    command = [require_openssl(), "s_client", *options]
    if starttls:
        command += ["-starttls", "smtp"]
    try:
        done = subprocess.run(
            command, input=b"QUIT\r\n", capture_output=True, timeout=TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode("utf-8", "replace")
