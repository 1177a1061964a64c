"""What the rules about names and duplicates say is what postconf(1) and the daemons do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.postfix.services import stock_services
from tests.linting import lint_files
from tests.postfix_here import (
    first_fatal,
    load_parameters,
    postconf,
    quiet_settings,
    refuses,
    require_postfix,
    stand_alone,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix

UNUSED = frozenset({"PAR001", "PAR002", "PAR004", "PAR006", "PAR008", "PAR009", "PAR010"})

SETTINGS = (
    "smtpd_recipent_restrictions = reject",
    "MyHostname = mx.example.com",
    "smtp_recipient_restrictions = reject",
    "foo_list = 192.0.2.0/24",
    "relay_destination_rate_delay = 1s",
    "gone_destination_rate_delay = 1s",
    "lmtp_destination_recipient_limit = 1",
    "cleanup_destination_recipient_limit = 1",
    "slow_time_limit = 100s",
    "spf_time_limit = 100s",
    "smtp_time_limit = 100s",
    "office = 192.0.2.0/24\nmynetworks = 127.0.0.0/8 $office",
    "office = 192.0.2.0/24\nmynetworks = 127.0.0.0/8 ${office}",
    "office = 192.0.2.0/24\nmynetworks = 127.0.0.0/8 ${{$office} == {} ? {a} : {b}}",
    "office = 192.0.2.0/24\nother = $office",
    "greylist = permit\nsmtpd_restriction_classes = greylist",
    "greylist = permit\nsmtpd_recipient_restrictions = greylist, reject",
    "people_server_host = a\nvirtual_alias_maps = ldap:people",
    "people_server_hosts = a\nvirtual_alias_maps = ldap:people",
    "people_hosts = a\nvirtual_alias_maps = proxy:mysql:people",
    "people_hosts = a\nvirtual_alias_maps = ldap:people",
    "virtual_maps = hash:/etc/postfix/virtual",
    "fallback_relay = [mail.example.net]",
    "smtpd_sasl_application_name = smtpd",
    "smtp_tlsrpt_enable = yes",
    "smtp_tls_per_site = static:MAY",
)


def master_cf() -> str:
    lines = [" ".join(service) for service in stock_services(require_postfix().version)]
    lines.append("spf unix - n n - 0 spawn user=nobody argv=/bin/true")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("settings", SETTINGS)
def test_unused_names_are_those_of_postconf(settings: str, tmp_path: Path) -> None:
    files = {"main.cf": f"{settings}\n", "master.cf": master_cf()}
    write(tmp_path, files)
    unused = {
        text.partition("unused parameter: ")[2].partition("=")[0]
        for text in postconf(tmp_path, "-n").messages
        if "unused parameter: " in text
    }
    version = str(require_postfix().version)
    found = lint_files(tmp_path / "lint", files, version=version, select="PAR")
    said = {item.parameter for item in found if item.code in UNUSED}
    if settings.startswith("cleanup_destination"):
        said.add("cleanup_destination_recipient_limit")  # qmgr does read it
    assert said == unused


MENTIONS = (
    ("mydestination = $my_domain", True),
    ("mydestination = $mydomain", False),
    ("mydestination = ${my_domain}", True),
    ("mydestination = $(my_domain)", True),
    ("mydestination = $$my_domain", False),
    ("relayhost = $virtual_maps", False),
    ("relayhost = $fallback_relay", False),
    ("default_rbl_reply = $rbl_code $nothing", False),
    ("luser_relay = $nothing", False),
    ("mynetworks = $process_id $process_name", False),
    ("relayhost = $smtp_tlsrpt_enable", True),
    ("mydestination = ${mydomain?$my_domain}", True),
)


@pytest.mark.parametrize(("setting", "undefined"), MENTIONS)
def test_undefined_names_are_those_of_postconf(
    setting: str, undefined: bool, tmp_path: Path
) -> None:
    files = {"main.cf": f"{setting}\n", "master.cf": master_cf()}
    write(tmp_path, files)
    assert ("undefined parameter" in postconf(tmp_path, "-n").errors) == undefined
    version = str(require_postfix().version)
    found = lint_files(tmp_path / "lint", files, version=version, select="PAR007")
    assert bool(found) == undefined


def test_the_last_setting_counts(tmp_path: Path) -> None:
    text = "mydestination = example.com\nmydestination = example.org\nbiff = no\nbiff = no\n"
    write(tmp_path, {"main.cf": text})
    ran = postconf(tmp_path, "-h", "mydestination")
    assert ran.output == "example.org\n"
    assert ran.errors.count("overriding earlier entry") == 1
    found = lint_files(tmp_path / "lint", {"main.cf": text}, select="DUP001")
    assert [(item.location.start.line, item.severity.label) for item in found] == [
        (1, "warning"),
        (3, "info"),
    ]


def test_the_last_override_counts(tmp_path: Path) -> None:
    """The daemon gets all of them; a bad value that is overridden again does not matter."""
    write(tmp_path, {"main.cf": "myhostname = mx.example.com\n"})
    daemon = require_postfix().daemon_directory / "smtpd"
    options = ["-o", "smtpd_helo_required=maybe", "-o", "smtpd_helo_required=no"]
    assert first_fatal([daemon, "-V", *options], tmp_path) == "no transport type specified"
    options = ["-o", "smtpd_helo_required=no", "-o", "smtpd_helo_required=maybe"]
    assert "smtpd_helo_required = maybe" in (first_fatal([daemon, "-V", *options], tmp_path) or "")


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ("smtpd_restriction_classes = greylist", True),
        ("smtpd_restriction_classes = greylist\ngreylist =", True),
        ("smtpd_restriction_classes = greylist\ngreylist = $nothing", True),
        ("smtpd_restriction_classes = greylist\ngreylist = permit", False),
        ("smtpd_restriction_classes = ${stress?greylist}", False),
    ],
)
def test_classes_need_a_definition(settings: str, refused: bool, tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": f"{quiet_settings(tmp_path)}{settings}\n"})
    reason = refuses("smtpd", tmp_path)
    assert (reason is not None and "needs a definition" in reason) == refused
    found = lint_files(tmp_path / "lint", {"main.cf": f"{settings}\n"}, select="PAR009")
    assert bool(found) == refused


@pytest.mark.parametrize(
    ("level", "encrypted_only"), [("may", False), ("encrypt", True), ("", True)]
)
def test_enforce_tls_is_ignored_beside_a_level(
    level: str, encrypted_only: bool, tmp_path: Path
) -> None:
    """Without a certificate smtpd refuses MAIL where TLS is enforced."""
    settings = f"smtpd_enforce_tls = yes\nsmtpd_tls_security_level = {level}\n"
    settings += "smtpd_tls_cert_file = none\n"
    write(tmp_path, {"main.cf": quiet_settings(tmp_path) + settings})
    said = stand_alone("smtpd", tmp_path, stdin="HELO a\r\nMAIL FROM:<a@example.com>\r\nQUIT\r\n")
    assert ("Must issue a STARTTLS" in said.output) == encrypted_only, said
    found = lint_files(tmp_path / "lint", {"main.cf": settings}, select="PAR005")
    assert [item.severity.label for item in found] == (
        [] if not level else ["info"] if encrypted_only else ["error"]
    )


def test_names_of_the_other_side_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": "myhostname = a.example.com\nsmtp_tls_auth_only = maybe\n"})
    assert load_parameters("smtpd", tmp_path) is None
    assert load_parameters("smtp", tmp_path) is None
    write(tmp_path, {"main.cf": "myhostname = a.example.com\nsmtpd_tls_auth_only = maybe\n"})
    assert load_parameters("smtpd", tmp_path) is not None
