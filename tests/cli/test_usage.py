"""Wrong usage is one clear line on standard error and exit status 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.cli.main import COMMANDS
from tests.cli.conftest import CLEAN, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

    from tests.cli.conftest import Run

WRONG = {
    ("chekc",): 'no command "chekc"; did you mean check?',
    ("--slect",): "no option --slect (see postlint --help)",
    ("check", "--slect", "TLS"): "no option --slect; did you mean --select?",
    ("check", "--sel", "DUP", "x"): "no option --sel; did you mean --select?",
    ("check", "--select"): "argument --select: expected one argument",
    ("check", "--select", "DUP01", "x"): (
        "--select: no rule has the code, prefix or name 'DUP01'; did you mean DUP001?"
    ),
    ("check", "--select", "DUP, Duplicate-Paramter", "x"): "did you mean duplicate-parameter?",
    ("check", "--ignore", "QQQ", "x"): "--ignore: no rule has the code, prefix or name 'QQQ'",
    ("check", "--extend-select", "QQQ", "x"): "--extend-select: no rule has",
    ("check", "--fail-on", "eror", "x"): (
        '--fail-on: "eror" is not error, warning, info or never; did you mean error?'
    ),
    ("check", "--severity-at-least", "never", "x"): (
        '--severity-at-least: "never" is not error, warning or info'
    ),
    ("check", "--format", "sarf", "x"): (
        '--format: "sarf" is not text, json or sarif; did you mean sarif?'
    ),
    ("check", "--color", "yes", "x"): '--color: "yes" is not auto, always or never',
    ("check", "--jobs", "-1", "x"): '--jobs: "-1" is not a number from 0 to 256',
    ("check", "--jobs", "many", "x"): '--jobs: "many" is not a number',
    ("check", "--postfix-version", "3.x", "x"): '--postfix-version: "3.x" is not a Postfix version',
    ("check", "--postfix-version", "1.1", "x"): "--postfix-version: Postfix 1.1 is not known",
    ("check", "--as", "mian.cf", "x"): '--as: "mian.cf" is not main.cf or master.cf; did you mean',
    ("check", "--root", "nowhere", "x"): "--root: nowhere: no such folder",
    ("check", "--config", "nowhere.toml", "x"): "nowhere.toml: no such configuration file",
    ("check", "--config", "a", "--no-config", "x"): "--config does not go with --no-config",
    ("check", "--plugin", "nowhere.py", "x"): "--plugin nowhere.py: no such file",
    ("check", "--plugin", "nowhere", "x"): 'no plugin "nowhere" is installed',
    ("rules", "DUP"): 'what is "DUP" for? (see postlint rules --help)',
    ("rules", "--format", "html"): '--format: "html" is not text, json or markdown',
    ("rule",): "the following arguments are required: CODE|NAME",
    ("rule", "DUP"): '"DUP" is not one rule: see postlint rules --select "DUP"',
    ("rule", "DUP099"): "no rule has the code, prefix or name 'DUP099'; did you mean DUP00",
    ("rule", "DUP001", "--color", "red"): '--color: "red" is not auto, always or never',
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage(postlint: Callable[..., Run], arguments: tuple[str, ...]) -> None:
    write({"x/main.cf": CLEAN})
    run = postlint(*arguments)
    assert run.status == 2
    assert run.out == ""
    assert run.err.startswith("postlint: error: ")
    assert WRONG[arguments] in run.err
    assert run.err.count("\n") == 1


def test_a_path_in_place_of_a_command(postlint: Callable[..., Run]) -> None:
    write({"x/main.cf": CLEAN})
    run = postlint("x")
    assert run == (2, "", 'postlint: error: no command "x"; did you mean postlint check x?\n')


def test_no_arguments_print_the_help(postlint: Callable[..., Run]) -> None:
    run = postlint()
    assert run.status == 2
    assert run.out == ""
    assert run.err == postlint("--help").out


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(postlint: Callable[..., Run], command: str, snapshot: SnapshotAssertion) -> None:
    run = postlint(*command.split(), "--help")
    assert (run.status, run.err) == (0, "")
    assert run.out == snapshot
    assert max(map(len, run.lines)) <= 100


def test_version(postlint: Callable[..., Run]) -> None:
    from postlint.version import VERSION

    assert postlint("--version") == (0, f"postlint {VERSION}\n", "")


@pytest.mark.parametrize(
    ("default", "expected"),
    [(None, "/etc/postfix"), ("here", "here")],
    ids=["etc", "environment"],
)
def test_nothing_to_check(
    postlint: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    default: str | None,
    expected: str,
) -> None:
    monkeypatch.setattr("postlint.cli.paths.CONFIG_DIRECTORY", "/etc/postfix-is-not-here")
    if default:
        monkeypatch.setenv("MAIL_CONFIG", default)
    run = postlint("check")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("postlint: error: nothing to check: name a folder or a file (")
    assert expected in run.err


def test_mail_config_is_the_default(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"here/main.cf": CLEAN, "etc/main.cf": CLEAN, "etc/master.cf": ""})
    monkeypatch.setenv("MAIL_CONFIG", "here")
    monkeypatch.setattr("postlint.cli.paths.CONFIG_DIRECTORY", str(Path("etc").absolute()))
    assert "in 1 file." in postlint("check", "--select", "DUP").out
    assert "in 2 files." in postlint("check", "--select", "DUP", "--isolated").out


@pytest.mark.parametrize("command", ["check", "exposure"])
def test_below_a_root_the_default_is_its_own(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    write({"here/main.cf": CLEAN, "image/etc/postfix/main.cf": "soft_bounce = maybe\n"})
    monkeypatch.setenv("MAIL_CONFIG", "here")  # that is about this host
    assert "image/etc/postfix" in postlint(command, "--root", "image").out
    run = postlint(command, "--root", "here")
    assert (run.status, run.out) == (2, "")
    assert "(here/etc/postfix does not exist)" in run.err
