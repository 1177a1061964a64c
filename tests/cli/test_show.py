"""postlint show: what it has beyond postconf(1), and what it refuses."""

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
mydomain = example.org
# said twice
myorigin = example.net
myhostname = mx.$mydomain
myorigin =
  $mydomain
syslog_name = $process_name
tag = main
smtpd_banner = $myhostname $tag
"""
MASTER_CF = """\
smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/$service_name
  -otag=$mydomain -o
# the banner
  { smtpd_banner = $tag says hello }
smtp unix - - y - - smtp
relay unix - - y - - smtp
  -o tag=first
relay unix - - y - - smtp
  -o myhostname=last.example
"""


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(MAIN_CF, encoding="utf-8")
    (tmp_path / "master.cf").write_text(MASTER_CF, encoding="utf-8")


@pytest.fixture
def show(postlint: Callable[..., Run]) -> Callable[..., Run]:
    return lambda *arguments, version="3.7.11": postlint(
        "show", "--no-config", "--postfix-version", version, "-c", ".", *arguments
    )


def test_origin_is_a_line_of_a_file_or_a_word(show: Callable[..., Run]) -> None:
    run = show("--origin", "-o", "mydomain=example.com", "mydomain", "myorigin", "relayhost")
    assert run.lines == [
        "command-line: mydomain = example.com",
        "./main.cf:6: myorigin = $mydomain",
        "default: relayhost =",
    ]
    assert run.err.splitlines()[0] == (
        "postlint: warning: ./main.cf, line 6: overriding earlier entry: myorigin=example.net"
    )


def test_origin_of_services_fields_and_overrides(show: Callable[..., Run]) -> None:
    assert show("--origin", "-M", "smtp/unix").lines == [
        "./master.cf:7: smtp       unix  -       -       y       -       -       smtp"
    ]
    assert show("--origin", "-FH", "submission/inet/command").lines == [
        "./master.cf:2: submission/inet/command"
    ]
    assert show("--origin", "-P", "submission").lines == [
        "./master.cf:6: submission/inet/smtpd_banner = $tag says hello",
        "./master.cf:3: submission/inet/syslog_name = postfix/$service_name",
        "./master.cf:4: submission/inet/tag = $myd",
    ]


@pytest.mark.parametrize("version", ["2.6", "2.9", "2.11", "3.0"])
def test_origin_in_every_version(show: Callable[..., Run], version: str) -> None:
    run = show("--origin", "--service", "submission/inet", "tag", "mydomain", version=version)
    assert run.lines == ["./master.cf:4: tag = example.org", "./main.cf:2: mydomain = example.org"]


def test_service_sees_its_overrides_in_its_scope(show: Callable[..., Run]) -> None:
    names = ("smtpd_banner", "syslog_name", "myorigin", "process_name", "service_name")
    run = show("--service", "submission/inet", "--origin", *names)
    assert run.lines == [
        "./master.cf:6: smtpd_banner = example.org says hello",
        "./master.cf:3: syslog_name = postfix/submission",
        "./main.cf:6: myorigin = example.org",
        "./master.cf:2: process_name = smtpd",
        "./master.cf:2: service_name = submission",
    ]
    run = show("--service", "smtp/inet", *names)
    assert run.lines[:2] == ["smtpd_banner = mx.example.org main", "syslog_name = smtpd"]


def test_service_before_postconf_knew_its_program(show: Callable[..., Run]) -> None:
    run = show("--service", "smtp/unix", "syslog_name", version="2.10")
    assert run.lines == ["syslog_name = smtp"]


def test_service_has_all_parameters_or_those_that_are_set(show: Callable[..., Run]) -> None:
    everything = show("--service", "smtp/inet").lines
    assert len(everything) > 800
    assert "smtpd_peername_lookup = yes" in everything
    names = [line.partition(" =")[0] for line in show("--service", "submission/inet", "-n").lines]
    assert names == [
        "compatibility_level",
        "config_directory",
        "mydomain",
        "myhostname",
        "myorigin",
        "process_name",
        "service_name",
        "smtpd_banner",
        "syslog_name",
        "tag",
    ]


def test_service_that_is_there_twice_is_the_last_one(show: Callable[..., Run]) -> None:
    """master(8) takes the last entry; postconf(1) has the overrides of both in one table."""
    run = show("--service", "relay/unix", "myhostname", "tag")
    assert run.lines == ["myhostname = last.example", "tag = main"]
    assert "relay/unix/tag = first" in show("-P", "relay/unix").lines


def test_json_with_origins_in_every_version(show: Callable[..., Run]) -> None:
    for version in ("2.6", "3.7.11", "3.12"):
        run = show("-nj", "--origin", "myorigin", version=version)
        assert [json.loads(line) for line in run.lines] == [
            {
                "name": "myorigin",
                "value": "$mydomain",
                "origin": "main.cf",
                "path": "./main.cf",
                "line": 6,
            }
        ]
    run = show("-j", "--origin", "--service", "submission/inet", "smtpd_banner", "relayhost")
    assert [json.loads(line) for line in run.lines] == [
        {
            "name": "smtpd_banner",
            "value": "example.org says hello",
            "origin": "master.cf",
            "path": "./master.cf",
            "line": 6,
        },
        {"name": "relayhost", "value": "", "origin": "default", "path": None, "line": None},
    ]


def test_json_of_services_and_overrides(show: Callable[..., Run]) -> None:
    run = show("-Pj", "--origin", "submission/inet/smtpd_banner", version="3.11")
    assert [json.loads(line) for line in run.lines] == [
        {
            "service": "submission/inet",
            "name": "smtpd_banner",
            "value": "$tag says hello",
            "origin": "master.cf",
            "path": "./master.cf",
            "line": 6,
        }
    ]
    run = show("-Mj", version="3.11")
    assert json.loads(run.lines[0]) == {"smtp/inet": "smtp inet n - y - - smtpd"}


def test_json_of_postconf_came_with_its_version(show: Callable[..., Run]) -> None:
    assert show("-nj", "tag", version="3.11").lines == ['{"tag": "main"}']
    run = show("-nj", "tag", version="3.10")
    assert run.status == 1
    assert run.err.splitlines()[0] == "postlint: invalid option -- 'j'"
    assert "Postfix 3.10 has no option -j" in run.err


@pytest.mark.parametrize(
    ("option", "version", "since"),
    [
        ("-M", "2.8", "2.9"),
        ("-f", "2.8", "2.9"),
        ("-x", "2.9", "2.10"),
        ("-P", "2.10", "2.11"),
        ("-F", "2.10", "2.11"),
        ("-H", "3.0", "3.1"),
        ("-q", "3.8", "3.9"),
    ],
)
def test_options_came_one_after_the_other(
    show: Callable[..., Run], option: str, version: str, since: str
) -> None:
    run = show(option, version=version)
    assert (run.status, run.out) == (1, "")
    assert f"Postfix {version}" in run.err
    assert show(option, version=since).status == 0


@pytest.mark.parametrize("arguments", [["-e", "a=b"], ["-X", "a"], ["-#", "a"], ["a=b"], ["-Me"]])
def test_what_edits_files_is_refused(
    show: Callable[..., Run], tmp_path: Path, arguments: list[str]
) -> None:
    run = show(*arguments)
    assert (run.status, run.out) == (2, "")
    assert (tmp_path / "main.cf").read_text(encoding="utf-8") == MAIN_CF


@pytest.mark.parametrize("letter", "aAblmtT")
def test_what_asks_an_installed_program_is_refused(show: Callable[..., Run], letter: str) -> None:
    run = show(f"-{letter}", "x")
    assert (run.status, run.out) == (2, "")
    assert "installed Postfix" in run.err


def test_help_names_what_is_not_there(postlint: Callable[..., Run]) -> None:
    run = postlint("show", "--help")
    assert run.status == 0
    assert "not here" in run.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--service", "smtp"], "--service needs a name and a type"),
        (["--service", "smtp/inet", "-M"], "with --service, do not specify -M"),
        (["--service"], "--service needs an argument"),
        (["--orgin"], "--origin"),
        (["-c"], "-c needs an argument"),
    ],
)
def test_wrong_usage(show: Callable[..., Run], arguments: list[str], complaint: str) -> None:
    run = show(*arguments)
    assert (run.status, run.out) == (2, "")
    assert complaint in run.err


def test_no_such_service(show: Callable[..., Run]) -> None:
    run = show("--service", "nosuch/inet")
    assert (run.status, run.out) == (1, "")
    assert run.err.endswith("postlint: fatal: no service nosuch/inet in ./master.cf\n")


def test_folder_comes_from_the_environment(
    postlint: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    assert postlint("show", "-h", "tag").lines == ["main"]
