"""What a linted file, or its name, can do to a terminal, a log or a report: nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.running import ROOT, SECONDS, postlint, write

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2028\r\x08[bold red]x[/bold red] :smile: <b>&"
"""Window title, clear screen, C1 control, bidi override, line separator, markup, HTML."""

MAIN = f"""\
relayhost = {EVIL}
relayhost = {EVIL}b
{EVIL} = x
smtpd_tls_mandatory_protocols = {EVIL}
mynetworks = {EVIL}
smtpd_recipient_restrictions = {EVIL}, permit
smtpd_tls_cert_file = /etc/postfix/{EVIL}
transport_maps = {EVIL}:{EVIL}, hash:/etc/postfix/table
smtp_tls_policy_maps = hash:/etc/postfix/table
# postlint: ignore[{EVIL}] {EVIL}
x = $y
"""
MASTER = f"""\
{EVIL} inet n - n - - smtpd -o {EVIL}={EVIL}
smtp inet n - n - - {EVIL}
{EVIL}
"""
TABLE = f"{EVIL} {EVIL}\n{EVIL}\nexample.com {EVIL}={EVIL}\n"
FOLDER = "a\nb\x1b[31m\x9b[bold]\udcff"

FILES = {
    f"{FOLDER}/main.cf": MAIN,
    f"{FOLDER}/master.cf": MASTER,
    f"{FOLDER}/table": TABLE,
    "other\x1b[2J\nmain.cf": MAIN,
}

SEQUENCE = re.compile(rb"\x1b\[[0-9;]*m")
"""What colours are made of: the only control sequences that are postlint's own."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, FILES)


NAMED = (FOLDER, "other\x1b[2J\nmain.cf", "missing\x1b[2J")


def assert_harmless(data: bytes) -> None:
    for line in data.decode().split("\n"):
        assert line.isprintable(), line


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_check_into_a_log(form: str, folder: Path) -> None:
    for options in ((), ("--statistics", "--color", "always"), ("--quiet",)):
        run = postlint("check", "--no-config", "--format", form, *options, *NAMED, folder=folder)
        assert run.status == 2
        assert_harmless(SEQUENCE.sub(b"", run.out))
        assert_harmless(run.err)
        assert run.err.count(b"\n") == 1
        if form != "text":
            json.loads(run.out)
            assert run.out.isascii()
            assert SEQUENCE.search(run.out) is None


@pytest.mark.parametrize("form", ["text", "json"])
def test_exposure_into_a_log(form: str, folder: Path) -> None:
    for options in ((), ("--color", "always")):
        run = postlint("exposure", "--format", form, *options, *NAMED, folder=folder)
        assert run.status == 2
        assert_harmless(SEQUENCE.sub(b"", run.out))
        assert_harmless(run.err)


def test_messages_of_wrong_usage(folder: Path) -> None:
    for arguments in (
        ("check", f"--{EVIL}"),
        (EVIL,),
        ("check", "--select", EVIL, "."),
        ("check", "--config", EVIL, "."),
        ("check", "--postfix-version", EVIL, "."),
        ("check", "--output", f"no/{EVIL}", FOLDER),
        ("check", "--plugin", EVIL, "."),
        ("exposure", "--root", EVIL, "."),
        ("exposure", "--explain", EVIL, "--sender", EVIL, "--recipient", EVIL, FOLDER),
        ("rule", EVIL),
        ("show", f"--{EVIL}"),
        ("show", "-c", EVIL),
        ("show", "--no-config", "-nc", FOLDER),
        ("show", "--no-config", "-Mc", FOLDER),
    ):
        run = postlint(*arguments, folder=folder)
        assert run.status in (0, 1, 2)
        assert_harmless(run.err)


def test_configuration_files(tmp_path: Path) -> None:
    quoted = json.dumps(EVIL)
    for text in (
        f"{quoted} = 1",
        f"select = [{quoted}]",
        f"format = {quoted}",
        EVIL,
        f"root = {quoted}",
    ):
        write(tmp_path, {"main.cf": "", "postlint.toml": text})
        run = postlint("check", ".", folder=tmp_path)
        assert run.status == 2
        assert_harmless(run.err)


COMMANDS = {
    "check": ("check", "--no-config", *NAMED),
    "check without colour": ("check", "--no-config", "--color", "never", *NAMED),
    "exposure": ("exposure", *NAMED),
    "show": ("show", "--no-config", "-c", FOLDER),
    "show services": ("show", "--no-config", "-Mf", "-c", FOLDER),
    "show as JSON": ("show", "--no-config", "-jn", "-c", FOLDER),
    "show a service": ("show", "--no-config", "--origin", "-n", "-c", FOLDER),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_on_a_terminal(case: str, folder: Path) -> None:
    """Standard output and standard error are one terminal; markup shows as it is written."""
    screen = on_terminal(COMMANDS[case], folder)
    assert_harmless(SEQUENCE.sub(b"", screen.replace(b"\r\n", b"\n")))
    if "check" in case:
        assert b"[bold red]x[/bold red] :smile: <b>&" in screen


def on_terminal(arguments: tuple[str, ...], folder: Path) -> bytes:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "postlint", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"},
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + SECONDS
    try:
        while time.monotonic() < deadline and select.select([ours], [], [], SECONDS)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown += data
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown
