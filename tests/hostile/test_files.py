"""What stands where a configuration should: devices, FIFOs, folders, binaries, moving files."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.hostile.running import MASTER, ROOT, postlint, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WARNING = "relayhost = a\nrelayhost = b\n"
COMMANDS = ("check", "exposure", "show")
TABLES = (
    "transport_maps = hash:/etc/postfix/table\nheader_checks = pcre:/etc/postfix/table\n"
    "alias_maps = hash:/etc/postfix/table\nmydestination = /etc/postfix/table\n"
    "smtp_tls_policy_maps = hash:/etc/postfix/table\nvirtual_alias_maps = ldap:/etc/postfix/table\n"
    "smtpd_tls_chain_files = /etc/postfix/table\nmynetworks = cidr:/etc/postfix/table\n"
    "smtpd_tls_dh1024_param_file = /etc/postfix/table\n"
)


def command_line(command: str, *options: str) -> list[str]:
    if command == "show":
        return ["show", "--no-config", *options, "-nc", "."]
    return [command, *(["--no-config"] if command == "check" else []), *options, "."]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
@pytest.mark.parametrize("kind", ["fifo", "zero", "folder", "socket", "loop", "nowhere", "proc"])
def test_something_else_in_place_of_a_file(
    kind: str, name: str, command: str, tmp_path: Path
) -> None:
    other = "master.cf" if name == "main.cf" else "main.cf"
    write(tmp_path, {other: MASTER if other == "master.cf" else WARNING})
    place(tmp_path / name, kind)
    run = postlint(*command_line(command), folder=tmp_path)
    if command == "show" or kind == "folder":
        assert run.status in (0, 1)
    else:
        assert run.status == 2
        assert f"postlint: {name}: ".encode() in run.err
    assert b"PATH=" not in run.out + run.err


def place(path: Path, kind: str) -> None:
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "zero":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "socket":
            import socket

            server = socket.socket(socket.AF_UNIX)
            folder = os.open(path.parent, os.O_RDONLY)
            try:  # the name of a socket may not be long
                server.bind(f"/proc/self/fd/{folder}/{path.name}")
            finally:
                server.close()
                os.close(folder)
        case "loop":
            path.symlink_to(path.name)
        case "nowhere":
            path.symlink_to("not-there")
        case "proc":
            path.symlink_to("/proc/self/environ")


@pytest.mark.parametrize("kind", ["fifo", "zero", "folder", "loop", "nowhere", "proc"])
def test_something_else_in_place_of_a_table(kind: str, tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": TABLES, "master.cf": MASTER})
    place(tmp_path / "table", kind)
    for options in ((), ("--root", ".")):
        for command in ("check", "exposure"):
            run = postlint(*command_line(command, *options), folder=tmp_path)
            assert run.status in (0, 1), run.err
            assert b"PATH=" not in run.out + run.err
    assert postlint(*command_line("show"), folder=tmp_path).status in (0, 1)


@pytest.mark.parametrize("kind", ["fifo", "zero", "folder", "loop", "proc"])
@pytest.mark.parametrize("name", [".gitignore", "postlint.toml", "pyproject.toml", ".git"])
def test_something_else_in_place_of_what_is_found_beside(
    name: str, kind: str, tmp_path: Path
) -> None:
    write(tmp_path, {"main.cf": WARNING})
    place(tmp_path / name, kind)
    run = postlint("check", ".", folder=tmp_path)
    assert run.status in (1, 2)
    assert b"PATH=" not in run.out + run.err
    assert len(run.err) < 1000


@pytest.mark.parametrize("command", COMMANDS)
def test_binaries(command: str, tmp_path: Path) -> None:
    python = (ROOT / "tests" / "hostile" / "running.py").read_bytes()
    for data in (os.urandom(50_000), bytes(range(256)) * 500, b"\0" * 50_000, b"\x7fELF" + python):
        write(tmp_path, {"main.cf": data, "master.cf": data, "table": data})
        assert postlint(*command_line(command), folder=tmp_path).status in (0, 1, 2)
        write(tmp_path, {"main.cf": TABLES, "master.cf": MASTER})
        assert postlint(*command_line(command), folder=tmp_path).status in (0, 1, 2)


@pytest.mark.parametrize(
    "noise", [b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r"]
)
def test_noise_everywhere(noise: bytes, tmp_path: Path) -> None:
    """Between all bytes of names, values, services, tables and suppressions."""
    main = b"relayhost = [a.example]:25 $b\n# postlint: ignore[DUP001] x\n" + TABLES.encode()
    texts = {"main.cf": main, "master.cf": MASTER.encode(), "table": b"a.example x\n/b/ y $1\n"}
    files = {name: noise.join(bytes([byte]) for byte in text) for name, text in texts.items()}
    for some in ({"main.cf": main + noise + main}, {"table": files["table"]}, files):
        write(tmp_path, {**texts, **some})
        for form in ("text", "json", "sarif"):
            run = postlint("check", "--no-config", "--format", form, ".", folder=tmp_path)
            assert run.status in (0, 1)
            if form == "text":
                assert run.text.replace("\n", "").isprintable()
            else:
                json.loads(run.out)
                assert run.out.isascii()
        for command in ("exposure", "show"):
            assert postlint(*command_line(command), folder=tmp_path).status in (0, 1)


def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path
    write(folder, {"main.cf": "", "a/main.cf": "", "b/main.cf": WARNING, "c/main.cf": TABLES})
    write(folder, {"c/table": ""})
    closed = [folder / "main.cf", folder / "a", folder / "c" / "table"]
    for path in closed:
        path.chmod(0)
    try:
        run = postlint("check", "--no-config", ".", folder=folder, limit=obey_modes)
        if os.geteuid() == 0 and b"permission denied" not in run.err:
            pytest.skip("root can not be made to obey the modes of files here")
        assert run.status == 2
        assert b"postlint: main.cf: permission denied\n" in run.err
        assert b"postlint: a: permission denied\n" in run.err
        assert b"postlint: c/table: permission denied\n" in run.err
        assert b"b/main.cf:1:1: DUP001" in run.out
        run = postlint("check", "a", folder=folder, limit=obey_modes)
        assert (run.status, run.err) == (2, b"postlint: a: permission denied\n")
        for command in ("exposure", "show"):
            run = postlint(*command_line(command), folder=folder, limit=obey_modes)
            assert run.status in (1, 2)
            assert b"ermission denied" in run.err
    finally:
        for path in closed:
            path.chmod(0o700)


def obey_modes() -> None:
    """Take from root what lets it read everything (capabilities(7), prctl(2))."""
    if os.geteuid() == 0 and sys.platform == "linux":
        library = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            library.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files change, vanish and come back all the time."""
    write(
        tmp_path, {"main.cf": TABLES, "master.cf": MASTER, "table": "a b\n", "secret": "SECRET\n"}
    )
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for name, text in (("main.cf", TABLES), ("table", "a b\n"), ("master.cf", MASTER)):
                path = tmp_path / name
                path.unlink(missing_ok=True)
                if number % 3 == 0:
                    path.symlink_to("/etc/passwd")
                elif number % 3 == 1:
                    os.mkfifo(path)
                if number % 2:
                    temporary = tmp_path / "new"
                    temporary.write_text(text * (number % 50))
                    temporary.replace(path)
                else:
                    path.unlink(missing_ok=True)
                    path.write_text(text)
                    os.truncate(path, number % 20)

    thread = threading.Thread(target=churn)
    thread.start()
    yield tmp_path
    stop.set()
    thread.join()


