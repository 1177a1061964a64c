"""Where the report goes, and how it looks there."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CLEAN, ERROR, ROOT, SECONDS, WARNING, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

ESCAPE = "\x1b["


def test_plain_text(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    run = postlint("check", "a", "--select", "DUP")
    assert re.fullmatch(
        r"a/main\.cf:1:1: DUP001 error [^\n]+\n\nFound 1 error in 1 file\.\n", run.out
    )


def test_quiet_and_statistics(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    assert postlint("check", "a", "--select", "DUP", "--quiet").lines == [
        "Found 1 error in 1 file."
    ]
    run = postlint("check", "a", "--select", "DUP", "--quiet", "--statistics")
    assert run.lines == ["Found 1 error in 1 file.", "", "1  DUP001  duplicate-parameter"]


def test_output_file(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    printed = postlint("check", "a", "--select", "DUP", "--format", "json")
    run = postlint("check", "a", "--select", "DUP", "--format", "json", "--output", "report.json")
    assert run == (printed.status, "", "")
    assert Path("report.json").read_text() == printed.out
    assert postlint("check", "a", "--select", "DUP", "--output", "-").out.startswith("a/main.cf:1")


def test_output_file_keeps_mode_and_link(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "real/report": "old"})
    Path("real/report").chmod(0o600)
    Path("link").symlink_to("real/report")
    postlint("check", "a", "--output", "link")
    assert Path("link").is_symlink()
    assert Path("real/report").read_text().endswith(".\n")
    assert stat.S_IMODE(Path("real/report").stat().st_mode) == 0o600
    assert [path.name for path in Path("real").iterdir()] == ["report"]
    before = os.umask(0o027)
    try:
        postlint("check", "a", "--output", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("new").stat().st_mode) == 0o640


def test_failed_output_leaves_the_old_file(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a/main.cf": ERROR, "out/report": "old"})

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    run = postlint("check", "a", "--output", "out/report")
    assert (run.status, run.out) == (2, "")
    expected = "postlint: error: out/report: the report can not be written: no space left on device"
    assert run.err == f"{expected}\n"
    assert Path("out/report").read_text() == "old"
    assert [path.name for path in Path("out").iterdir()] == ["report"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere/report", "no such file or directory"),
        ("a", "is a directory"),
        ("a/main.cf/report", "not a directory"),
        ("x" * 300, "file name too long"),
        ("nul\0", "embedded null byte"),
    ],
)
def test_unwritable_output(postlint: Callable[..., Run], path: str, reason: str) -> None:
    write({"a/main.cf": ERROR})
    run = postlint("check", "a", "--output", path)
    assert (run.status, run.out) == (2, "")
    assert run.err.endswith(f": the report can not be written: {reason}\n")
    assert run.err.count("\n") == 1
    assert Path("a/main.cf").read_text() == ERROR


def test_output_may_be_a_device(program: Callable[..., Run]) -> None:
    write({"a/main.cf": WARNING})
    run = program("check", "a", "--select", "DUP", "--output", "/dev/null")
    assert run == (1, "", "")
    run = program("check", "a", "--output", "/dev/full")
    assert run.status == 2
    assert run.err.endswith("the report can not be written: no space left on device\n")


def test_full_standard_output(tmp_path: Path) -> None:
    write({"a/main.cf": WARNING})
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "postlint", "check", "a"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 2
    expected = b"postlint: error: the report can not be written: no space left on device\n"
    assert done.stderr == expected


@pytest.mark.parametrize("command", ["check a --select DUP", "check --help", "rules"])
def test_reader_that_leaves(command: str) -> None:
    """The reader of the pipe is gone: no traceback, and check still tells what it found."""
    write({"a/main.cf": WARNING})
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "postlint", *command.split()],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    if command.startswith("check a"):
        assert done.returncode == 1


def on_terminal(*arguments: str, **env: str) -> str:
    """What a person at a terminal gets to see."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "postlint", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **env},
    )
    os.close(slave)
    data = b""
    try:
        while chunk := os.read(master, 65536):
            data += chunk
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(master)
        process.wait(SECONDS)
    return data.decode()


def test_terminal_gets_excerpts_and_colour() -> None:
    write({"a/main.cf": ERROR})
    seen = on_terminal("check", "a", "--select", "DUP")
    assert ESCAPE in seen
    assert "smtpd_tls_mandatory_protocols = TLSv1" in re.sub(r"\x1b\[[0-9;]*m", "", seen)


def test_no_colour_on_a_terminal() -> None:
    write({"a/main.cf": ERROR})
    select = ("check", "a", "--select", "DUP")
    plain = on_terminal(*select, "--color", "never")
    assert ESCAPE not in plain
    assert "smtpd_tls_mandatory_protocols = TLSv1" in plain
    assert on_terminal(*select, NO_COLOR="1") == plain
    assert ESCAPE in on_terminal(*select, NO_COLOR="")
    assert ESCAPE in on_terminal(*select, "--color", "always", NO_COLOR="1")


def test_colour_when_asked_for(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR})
    assert ESCAPE in postlint("check", "a", "--color", "always").out
    assert ESCAPE not in postlint("check", "a").out
    assert ESCAPE in postlint("rule", "DUP001", "--color", "always").out
    assert ESCAPE not in postlint("rule", "DUP001").out


def test_output_that_the_encoding_can_not_show(program: Callable[..., Run]) -> None:
    write({"b\u00e4d/main.cf": "relayhost = \u00e4\nrelayhost = b\n"})
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = program("check", ".", "--select", "DUP", env={**ascii_only, "PYTHONIOENCODING": "ascii"})
    assert run.status == 1
    assert run.err == ""
    assert run.out.startswith("b\\xc3\\xa4d/main.cf:1:1: ")  # the file system's is ASCII too
    assert '"\\xe4" is dead' in run.out


def test_json_has_what_text_has(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "b/main.cf": CLEAN})
    text = postlint("check", ".", "--select", "DUP").lines
    report = json.loads(postlint("check", ".", "--select", "DUP", "--format", "json").out)
    lines = [
        f"{item['path']}:{item['start']['line']}:{item['start']['column']}: {item['code']}"
        f" {item['severity']} {item['message']}"
        for item in report["findings"]
    ]
    assert text[: len(lines)] == lines
