"""VAL: messages, places, severities by version, and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.postfix.services import stock_services
from postlint.postfix.versions import NEWEST_STABLE
from tests.linting import lint_files
from tests.patience import patience
from tests.rules.fixes import apply_fix, marked

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

STOCK = "\n".join(" ".join(service) for service in stock_services(NEWEST_STABLE)) + "\n"


def values(
    folder: Path,
    main: str,
    master: str | None = STOCK,
    *,
    select: str = "VAL",
    version: str | None = None,
) -> list[Finding]:
    files = {"main.cf": main} if master is None else {"main.cf": main, "master.cf": master}
    return lint_files(folder, files, select=select, version=version)


def message_of(folder: Path, main: str, **options: str) -> str:
    (finding,) = values(folder, main, **options)
    return finding.message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("disable_vrfy_command = true\n", "disable_vrfy_command = yes\n"),
        ("disable_vrfy_command = On  \n", "disable_vrfy_command = yes  \n"),
        ("disable_vrfy_command=0\n", "disable_vrfy_command=no\n"),
        ("message_size_limit = 10M\n", "message_size_limit = 10485760\n"),
        ("message_size_limit = 10 MB\n", "message_size_limit = 10485760\n"),
        ("mailbox_size_limit = 1g\n", "mailbox_size_limit = 1073741824\n"),
        ("maximal_queue_lifetime = 5 days\n", "maximal_queue_lifetime = 5d\n"),
        ("maximal_queue_lifetime = 5days\n", "maximal_queue_lifetime = 5d\n"),
        ("smtpd_timeout = 1.5h\n", "smtpd_timeout = 90m\n"),
        ("smtpd_timeout = 0.5 min\n", "smtpd_timeout = 30s\n"),
        ("smtpd_timeout = 5M\n", "smtpd_timeout = 5m\n"),
        ("smtp_tls_security_level = encrpyt\n", "smtp_tls_security_level = encrypt\n"),
        ("inet_protocols = ipv4 , ipv66\n", "inet_protocols = ipv4 , ipv6\n"),
        ("mydestination = a;b; c\n", "mydestination = a,b, c\n"),
        (
            "smtpd_milters = localhost:8891, unix:x\n",
            "smtpd_milters = inet:localhost:8891, unix:x\n",
        ),
        ("smtpd_milters = /run/m.sock\n", "smtpd_milters = unix:/run/m.sock\n"),
    ],
)
def test_safe_fixes(before: str, after: str, tmp_path: Path) -> None:
    main = before
    for _ in range(3):
        found = values(tmp_path, main)
        if not found:
            break
        assert found[0].fix is not None and found[0].fix.applicability == "safe"
        apply_fix(found[0])
        main = (tmp_path / "main.cf").read_text(encoding="utf-8")
    assert main == after


@pytest.mark.parametrize(
    "main",
    [
        "disable_vrfy_command = maybe\n",
        "message_size_limit = 10x\n",
        "maximal_queue_lifetime = 1month\n",
        "smtpd_timeout = 10ms\n",
        "smtpd_timeout = 1h30m\n",
        "smtpd_timeout = 0.333h\n",
        "smtp_tls_security_level = strong\n",
        "mydestination = a.[1;2];b\n",
    ],
)
def test_no_fix_where_nobody_knows(main: str, tmp_path: Path) -> None:
    (finding,) = values(tmp_path, main)
    assert finding.fix is None


@pytest.mark.parametrize(
    ("main", "message"),
    [
        (
            "disable_vrfy_command = true",
            "disable_vrfy_command = true is neither yes nor no; smtpd will not start",
        ),
        ("biff =", "biff is neither yes nor no; local will not start"),
        (
            "message_size_limit = 10M",
            "message_size_limit = 10M is not a number: sizes take no unit; "
            "no Postfix program will start",
        ),
        (
            "smtpd_recipient_limit = 0",
            "smtpd_recipient_limit = 0 is too small: the minimum is 1; smtpd will not start",
        ),
        (
            "maximal_queue_lifetime = 1month",
            "maximal_queue_lifetime = 1month means 1 minute: "
            "only the first letter of the unit counts",
        ),
        (
            "bounce_queue_lifetime = 60",
            "bounce_queue_lifetime = 60 is 60 days: without a unit it counts days",
        ),
        (
            "smtpd_timeout = 5 m",
            "smtpd_timeout = 5 m is no time: no blank may stand before the unit; "
            "smtpd will not start",
        ),
        (
            "smtpd_tls_security_level = yes",
            'smtpd_tls_security_level can not be "yes": one of none, may, encrypt, fingerprint, '
            "verify, secure; smtpd will not start",
        ),
        ("smtpd_banner =", "smtpd_banner must not be empty; smtpd will not start"),
        (
            "virtual_alias_maps = /etc/postfix/virtual",
            '"/etc/postfix/virtual" in virtual_alias_maps needs a table type, such as '
            "hash:/etc/postfix/virtual; every lookup fails",
        ),
        (
            "virtual_alias_maps = hash:virtual",
            '"virtual" in virtual_alias_maps is a relative path: daemons look for it in the '
            "queue directory (/var/spool/postfix)",
        ),
        (
            "reject_code = 200",
            "reject_code = 200 is no code for a refusal (4xx, 5xx): smtpd answers 450 instead",
        ),
    ],
)
def test_messages(main: str, message: str, tmp_path: Path) -> None:
    (finding,) = [item for item in values(tmp_path, f"{main}\n") if item.parameter in main]
    said = finding.message
    if "will not start" in message and "smtpd will" in message:
        said = said.replace("smtpd and postscreen will", "smtpd will")
    assert said == message


def test_the_value_is_marked_and_its_source_told(tmp_path: Path) -> None:
    main = "switch = true\nsmtpd_helo_required = $switch\n"
    (finding,) = values(tmp_path, main)
    assert (finding.location.start.line, marked(finding)) == (2, "$switch")
    assert finding.related[0].location.start.line == 1


def test_a_program_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    main = "postscreen_greet_wait = soon\n"
    (finding,) = values(tmp_path, main)
    assert finding.severity.label == "warning"
    assert finding.message.endswith("postscreen would not start")
    master = STOCK + "25 inet n - n - 1 postscreen\n"
    (finding,) = values(tmp_path, main, master)
    assert finding.severity.label == "error"


def test_an_override_stops_its_own_service(tmp_path: Path) -> None:
    master = (
        "smtp inet n - n - - smtpd\n"
        "  -o smtpd_helo_required=true -o biff=maybe\n"
        "smtp unix - - n - - smtp -o { smtp_helo_timeout = 5 min }\n"
    )
    boolean, long = values(tmp_path, "", master)
    assert (boolean.service, marked(boolean)) == ("smtp/inet", "true")
    assert (long.service, marked(long)) == ("smtp/unix", "5 min")


@pytest.mark.parametrize(
    ("version", "severities"), [(None, ["info"]), ("3.1", ["info"]), ("2.11", ["error"])]
)
def test_long_units_by_version(version: str | None, severities: list[str], tmp_path: Path) -> None:
    found = values(tmp_path, "smtpd_timeout = 300sec\n", version=version)
    assert [item.severity.label for item in found] == severities


@pytest.mark.parametrize(
    ("version", "refused"),
    [("3.7.9", True), ("3.7.10", False), ("3.8.4", True), ("3.8.5", False), (None, False)],
)
def test_words_by_version(version: str | None, refused: bool, tmp_path: Path) -> None:
    found = values(tmp_path, "smtpd_forbid_bare_newline = normalize\n", version=version)
    assert bool(found) == refused
    assert all(
        "Postfix has it from 3.5.24, 3.6.14, 3.7.10, 3.8.5 and 3.9.0 on" in item.message
        for item in found
    )


def test_types_by_version(tmp_path: Path) -> None:
    main = "alias_maps = lmdb:/etc/aliases\n"
    assert values(tmp_path, main, version="2.11") == []
    (finding,) = values(tmp_path, main, version="2.10")
    assert 'table type "lmdb" exists only from Postfix 2.11 on' in finding.message


def test_endpoints_in_lists_are_marked_one_by_one(tmp_path: Path) -> None:
    main = "smtpd_milters = inet:127.0.0.1:1,\n  127.0.0.1:2,\n  unix:x\n"
    (finding,) = values(tmp_path, main)
    assert (finding.location.start, marked(finding)) == ((2, 3), "127.0.0.1:2")


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "-" + "9" * 5000, "9" * 5000 + "d", "0" * 5000 + "1", "1" + " " * 5000 + "d"],
    ids=["digits", "negative", "days", "zeros", "blanks"],
)
def test_very_long_numbers(text: str, tmp_path: Path) -> None:
    main = f"message_size_limit = {text}\nsmtpd_timeout = {text}\nreject_code = {text}\n"
    found = values(tmp_path, main)
    assert all(len(item.message) < 300 for item in found)


@pytest.mark.parametrize(
    "line",
    [
        "smtpd_helo_required = true",
        "message_size_limit = 10M",
        "smtpd_timeout = 1month",
        "inet_protocols = ipv5",
        "mydestination = a;b",
        "virtual_alias_maps = /x",
        "relay_domains = a, a",
    ],
)
def test_long_lists_and_many_settings_do_not_hang(line: str, tmp_path: Path) -> None:
    name, _, value = line.partition(" = ")
    main = f"{name} = {', '.join([value] * 3_000)}\n" + f"{line}\n" * 3_000
    with patience():
        lint_files(tmp_path, {"main.cf": main}, select="VAL")
        lint_files(tmp_path, {"main.cf": main}, select="DUP")