@pytest.mark.parametrize("command", COMMANDS)
def test_files_that_change_and_vanish(command: str, moving: Path) -> None:
    for _ in range(5):
        run = postlint(*command_line(command), folder=moving)
        assert run.status in (0, 1, 2)
        assert b"root:" not in run.out + run.err


def test_a_full_disk_leaves_the_old_report(tmp_path: Path) -> None:
    """The limit of a file's size makes write(2) fail as a full disk does."""
    write(tmp_path, {"a/main.cf": WARNING * 2000, "out/report": "old"})

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    for form in ("text", "json", "sarif"):
        run = postlint(
            *("check", "--no-config", "--format", form, "--output", "out/report", "a"),
            folder=tmp_path,
            limit=small,
        )
        assert run.status == 2
        assert run.err == (
            b"postlint: error: out/report: the report can not be written: file too large\n"
        )
        assert (tmp_path / "out" / "report").read_text() == "old"
        assert [file.name for file in (tmp_path / "out").iterdir()] == ["report"]


def test_a_full_file_system_leaves_the_old_report(tmp_path: Path) -> None:
    write(tmp_path, {"a/main.cf": WARNING * 2000})
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user can not mount a file system")
    try:
        (disk / "report").write_text("old")
        run = postlint("check", "--no-config", "--output", "disk/report", "a", folder=tmp_path)
        assert run.status == 2
        assert run.err.endswith(b"the report can not be written: no space left on device\n")
        assert (disk / "report").read_text() == "old"
        assert [file.name for file in disk.iterdir()] == ["report"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
