"""``postlint show`` and the real postconf(1) on the same files, for comparison."""

from __future__ import annotations

import os
import subprocess
from functools import cache, cached_property
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

from postlint.cli.show import run_with
from postlint.postfix.defaults import BUILD_DEPENDENT
from postlint.postfix.versions import PostfixVersion
from postlint.show import names
from postlint.show.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SECONDS = 60
LONG_AGO = 1_000_000_000
"""A modification time; postconf waits and reads again when a file has just been written."""


class Shown(NamedTuple):
    """What a run printed; messages without the name of the program."""

    status: int
    output: bytes
    messages: list[bytes]


class Both(NamedTuple):
    """What both programs printed for the same arguments."""

    postlint: Shown
    postconf: Shown


class HashOrder(Scanner):
    """Looks at settings in the order of Postfix's hash tables (htable.c).

    That order is random from 3.7 on; with NORANDOMIZE in its environment postconf has this one.
    """

    def names(self, settings: Iterable[str]) -> list[str]:
        """A table keeps the size that it has grown to when some of its entries are deleted."""
        complete, names = self._complete.setdefault(id(settings), (settings, tuple(settings)))
        assert complete is settings
        remaining = set(settings)
        return [name for name in hash_order(names, self._function) if name in remaining]

    @cached_property
    def _complete(self) -> dict[int, tuple[Iterable[str], tuple[str, ...]]]:
        return {}

    def computed(self) -> list[str]:
        size = 1001 if self._version >= (2, 10) else 101
        while len(self._engine.table) > size:
            size = 2 * size | 1
        return sorted(super().computed(), key=lambda name: self._function(name.encode()) % size)

    @property
    def _function(self) -> Callable[[bytes], int]:
        if self._version >= (3, 7):
            return _fnv
        return _pjw if self._version >= (2, 10) else _pjw_of_signed


def hash_order(names: Iterable[str], function: Callable[[bytes], int]) -> list[str]:
    """Names, in the order they were added, as htable_list() gives them."""
    size = 13
    buckets: list[list[str]] = [[] for _ in range(size)]
    used = 0
    for name in names:
        if used >= size:
            old = buckets
            size = 2 * size | 1
            buckets = [[] for _ in range(size)]
            for bucket in old:
                for member in bucket:
                    buckets[function(member.encode("latin-1")) % size].insert(0, member)
        buckets[function(name.encode("latin-1")) % size].insert(0, name)
        used += 1
    return [name for bucket in buckets for name in bucket]


def _fnv(name: bytes) -> int:
    value = 0xCBF29CE484222325
    for octet in name:
        value = ((value ^ (octet + 1)) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def _pjw_of_signed(name: bytes) -> int:
    return _pjw(octet - 256 if octet > 127 else octet for octet in name)


def _pjw(name: Iterable[int]) -> int:
    value = 0
    for octet in name:
        value = ((value << 4) + octet) & 0xFFFFFFFF
        high = value & 0xF0000000
        if high:
            value ^= high >> 24
            value ^= high
    return value


class Running:
    """postconf(1) at work on a folder, one process for each command line.

    They run at the same time, since a fatal error lets postconf sleep for a second.
    """

    def __init__(self, program: str, lines: Sequence[str], folder: Path, version: str) -> None:
        self._program = program
        self._folder = folder
        self._version = version
        environment = {
            **os.environ,
            "NORANDOMIZE": "1",
            "LC_ALL": "C",
            "MAIL_CONFIG": str(folder),
        }
        self._processes = {
            line: subprocess.Popen(
                [program, *_split(line)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
            for line in dict.fromkeys(lines)
        }

    def finish(self) -> dict[str, Both]:
        """Wait for them and run ``postlint show`` for each of them, under its process id."""
        said = {line: _outcome(process) for line, process in self._processes.items()}
        rows = _rows_of_build(self._program, self._version)
        found = {}
        for line, theirs in said.items():
            with (
                mock.patch(
                    "postlint.show.engine.os.getpid", return_value=self._processes[line].pid
                ),
                mock.patch("postlint.show.names._builtin", lambda _: rows),
                mock.patch.dict(os.environ, {"MAIL_CONFIG": str(self._folder)}),
            ):
                ours = shown_by_postlint(_split(line), version=self._version)
            found[line] = Both(ours, theirs)
        return found


def _outcome(process: subprocess.Popen[bytes]) -> Shown:
    with process:
        try:
            output, messages = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    return Shown(process.returncode, output, _messages(messages))


def _split(line: str) -> list[str]:
    return line.split(" " if line else None)


def shown_by_both(
    program: str,
    lines: Sequence[str],
    folder: Path,
    version: str,
) -> dict[str, Both]:
    """What both say about a folder, by command line."""
    return Running(program, lines, folder, version).finish()


@cache
def version_of(program: str) -> str:
    """The version of a postconf(1)."""
    done = subprocess.run(
        [program, "-c", "/", "-dh", "mail_version"],
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.decode().strip()


@cache
def _rows_of_build(program: str, version: str) -> tuple[tuple[str, str | None, bool, bool], ...]:
    """The built-in parameters, those defaults that a build decides being the program's own."""
    done = subprocess.run(
        [program, "-d", "-c", "/"], capture_output=True, timeout=SECONDS, check=False
    )
    own = {}
    for line in done.stdout.decode("latin-1").splitlines():
        name, _, default = line.partition(" =")
        own[name] = default.removeprefix(" ")
    return tuple(
        (name, own.get(name, default) if name in BUILD_DEPENDENT else default, raw, readonly)
        for name, default, raw, readonly in names._builtin(PostfixVersion.parse(version))
    )


def shown_by_postlint(
    arguments: Sequence[str], *, version: str, scanner: type[Scanner] = HashOrder
) -> Shown:
    """Run ``postlint show`` in this process."""
    output, messages = BytesIO(), BytesIO()
    line = ["--no-config", "--host", "--postfix-version", version, *arguments]
    status = run_with(line, output, messages, scanner)
    return Shown(status, output.getvalue(), _messages(messages.getvalue()))


def _messages(data: bytes) -> list[bytes]:
    return [line.partition(b": ")[2] for line in data.splitlines()]


def write_old(path: Path, data: bytes) -> None:
    """Write a file that postconf takes to be at rest."""
    path.write_bytes(data)
    os.utime(path, (LONG_AGO, LONG_AGO))
