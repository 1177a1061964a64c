"""PAR: messages, places, severities by version, and fixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postlint.analysis.names import edit_distance, suggest
from postlint.postfix import parameters
from postlint.postfix.services import stock_services
from postlint.postfix.versions import NEWEST_STABLE, SERIES, PostfixVersion
from tests.linting import lint_files
from tests.patience import patience
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postlint.lint.finding import Finding

STOCK = "\n".join(" ".join(service) for service in stock_services(NEWEST_STABLE)) + "\n"


def names(
    folder: Path,
    main: str,
    master: str | None = STOCK,
    *,
    select: str = "PAR",
    version: str | None = None,
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select, version=version)


def one(found: list[Finding]) -> tuple[str, str, str]:
    (finding,) = found
    return finding.code, finding.severity.label, finding.message


def fixed(folder: Path, main: str, **options: str) -> str:
    (finding,) = names(folder, main, **options)
    apply_fix(finding)
    text = (folder / "main.cf").read_text(encoding="utf-8")
    again = names(folder, text, **options)
    assert finding.code not in [item.code for item in again]
    return text


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("smtpd_recipent_restrictions", "smtpd_recipient_restrictions"),
        ("smtpd_reciepient_restrictions", "smtpd_recipient_restrictions"),
        ("smtpd_restrictions_recipient", "smtpd_recipient_restrictions"),
        ("smtpd_recipient_restriction", "smtpd_recipient_restrictions"),
        ("virtual_alias_map", "virtual_alias_maps"),
        ("mynetwork", "mynetworks"),
        ("my_networks", "mynetworks"),
        ("mydestinations", "mydestination"),
        ("relay_host", "relayhost"),
        ("append_dot_my_domain", "append_dot_mydomain"),
        ("unknow_local_recipient_reject_code", "unknown_local_recipient_reject_code"),
        ("smtpd-tls-cert-file", "smtpd_tls_cert_file"),
        ("smtpd_tls_certs_file", "smtpd_tls_cert_file"),
        ("SMTPD_BANNER", "smtpd_banner"),
        ("recipient_restrictions", "smtpd_recipient_restrictions"),
        ("smtpd_mynetworks", None),
        ("postfix_smtpd_banner", "smtpd_banner"),
        ("smtp_sasl_password", "smtp_sasl_password_maps"),
        ("smtpd_sasl_password_map", "smtp_sasl_password_maps"),
        ("virtual_alias", "virtual_alias_maps"),
        ("transport", "transport_maps"),
        ("smtpd_sasl_auth", "smtpd_sasl_auth_enable"),
        ("smtpd_tls_cert", "smtpd_tls_cert_file"),
        ("smtpd_milter", "smtpd_milters"),
        ("smtpd_tls_wraper", "smtpd_tls_wrappermode"),
        ("smtpd_tls_mandatory", None),
        ("smtp_user", None),
        ("smtpd_sasl_authenticated", "smtpd_sasl_authenticated_header"),
        ("message_size", "message_size_limit"),
        ("smtpd_client_connection_concurrency_limit", "smtpd_client_connection_count_limit"),
        ("postscreen_blacklist_networks", None),
        ("office_list", None),
        ("dir", None),
        ("x", None),
        ("", None),
    ],
)
def test_what_was_probably_meant(wrong: str, meant: str | None) -> None:
    suggestion = suggest(wrong, NEWEST_STABLE)
    assert (None if suggestion is None else suggestion.name) == meant


@pytest.mark.parametrize(
    ("name", "version", "meant"),
    [
        ("postscreen_denylist_action", "3.5", "postscreen_blacklist_action"),
        ("postscreen_dnsbl_allowlist_threshold", "3.5", "postscreen_dnsbl_whitelist_threshold"),
        ("postscreen_blacklist_action", "3.11", "postscreen_denylist_action"),
        ("smtp_per_request_deadline", "3.5", "smtp_per_record_deadline"),
        ("smtp_per_record_deadline", "3.11", "smtp_per_request_deadline"),
    ],
)
def test_a_name_of_another_version(name: str, version: str, meant: str) -> None:
    suggestion = suggest(name, PostfixVersion.parse(version))
    assert suggestion is not None and suggestion == (meant, True)


KNOWN = sorted(parameters.all_names())
CHANGES = (
    lambda name, at: name[:at] + name[at + 1 :],
    lambda name, at: f"{name[:at]}q{name[at:]}",
    lambda name, at: name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    lambda name, _: name.removesuffix("_maps"),
    lambda name, _: f"{name}s",
    lambda name, _: name.removesuffix("s"),
    lambda name, _: name.replace("smtpd_", "smtp_", 1),
    lambda name, _: name.replace("smtp_", "smtpd_", 1),
    lambda name, _: name.replace("allowlist", "whitelist").replace("denylist", "blacklist"),
    lambda name, _: name.replace("whitelist", "allowlist").replace("blacklist", "denylist"),
    lambda name, _: "_".join(reversed(name.split("_"))),
    lambda name, _: name.partition("_")[2],
    lambda name, _: name.replace("_", ""),
    lambda name, _: name.replace("_", "-"),
    lambda name, _: name.upper(),
    lambda name, _: name,
)
"""How people get a name wrong."""

NAMED = re.compile(
    r"did you mean ([A-Za-z0-9_]+)|([A-Za-z0-9_]+), which was probably meant"
    r"|the (?:SMTP|LMTP) (?:client|server) has ([A-Za-z0-9_]+)|here its name is ([A-Za-z0-9_]+)"
    r'|is not "([A-Za-z0-9_]+)": names'
)
"""The names that messages put forward."""


@given(
    st.sampled_from(SERIES),
    st.lists(
        st.tuples(st.sampled_from(KNOWN), st.sampled_from(CHANGES), st.integers(0, 40)),
        min_size=1,
        max_size=30,
    ),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_nothing_is_suggested_that_the_version_lacks(
    tmp_path: Path,
    series: tuple[int, int],
    mistakes: list[tuple[str, Callable[[str, int], str], int]],
) -> None:
    version = PostfixVersion(*series)
    wrong = [name for known, change, at in mistakes if (name := change(known, at % len(known)))]
    main = "".join(f"{name} = x\n" for name in wrong)
    main += "".join(f"virtual_alias_maps{number} = ${name}\n" for number, name in enumerate(wrong))
    overrides = "".join(f" -o {name}=x" for name in wrong)
    files = {"main.cf": main, "master.cf": f"smtp inet n - n - - smtpd{overrides}\n"}
    proposed = [
        name
        for finding in lint_files(tmp_path, files, version=str(version))
        if finding.code.startswith(("PAR", "MST006"))
        for found in NAMED.findall(finding.message)
        for name in found
        if name
    ]
    assert [name for name in proposed if not parameters.is_known(name, version)] == []


def test_every_version_is_only_offered_its_own_names() -> None:
    for series in SERIES:
        version = PostfixVersion(*series)
        for known in KNOWN[series[1] % 41 :: 41]:
            for change in CHANGES:
                suggestion = suggest(change(known, len(known) // 2), version)
                if suggestion is not None:
                    assert suggestion.name in parameters.names(version)


@pytest.mark.parametrize(
    ("left", "right", "limit", "distance"),
    [
        ("abc", "abc", 2, 0),
        ("abc", "abd", 2, 1),
        ("abc", "acb", 2, 1),
        ("abc", "ab", 1, 1),
        ("abcd", "badc", 2, 2),
        ("abc", "xyz", 2, None),
        ("abc", "abcde", 1, None),
        ("", "ab", 2, 2),
    ],
)
def test_edit_distance(left: str, right: str, limit: int, distance: int | None) -> None:
    assert edit_distance(left, right, limit) == distance
    assert edit_distance(right, left, limit) == distance


def test_every_single_edit_of_a_name_is_found() -> None:
    """The index by thirds of names misses none that is one letter off."""
    for name in sorted(parameters.names(NEWEST_STABLE))[::40]:
        if len(name) < 9:
            continue
        for at in range(0, len(name), 3):
            for wrong in (name[:at] + name[at + 1 :], name[:at] + "q" + name[at:]):
                suggestion = suggest(wrong, NEWEST_STABLE)
                assert suggestion is not None and suggestion.close
                assert edit_distance(wrong, suggestion.name, 2) is not None or "_" in wrong


def test_a_misspelt_name(tmp_path: Path) -> None:
    main = "smtpd_recipent_restrictions = reject\nbiff = no\n"
    found = names(tmp_path, main)
    assert one(found) == (
        "PAR001",
        "error",
        'unknown parameter "smtpd_recipent_restrictions": Postfix ignores it; '
        "did you mean smtpd_recipient_restrictions?",
    )
    assert marked(found[0]) == "smtpd_recipent_restrictions"
    assert found[0].fix is not None and found[0].fix.applicability == "unsafe"
    assert fixed(tmp_path, main) == "smtpd_recipient_restrictions = reject\nbiff = no\n"


def test_no_rename_to_a_name_that_is_set(tmp_path: Path) -> None:
    found = names(tmp_path, "relayhost = a\nrelay_host = b\n")
    assert one(found)[2].endswith("relayhost, which was probably meant, is set too")
    assert found[0].fix is None


def test_a_parameter_of_a_service_that_is_not_there(tmp_path: Path) -> None:
    master = STOCK + "policy-spf unix - n n - 0 spawn user=nobody argv=/bin/true\n"
    found = names(tmp_path, "policyd-spf_time_limit = 1000\n", master)
    assert one(found) == (
        "PAR001",
        "warning",
        'master.cf has no pipe or spawn service "policyd-spf": nothing reads '
        "policyd-spf_time_limit; did you mean policy-spf_time_limit?",
    )
    apply_fix(found[0])
    assert (tmp_path / "main.cf").read_text(encoding="utf-8").startswith("policy-spf_time_limit =")
    # Without master.cf, or with a few services of one, nobody can tell.
    (tmp_path / "master.cf").unlink()
    assert names(tmp_path, "policyd-spf_time_limit = 1000\n", None) == []
    few = "smtp inet n - n - - smtpd\n"
    assert names(tmp_path, "policyd-spf_time_limit = 1000\n", few) == []


def test_a_parameter_of_a_patch(tmp_path: Path) -> None:
    code, severity, message = one(names(tmp_path, "virtual_overquota_bounce = yes\n"))
    assert (code, severity) == ("PAR001", "info")
    assert "the VDA quota patch" in message


@pytest.mark.parametrize(
    ("version", "severity", "message"),
    [
        ("2.9", "error", "exists only from Postfix 2.10 on: Postfix 2.9 ignores it"),
        ("2.10", None, ""),
        (None, None, ""),
    ],
)
def test_a_newer_parameter(
    version: str | None, severity: str | None, message: str, tmp_path: Path
) -> None:
    main = "smtpd_relay_restrictions = permit_mynetworks, reject\n"
    found = names(tmp_path, main, select="PAR002", version=version)
    assert [item.severity.label for item in found] == ([severity] if severity else [])
    assert all(item.message.endswith(message) for item in found)


def test_backports_are_told(tmp_path: Path) -> None:
    main = "smtpd_forbid_bare_newline = yes\n"
    (finding,) = names(tmp_path, main, select="PAR002", version="3.7.8")
    assert "3.5.23, 3.6.13, 3.7.9 and 3.8.4 on" in finding.message
    assert names(tmp_path, main, select="PAR002", version="3.7.9") == []


def test_a_parameter_of_the_next_version(tmp_path: Path) -> None:
    newest = next(
        name
        for name in sorted(parameters.names(PostfixVersion(*SERIES[-1])))
        if name not in parameters.names(NEWEST_STABLE)
    )
    found = names(tmp_path, f"{newest} = x\n", select="PAR002")
    assert [item.severity.label for item in found] == ["warning"]


def test_a_removed_parameter_of_an_unknown_version(tmp_path: Path) -> None:
    (finding,) = names(tmp_path, "tls_dane_digest_agility = on\n")
    assert (finding.code, finding.severity.label) == ("PAR004", "info")
    assert finding.message == (
        "tls_dane_digest_agility has no effect since Postfix 3.4 (depends on the version): "
        "leave it out"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("smtpd_use_tls = yes\n", "smtpd_tls_security_level = may\n"),
        ("smtp_enforce_tls = yes\n", "smtp_tls_security_level = encrypt\n"),
        ("virtual_maps = hash:/v\n", "virtual_alias_maps = hash:/v\n"),
        ("fallback_relay = [a]\n", "smtp_fallback_relay = [a]\n"),
    ],
)
def test_deprecated_names_are_replaced(before: str, after: str, tmp_path: Path) -> None:
    (finding,) = names(tmp_path, before, version="3.11", select="PAR003")
    assert finding.fix is not None and finding.fix.applicability == "safe"
    apply_fix(finding)
    assert (tmp_path / "main.cf").read_text(encoding="utf-8") == after


@pytest.mark.parametrize(
    "main",
    [
        "smtpd_use_tls = no\n",
        "smtpd_use_tls = yes\nsmtpd_enforce_tls = no\n",
        "smtpd_use_tls = yes\nsmtpd_tls_security_level =\n",
        "smtpd_use_tls = yes\nbiff = $smtpd_use_tls\n",
        "smtp_tls_per_site = hash:/etc/postfix/per_site\n",
        "disable_dns_lookups = yes\n",
        "smtp_tls_enforce_peername = yes\n",
        "smtpd_client_connection_limit_exceptions =\n",
    ],
)
def test_what_has_no_plain_replacement_has_no_fix(main: str, tmp_path: Path) -> None:
    found = names(tmp_path, main, version="3.11", select="PAR003")
    assert found and all(item.fix is None for item in found)


def test_an_override_of_the_old_name_forbids_the_fix(tmp_path: Path) -> None:
    master = STOCK + "587 inet n - n - - smtpd -o smtpd_use_tls=no\n"
    found = names(tmp_path, "smtpd_use_tls = yes\n", master, version="3.11", select="PAR003")
    assert [item.fix for item in found if item.service is None] == [None]


@pytest.mark.parametrize(
    ("switch", "level", "severity", "said"),
    [
        ("smtpd_enforce_tls = yes", "may", "error", "TLS is not enforced"),
        ("smtpd_enforce_tls = yes", "none", "error", "TLS is not enforced"),
        ("smtpd_enforce_tls = yes", "encrypt", "info", "says the same"),
        ("smtpd_enforce_tls = no", "encrypt", "warning", "TLS is required"),
        ("smtpd_use_tls = yes", "none", "error", "TLS is off"),
        ("smtpd_use_tls = yes", "may", "info", "says the same"),
        ("smtpd_use_tls = no", "may", "warning", "TLS is on"),
    ],
)
def test_switches_beside_a_level(
    switch: str, level: str, severity: str, said: str, tmp_path: Path
) -> None:
    main = f"{switch}\nsmtpd_tls_security_level = {level}\n"
    (finding,) = names(tmp_path, main, select="PAR005")
    assert finding.severity.label == severity
    assert said in finding.message
    assert finding.related[0].location.start.line == 2
    assert (finding.fix is not None) == (severity == "info")


def test_a_switch_that_a_service_needs_stays(tmp_path: Path) -> None:
    master = STOCK + "587 inet n - n - - smtpd -o smtpd_tls_security_level=\n"
    main = "smtpd_use_tls = yes\nsmtpd_tls_security_level = may\n"
    (finding,) = names(tmp_path, main, master, select="PAR005")
    assert finding.fix is None


def test_the_other_side(tmp_path: Path) -> None:
    found = names(tmp_path, "smtpd_sasl_password_maps = hash:/etc/postfix/sasl\n")
    assert one(found) == (
        "PAR006",
        "error",
        "smtpd_sasl_password_maps configures nothing: the SMTP client has "
        "smtp_sasl_password_maps, the server no such parameter",
    )
    assert fixed(tmp_path, "smtp_helo_required = yes\n") == "smtpd_helo_required = yes\n"


def test_an_undefined_name(tmp_path: Path) -> None:
    main = "mydestination = $myhostname,\n  $my_domain, $my_domain\nmynetworks = $office\n"
    domain, office = names(tmp_path, main)
    assert domain.message == (
        "$my_domain is not defined: it expands to nothing in mydestination; did you mean $mydomain?"
    )
    assert (domain.location.start, marked(domain)) == ((2, 3), "$my_domain")
    assert (office.severity.label, office.fix) == ("error", None)
    apply_fix(domain)
    text = (tmp_path / "main.cf").read_text(encoding="utf-8")
    assert "\n  $mydomain, $my_domain\n" in text


def test_a_name_of_ones_own_is_suggested(tmp_path: Path) -> None:
    main = "office_networks = 192.0.2.0/24\nmynetworks = ${office_network} $office_networks\n"
    (finding,) = names(tmp_path, main)
    assert finding.message.endswith("did you mean $office_networks?")
    apply_fix(finding)
    text = (tmp_path / "main.cf").read_text(encoding="utf-8")
    assert text.endswith("mynetworks = ${office_networks} $office_networks\n")


def test_an_unused_name(tmp_path: Path) -> None:
    found = names(tmp_path, "foo_list = x\nbiff = no\n")
    assert one(found) == (
        "PAR008",
        "info",
        '"foo_list" is no parameter of Postfix, and no value mentions $foo_list',
    )
    assert fixed(tmp_path, "foo_list = x\nbiff = no\n") == "biff = no\n"


def test_a_class_without_definition(tmp_path: Path) -> None:
    main = "smtpd_restriction_classes = a, b\na = permit\nb =\n"
    (finding,) = names(tmp_path, main)
    assert (finding.code, marked(finding)) == ("PAR009", "b")
    assert finding.message == 'restriction class "b" is empty; smtpd will not start'
    assert finding.related[0].location.start.line == 3
    assert [name for name, _ in finding.services] == ["smtp/inet"]


def test_capitals(tmp_path: Path) -> None:
    assert fixed(tmp_path, "MyHostname = mx.example.com\n") == "myhostname = mx.example.com\n"
    found = names(tmp_path, "Biff = no\nbiff = yes\n")
    assert one(found)[:2] == ("PAR010", "error")
    assert found[0].fix is None


def test_many_unknown_names_do_not_hang(tmp_path: Path) -> None:
    main = "".join(f"smtpd_tls_mandatry_{number} = $x{number}\n" for number in range(20_000))
    with patience():
        found = names(tmp_path, main)
    assert len(found) == 40_000
    assert all(len(item.message) < 300 for item in found)
