"""``postlint show`` prints what the real postconf(1) prints, messages in their order included.

The environment variable POSTLINT_POSTCONF may name more postconf programs, of other versions,
with ``:`` between them; POSTLINT_EXAMPLES how many pairs of files to look for something new in.
"""

from __future__ import annotations

import os
import re
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings

from postlint.postfix.defaults import BUILD_DEPENDENT
from postlint.postfix.versions import PostfixVersion
from postlint.show import names
from postlint.show.scan import Scanner
from tests.postfix_here import require_postfix
from tests.show.compare import agree, compare, modes_of, write
from tests.show.nasty import Nasty, pairs
from tests.showing import shown_by_both, shown_by_postlint, version_of, write_old

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARED = Path(os.environ.get("POSTLINT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
REAL_WORLD = SHARED / "real-world"
ORACLE = REAL_WORLD / "oracle"
RECORDED_WITH = "3.7.11"
PAIRS = 100
SEED = 1
EXAMPLES = int(os.environ.get("POSTLINT_EXAMPLES") or 15)
MORE_PROGRAMS = [path for path in os.environ.get("POSTLINT_POSTCONF", "").split(":") if path]

UNKNOWN = "\x01"
"""In place of what the machine of the recording decided."""


@pytest.fixture(params=["installed", *MORE_PROGRAMS])
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return str(require_postfix().postconf) if name == "installed" else name


def configurations() -> dict[str, tuple[Path | None, Path | None]]:
    """Every real configuration: (main.cf, master.cf), either of them may be missing."""
    found: dict[str, tuple[Path | None, Path | None]] = {}
    if REAL_WORLD.is_dir():
        for folder in sorted((REAL_WORLD / "pairs").iterdir()):
            found[folder.name] = (folder / "main.cf", folder / "master.cf")
        for path in sorted((REAL_WORLD / "main").glob("*.cf")):
            found.setdefault(path.stem, (path, None))
        for path in sorted((REAL_WORLD / "master").glob("*.cf")):
            found.setdefault(path.stem, (None, path))
        for path in sorted((REAL_WORLD / "templates").iterdir()):
            is_master = "master" in path.name
            found[path.name] = (None, path) if is_master else (path, None)
    return found


CONFIGURATIONS = configurations()
SEVERAL = 20


def write_configuration(folder: Path, identifier: str) -> None:
    main, master = CONFIGURATIONS[identifier]
    write_old(folder / "main.cf", b"" if main is None else main.read_bytes())
    write_old(folder / "master.cf", b"" if master is None else master.read_bytes())


@pytest.mark.postfix
@pytest.mark.skipif(not CONFIGURATIONS, reason=f"no configurations in {REAL_WORLD}")
@pytest.mark.parametrize("part", range(SEVERAL))
def test_real_configurations(program: str, part: int, tmp_path: Path) -> None:
    version = version_of(program)
    different = []
    for identifier in list(CONFIGURATIONS)[part::SEVERAL]:
        write_configuration(tmp_path, identifier)
        for mode, both in shown_by_both(program, modes_of(version), tmp_path, version).items():
            if both.postlint != both.postconf:
                different.append((identifier, mode))
    assert not different


@pytest.mark.postfix
def test_generated_configurations(program: str) -> None:
    """Always the same pairs; ``python -m tests.show.compare`` takes as many as one likes."""
    assert compare(program, PAIRS, SEED).disagreements == []


@pytest.mark.postfix
def test_any_configuration(program: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Other pairs each time; one that is read differently is made as small as possible."""
    version = version_of(program)
    folder = tmp_path_factory.mktemp("generated")

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(pairs)
    def agreed(files: Nasty) -> None:
        write(folder, files)
        for mode, both in shown_by_both(program, modes_of(version), folder, version).items():
            assert agree(both), (mode, both)

    agreed()


STOCK_MAIN = b"""\
compatibility_level = 3.6
mydomain = example.org
myorigin = $mydomain
smtpd_restriction_classes = first second
first = permit_mynetworks
second = $nosuch reject
mydestination = $myhostname, localhost.$mydomain, localhost, a.very.long.name.example.com, $mydomain
transport_maps = ldap:people
people_server_host = 192.0.2.1
unused = yes
"""
STOCK_MASTER = b"""\
smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/$service_name -o { smtpd_banner = $myhostname says hello }
  -o second=reject -o other=x
smtp unix - - y - - smtp
maildrop unix - n n - - pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
  { two words }
"""


def write_stock(folder: Path) -> None:
    write_old(folder / "main.cf", STOCK_MAIN)
    write_old(folder / "master.cf", STOCK_MASTER)


COMMAND_LINES = (
    "",
    "-p",
    "-d",
    "-dx",
    "-x",
    "-h",
    "-H",
    "-nhf",
    "-nH",
    "-C builtin",
    "-C service",
    "-C user",
    "-C all -n",
    "-C Builtin,user",
    "-C nosuch",
    "-n -C user -x",
    "myorigin mydestination nosuch",
    "-h myorigin",
    "-xh myorigin",
    "-dh myorigin",
    "myorigin -h",
    "-- myorigin",
    "-o myorigin=x -o mydomain=y -nx",
    "-omyorigin=x myorigin",
    "-o nonsense -n",
    "-o =x -n",
    "-o new=x -n",
    "-M smtp",
    "-M smtp/unix */inet",
    "-M nosuch",
    "-M /smtp",
    "-M smtp/inet/x",
    "-M s*",
    "-Mf",
    "-Mx submission",
    "-M -o mydomain=z -x",
    "-F",
    "-Fh smtp/inet/command",
    "-FH */inet",
    "-F */*/chroot",
    "-F smtp/inet/nosuch",
    "-Ff maildrop/unix",
    "-P",
    "-Px */inet/smtpd_banner",
    "-Ph submission/inet",
    "-PH",
    "-Pf submission",
    "-P smtp/inet/smtpd_banner",
    "-M -n",
    "-d -n",
    "-d -o a=b",
    "-M -P",
    "-hH",
    "-F -C user",
)


@pytest.mark.postfix
@pytest.mark.parametrize("line", COMMAND_LINES)
def test_command_lines(program: str, line: str, tmp_path: Path) -> None:
    version = version_of(program)
    if not fits(line, version):
        pytest.skip(f"Postfix {version} has no such options")
    write_stock(tmp_path)
    both = shown_by_both(program, [line], tmp_path, version)[line]
    assert both.postlint == both.postconf


def fits(line: str, version: str) -> bool:
    parsed = PostfixVersion.parse(version)
    if parsed >= (3, 1):
        return True
    return parsed >= (2, 11) and "H" not in line


READING_OPTIONS = (
    "n",
    "d",
    "x",
    "M",
    "P",
    "F",
    "f",
    "h",
    "H",
    "p",
    "j",
    "q",
    "PP",
    "o a=b",
    "C user",
)


@pytest.mark.postfix
@pytest.mark.parametrize("first", READING_OPTIONS)
def test_options_that_go_together_and_those_that_do_not(
    program: str, first: str, tmp_path: Path
) -> None:
    """Any three options; an option that the version does not have, too."""
    version = version_of(program)
    write_stock(tmp_path)
    others = READING_OPTIONS[READING_OPTIONS.index(first) :]
    lines = [
        " ".join(f"-{option}" for option in dict.fromkeys(options))
        for options in combinations_with_replacement(others, 3)
        if options[0] == first
    ]
    different = []
    for line, both in shown_by_both(program, lines, tmp_path, version).items():
        ours, theirs = both
        if theirs.messages and theirs.messages[-1].startswith(b"fatal: usage: "):
            assert b"has no option -" in ours.messages[-1], line
            ours, theirs = (each._replace(messages=each.messages[:1]) for each in both)
        if ours != theirs:
            different.append((line, both))
    assert not different


NEW_COMMAND_LINES = (
    "-nj",
    "-j myorigin",
    '-jx -o myorigin=a"b\\\t\u00e9',
    "-Mj",
    "-Mjx",
    "-Fj",
    "-Pj",
    "-PP smtp/inet/smtpd_banner",
    "-PPx */inet",
    "-PP -C user",
    "-jPP",
    "-jf",
    "-jd",
    "-nq",
)


@pytest.mark.postfix
@pytest.mark.parametrize("line", NEW_COMMAND_LINES)
def test_new_command_lines(program: str, line: str, tmp_path: Path) -> None:
    version = version_of(program)
    if PostfixVersion.parse(version) < (3, 11):
        pytest.skip(f"Postfix {version} has no such options")
    write_stock(tmp_path)
    both = shown_by_both(program, [line], tmp_path, version)[line]
    assert both.postlint == both.postconf


@pytest.mark.postfix
@pytest.mark.parametrize("files", [(), ("main.cf",), ("master.cf",)])
def test_missing_files(program: str, files: Sequence[str], tmp_path: Path) -> None:
    version = version_of(program)
    for name in files:
        write_old(tmp_path / name, b"")
    for mode, both in shown_by_both(program, modes_of(version), tmp_path, version).items():
        assert both.postlint == both.postconf, mode


@pytest.mark.postfix
def test_folders_for_files(program: str, tmp_path: Path) -> None:
    version = version_of(program)
    for name in ("main.cf", "master.cf"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    for mode, both in shown_by_both(program, modes_of(version), tmp_path, version).items():
        assert both.postlint == both.postconf, mode


# --- what was recorded elsewhere, for machines without Postfix


def recorded() -> list[str]:
    if not ORACLE.is_dir():
        return []
    return sorted(path.stem for path in ORACLE.glob("*.err") if "." not in path.stem)


@pytest.mark.skipif(not ORACLE.is_dir(), reason=f"no recorded output in {ORACLE}")
@pytest.mark.parametrize("identifier", recorded() or ["none"])
def test_recorded_output(identifier: str, tmp_path: Path) -> None:
    write_configuration(tmp_path, identifier)
    for option, (status, said) in recorded_messages(identifier).items():
        rows = unknown_rows()
        with mock.patch("postlint.show.names._builtin", lambda _, rows=rows: rows):
            shown = shown_by_postlint(
                [option, "-c", str(tmp_path)], version=RECORDED_WITH, scanner=Scanner
            )
        ours = {replace_folder(message, tmp_path) for message in shown.messages}
        if any("mynetworks" in text or "inet_" in text for text in said - ours):
            continue  # it failed for what interfaces that machine has
        assert shown.status == status
        assert ours <= said
        assert all("overriding earlier entry" in text for text in said - ours)
        output = (ORACLE / f"{identifier}.{option[1:]}.txt").read_bytes().decode("latin-1")
        for line, recorded_line in zip(
            replace_folder(shown.output, tmp_path).splitlines(), output.splitlines(), strict=True
        ):
            assert UNKNOWN in line or line == recorded_line


def replace_folder(text: bytes, folder: Path) -> str:
    return text.replace(os.fsencode(folder), b"DIR").decode("latin-1")


def recorded_messages(identifier: str) -> dict[str, tuple[int, set[str]]]:
    """Per option: exit status and messages; a file that was just written repeats them."""
    found: dict[str, tuple[int, set[str]]] = {}
    current: set[str] = set()
    for line in (ORACLE / f"{identifier}.err").read_bytes().decode("latin-1").split("\n"):
        header = re.match(r"## postconf (-\w+): exit (\d+)", line)
        if header is not None:
            current = set()
            found[header[1]] = (int(header[2]), current)
        elif line:
            current.add(line.partition(": ")[2])
    return found


@cache
def unknown_rows() -> tuple[tuple[str, str | None, bool, bool], ...]:
    """The built-in parameters, marked where another machine may have another default."""
    return tuple(
        (
            name,
            UNKNOWN if default is None or name in BUILD_DEPENDENT else default,
            raw,
            readonly,
        )
        for name, default, raw, readonly in names._builtin(PostfixVersion.parse(RECORDED_WITH))
    )
