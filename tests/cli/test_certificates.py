"""Certificates on the command line: the missing library, and keys that stay secret."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.certificates import LONG_AGO, certificate, key_text, new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

MAIN_CF = """\
myhostname = mx.example.com
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/cert.pem
smtpd_tls_key_file = /etc/postfix/{key}
smtpd_tls_CAfile = /etc/postfix/{key}
smtpd_tls_dh1024_param_file = /etc/postfix/{key}
smtp_tls_security_level = may
smtp_tls_chain_files = /etc/postfix/cert.pem, /etc/postfix/{key}
virtual_alias_maps = texthash:/etc/postfix/{key}
"""
LONGEST_QUOTE = 12
"""Characters of a key that may be found in a report by chance."""


def instance(name: str, main_cf: str, **files: str) -> None:
    folder = Path(name)
    folder.mkdir()
    (folder / "main.cf").write_text(main_cf, "utf-8")
    for stem, text in files.items():
        (folder / f"{stem}.pem").write_text(text, "utf-8")


@pytest.mark.parametrize("arguments", [(), ("--jobs", "2")])
def test_one_note_without_the_library(
    arguments: tuple[str, ...], postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    main_cf = MAIN_CF.format(key="cert.pem")
    for name in ("a", "b"):
        instance(name, main_cf, cert=certificate().chain)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    run = postlint("check", "a", "b", "--select", "CRT", "--isolated", *arguments)
    assert run.err.splitlines() == [
        "postlint: certificates were not looked into, for want of the Python library cryptography"
        " (42 or newer): pip install postlint[certificates]"
    ]
    assert run.status == 1, "that of the findings, of which the order of objects is one"
    report = json.loads(postlint("check", "a", "b", "--isolated", "--format", "sarif").out)
    (invocation,) = report["runs"][0]["invocations"]
    (note,) = invocation["toolExecutionNotifications"]
    assert note["level"] == "note" and "cryptography" in note["message"]["text"]
    assert invocation["executionSuccessful"]


def test_no_note_without_certificates(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    instance("a", MAIN_CF.format(key="absent.pem"))
    assert postlint("check", "a", "--isolated").err == ""


@pytest.mark.parametrize("output", ["text", "json", "sarif", "terminal"])
@pytest.mark.parametrize("kind", ["P-256", "torn", "sealed", "bare"])
def test_keys_stay_secret(output: str, kind: str, postlint: Callable[..., Run]) -> None:
    """Whatever is named where, and however broken it is."""
    key = new_key()
    text = key_text(key, "password" if kind == "sealed" else None)
    if kind == "torn":
        text = text[:150]
    if kind == "bare":
        text = text.split("\n", 1)[1]
    instance("a", MAIN_CF.format(key="key.pem"), cert=certificate(key=new_key()).pem, key=text)
    how = ("--color", "always") if output == "terminal" else ("--format", output)
    run = postlint("check", "a", "--isolated", *how)
    assert "CRT004" in run.out or kind == "bare"
    body = "".join(line for line in text.splitlines() if "-----" not in line)
    said = run.out + run.err
    for at in range(len(body) - LONGEST_QUOTE):
        assert body[at : at + LONGEST_QUOTE] not in said


@pytest.mark.parametrize("output", ["text", "json", "sarif", "terminal"])
def test_names_in_certificates_are_shown_harmlessly(
    output: str, postlint: Callable[..., Run]
) -> None:
    """Whoever made the certificate does not speak to the terminal."""
    name = "\x1b[31mred\nmain.cf:1:1: CRT000 error invented\u202e"
    main_cf = MAIN_CF.format(key="cert.pem")
    instance(
        "a",
        main_cf,
        cert=certificate(
            name, names=["a.example"], begin=LONG_AGO - timedelta(days=9), end=LONG_AGO
        ).chain,
    )
    how = ("--color", "never") if output == "terminal" else ("--format", output)
    run = postlint("check", "a", "--isolated", "--select", "CRT007", *how)
    assert "red" in run.out and "invented" in run.out
    assert not set("\x1b\u202e") & set(run.out)
    if output == "text":
        assert not any(line.startswith("main.cf") for line in run.lines)
