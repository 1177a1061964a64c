"""postlint exposure: what it shows of each service, and --explain."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.installed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Run

SCHEMA = Draft202012Validator(
    json.loads(files("postlint.report").joinpath("exposure.schema.json").read_text("utf-8"))
)

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
    relay = "relay for strangers: refused; by reject_unauth_destination (main.cf:5)"
    assert f".: smtp/inet: {relay}\n" in run.out
    assert all(line.startswith(".: ") for line in run.out.splitlines())


def test_table(postlint: Callable[..., Run]) -> None:
    run = postlint("exposure", "--color", "always", ".")
    assert "\x1b[1;31mallowed" in run.out
    assert "\x1b[32mrefused" in run.out


@pytest.mark.parametrize("columns", ["72", "100", "180"])
def test_table_fits(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", postlint("exposure", "--color", "always", ".").out)
    assert max(map(len, lines.splitlines())) <= int(columns)


def test_no_table_where_there_is_no_room(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert postlint("exposure", "--color", "always", ".").out == postlint("exposure", ".").out


def validated(text: str) -> list[dict[str, Any]]:
    """The services of the first installation in JSON that fits its schema."""
    report = json.loads(text)
    SCHEMA.validate(report)
    services: list[dict[str, Any]] = report["instances"][0]["services"]
    return services


def test_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)


@pytest.mark.parametrize(
    "case", ["openbsd-tls-howto", "modern-mx", "submission-host", "null-client"]
)
def test_json_of_the_corpus(postlint: Callable[..., Run], case: str) -> None:
    for version in ("2.8", "3.4", "3.11"):
        run = postlint(
            *("exposure", "--format", "json", "--postfix-version", version),
            str(ROOT / "corpus" / case),
        )
        assert validated(run.out)


HARD = """\
compatibility_level = 3.6
mydestination = example.com
relayhost = [mail.example.org]:587
smtp_tls_security_level = may
smtp_tls_policy_maps = hash:/etc/postfix/policy
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:/etc/postfix/passwords
transport_maps = inline:{{far.example=smtp:[far.example]} {near.example=smtp:}}
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/ssl/mx.pem
"""
HARD_SERVICES = """\
smtp inet n - n - - smtpd
strict inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes
1025 inet n - n - - smtpd -o smtpd_tls_chain_files=
1026 inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=starttls
1027 inet n - n - - smtpd -o smtpd_tls_protocols=TLS1.2
1028 inet n - n - - smtpd -o smtpd_tls_ciphers=strong
465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_mandatory_ciphers=high -o smtpd_tls_mandatory_exclude_ciphers=aNULL,kRSA
1029 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_security_options=noanonymous,noplaintext
  -o smtpd_sasl_tls_security_options=noanonymous
