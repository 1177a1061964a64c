"""TLS and AUTH per service: what is known, what is not, and who uses which parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.auth import auth_of
from postlint.analysis.policies import destination, policies_of
from postlint.analysis.tls import Tls, client_tls, server_tls, tls_of
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from postlint.postfix.services import stock_services
from postlint.postfix.versions import NEWEST_STABLE, PostfixVersion

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.config.instance import Instance
    from postlint.config.service import Service


def stock() -> str:
    return "".join(" ".join(entry) + "\n" for entry in stock_services(NEWEST_STABLE))


def load(folder: Path, main: str | None, master: str | None = "", **files: str) -> Instance:
    """An instance with a stock master.cf and more services; ``master`` None: without one."""
    if main is not None:
        (folder / "main.cf").write_text(main, "utf-8")
    if master is not None:
        text = (stock() if main is not None else "") + master
        (folder / "master.cf").write_text(text, "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    version = PostfixVersion.parse("3.11")
    return load_instance(Discovery().find([str(folder)], bytes)[0], version)


def service(instance: Instance, label: str) -> Service:
    return next(item for item in instance.services if item.label == label)


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        ("smtp_tls_security_level = dane-only", "dane-only"),
        ("smtp_tls_security_level = MAY", "may"),
        ("smtp_tls_security_level = must", "fatal"),
        ("smtp_tls_security_level =", "none"),
        ("smtp_tls_security_level =\nsmtp_use_tls = yes", "may"),
        ("smtp_tls_security_level =\nsmtp_enforce_tls = yes", "verify"),
        (
            "smtp_tls_security_level =\nsmtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no",
            "encrypt",
        ),
        ("smtp_tls_security_level = {{ level }}", None),
        ("compatibility_level = 3.11", "may"),
        ("compatibility_level = 3.10", "none"),
    ],
)
def test_client_levels(settings: str, level: str | None, tmp_path: Path) -> None:
    instance = load(tmp_path, settings + "\n")
    assert client_tls(service(instance, "smtp/unix")).level == level


def test_what_no_main_cf_says_is_not_known(tmp_path: Path) -> None:
    instance = load(
        tmp_path,
        None,
        "a inet n - n - - smtpd\n"
        "b inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        "c inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
        "d inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt"
        " -o smtpd_tls_wrappermode=no -o smtpd_sasl_auth_enable=yes\n",
    )
    modes = {item.name: server_tls(item).mode for item in instance.services}
    assert modes == {"a": None, "b": "wrapper", "c": None, "d": "encrypt"}
    assert auth_of(service(instance, "d/inet")).offer is None  # AUTH may be hidden
    assert auth_of(service(instance, "a/inet")).enabled is None


def test_who_uses_a_parameter(tmp_path: Path) -> None:
    tls = tls_of(load(tmp_path, "smtpd_tls_security_level = may\n"))
    assert tls.used("smtpd", "protocols", mandatory=False) is True
    assert tls.used("smtpd", "protocols", mandatory=True) is False
    assert tls.used("smtp", "ciphers", mandatory=True) is False


def test_a_lone_main_cf_does_not_tell_who_uses_a_parameter(tmp_path: Path) -> None:
    tls = tls_of(load(tmp_path, "smtpd_tls_security_level = may\n", None))
    assert tls.used("smtpd", "protocols", mandatory=False) is True
    assert tls.used("smtpd", "protocols", mandatory=True) is None


def test_policies_use_parameters(tmp_path: Path) -> None:
    main = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"
    tables = "example.com encrypt protocols=TLSv1.2\nexample.org secure\n"
    tls = tls_of(load(tmp_path, main, tls_policy=tables))
    assert tls.used("smtp", "protocols", mandatory=True) is True
    assert tls.used("smtp", "protocols", mandatory=False) is False
    (use,) = {use.why_location.start.line for use in tls.uses("protocols") if use.why_location}
    assert use == 2
    summary = tls.policies(service(tls.instance, "smtp/unix"))
    assert summary.complete and set(summary.levels) == {"encrypt", "secure"}


def test_a_table_that_can_not_be_read_may_say_anything(tmp_path: Path) -> None:
    tls = tls_of(load(tmp_path, "smtp_tls_policy_maps = mysql:/etc/postfix/policy.cf\n"))
    assert not tls.policies(service(tls.instance, "smtp/unix")).complete
    assert tls.used("smtp", "protocols", mandatory=True) is None


def test_dane_uses_both_parameters(tmp_path: Path) -> None:
    tls = tls_of(load(tmp_path, "smtp_tls_security_level = dane\n"))
    assert tls.used("smtp", "protocols", mandatory=True) is True
    assert tls.used("smtp", "protocols", mandatory=False) is True


def test_the_client_for_the_internet(tmp_path: Path) -> None:
    found = Tls(load(tmp_path, "default_transport = smtp:[192.0.2.1]\n")).internet
    assert found is not None and found.service.label == "smtp/unix"
    assert Tls(load(tmp_path, "default_transport = error:none\n")).internet is None


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("Example.COM", ("example.com", None, "host")),
        (".example.com", ("example.com", None, ".parent")),
        ("[mail.example.com]", ("mail.example.com", None, "[host]")),
        ("[mail.example.com]:587", ("mail.example.com", "587", "[host]:port")),
        ("mail.example.com:smtps", ("mail.example.com", "smtps", "host:port")),
        ("[2001:db8::1]:25", ("2001:db8::1", "25", "[host]:port")),
    ],
)
def test_keys_are_taken_apart(key: str, parts: tuple[str, str | None, str]) -> None:
    assert tuple(destination(key)) == parts


@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "with quotes"])
def test_entries_of_a_policy(quoted: bool, tmp_path: Path) -> None:
    """The fast way through a table gives the same answers as the slow one."""
    text = "# comment\na.example may\n\nb.example\tencrypt  \nC.example encrypt\nd.example\n"
    text += '"e f" may\n  protocols=TLSv1\n' if quoted else ""
    main = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"
    (table,) = load(tmp_path, main, tls_policy=text).policy_tables
    policies = policies_of(table)
    levels = {policy.level.text for policy in policies.different() if policy.level}
    assert levels == {"may", "encrypt"}
    found = policies.entries(lambda policy: policy.level is not None and "enc" in policy.level.text)
    assert [(entry.key.text, entry.key.location.start.line) for entry, _ in found] == [
        ("b.example", 4),
        ("C.example", 5),
    ]
    assert [entry.key.text for entry, _ in policies.with_key(r"^c\.")] == ["C.example"]


def test_tables_with_many_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postlint.analysis.policies.MANY", 3)
    text = "".join(f"h{number}.example encrypt match={number}\n" for number in range(10))
    main = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"
    (table,) = load(tmp_path, main, tls_policy=text).policy_tables
    policies = policies_of(table)
    assert len(list(policies.different())) == 10
    wanted = list(policies.entries(lambda policy: policy.attributes[0].text.text == "match=7"))
    assert [entry.key.text for entry, _ in wanted] == ["h7.example"]
