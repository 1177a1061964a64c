"""postlint exposure: what it shows of each service, and --explain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Run

MAIN_CF = """\
compatibility_level = 3.6
mydestination = example.com
mynetworks = 192.0.2.0/24
smtpd_tls_security_level = may
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""
MASTER_CF = """\
smtp inet n - n - - smtpd
2525 inet n - n - - smtpd
  -o smtpd_relay_restrictions=check_helo_access,inline:{friend=OK},reject
smtp unix - - n - - smtp
"""
SESSION = ("--sender", "user@example.net", "--recipient", "user@example.org")


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(MAIN_CF, encoding="utf-8")
    (tmp_path / "master.cf").write_text(MASTER_CF, encoding="utf-8")


def test_json(postlint: Callable[..., Run]) -> None:
    run = postlint("exposure", "--format", "json", ".")
    assert run.status == 0
    (instance,) = json.loads(run.out)["instances"]
    mx, other, client = instance["services"]
    assert mx["service"] == "smtp/inet"
    assert mx["tls"]["mode"] == "opportunistic"
    assert mx["relay"]["anonymous"] == "refused"
    assert mx["relay"]["trusted_networks"] == ["192.0.2.0/24"]
    assert mx["relay"]["decided_by"]["restriction"] == "reject_unauth_destination"
    assert (mx["relay"]["decided_by"]["path"], mx["relay"]["decided_by"]["line"]) == ("main.cf", 5)
    assert other["relay"]["anonymous"] == "allowed"
    assert other["relay"]["witness"]["helo"] == "friend"
    assert "relay" not in client


def test_text(postlint: Callable[..., Run]) -> None:
    run = postlint("exposure", ".")
    assert run.status == 0
    assert "relay for strangers: refused" in run.out
    assert "decided by: reject_unauth_destination (main.cf:5)" in run.out


def test_table(postlint: Callable[..., Run]) -> None:
    assert "allowed" in postlint("exposure", "--color", "always", ".").out


def test_explain(postlint: Callable[..., Run]) -> None:
    run = postlint("exposure", "--explain", "smtp", *SESSION, ".")
    assert run.status == 0
    assert "permit_mynetworks: dunno (the client is not in mynetworks) [main.cf:5]" in run.out
    assert "refused with 554 by reject_unauth_destination, at RCPT TO" in run.out


def test_explain_as_json(postlint: Callable[..., Run]) -> None:
    run = postlint(
        *("exposure", "--format", "json", "--explain", "smtp/inet", "--client", "192.0.2.9"),
        *SESSION,
        ".",
    )
    report = json.loads(run.out)
    assert report["answers"] == [{"stage": "end of data", "code": 250}]
    assert report["steps"][0]["results"] == ["permit"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--explain", "smtps", *SESSION),
        ("--explain", "smtp", "--sender", "a@example.net"),
        ("--explain", "smtp", "--client", "nowhere", *SESSION),
        ("--format", "xml"),
        ("--as", "nothing"),
    ],
)
def test_wrong_usage(postlint: Callable[..., Run], arguments: tuple[str, ...]) -> None:
    run = postlint("exposure", *arguments, ".")
    assert run.status == 2
    assert run.err.startswith("postlint")
    assert not run.out