smtp unix - - n - - smtp
"""


def test_tls_and_login_in_json(postlint: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(HARD, "utf-8")
    (tmp_path / "master.cf").write_text(HARD_SERVICES, "utf-8")
    policy = (
        "[mail.example.org]:587 secure match=mail.example.org\nnear.example encrypt ciphers=x\n"
    )
    (tmp_path / "policy").write_text(policy, "utf-8")
    (tmp_path / "passwords").write_text("[mail.example.org]:587 user:secret\n", "utf-8")
    run = postlint("exposure", "--format", "json", "--postfix-version", "3.7", ".")
    *servers, client = validated(run.out)
    by_name = {row["service"].partition("/")[0]: row for row in servers}
    starttls = {name: row["tls"]["starttls"] for name, row in by_name.items()}
    assert starttls == {
        "smtp": "offered",
        "strict": "offered",
        "1025": "refused",
        "1026": "hidden",
        "1027": "refused",
        "1028": "fails",
        "465": "implicit",
        "1029": "offered",
    }
    assert by_name["1027"]["tls"]["problem"]["line"] == 5
    assert by_name["strict"]["tls"]["client_certificate"] == "required"
    assert by_name["strict"]["tls"]["protocols"] == ["TLSv1.2", "TLSv1.3"]
    wrapper = by_name["465"]
    assert wrapper["tls"]["excluded_ciphers"] == ["aNULL", "kRSA"]
    assert wrapper["tls"]["ciphers"]["forward_secrecy_only"]
    assert not wrapper["tls"]["ciphers"]["anonymous"]
    assert "PLAIN" in wrapper["auth"]["mechanisms"]["after_tls"]
    assert wrapper["auth"]["mechanisms"]["before_tls"] == []
    open_one = by_name["1029"]["auth"]
    assert (open_one["offered"], open_one["cleartext"]) == ("cleartext", False)
    assert "PLAIN" not in open_one["mechanisms"]["before_tls"]
    assert "PLAIN" in open_one["mechanisms"]["after_tls"]
    hops = {hop["nexthop"]: hop for hop in client["destinations"]}
    assert list(hops) == ["[mail.example.org]:587", "[far.example]", "*", "near.example"]
    relay = hops["[mail.example.org]:587"]
    assert (relay["level"], relay["credentials"], relay["authenticated"]) == ("secure", True, True)
    assert relay["protocols"] == ["TLSv1.2", "TLSv1.3"]
    assert hops["[far.example]"]["credentials"] is False
    assert hops["near.example"]["problem"] == '"x" is no cipher grade'
    assert "secret" not in run.out


def test_explain(postlint: Callable[..., Run]) -> None:
    run = postlint("exposure", "--explain", "smtp", *SESSION, ".")
    assert run.status == 0
    assert "permit_mynetworks: dunno (the client is not in mynetworks) [main.cf:5]" in run.out
    assert "refused with 554 by reject_unauth_destination (main.cf:5), at RCPT TO" in run.out


def test_explain_on_a_terminal(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    run = postlint("exposure", "--color", "always", "--explain", "smtp", *SESSION, ".")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", run.out)
    assert "\x1b[1;31mreject 554" in run.out
    assert "  permit_mynetworks  dunno  the client is not in mynetworks" in plain
    assert max(map(len, plain.splitlines())) <= 60


def test_explain_as_json_takes_one_installation(
    postlint: Callable[..., Run], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "main.cf").write_text(MAIN_CF, encoding="utf-8")
    run = postlint(
        *("exposure", "--format", "json", "--explain", "smtp", *SESSION),
        *(".", "other"),
    )
    assert (run.status, run.out) == (2, "")


def test_explain_goes_by_the_name_of_the_client(
    postlint: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "master.cf").write_text(
        "smtp inet n - n - - smtpd -o "
        "{ smtpd_relay_restrictions = check_client_access inline:{friend.example=OK}, reject }\n"
    )
    for name, end in (("mx.friend.example", "mail is accepted"), ("example", "refused with 554")):
        run = postlint("exposure", "--explain", "smtp", "--client-name", name, *SESSION, ".")
        assert f"smtpd: {end}" in run.out


def test_explain_tells_all_that_may_happen(postlint: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "master.cf").write_text(
        "smtp inet n - n - - smtpd -o { smtpd_relay_restrictions = "
        "check_policy_service unix:private/policy, reject }\n"
    )
    run = postlint("exposure", "--format", "json", "--explain", "smtp", *SESSION, ".")
    report = json.loads(run.out)
    assert (report["accepted"], report["relayed"]) == (None, None)
    assert [answer["code"] for answer in report["answers"]] == [450, 554, 554, 250]
    assert {answer["by"]["restriction"] for answer in report["answers"] if answer["by"]} == {
        "check_policy_service unix:private/policy",
        "reject",
    }


def test_explain_as_json(postlint: Callable[..., Run]) -> None:
    run = postlint(
        *("exposure", "--format", "json", "--explain", "smtp/inet", "--client", "192.0.2.9"),
        *SESSION,
        ".",
    )
    report = json.loads(run.out)
    assert report["answers"] == [
        {"stage": "end of data", "code": 250, "discarded": False, "by": None}
    ]
    assert (report["accepted"], report["relayed"]) == (True, True)
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
