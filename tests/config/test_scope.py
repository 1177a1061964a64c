"""Values that Postfix works out from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.config.discovery import Candidate
from postlint.config.load import load_instance
from postlint.postfix.versions import PostfixVersion
from postlint.syntax.source import SourceFile
from tests.postfix_here import postconf, require_postfix, write

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["mx.example.com", "mx", "a.b.c.d", "mx.local", "mx.$mydomain", "$mydomain", "{{ host }}"]


def domain(main: str, version: str = "3.7", override: str = "") -> str | None:
    candidate = Candidate(None)
    candidate.main_cf = SourceFile("main.cf", main)
    candidate.master_cf = SourceFile("master.cf", f"smtp inet n - n - - smtpd {override}\n")
    (service,) = load_instance(candidate, PostfixVersion.parse(version)).services
    value = service["mydomain"]
    return value.text if value.known else None


@pytest.mark.parametrize(
    ("name", "expected"),
    list(
        zip(NAMES, ["example.com", "localdomain", "b.c.d", "local", None, None, None], strict=True)
    ),
)
def test_domain_of_the_host(name: str, expected: str | None) -> None:
    assert domain(f"myhostname = {name}\n") == expected


def test_what_decides_the_domain() -> None:
    assert domain("") is None
    assert domain("myhostname = a.example\nmydomain = b.example\n") == "b.example"
    assert domain("myhostname = a.example\n", override="-o myhostname=b.c.example") == "c.example"
    assert domain("myhostname = mx.local\n", "2.11") == "localdomain"
    assert domain("mydomain = $undefined\nmyhostname = a.example\n") == ""


@pytest.mark.postfix
@pytest.mark.parametrize("name", [name for name in NAMES if "$" not in name and "{" not in name])
def test_postfix_takes_the_same(name: str, tmp_path: Path) -> None:
    require_postfix()
    folder = write(tmp_path, {"main.cf": f"myhostname = {name}\n", "master.cf": ""})
    said = postconf(folder, "-x", "mydomain").output
    assert said == f"mydomain = {domain(f'myhostname = {name}')}\n"
