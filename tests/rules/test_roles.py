"""Endpoints, and the roles of services and hosts."""

from __future__ import annotations

import pytest

from postlint.analysis.roles import host_role, is_public, listens_on, port, service_role
from postlint.config.files import Files
from postlint.config.instance import Instance
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import parse_master_cf
from postlint.syntax.source import SourceFile

REST = "".join(
    f"{name} unix - - n - - {name}\n"
    for name in ("cleanup", "pickup", "qmgr", "bounce", "smtp", "local", "error", "flush")
)


def instance(main: str | None, master: str | None = None) -> Instance:
    return Instance(
        ".",
        None if main is None else parse_main_cf(SourceFile("main.cf", main)),
        None if master is None else parse_master_cf(SourceFile("master.cf", master)),
        Files(None),
    )


@pytest.mark.parametrize(
    ("line", "role", "public", "number", "endpoint"),
    [
        ("smtp inet n - n - - smtpd", "mx", True, 25, "*:25"),
        ("25 inet n - n - - postscreen", "mx", True, 25, "*:25"),
        ("submission inet n - n - - smtpd", "msa", True, 587, "*:587"),
        ("smtps inet n - n - - smtpd", "msa", True, 465, "*:465"),
        ("[::1]:submissions inet n - n - - smtpd", "msa", False, 465, "[::1]:465"),
        ("192.0.2.1:smtp inet n - n - - smtpd", "mx", True, 25, "192.0.2.1:25"),
        ("127.0.0.1:10025 inet n - n - - smtpd", "other", False, 10025, "127.0.0.1:10025"),
        (
            "localhost:10025 inet n - n - - smtpd -o content_filter=",
            "reinject",
            False,
            10025,
            "localhost:10025",
        ),
        (
            "127.0.0.1:25 inet n - n - - smtpd -o receive_override_options=no_milters",
            "reinject",
            False,
            25,
            "127.0.0.1:25",
        ),
        ("10025 inet n - n - - smtpd -o content_filter=", "other", True, 10025, "*:10025"),
        ("foo inet n - n - - smtpd", "other", True, None, "*:foo"),
        ("{{ ip }}:25 inet n - n - - smtpd", "mx", None, 25, "{{ ip }}:25"),
        ("lmtp unix n - n - - smtpd", "other", False, None, "public/lmtp"),
        ("lmtp unix - - n - - smtpd", "other", False, None, "private/lmtp"),
    ],
)
def test_service(
    line: str, role: str, public: bool | None, number: int | None, endpoint: str
) -> None:
    service = instance("", line + "\n").services[0]
    assert (service_role(service), is_public(service)) == (role, public)
    assert (port(service), listens_on(service)) == (number, endpoint)


@pytest.mark.parametrize(
    ("value", "public", "endpoint"),
    [
        ("all", True, "*:25"),
        ("ALL", True, "*:25"),
        ("loopback-only", False, "loopback-only:25"),
        ("127.0.0.1, [::1]", False, "(127.0.0.1, [::1]):25"),
        ("localhost", False, "localhost:25"),
        ("127.0.0.1, 192.0.2.1", True, "(127.0.0.1, 192.0.2.1):25"),
        ("mx.example.com", True, "mx.example.com:25"),
        ("$myhostname, localhost", None, "(?, localhost):25"),
        ("{{ address }}", None, "?:25"),
        ("", None, ":25"),
    ],
)
def test_inet_interfaces(value: str, public: bool | None, endpoint: str) -> None:
    service = instance(f"inet_interfaces = {value}\n").services[0]
    assert is_public(service) is public and listens_on(service) == endpoint


def test_smtpd_behind_postscreen() -> None:
    screened = "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n"
    _, smtpd = instance("", screened).services
    assert (service_role(smtpd), is_public(smtpd), port(smtpd)) == ("mx", True, 25)
    assert listens_on(smtpd) == "*:25"
    several = (
        "127.0.0.1:smtp inet n - n - 1 postscreen -o smtpd_service_name=inside\n"
        f"{screened}inside pass - - n - - smtpd\n"
    )
    _, _, smtpd, inside = instance("", several).services
    assert is_public(smtpd) is True and is_public(inside) is False


def test_smtpd_that_nobody_feeds() -> None:
    line = "smtpd pass - - n - - smtpd\n"
    (fragment,) = instance("", line).services
    assert is_public(fragment) is None and port(fragment) is None
    assert is_public(instance("", line + REST).services[0]) is False


def test_without_main_cf() -> None:
    own, default = instance(
        None, "127.0.0.1:25 inet n - n - - smtpd\n587 inet n - n - - smtpd\n"
    ).services
    assert is_public(own) is False and is_public(default) is None


@pytest.mark.parametrize(
    ("main", "role"),
    [
        (
            "inet_interfaces = loopback-only\nmydestination =\nrelayhost = [a.example]\n",
            "null-client",
        ),
        ("inet_interfaces = localhost\nrelayhost = [a.example]\n", "null-client"),
        ("inet_interfaces = loopback-only\nmydestination = localhost\n", "send-only"),
        ("inet_interfaces = loopback-only\nmydestination = example.com\n", "mx"),
        ("mydestination = $myhostname, localhost.$mydomain, localhost\n", "mx"),
        ("myhostname = a.example.com\nmydestination = a.example.com, a\n", "mx"),
        ("mydestination = localhost\nrelay_domains = example.com\n", "relay"),
        ("mydestination = example.com\nrelay_domains = example.org\n", "mx"),
        ("mydestination = {{ domains }}\n", None),
        ("inet_interfaces = loopback-only\nrelayhost = {{ relay }}\n", None),
        ("inet_interfaces = {{ x }}\n", None),
    ],
)
def test_host(main: str, role: str | None) -> None:
    assert host_role(instance(main)) == role


def test_host_without_main_cf() -> None:
    assert host_role(instance(None, "smtp inet n - n - - smtpd\n")) is None


def test_host_without_smtpd() -> None:
    assert host_role(instance("relayhost = [a.example]\n", REST)) == "null-client"
