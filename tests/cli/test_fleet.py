"""Many instances: the same report with results used again, and a bar while it takes long."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.cli import progress
from postlint.lint.reuse import KEPT, Reuse
from tests.cli.conftest import ERROR, MASTER, WARNING, write
from tests.cli.test_plugins import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

POLICY = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"
FULL = f"# postlint: ignore[DUP001] known\n{ERROR}{WARNING}{POLICY}"


def fleet() -> None:
    """Instances that are the same, and some that nearly are."""
    for number in range(6):
        write({f"fleet/{number}/main.cf": FULL, f"fleet/{number}/master.cf": MASTER})
        write({f"fleet/{number}/tls_policy": "example.com may\nexample.org might\n"})
    write({"fleet/1/tls_policy": "example.com may\n"})  # another table
    Path("fleet/2/tls_policy").unlink()
    write({"fleet/3/master.cf": MASTER.replace("smtpd", "smtpd -o smtpd_banner=x", 1)})
    write({"fleet/t/main.cf.j2": FULL, "fleet/t/master.cf.j2": MASTER})  # other names
    Path("fleet/t/tls_policy").symlink_to("/etc/passwd")
    for number in (7, 8):  # a link that stays inside
        write({f"fleet/{number}/main.cf": FULL, f"fleet/{number}/real": "example.com might\n"})
        Path(f"fleet/{number}/tls_policy").symlink_to("real")
    write({"fleet/only/main.cf": FULL})


@pytest.fixture(name="hits")
def _hits(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each question for a result that is known was answered."""
    hits: list[bool] = []
    find = Reuse.find

    def watched(self: Reuse, candidate: object) -> object:
        found = find(self, candidate)  # type: ignore[arg-type]
        hits.append(found is not None)
        return found

    monkeypatch.setattr(Reuse, "find", watched)
    return hits


@pytest.mark.parametrize("format_name", ["text", "json", "sarif"])
def test_same_report_with_and_without_reuse(
    postlint: Callable[..., Run],
    program: Callable[..., Run],
    hits: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    format_name: str,
) -> None:
    fleet()
    arguments = ("check", "fleet", "--format", format_name)
    reused = postlint(*arguments)
    assert hits == [False, False, False, False, False, True, False, True, False, False]
    monkeypatch.setattr(Reuse, "find", lambda *_: None)
    assert postlint(*arguments) == reused
    for jobs in ("2", "3"):
        assert program(*arguments, "--jobs", jobs) == reused


def test_nothing_is_reused_where_more_than_the_folder_counts(
    postlint: Callable[..., Run], hits: list[bool]
) -> None:
    fleet()
    postlint("check", "fleet", "--root", "fleet")
    postlint("check", "fleet", "--host")
    write({"acme.py": PLUGIN})
    postlint("check", "fleet", "--plugin", "acme.py")
    assert hits == []


def test_named_files_are_not_folders(postlint: Callable[..., Run], hits: list[bool]) -> None:
    """Of a file that is named only its own findings are reported."""
    fleet()
    run = postlint("check", "fleet/5", "fleet/4/main.cf")
    assert hits == [False, False]
    assert "fleet/4/main.cf" in run.out
    assert "fleet/4/master.cf" not in run.out


def test_only_the_last_results_are_kept(postlint: Callable[..., Run], hits: list[bool]) -> None:
    for number in range(KEPT + 1):
        write({f"many/{number:03}/main.cf": f"myhostname = mx{number}.example.com\n"})
    write({"many/xx0/main.cf": "myhostname = mx0.example.com\n"})
    write({"many/xx1/main.cf": f"myhostname = mx{KEPT}.example.com\n"})
    postlint("check", "many")
    assert hits[-2:] == [False, True]


BAR = """
import sys
from postlint.cli import progress
from postlint.cli.main import main
progress.PATIENCE = -1.0
sys.exit(main(sys.argv[1:]))
"""


def on_terminal(*arguments: str) -> tuple[str, str]:
    """Standard output, which is a pipe, and what a terminal gets from standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", BAR, *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        text=True,
    )
    os.close(theirs)
    out, _ = process.communicate(timeout=120)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return out, shown.decode()


def test_bar_on_a_terminal_that_goes_away(program: Callable[..., Run]) -> None:
    fleet()
    for arguments in (["fleet"], ["fleet", "--jobs", "2"], ["fleet/0"]):
        plain = program("check", *arguments)
        out, shown = on_terminal("check", *arguments)
        assert out == plain.out
        assert "%" in shown
        after = shown.rpartition("\x1b[2K")[2]  # the last line of the bar is wiped
        assert after.replace("\r\n", "\n") == plain.err


def test_no_bar_when_quiet(program: Callable[..., Run]) -> None:
    fleet()
    plain = program("check", "fleet", "--quiet")
    assert on_terminal("check", "fleet", "--quiet") == (plain.out, plain.err.replace("\n", "\r\n"))


def test_no_bar_for_what_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    bar = progress.Bar(3)
    assert list(bar.counting("abc")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
