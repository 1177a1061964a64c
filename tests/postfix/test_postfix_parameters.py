"""Parameters against postconf -d of every version, and against the installed one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from postlint.postfix import defaults, parameters, service_parameters, services
from postlint.postfix.versions import NEWEST_KNOWN, SERIES, PostfixVersion

if TYPE_CHECKING:
    from conftest import Postconf

parse = PostfixVersion.parse
ALL = [PostfixVersion(*series) for series in SERIES]
MEASURED = [version for version in ALL if version.series != (2, 7)]
ROOT = Path(__file__).resolve().parents[2]


def known(name: str) -> parameters.Parameter:
    parameter = parameters.get(name)
    assert parameter is not None
    return parameter


@pytest.mark.parametrize("version", MEASURED, ids=str)
def test_postconf_d_byte_for_byte(version: PostfixVersion, facts_dir: Path) -> None:
    expected = (facts_dir / "defaults" / f"postconf-d-{version}.txt").read_bytes().decode()
    expected = re.sub(r"^process_id = \d+$", "process_id = (pid)", expected, flags=re.MULTILINE)
    assert defaults.defaults_text(version) == expected


@pytest.mark.parametrize("version", MEASURED, ids=str)
def test_counts_with_stock_services(version: PostfixVersion, facts: dict[str, Any]) -> None:
    counts = facts["parameters"]["meta"]["counts"][str(version)]
    assert len(parameters.names(version)) == counts["builtin"]
    stock = [(entry.name, entry.program) for entry in services.stock_services(version)]
    transports = [pair for pair in stock if pair[0] != "retry"]
    listed = defaults.builtin_defaults(version, stock)
    assert (
        len(listed)
        >= len(defaults.builtin_defaults(version, transports))
        >= len(parameters.names(version))
    )
    assert len({name for name, _ in listed}) == len(listed)


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("smtpd_tls_protocols", "2.9.13", ""),
        ("smtpd_tls_protocols", "2.9.14", "!SSLv2, !SSLv3"),
        ("smtpd_tls_protocols", "2.9", "!SSLv2, !SSLv3"),
        ("smtpd_tls_protocols", "2.8.3", ""),
        ("smtpd_tls_protocols", "3.6", ">=TLSv1"),
        ("smtp_tls_mandatory_protocols", "2.8.3", "SSLv3, TLSv1"),
        ("smtp_tls_mandatory_protocols", "2.7.8", "SSLv3, TLSv1"),
        ("smtp_tls_mandatory_protocols", "2.7.9", "!SSLv2"),
        ("smtp_tls_mandatory_protocols", "2.9.1", "SSLv3, TLSv1"),
        ("smtp_tls_mandatory_protocols", "2.9.2", "!SSLv2"),
        ("smtp_tls_mandatory_protocols", "2.9.15", "!SSLv2, !SSLv3"),
        ("smtpd_tls_ciphers", "3.0.1", "export"),
        ("smtpd_tls_ciphers", "3.0.2", "medium"),
        ("milter_default_action", "3.7.11", "tempfail"),
        ("milter_default_action", "3.7", "shutdown"),
        ("milter_default_action", "3.11.0", "shutdown"),
        ("address_verify_poll_count", "2.6.5", "3"),
        ("smtpd_relay_restrictions", "2.10.0", "permit_mynetworks, reject_unauth_destination"),
        ("smtpd_relay_restrictions", "2.9", None),
        ("tls_disable_workarounds", "2.8.1", ""),
        ("mail_version", "3.7.11", "3.7.11"),
        ("mail_version", "3.7", "3.7.22"),
        ("mail_version", "2.7", "2.7"),
        ("postscreen_dnsbl_ttl", "3.0", "1h"),
        ("postscreen_dnsbl_ttl", "3.1", None),
        ("smtpd_forbid_bare_newline", "3.5.22", None),
        ("virtual_maps", "3.7", None),
        ("inet_protocols", "2.7", "ipv4"),
        ("default_filter_nexthop", "2.7.0", ""),
        ("default_filter_nexthop", "2.6", None),
    ],
)
def test_default(name: str, version: str, expected: str | None) -> None:
    assert known(name).default(parse(version)) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.5.22", False),
        ("3.5.23", True),
        ("3.5", True),
        ("3.8.3", False),
        ("3.9.0", True),
        ("3.4", False),
    ],
)
def test_backported_parameter(version: str, expected: bool) -> None:
    parameter = known("smtpd_forbid_bare_newline")
    assert parameter.exists_in(parse(version)) is expected
    assert parameters.is_known(parameter.name, parse(version)) is expected
    assert (parameter.name in parameters.names(parse(version))) is expected
    assert parameter.introduced == "3.5.23, 3.6.13, 3.7.9, 3.8.4"


def test_availability_texts() -> None:
    assert known("smtpd_relay_restrictions").introduced == "2.10"
    assert known("smtpd_tls_security_level").introduced == "2.3"
    parameter = known("smtpd_per_record_deadline")
    assert (parameter.last, parameter.removed, parameter.replacement) == (
        "3.6",
        "3.7",
        "smtpd_per_request_deadline",
    )
    assert known("myhostname").last is None
    assert parameters.get("no_such_parameter") is None
    assert not parameters.is_known("no_such_parameter")
    assert parameters.is_known("virtual_maps")


def test_legacy_names_are_accepted_but_not_built_in() -> None:
    for name in ("virtual_maps", "postscreen_blacklist_action"):
        parameter = known(name)
        version = parse("3.7")
        assert parameter.legacy
        assert parameter.legacy_in(version)
        assert not parameter.exists_in(version)
        assert parameters.is_known(name, version)
        assert name not in parameters.names(version)
    assert not known("postscreen_blacklist_action").legacy_in(parse("3.5"))
    assert known("postscreen_blacklist_action").exists_in(parse("3.5"))


def test_types_and_bounds_by_version() -> None:
    level = known("smtpd_tls_loglevel")
    assert level.type_in(parse("2.8")) == "int"
    assert level.type_in(parse("2.9")) == level.type == "str"
    delimiter = known("recipient_delimiter")
    assert delimiter.bounds(parse("2.10")) == (None, 1)
    assert delimiter.bounds(parse("2.11")) == (None, None)
    assert known("maximal_queue_lifetime").bounds(NEWEST_KNOWN) == (None, 8640000)
    assert known("maximal_queue_lifetime").unit == "d"
    assert known("postscreen_command_time_limit").type_in(parse("3.3")) == "raw"


def test_every_parameter_is_consistent_in_every_version() -> None:
    for version in ALL:
        for name in parameters.all_names():
            parameter = known(name)
            default = parameter.default(version)
            assert (default is not None) == parameter.exists_in(version)
            assert not (parameter.exists_in(version) and parameter.legacy_in(version))
            low, high = parameter.bounds(version)
            assert low is None or high is None or low <= high
            assert low != 0
            assert high != 0
            if default is None or parameter.readonly:
                continue
            kind = parameter.type_in(version)
            if kind == "bool":
                assert default in ("yes", "no", "on", "off"), name
            if kind in ("int", "long"):
                assert re.fullmatch(r"-?\d+", default), name
            if kind == "time" and "$" not in default:
                assert re.fullmatch(r"\d+[smhdw]?", default), name
                assert parameter.unit is not None


def test_programs_by_version() -> None:
    policy = known("smtp_tls_policy_maps")
    assert policy.programs(parse("3.3")) == {"smtp"}
    assert policy.programs(parse("3.4")) == {"smtp", "tlsproxy"}
    assert known("inet_interfaces").programs(parse("2.6")) == {"*"}
    assert known("smtpd_banner").programs(parse("2.6")) == {"smtpd"}
    assert known("smtpd_banner").programs(parse("2.8")) == {"smtpd", "postscreen"}
    assert known("smtpd_relay_restrictions").programs(parse("2.9")) == frozenset()
    assert known("default_process_limit").programs(parse("2.6")) == {"master", "oqmgr", "qmgr"}
    assert "proxymap" in known("header_checks").indirect


@pytest.mark.parametrize("version", MEASURED, ids=str)
def test_programs_exist_in_their_version(version: PostfixVersion) -> None:
    daemons = {entry.name for entry in services.programs(version)} | {
        *services.COMMANDS,
        "*",
        "master",
    }
    for name in parameters.names(version):
        assert known(name).programs(version), name
        assert known(name).programs(version) <= daemons, name


def test_programs_and_compatibility_of_the_newest_version(facts: dict[str, Any]) -> None:
    for name, entry in facts["parameters"]["parameters"].items():
        parameter = known(name)
        if parameter.exists_in(NEWEST_KNOWN):
            assert parameter.programs(NEWEST_KNOWN) == frozenset(entry["programs"])
        assert parameter.indirect == frozenset(entry.get("indirect", ()))
        split = entry.get("compat")
        expected = split and (split["level"], split["below"], split["at_or_above"])
        assert parameter.compatibility(NEWEST_KNOWN) == expected
        assert parameter.build_dependent == entry.get("build_dependent", False)
        assert parameter.readonly == entry.get("readonly", False)
        assert parameter.computed == entry.get("computed", False)


def test_host_and_build_tables_are_complete() -> None:
    flagged = {name for name in parameters.all_names() if known(name).build_dependent}
    listed = defaults.HOST_DEPENDENT.keys() | defaults.BUILD_DEPENDENT.keys()
    assert listed == flagged
    assert not defaults.HOST_DEPENDENT.keys() & defaults.BUILD_DEPENDENT.keys()


@pytest.mark.postfix
def test_installed_postconf_agrees(postconf: Postconf, tmp_path: Path) -> None:
    stock = services.stock_services(postconf.version)
    master_cf = "".join(" ".join(entry) + "\n" for entry in stock)
    actual = postconf.defaults(tmp_path, master_cf)
    ours = dict(
        defaults.builtin_defaults(
            postconf.version, [(entry.name, entry.program) for entry in stock]
        )
    )
    assert list(actual) == list(ours)
    depends = defaults.HOST_DEPENDENT.keys() | defaults.BUILD_DEPENDENT.keys()
    differing = {name for name in ours if ours[name] != actual[name]} - depends
    assert differing == set()


def test_service_parameter_patterns() -> None:
    match = service_parameters.match_service_parameter
    for name, prefix, suffix in (
        ("smtp_destination_recipient_limit", "smtp", "_destination_recipient_limit"),
        ("smtp_extra_recipient_limit", "smtp", "_extra_recipient_limit"),
        ("local_destination_recipient_limit", "local", "_destination_recipient_limit"),
        ("maildrop_time_limit", "maildrop", "_time_limit"),
    ):
        matched = match(name)
        assert matched is not None
        assert matched[:2] == (prefix, suffix)
    for name in (
        "default_destination_recipient_limit",
        "_time_limit",
        "command_time_limit",
        "myhostname",
    ):
        assert match(name) is None, name


def test_service_parameter_needs_its_service() -> None:
    pairs = [
        ("smtp", "smtpd"),
        ("smtp", "smtp"),
        ("x_extra", "pipe"),
        ("discard", "discard"),
        ("retry", "error"),
    ]
    version = parse("3.7")

    def owner(name: str) -> str | None:
        found = service_parameters.service_parameter(name, pairs, version)
        return found and found[0]

    assert owner("smtp_destination_rate_delay") == "smtp"
    assert owner("relay_destination_rate_delay") is None
    assert owner("x_extra_recipient_limit") == "x_extra"
    assert owner("x_extra_time_limit") == "x_extra"
    assert owner("smtp_time_limit") is None
    assert owner("discard_destination_rate_delay") is None
    assert owner("retry_destination_rate_delay") == "retry"
    old = parse("2.8")
    assert service_parameters.service_parameter("x_extra_time_limit", pairs, old) is None
    assert service_parameters.is_service_parameter("relay_destination_rate_delay", (), old)
    assert not service_parameters.is_service_parameter("relay_destination_rate_delay", (), version)


def test_service_parameter_defaults() -> None:
    delay = service_parameters.SERVICE_PARAMETERS["_transport_rate_delay"]
    assert delay.default(parse("3.0")) is None
    assert delay.default(parse("3.1")) == "$default_transport_rate_delay"
    assert delay.introduced == "3.1"
    assert "oqmgr" in delay.read_by
    assert service_parameters.SERVICE_PARAMETERS["_recipient_limit"].read_by == {"qmgr"}
    for pattern in service_parameters.SERVICE_PARAMETERS.values():
        assert known(pattern.inherits).exists_in(NEWEST_KNOWN)


def test_database_parameters() -> None:
    tables = [("ldap", "accounts"), ("mysql", "/etc/postfix/my.cf"), ("hash", "x")]
    assert service_parameters.database_parameter("accounts_server_host", tables) == (
        "ldap",
        "accounts",
    )
    assert service_parameters.database_parameter("accounts_dbname", tables) is None
    assert service_parameters.database_parameter("x_server_host", tables) is None


def test_import_is_light() -> None:
    """The start-up path loads one table and none of the costly standard modules."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import postlint.postfix.parameters; print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ,
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"collections", "dataclasses", "enum", "json", "re", "typing"}
    assert {name for name in loaded if name.startswith("postlint.postfix.data.")} == {
        "postlint.postfix.data.parameters"
    }
