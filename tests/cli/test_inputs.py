"""Which files a command line names, and what happens with those that can not be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.postfix.versions import NEWEST_STABLE, PostfixVersion
from tests.cli.conftest import CLEAN, ERROR, MASTER, WARNING, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

FOUND = "DUP001"


def check(postlint: Callable[..., Run], *arguments: str) -> Run:
    return postlint("check", "--select", FOUND, *arguments)


def found_in(run: Run) -> list[str]:
    """The files with findings."""
    return sorted({line.partition(":")[0] for line in run.lines if FOUND in line})


def test_missing_path_and_the_others_are_reported(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    run = check(postlint, "nowhere", "a")
    assert run.status == 2
    assert run.err == "postlint: nowhere: no such file or directory\n"
    assert found_in(run) == ["a/main.cf"]


def test_folder_without_configuration(postlint: Callable[..., Run]) -> None:
    write({"a/readme": "", "b/main.cf": CLEAN})
    run = check(postlint, "a", "b")
    assert run.status == 2
    assert run.err == "postlint: a: no main.cf or master.cf in this folder\n"
    assert "No problems found in 1 file." in run.out


def test_fifo_does_not_hang(program: Callable[..., Run]) -> None:
    write({"a/master.cf": MASTER})
    os.mkfifo("a/main.cf")
    for name in ("a", "a/main.cf"):
        run = program("check", name)
        assert run.status == 2
        assert "postlint: a/main.cf: not a regular file\n" in run.err


def test_folder_in_place_of_a_file(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf/x": "", "b/main.cf": CLEAN})
    run = check(postlint, "a")
    assert run.status == 2
    assert run.err == "postlint: a: no main.cf or master.cf in this folder\n"


def test_path_below_a_file_and_path_with_nul(postlint: Callable[..., Run]) -> None:
    write({"main.cf": CLEAN})
    run = check(postlint, "main.cf/x")
    assert (run.status, run.err) == (2, "postlint: main.cf/x: not a directory\n")
    run = check(postlint, "a\0b")
    assert run.status == 2
    assert run.err == "postlint: a\\x00b: embedded null byte\n"


def test_link_that_leads_nowhere_or_to_itself(postlint: Callable[..., Run]) -> None:
    Path("gone.cf").symlink_to("nowhere")
    Path("loop.cf").symlink_to("loop.cf")
    run = check(postlint, "gone.cf", "loop.cf")
    assert run.status == 2
    assert run.err.splitlines() == [
        "postlint: gone.cf: no such file or directory",
        "postlint: loop.cf: too many levels of symbolic links",
    ]


def test_standard_input(program: Callable[..., Run]) -> None:
    run = program("check", "-", "--select", FOUND, "--as", "main.cf", stdin=ERROR.encode())
    assert run.status == 1
    assert run.lines[0].startswith("<stdin>:1:1: DUP001 error ")
    run = program("check", "-", "--select", "DUP003", stdin=(MASTER + MASTER).encode())
    assert run.lines[0].startswith("<stdin>:1:")
    assert program("check", "-", stdin=b"").status == 0


def test_standard_input_only_once_and_when_closed(program: Callable[..., Run]) -> None:
    run = program("check", "-", "-")
    assert (run.status, run.out) == (2, "")
    assert run.err == "postlint: error: - is standard input, which can be checked only once\n"
    closed = "import os, sys; os.close(0); sys.argv[0] = 'postlint'; import runpy; sys.stdin = None"
    script = f"{closed}; from postlint.cli.main import main; sys.exit(main(['check', '-']))"
    run = program(python=("-c", script))
    assert (run.status, run.out) == (2, "")
    assert run.err == "postlint: error: standard input is closed\n"


def test_named_file_is_reported_and_its_sibling_is_context(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "a/master.cf": MASTER + MASTER})
    select = ("check", "--select", "DUP")
    both = postlint(*select, "a")
    assert {line.split()[1] for line in both.lines if "DUP" in line} == {"DUP001", "DUP003"}
    main = postlint(*select, "a/main.cf")
    assert {line.split()[1] for line in main.lines if "DUP" in line} == {"DUP001"}
    master = postlint(*select, "a/master.cf")
    assert {line.split()[1] for line in master.lines if "DUP" in line} == {"DUP003"}
    named = postlint(*select, "a/main.cf", "a/master.cf")
    assert named.out == both.out


def test_sibling_is_context(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": CLEAN, "a/master.cf": MASTER})
    report = json.loads(check(postlint, "a/main.cf", "--format", "json").out)
    assert report["instances"][0]["master_cf"] == "a/master.cf"
    assert len(report["instances"]) == 1


def test_kind_by_option(postlint: Callable[..., Run]) -> None:
    write({"settings": ERROR, "services": MASTER + MASTER})
    assert found_in(check(postlint, "settings")) == ["settings"]
    assert check(postlint, "settings", "--as", "master.cf").status == 0
    assert postlint("check", "--select", "DUP003", "services").status == 1
    assert postlint("check", "--select", "DUP003", "services", "--as", "main.cf").status == 0


def test_folders_are_searched(postlint: Callable[..., Run]) -> None:
    write(
        {
            "top/main.cf": ERROR,
            "top/deep/er/main.cf": ERROR,
            "top/templates/main.cf.j2": ERROR,
            "top/other/main.cf.bak": ERROR,
            "top/.git/main.cf": ERROR,
            "top/node_modules/p/main.cf": ERROR,
            "top/.venv/main.cf": ERROR,
        }
    )
    run = check(postlint, "top")
    assert found_in(run) == ["top/deep/er/main.cf", "top/main.cf", "top/templates/main.cf.j2"]


def test_gitignore_is_honoured(postlint: Callable[..., Run]) -> None:
    write(
        {
            "top/.git/HEAD": "",
            "top/.gitignore": "build/\n*.local/\n!keep.local/\n",
            "top/a/main.cf": ERROR,
            "top/build/main.cf": ERROR,
            "top/x.local/main.cf": ERROR,
            "top/keep.local/main.cf": ERROR,
            "top/a/.gitignore": "inner\n",
            "top/a/inner/main.cf": ERROR,
        }
    )
    expected = ["top/a/main.cf", "top/keep.local/main.cf"]
    assert found_in(check(postlint, "top")) == expected
    os.chdir("top/a")
    assert found_in(check(postlint, ".")) == ["main.cf"]


def test_named_file_is_checked_though_ignored(postlint: Callable[..., Run]) -> None:
    write({"top/.git/HEAD": "", "top/.gitignore": "build/\n", "top/build/main.cf": ERROR})
    assert found_in(check(postlint, "top/build/main.cf")) == ["top/build/main.cf"]


def test_named_folder_is_checked_though_ignored(postlint: Callable[..., Run]) -> None:
    write(
        {
            "top/.git/HEAD": "",
            "top/.gitignore": "build/\n",
            "top/build/main.cf": ERROR,
            "top/build/deep/main.cf": ERROR,
        }
    )
    expected = ["top/build/deep/main.cf", "top/build/main.cf"]
    assert found_in(check(postlint, "top/build")) == expected
    assert found_in(check(postlint, "top/build/deep")) == expected[:1]
    assert found_in(check(postlint, "top")) == []


def test_the_same_file_twice_is_reported_once(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    Path("link").symlink_to("a")
    once = check(postlint, "a")
    assert check(postlint, "a", "a", "a/main.cf") == once
    assert check(postlint, "./a/../a", str(Path("a").absolute()), "link", "a") == once


def test_links_out_of_a_folder_are_not_followed(postlint: Callable[..., Run]) -> None:
    write({"secret/passwords": ERROR, "a/b/main.cf": ERROR, "a/b/c/master.cf": MASTER})
    Path("a/main.cf").symlink_to("../secret/passwords")
    Path("a/master.cf").symlink_to("b/c/master.cf")
    Path("a/b/c/main.cf").symlink_to("../main.cf")
    run = check(postlint, "a")
    assert run.status == 2
    reason = "a link leads out of the folder; name the file itself if it is meant"
    assert run.err == f"postlint: a/main.cf: {reason}\n"
    assert found_in(run) == ["a/b/c/main.cf", "a/b/main.cf"]
    named = check(postlint, "a/b/c/master.cf")
    assert named.status == 0
    assert named.err == "postlint: a/b/c/main.cf: a link leads out of the folder\n"
    assert check(postlint, "a/main.cf").status == 1
    assert check(postlint, "a", "--host").err == ""


@pytest.mark.parametrize("name", ["new\nline", "esc\x1b[31m", "bidi\u202e", "bad\udcff"])
def test_file_names_can_not_forge_output(postlint: Callable[..., Run], name: str) -> None:
    write({f"{name}/main.cf": WARNING})
    run = check(postlint, name, f"{name}-missing")
    shown = name.encode("utf-8", "backslashreplace").decode()
    assert all(line.isprintable() for line in (run.out + run.err).splitlines()), shown
    assert len(run.lines) == 3
    assert run.err.count("\n") == 1
    for format_name in ("json", "sarif"):
        run = check(postlint, name, "--format", format_name)
        assert run.out.isascii()
        json.loads(run.out)


def test_undecodable_bytes_and_nul_are_no_trouble(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": "relayhost = \udcff\0\nrelayhost = x\n"})
    run = check(postlint, "a")
    assert (run.status, run.err) == (1, "")


def test_empty_file(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": "", "a/master.cf": ""})
    assert check(postlint, "a") == (0, "No problems found in 2 files.\n", "")


def test_root_is_where_absolute_paths_begin(postlint: Callable[..., Run]) -> None:
    write(
        {
            "etc/main.cf": "smtp_tls_policy_maps = hash:/srv/tls_policy\n",
            "image/srv/tls_policy": "example.com may\n",
        }
    )
    assert "in 1 file." in check(postlint, "etc").out
    assert "in 2 files." in check(postlint, "etc", "--root", "image").out


def test_host_is_implied_for_the_installed_configuration_only(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path.cwd()
    main = f"smtp_tls_policy_maps = hash:{here}/elsewhere/tls_policy\n"
    write(
        {
            "etc/main.cf": main,
            "etc/master.cf": MASTER,
            "other/main.cf": main,
            "other/master.cf": MASTER,
            "elsewhere/tls_policy": "example.com may\n",
        }
    )
    monkeypatch.setattr("postlint.cli.paths.CONFIG_DIRECTORY", str(here / "etc"))
    monkeypatch.setattr("postlint.config.files.CONFIG_DIRECTORY", str(here / "etc"))
    monkeypatch.setattr("postlint.cli.host.installed_version", lambda: PostfixVersion.parse("3.7"))

    def instances(*arguments: str) -> tuple[list[str], int]:
        report = json.loads(check(postlint, *arguments, "--format", "json").out)
        versions = [item["postfix_version"] for item in report["instances"]]
        return versions, report["summary"]["files"]

    newest = str(NEWEST_STABLE)
    assert instances("etc") == (["3.7"], 3)
    assert instances() == (["3.7"], 3)
    assert instances("other") == ([newest], 2)
    assert instances("other", "etc") == ([newest, "3.7"], 5)
    assert instances("etc/../other") == ([newest], 2)
    assert instances("other", "--host") == (["3.7"], 3)
    assert instances("etc", "--postfix-version", "2.11") == (["2.11"], 3)
