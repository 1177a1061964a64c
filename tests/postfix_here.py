"""The Postfix installed on this machine, for the tests that compare with it.

Without one they are skipped; where the environment variable CI is set they fail instead.
Everything has a time limit. Files get old modification times: postconf(1) reads a file that
has just been written again and again and repeats its warnings (dict_load_file_xt).
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

TIME_LIMIT = 20.0
"""Seconds that any one program gets."""

OLD = 1_000_000_000
"""A modification time long ago."""


class InstalledPostfix(NamedTuple):
    """Where the programs are, and which release they are of."""

    postconf: Path
    postmap: Path
    daemon_directory: Path
    version: PostfixVersion


class Ran(NamedTuple):
    """What a program said. ``status`` is its exit status, None when the time was up."""

    status: int | None
    output: str
    errors: str

    @property
    def messages(self) -> list[str]:
        """The lines of standard error without the program's name before them."""
        return [line.partition(": ")[2] for line in self.errors.splitlines()]


def require_postfix() -> InstalledPostfix:
    """The installed Postfix; skips the calling test where there is none (in CI: fails it)."""
    found = _find()
    if isinstance(found, InstalledPostfix):
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{found}, and this is CI")
    pytest.skip(found)


def postconf(folder: Path, *options: str, timeout: float = TIME_LIMIT) -> Ran:
    """``postconf -c FOLDER OPTIONS``; its files are given old modification times first."""
    return run([require_postfix().postconf, "-c", folder, *options], folder, timeout=timeout)


def postmap(folder: Path, *options: str, stdin: str = "", timeout: float = TIME_LIMIT) -> Ran:
    """``postmap -c FOLDER OPTIONS``."""
    return run(
        [require_postfix().postmap, "-c", folder, *options], folder, stdin=stdin, timeout=timeout
    )


def initialize(folder: Path) -> Ran:
    """Load the parameters that every program loads, as a daemon does when it starts."""
    return postmap(folder, "-q", "a", "inline:{a=b}")


def load_parameters(program: str, folder: Path) -> str | None:
    """Start a daemon that loads its parameters and ends; why it refuses them, None if it does not.

    Without a transport type (``-t``) a daemon stops right after it has read and checked all its
    parameters (src/master/*_server.c), before it opens anything.
    """
    daemon = require_postfix().daemon_directory / program
    reason = first_fatal([daemon, "-V", "-l", "-z"], folder)
    if reason is None:
        raise AssertionError(f"{program} said nothing final")
    return None if reason == "no transport type specified" else reason


PRIVILEGED = frozenset({"local", "pipe", "spawn", "virtual"})
"""Daemons that do not give up root before they have work."""


def quiet_settings(folder: Path) -> str:
    """Lines for main.cf with which a daemon runs by itself, without other daemons to ask.

    Makes a queue directory below ``folder`` for it.
    """
    queue = folder / "queue"
    for name in ("active", "incoming", "maildrop", "pid", "private", "public"):
        (queue / name).mkdir(parents=True, exist_ok=True)
    settings = {
        "compatibility_level": "3.6" if require_postfix().version >= (3, 6) else "2",
        "queue_directory": queue,
        "data_directory": queue,
        "myhostname": "mx.example.com",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "mydestination": "",
        "alias_maps": "",
        "local_recipient_maps": "",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def stand_alone(program: str, folder: Path, *, stdin: str = "", timeout: float = 5.0) -> Ran:
    """Run a daemon on standard input and output; it initializes itself fully.

    A daemon that waits for other daemons runs into the time limit: it has not refused anything.
    """
    daemon = require_postfix().daemon_directory / program
    environment = {"MAIL_CONFIG": str(folder)}
    command = [daemon, *_stand_alone_options(program)]
    return run(command, folder, stdin=stdin, timeout=timeout, environment=environment)


def refuses(program: str, folder: Path, *, timeout: float = 3.0) -> str | None:
    """Why a daemon that initializes itself fully ends with a fatal error; None if it does not."""
    daemon = require_postfix().daemon_directory / program
    return first_fatal([daemon, *_stand_alone_options(program)], folder, timeout=timeout)


def first_fatal(
    command: list[str | Path], folder: Path, *, timeout: float = TIME_LIMIT
) -> str | None:
    """The first fatal error that a daemon logs; it sleeps for a second afterwards, this does not.

    None when the daemon ends without one, or is still busy when the time is up.
    """
    make_old(folder)
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "MAIL_CONFIG": str(folder)},
    )
    assert process.stderr is not None
    deadline = time.monotonic() + timeout
    said = b""
    try:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([process.stderr], [], [], left)[0]:
                break
            data = os.read(process.stderr.fileno(), 65536)
            if not data:
                break
            said += data
            for line in _text(said).split("\n")[:-1]:
                kind, _, reason = line.partition(": ")[2].partition(": ")
                if kind in ("fatal", "panic"):
                    return reason
    finally:
        process.kill()
        process.wait(TIME_LIMIT)
        process.stderr.close()
    return None


def _stand_alone_options(program: str) -> list[str]:
    options = ["-V", "-S", "-l", "-z"]
    if os.geteuid() == 0 and program not in PRIVILEGED:
        options.append("-u")  # smtpd applies its restrictions to a client that is not root
    return options


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write configuration files with old modification times; main.cf and master.cf at least."""
    for name, text in {"main.cf": "", "master.cf": "", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    make_old(folder)
    return folder


def make_old(folder: Path) -> None:
    """Give every file below a folder an old modification time."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (OLD, OLD))


def run(
    command: list[str | Path],
    folder: Path | None = None,
    *,
    stdin: str = "",
    timeout: float = TIME_LIMIT,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run a program to its end or to the time limit, whichever comes first."""
    if folder is not None:
        make_old(folder)
    try:
        done = subprocess.run(
            [str(word) for word in command],
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=timeout,
            check=False,
            env=None if environment is None else {**os.environ, **environment},
        )
    except subprocess.TimeoutExpired as late:
        return Ran(None, _text(late.stdout), _text(late.stderr))
    return Ran(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "surrogateescape")


@cache
def _find() -> InstalledPostfix | str:
    """The installation, or why there is none to compare with."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
    command = shutil.which("postconf", path=path)
    if command is None:
        return "Postfix is not installed (no postconf)"
    asked = ("mail_version", "command_directory", "daemon_directory")
    said = run([command, "-d", "-h", *asked])
    answers = said.output.splitlines()
    if said.status != 0 or len(answers) != len(asked):
        return f"postconf does not work: {said.errors.strip()}"
    try:
        version = PostfixVersion.parse(answers[0])
    except ValueError as error:
        return f"the installed Postfix can not be compared with: {error}"
    commands, daemons = Path(answers[1]), Path(answers[2])
    return InstalledPostfix(Path(command), commands / "postmap", daemons, version)
