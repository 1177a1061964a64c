"""Obsolete names, restrictions, actions, services, enumerations, tables and TLS words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from postlint.postfix import (
    actions,
    enums,
    obsolete,
    parameters,
    restrictions,
    services,
    tables,
    tls,
)
from postlint.postfix.versions import NEWEST_KNOWN, SERIES, PostfixVersion

parse = PostfixVersion.parse
ALL = [PostfixVersion(*series) for series in SERIES]


# Obsolete names


@pytest.mark.parametrize(
    ("name", "version", "warned", "removed", "dead"),
    [
        ("smtpd_use_tls", "3.8", False, False, False),
        ("smtpd_use_tls", "3.9", True, False, False),
        ("fallback_relay", "3.10", False, False, False),
        ("fallback_relay", "3.11", True, False, False),
        ("smtpd_tls_dh512_param_file", "3.5", False, False, False),
        ("smtpd_tls_dh512_param_file", "3.6", False, False, True),
        ("smtpd_tls_eecdh_grade", "3.7", False, False, True),
        ("smtpd_tls_eecdh_grade", "3.9", True, False, True),
        ("tls_low_cipherlist", "3.7", False, False, False),
        ("tls_low_cipherlist", "3.8", False, False, True),
        ("smtpd_tls_cipherlist", "2.6", False, True, False),
        ("tls_fast_shutdown", "3.2.10", False, False, False),
        ("tls_fast_shutdown", "3.2.11", False, True, False),
        ("tls_fast_shutdown", "3.5.0", False, True, False),
        ("postscreen_whitelist_networks", "2.9", False, True, False),
        ("proxy_read_access_list", "3.4", False, True, False),
    ],
)
def test_obsolete_parameters(
    name: str, version: str, warned: bool, removed: bool, dead: bool
) -> None:
    entry = obsolete.get(name)
    assert entry is not None
    at = parse(version)
    assert (entry.warned_in(at), entry.removed_from(at), entry.dead_in(at)) == (
        warned,
        removed,
        dead,
    )


def test_postconf_warnings() -> None:
    entry = obsolete.get("smtpd_use_tls")
    assert entry is not None
    assert entry.postconf_warning(parse("3.8")) is None
    assert entry.postconf_warning(parse("3.9")) == (
        'support for parameter "smtpd_use_tls" will be removed; '
        'instead, specify "smtpd_tls_security_level"'
    )
    gone = obsolete.get("tlsproxy_client_loglevel_parameter")
    assert gone is not None
    assert gone.postconf_warning(NEWEST_KNOWN) == (
        "support for parameter tlsproxy_client_loglevel_parameter has been removed; "
        "instead, do not specify"
    )


def test_obsolete_entries_fit_the_parameters() -> None:
    for entry in obsolete.all_obsolete("parameter"):
        parameter = parameters.get(entry.name)
        if entry.replacement is not None:
            replacement = parameters.get(entry.replacement)
            assert replacement is not None
            for version in ALL:
                assert entry.replaceable_in(version) == replacement.exists_in(
                    version
                ) or version.series < (2, 8)
        for version in ALL:
            if parameter is not None and parameter.exists_in(version):
                assert not entry.removed_from(version), (entry.name, version)
        assert entry.advice.startswith(("use ", "do not "))
    assert obsolete.get("myhostname") is None


def test_obsolete_restrictions_tables_and_grades() -> None:
    entry = obsolete.get("reject_unknown_client", "restriction")
    assert entry is not None
    assert entry.replacement == "reject_unknown_client_hostname"
    for kind in ("table", "tls"):
        assert obsolete.all_obsolete(kind)
    assert obsolete.get("hash") is None
    assert obsolete.get("hash", "table") is not None
    for gone in obsolete.all_obsolete("restriction"):
        found = restrictions.get(gone.name)
        assert found is not None
        assert found.removed_in == gone.removed_in


# Restrictions and actions


@pytest.mark.parametrize(
    ("name", "version", "known"),
    [
        ("PERMIT_MyNetworks", "2.6", True),
        ("defer_unauth_destination", "2.9", False),
        ("defer_unauth_destination", "2.10", True),
        ("check_sasl_access", "2.10", False),
        ("reject_maps_rbl", "3.8", True),
        ("reject_maps_rbl", "3.9", False),
        ("reject_unknown_forward_client_hostname", "3.12", False),
        ("no_such_restriction", "3.12", False),
    ],
)
def test_restriction_by_version(name: str, version: str, known: bool) -> None:
    found = restrictions.get(name, parse(version))
    assert (found is not None) is known
    assert (name.lower() in restrictions.names(parse(version))) is known


def test_restriction_arguments() -> None:
    expected = {
        "permit": "none",
        "check_client_access": "table",
        "reject_rbl_client": "domain",
        "check_policy_service": "endpoint",
        "sleep": "number",
        "warn_if_reject": "restriction",
    }
    for name, argument in expected.items():
        found = restrictions.get(name)
        assert found is not None
        assert found.argument == argument
        assert found.stops == (name == "permit")


def test_relay_guards_are_those_of_the_message_of_smtpd() -> None:
    assert restrictions.relay_guards(NEWEST_KNOWN) == {
        "reject_unauth_destination",
        "defer_unauth_destination",
        "reject",
        "defer",
        "defer_if_permit",
        "check_relay_domains",
    }
    assert "defer_unauth_destination" not in restrictions.relay_guards(parse("2.9"))


def test_restriction_facts(facts: dict[str, Any]) -> None:
    source = facts["restrictions"]
    for name, entry in source["restrictions"].items():
        found = restrictions.get(name)
        assert found is not None
        assert found.alias_of == entry.get("alias_of")
        assert found.answers == entry["effect"]
        if found.alias_of:
            assert restrictions.get(found.alias_of) is not None
    assert restrictions.LISTS.keys() == {
        name for name, entry in source["contexts"].items() if isinstance(entry, dict)
    }
    for parameter, entry in restrictions.LISTS.items():
        assert entry.bare_table == source["contexts"][parameter]["bare_table"]
        assert entry.bare_table is None or restrictions.get(entry.bare_table) is not None
        known = parameters.get(parameter)
        assert known is not None
        for version in ALL:
            assert known.exists_in(version) == entry.exists_in(version)
    names = {name for name in source["access_actions"]["list"] if name.isupper()}
    assert actions.ACCESS_ACTIONS.keys() == names
    checks = source_actions(facts)
    assert actions.CHECK_ACTIONS.keys() == {
        name for name, text in checks.items() if "not built" not in text
    }
    for name, text in checks.items():
        for first in re.findall(r"\d+\.\d+", text):
            assert actions.CHECK_ACTIONS[name].first == first
    assert set(
        facts["enums"]["header_body_check_actions"]["smtp client (smtp_header_checks etc.)"]
    ) == (actions.SMTP_CHECK_ACTIONS)


def source_actions(facts: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = facts["enums"]["header_body_check_actions"][
        "cleanup (header/mime/nested/body/milter_header_checks)"
    ]
    return found


def test_actions_by_version() -> None:
    assert "BCC" not in actions.check_actions(parse("2.11"))
    assert "BCC" in actions.check_actions(parse("3.0"))
    assert "REJECT" not in actions.check_actions(NEWEST_KNOWN, client=True)
    assert "INFO" not in actions.access_actions(parse("2.11"))
    assert actions.is_reply("550")
    assert not actions.is_reply("250")
    assert not actions.is_reply("5500")


# master.cf


def test_chroot_default() -> None:
    for version, level, expected in (
        ("2.11", "2", "y"),
        ("3.0", "0", "y"),
        ("3.0", "1", "n"),
        ("3.6", "3.6", "n"),
        ("3.6", "0.9", "y"),
        ("3.6", "$nonsense", "y"),
    ):
        assert services.field_default("chroot", parse(version), level) == expected
    assert services.field_default("private", NEWEST_KNOWN) == "y"
    assert services.field_default("type", NEWEST_KNOWN) is None
    assert len(services.FIELDS) == 8


@pytest.mark.parametrize("version", ALL, ids=str)
def test_stock_services_fit_their_programs(version: PostfixVersion) -> None:
    types = services.service_types(version)
    for commented in (False, True):
        for entry in services.stock_services(version, commented=commented):
            program = services.program(entry.program, version)
            assert program is not None
            assert entry.type in types
            assert entry.type in program.types
            limit = program.process_limit(version)
            assert limit is None or entry.process_limit == str(limit)
            assert not program.privileged or entry.unprivileged == "n"
            if entry.type == "inet":
                assert entry.private == "n"
                assert services.inet_port(entry.name) is not None


def test_service_types_and_programs_by_version() -> None:
    assert services.service_types(parse("3.3")) == ("inet", "unix", "fifo", "pass")
    assert "unix-dgram" in services.service_types(parse("3.4"))
    assert services.program("postscreen", parse("2.7")) is None
    assert services.program("postscreen", parse("2.8")) is not None
    tlsproxy = services.program("tlsproxy")
    assert tlsproxy is not None
    assert tlsproxy.process_limit(parse("3.3")) is None
    assert tlsproxy.process_limit(parse("3.4")) == 0
    assert [
        entry.type for entry in services.stock_services(parse("2.9")) if entry.name == "pickup"
    ] == ["fifo"]


def test_inet_ports() -> None:
    ports = {
        "smtp": 25,
        "submission": 587,
        "[::1]:smtps": 465,
        "127.0.0.1:10025": 10025,
        "no-such": None,
    }
    assert {name: services.inet_port(name) for name in ports} == ports


# Enumerations


@pytest.mark.parametrize("version", ALL, ids=str)
def test_defaults_are_allowed_values(version: PostfixVersion) -> None:
    for entry in enums.all_enumerations():
        for name in entry.parameters:
            found = enums.get(name, version)
            parameter = parameters.get(name)
            assert parameter is not None
            default = parameter.default(version)
            if default is None or "$" in default or found is None:
                continue
            words = [default] if found.kind == "one" else re.split(r"[,:\s]+", default)
            for word in filter(None, words):
                assert found.accepts(word.removeprefix("!").removeprefix(">="), version), (
                    name,
                    word,
                )


@pytest.mark.parametrize(
    ("name", "version", "word", "allowed"),
    [
        ("smtp_tls_security_level", "2.10", "dane", False),
        ("smtp_tls_security_level", "2.11", "DANE", True),
        ("smtpd_tls_security_level", "3.12", "dane", False),
        ("notify_classes", "3.7", "Bounce", False),
        ("notify_classes", "2.8", "data", False),
        ("tls_ssl_options", "3.7", "0x1F", True),
        ("tls_ssl_options", "3.7", "0xZZ", False),
        ("tls_ssl_options", "3.7", "0x", False),
        ("milter_default_action", "3.7.19", "shutdown", False),
        ("milter_default_action", "3.7.20", "shutdown", True),
        ("smtpd_forbid_bare_newline", "3.5.23", "normalize", False),
        ("smtpd_forbid_bare_newline", "3.5.24", "Normalize", True),
        ("smtpd_tls_protocols", "2.8.3", "TLSv1.2", False),
        ("smtpd_tls_protocols", "2.8.10", "TLSv1.2", True),
        ("header_from_format", "3.3", "standard", True),
        ("maillog_file_permissions", "3.9", "0640", True),
        ("smtpd_tls_ciphers", "3.7", "invalid", False),
        ("tls_random_source", "3.7", "anything", True),
    ],
)
def test_enumerated_value(name: str, version: str, word: str, allowed: bool) -> None:
    found = enums.get(name, parse(version))
    assert found is not None
    assert found.accepts(word, parse(version)) is allowed


def test_enumerations_by_version() -> None:
    assert enums.get("smtpd_tls_loglevel", parse("2.8")) is None
    assert enums.get("myhostname", NEWEST_KNOWN) is None
    assert enums.get("smtpd_forbid_bare_newline", parse("3.5.22")) is None
    assert len(enums.CROSS_CHECKS) > 10


# Lookup tables


def test_table_types_match_the_facts(facts: dict[str, Any]) -> None:
    source = facts["obsolete"]["map_types"]
    assert source.keys() == tables.TABLE_TYPES.keys()
    for name, entry in source.items():
        dates = re.match(r"[\d./]+", entry["first"])
        assert dates is not None
        assert tables.TABLE_TYPES[name].first == dates.group().split("/")[-1]
        assert tables.TABLE_TYPES[name].obsolete == entry.get("obsolete", False)


def test_tables_by_version() -> None:
    assert tables.get("lmdb", parse("2.10")) is None
    assert tables.get("lmdb", parse("2.11")) is not None
    assert "mongodb" not in tables.names(parse("3.8"))
    pcre = tables.TABLE_TYPES["pcre"]
    assert not pcre.inline_in(parse("3.6"))
    assert pcre.inline_in(parse("3.7"))
    assert pcre.file_based
    assert not pcre.compiled
    assert tables.TABLE_TYPES["hash"].suffixes == (".db",)
    for table in tables.TABLE_TYPES.values():
        assert table.compiled == bool(table.suffixes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hash:/etc/aliases", ((), "hash", "/etc/aliases")),
        ("proxy:hash:/etc/aliases", (("proxy",), "hash", "/etc/aliases")),
        ("debug:proxy:ldap:accounts", (("debug", "proxy"), "ldap", "accounts")),
        ("proxy:hash", ((), "proxy", "hash")),
        ("socketmap:unix:/run/x:name", ((), "socketmap", "unix:/run/x:name")),
        ("/etc/aliases", ((), "", "/etc/aliases")),
        ("hash:", ((), "hash", "")),
    ],
)
def test_split_table(text: str, expected: tuple[tuple[str, ...], str, str]) -> None:
    assert tables.split(text) == expected


# TLS


def test_protocol_names_by_version() -> None:
    assert [entry.name for entry in tls.protocols(parse("2.8.3"))] == ["SSLv2", "SSLv3", "TLSv1"]
    assert [entry.name for entry in tls.protocols(parse("2.8"))][-1] == "TLSv1.2"
    assert [entry.name for entry in tls.protocols(parse("3.4"))][-1] == "TLSv1.3"
    assert tls.protocol("tlsV1.3", NEWEST_KNOWN) == ("TLSv1.3", 0x0304, "3.0")
    assert tls.protocol("TLS1.3", NEWEST_KNOWN) is None
    for version in ALL:
        enumeration = enums.get("smtpd_tls_protocols", version)
        assert enumeration is not None
        assert enumeration.values(version) == tuple(entry.name for entry in tls.protocols(version))


def test_cipher_grades() -> None:
    assert tls.cipher_grade("EXPORT", parse("3.7")) == "export"
    assert tls.cipher_grade("export", parse("3.8")) == "medium"
    assert tls.cipher_grade("strong", parse("3.8")) is None
    enumeration = enums.get("smtpd_tls_ciphers", NEWEST_KNOWN)
    assert enumeration is not None
    assert set(enumeration.values(NEWEST_KNOWN)) == set(tls.CIPHER_GRADES)


def test_levels_and_attributes_by_version(facts: dict[str, Any]) -> None:
    assert "dane" not in tls.policy_levels(parse("2.10"))
    assert tls.server_levels(NEWEST_KNOWN) == ("none", "may", "encrypt")
    source = facts["enums"]["tls_policy_attributes"]["attributes"]
    assert {name: entry.first for name, entry in tls.policy_attributes(NEWEST_KNOWN).items()} == {
        name: text.split()[0] for name, text in source.items()
    }
    assert "servername" not in tls.policy_attributes(parse("3.3"))
    assert tls.eecdh_grades(parse("3.1")) == ("none", "strong", "ultra")
    assert tls.eecdh_grades(parse("3.6")) == ()
    assert tls.digest_size("SHA256") == 32
    assert tls.digest_size("crc32") is None
    for version in ALL:
        enumeration = enums.get("smtp_tls_security_level", version)
        assert enumeration is not None
        assert set(enumeration.values(version)) - {""} == set(tls.policy_levels(version))


def test_default_history_of_the_facts(facts: dict[str, Any]) -> None:
    for name, points in facts["obsolete"]["tls"]["default_history"].items():
        parameter = parameters.get(name)
        assert parameter is not None
        assert parameter.default_history() == tuple(
            (point["since"], point["value"]) for point in points
        )
