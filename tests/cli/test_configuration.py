"""postlint's own configuration files: where they are found, what they may say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ERROR, MASTER, WARNING, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

NOTHING = 'ignore = ["DUP"]\nselect = ["DUP"]\n'
PYPROJECT = "[tool.other]\nx = 1\n[tool.postlint]\n"


@pytest.mark.parametrize(
    ("name", "head"),
    [("pyproject.toml", PYPROJECT), ("postlint.toml", ""), (".postlint.toml", "")],
)
def test_each_file_name(postlint: Callable[..., Run], name: str, head: str) -> None:
    write({"a/main.cf": ERROR, f"a/{name}": f'{head}select = ["DUP"]\nfail-on = "never"\n'})
    run = postlint("check", "a")
    assert run.status == 0
    assert {line.split()[1] for line in run.lines if line.startswith("a/")} == {"DUP001"}
    assert postlint("check", "a/main.cf").status == 0


def test_nearest_parent_wins(postlint: Callable[..., Run]) -> None:
    never, usual = 'fail-on = "never"\n', 'fail-on = "warning"\n'
    write({"postlint.toml": never, "a/b/main.cf": ERROR})
    assert postlint("check", "a/b").status == 0
    write({"a/postlint.toml": usual})
    assert postlint("check", "a/b").status == 1
    write({"a/b/pyproject.toml": "[project]\nname = 'x'\n"})  # says nothing of postlint
    assert postlint("check", "a/b").status == 1
    write({"a/b/pyproject.toml": f"[tool.postlint]\n{never}"})
    assert postlint("check", "a/b").status == 0


def test_several_paths_take_the_file_above_all_of_them(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "b/main.cf": ERROR, "a/postlint.toml": 'fail-on = "never"\n'})
    assert postlint("check", "a", "b").status == 1
    write({"postlint.toml": 'fail-on = "never"\n'})
    assert postlint("check", "a", "b").status == 0


def test_standard_input_takes_that_of_the_working_directory(program: Callable[..., Run]) -> None:
    write({"postlint.toml": 'fail-on = "never"\n'})
    assert program("check", "-", stdin=ERROR.encode()).status == 0


def test_command_line_outranks_the_file(postlint: Callable[..., Run]) -> None:
    write(
        {
            "a/main.cf": ERROR,
            "a/postlint.toml": 'fail-on = "never"\nselect = ["POL"]\nformat = "json"\n',
        }
    )
    run = postlint("check", "a", "--fail-on", "warning", "--select", "DUP001", "--format", "text")
    assert run.status == 1
    assert run.lines[0].startswith("a/main.cf:1:1: DUP001 error ")


def test_no_config_isolated_and_config(postlint: Callable[..., Run]) -> None:
    write(
        {
            "a/main.cf": ERROR,
            "a/postlint.toml": 'fail-on = "never"\n',
            "other.toml": 'fail-on = "error"\nselect = ["DUP"]\n',
        }
    )
    assert postlint("check", "a").status == 0
    assert postlint("check", "a", "--no-config").status == 1
    assert postlint("check", "a", "--isolated").status == 1
    assert postlint("check", "a", "--config", "other.toml").status == 1


def test_all_keys_are_taken(postlint: Callable[..., Run]) -> None:
    write(
        {
            "a/main.cf": WARNING,
            "a/image/x": "",
            "a/postlint.toml": (
                'select = ["DUP"]\nignore = ["DUP003"]\nextend-select = ["SYN001"]\nplugins = []\n'
                'format = "text"\nseverity-at-least = "info"\nfail-on = "error"\n'
                'postfix-version = "3.7"\nroot = "image"\ncolor = "never"\n'
                "statistics = true\nquiet = true\njobs = 1\n"
            ),
        }
    )
    run = postlint("check", "a")
    assert (run.status, run.err) == (0, "")
    assert run.lines == ["Found 1 warning in 1 file.", "", "1  DUP001  duplicate-parameter"]


BROKEN = {
    "selekt = ['DUP']": 'unknown key "selekt"; did you mean select?',
    "fail_on = 'error'": 'unknown key "fail_on"; did you mean fail-on?',
    "output = 'x'": 'unknown key "output"',
    "host = true": 'unknown key "host"',
    "select = 'DUP'": '"select" must be a list of strings',
    "select = [1]": '"select" must be a list of strings',
    "quiet = 1": '"quiet" must be true or false',
    "jobs = true": '"jobs" must be a number',
    "format = 1": '"format" must be a string',
    "select = ['QQQ']": "select: no rule has the code, prefix or name 'QQQ'",
    "fail-on = 'eror'": 'fail-on: "eror" is not error, warning, info or never; did you mean error?',
    "format = 'html'": 'format: "html" is not text, json or sarif',
    "jobs = -1": 'jobs: "-1" is not a number from 0 to 256',
    "postfix-version = '9.9'": "postfix-version: Postfix 9.9 is not known",
    "root = 'nowhere'": "nowhere: no such folder",
    "root = '/'": 'root: "/" leads out of ',
    "root = '..'": 'root: ".." leads out of ',
    "plugins = ['rules.py']": 'plugins: "rules.py" is a file: name it with --plugin',
    "plugins = ['./rules']": 'plugins: "./rules" is a file: name it with --plugin',
    "plugins = ['nowhere']": 'no plugin "nowhere" is installed',
    "select = [": "Invalid value",
    "\udcff = 1": "can't decode byte",
    "x = " + "[" * 5000: "maximum recursion depth exceeded",
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20].encode("ascii", "replace"))
@pytest.mark.parametrize("name", ["found", "named"])
def test_broken_file(postlint: Callable[..., Run], text: str, name: str) -> None:
    write({"a/main.cf": ERROR, "a/postlint.toml": f"{text}\n", "a/rules.py": "raise SystemError"})
    option = ("--config", "a/postlint.toml") if name == "named" else ()
    if option and "leads out" in BROKEN[text]:
        return
    run = postlint("check", "a", *option)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("postlint: error: ")
    assert BROKEN[text] in run.err
    if "installed" not in BROKEN[text]:
        assert "a/postlint.toml: " in run.err
    assert run.err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "[tool.postlint]\nfail-on = 'never'\n",
        "[ 'tool' . \"postlint\" ]\nfail-on = 'never'\n",
        "[project]\nx = 1\n  [tool.postlint] # ours\nfail-on = 'never'\n",
        "[tool]\npostlint = { fail-on = 'never' }\n",
        "[tool]\npostlint.fail-on = 'never'\n",
        "tool.postlint.fail-on = 'never'\n",
        "tool = { postlint = { fail-on = 'never' } }\n",
    ],
)
def test_every_way_to_write_the_table(postlint: Callable[..., Run], text: str) -> None:
    write({"a/main.cf": ERROR, "a/pyproject.toml": text})
    assert postlint("check", "a").status == 0


@pytest.mark.parametrize("text", ["tool = 1\n# postlint", "[tool]\npostlint = 1\n"])
def test_odd_pyproject(postlint: Callable[..., Run], text: str) -> None:
    write({"a/main.cf": ERROR, "a/pyproject.toml": text})
    run = postlint("check", "a", "--select", "DUP")
    if "[tool]" in text:
        assert run.status == 2
        assert run.err.endswith("a/pyproject.toml: tool.postlint is not a table\n")
    else:
        assert run.status == 1


def test_named_file_must_be_one(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "pyproject.toml": "[tool.other]\n"})
    assert "is not a regular file" in postlint("check", "a", "--config", "a").err
    assert "no [tool.postlint]" in postlint("check", "a", "--config", "pyproject.toml").err
    os.mkfifo("pipe.toml")
    assert "is not a regular file" in postlint("check", "a", "--config", "pipe.toml").err


def test_root_counts_from_the_file_and_a_named_file_may_lead_out(
    postlint: Callable[..., Run],
) -> None:
    write(
        {
            "a/etc/main.cf": "smtp_tls_policy_maps = hash:/srv/tls_policy\n",
            "a/etc/master.cf": MASTER,
            "a/image/srv/tls_policy": "example.com may\n",
            "a/postlint.toml": 'root = "image"\n',
            "conf/postlint.toml": 'root = "../a/image"\n',
        }
    )
    select = ("check", "a/etc", "--select", "DUP")
    assert "in 3 files" in postlint(*select).out
    assert "in 2 files" in postlint(*select, "--no-config").out
    assert "in 3 files" in postlint(*select, "--config", "conf/postlint.toml").out
    Path("a/out").symlink_to("/")
    write({"a/postlint.toml": 'root = "out"\n'})
    assert "leads out of" in postlint(*select).err
