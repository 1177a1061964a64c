"""Generated sources of lookup tables, and what the real postmap(1) says of them.

``POSTLINT_TABLE_FILES`` is how many files every test compares; by default few enough for half a
minute altogether. How many of each kind were compared is told at the end of a run that sets it.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections import Counter
from functools import cache
from typing import IO, TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.postfix_here import OLD, TIME_LIMIT, require_postfix, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES = int(os.environ.get("POSTLINT_TABLE_FILES", "100"))

compared: Counter[str] = Counter()
"""How many sources of every kind were compared."""

generated = settings(
    max_examples=FILES,
    suppress_health_check=list(HealthCheck),
    derandomize="POSTLINT_TABLE_FILES" not in os.environ,
)

_MESSAGE = re.compile(
    r"(?:warning|error|fatal): (?:(?:cidr|regexp|pcre) map )?(?P<path>[^\s,]+?),? "
    r"line (?P<line>\d+)(?:-\d+)?: (?P<text>.*)"
)
_DUPLICATE = re.compile(r'warning: \S+: duplicate entry: "(?P<key>.*)"')

ODD = "ab:\"'\\ \t\r\v\f#,=@!/[](){}.*\x00\x01\x7f\xa0\xe9\u2028\udcff0"
WHITE = st.sampled_from([" ", "\t", "  ", " \t ", "\r", "\v"])
WORDS = st.one_of(
    st.sampled_from(
        ["a", "A", "b", "user@example.com", "@example.org", ".example.com", '"x y"@example.com']
    ),
    st.text("aAb1.@-_", min_size=1, max_size=6),
    st.text(ODD, min_size=1, max_size=6),
)


class Said(NamedTuple):
    """What a program printed: results, and (line, text) of its warnings.

    ``duplicates``: the keys that it says were there before, without a line.
    """

    output: str
    warnings: list[tuple[int, str]]
    errors: str
    duplicates: list[str]


def text_files(lines: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Files of such lines, with comments, blank and indented lines between them."""
    between = st.sampled_from(["", "# comment", "  # indented", "   ", "  continued", "\tmore"])
    ends = st.sampled_from(["\n", "\n", "\n", "\r\n", ""])
    body = st.lists(st.one_of(lines, lines, lines, between), max_size=12)
    return st.tuples(body, ends).map(lambda pair: (pair[1] or "\n").join(pair[0]) + pair[1])


INDEXED_LINES = st.one_of(
    st.tuples(WORDS, WHITE, WORDS).map("".join),
    st.tuples(WORDS, WHITE, WORDS, WHITE, WORDS).map("".join),
    WORDS,
    st.text(ODD, max_size=12),
)
ALIAS_LINES = st.one_of(
    st.tuples(WORDS, st.sampled_from([":", ": ", " : ", ":\t"]), WORDS).map("".join),
    st.tuples(
        WORDS,
        st.just(": "),
        st.lists(
            st.one_of(
                WORDS,
                st.sampled_from(
                    [
                        '"|/bin/x -y"',
                        "|cmd",
                        "/var/mail/x",
                        ":include:/l",
                        "(c) d",
                        "J <j@x>",
                        "[1.2.3.4]",
                    ]
                ),
            ),
            max_size=3,
        ).map(", ".join),
    ).map("".join),
    st.text(ODD + "(),:<>@;[]|%", max_size=12),
)
_OCTET = st.one_of(st.integers(0, 255).map(str), st.sampled_from(["256", "01", "", "x", "0", "10"]))
_ADDRESS = st.one_of(
    st.tuples(_OCTET, _OCTET, _OCTET, _OCTET).map(".".join),
    st.sampled_from(
        ["10.0.0.0", "10.1.0.0", "192.0.2.1", "2001:db8::", "2001:db8::1", "::", "::ffff:1.2.3.4"]
    ),
    st.sampled_from(["10.0.0", "example.com", "fe80::1%eth0", "1:2:3:4:5:6:7:8:9", "1.0.0.*", ":"]),
)
_MASK = st.one_of(
    st.just(""),
    st.integers(0, 34).map("/{}".format),
    st.sampled_from(["/8", "/16", "/24", "/32", "/64", "/128", "/129", "/", "/x", "/+8", "/008"]),
    st.sampled_from(["/256", "/264", "/4294967304", "/99999999999999999999", "/2147483648"]),
)
_NETWORK = st.one_of(
    st.tuples(_ADDRESS, _MASK).map("".join),
    st.tuples(_ADDRESS, _MASK).map(lambda pair: f"[{pair[0]}]{pair[1]}"),
    st.tuples(_ADDRESS, _MASK).map(lambda pair: f"[{pair[0]}{pair[1]}]"),
    st.sampled_from(["[10.0.0.0", "[10.0.0.0]x", "[]", "!", ""]),
)
CIDR_LINES = st.one_of(
    st.tuples(st.sampled_from(["", "", "!", "! ", "!!"]), _NETWORK, WHITE, WORDS).map("".join),
    st.tuples(st.sampled_from(["if ", "IF ", "if !", "if\t", "if", "iff "]), _NETWORK).map("".join),
    st.sampled_from(["endif", "ENDIF ", "endif x", "endif#", "endifx", "if"]),
    _NETWORK,
)
_POSIX_PIECES = """a b z 0 . * + ? ^ $ ( ) | [ ] [^ - { } {1} {2,1} {1,3} {,2} {2,} {a \\d \\b \\w
\\1 \\( \\) \\. [:alpha:] [:foo:] [[:digit:]] [a-z] [z-a] [.a.] , A _ (a) \\/ \\\\ é"""
_PERL_PIECES = """(?: (?= (?! (?<n> (?i) (?x) (?i: (?| (?> (?R) (?1) (?P<m> \\g1 \\k<n> (?#c) (?(1)
\\z \\A \\y \\p{L} \\R \\x{41} \\Q \\E *? ++ (?-i) \\K \\N \\xzz # (?z) (*ACCEPT)"""
_PIECES = st.sampled_from(_POSIX_PIECES.split())
_PERL = st.sampled_from(_PERL_PIECES.split())
_RESULTS = st.one_of(
    st.sampled_from(["OK", "REJECT text", "$1", "${1}", "$(2)", "$$", "$x", "${", "$", "a$1b", ""]),
    WORDS,
)


def pattern_lines(*, perl: bool) -> st.SearchStrategy[str]:
    """Rules of regexp and pcre tables."""
    pieces = st.one_of(_PIECES, _PIECES, _PERL) if perl else _PIECES
    bodies = st.lists(pieces, max_size=5).map("".join)
    flags = st.sampled_from(
        ["", "", "", "i", "m", "x", "ix", "ii", "q", "X", "sAEU", "!/b/", "!/(/", "i!/b/x"]
    )
    rules = st.tuples(
        st.sampled_from(["", "", "", "!", "! "]),
        st.sampled_from(["/", "/", "/", "|", "!", "\\", ":"]),
        bodies,
        flags,
        WHITE,
        _RESULTS,
    ).map(lambda parts: f"{parts[0]}{parts[1]}{parts[2]}{parts[1]}{parts[3]}{parts[4]}{parts[5]}")
    conditions = st.tuples(
        st.sampled_from(["if ", "if", "IF !", "if  ", "ifx "]), bodies, flags, st.just("")
    ).map(lambda parts: f"{parts[0]}/{parts[1]}/{parts[2]}")
    others = st.sampled_from(["endif", "endif x", "ENDIF", "plain value", "/open", "/a/", "/a/ "])
    return st.one_of(rules, rules, rules, conditions, others, st.text(ODD, max_size=8))


def write_file(folder: Path, name: str, text: str) -> Path:
    """Write a source with an old modification time: a new one is read until it is cold."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    os.utime(path, (OLD, OLD))
    return path


def configuration(folder: Path, *, utf8: bool) -> Path:
    """A configuration for postmap(1)."""
    place = folder / ("utf8" if utf8 else "bytes")
    if not place.exists():
        place.mkdir()
        write_file(place, "main.cf", f"smtputf8_enable = {'yes' if utf8 else 'no'}\n")
    return place


def ask(
    program: str, place: Path, *options: str, keys: Sequence[str] = (), path: Path | None = None
) -> Said:
    """Run postmap or postalias; its warnings about ``path`` are taken apart.

    A program that gives up sleeps for a second before it ends; it is not waited for.
    """
    command = require_postfix().postmap.with_name(program)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write("".join(f"{key}\n" for key in keys).encode("utf-8", "surrogateescape"))
        given.seek(0)
        errors = run_until_fatal([str(command), "-c", str(place), *options], given, printed)
        printed.seek(0)
        output = printed.read().decode("utf-8", "surrogateescape")
    warnings = []
    for line in errors.split("\n"):
        match = _MESSAGE.search(line)
        if match is not None and (path is None or match["path"] == str(path)):
            warnings.append((int(match["line"]), printable(match["text"])))
    duplicates = [printable(match["key"]) for match in _DUPLICATE.finditer(errors)]
    return Said(output, warnings, printable(errors), duplicates)


def run_until_fatal(
    command: list[str],
    given: IO[bytes],
    printed: IO[bytes],
    environment: dict[str, str] | None = None,
) -> str:
    """Run a program until it ends or logs a fatal error; what it logged."""
    process = subprocess.Popen(
        ["timeout", str(TIME_LIMIT), *command],
        stdin=given,
        stdout=printed,
        stderr=subprocess.PIPE,
        env=None if environment is None else {**os.environ, **environment},
    )
    said = []
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            said.append(line)
            if b": fatal: " in line or b": panic: " in line:
                process.terminate()
                break
    status = process.wait(TIME_LIMIT)
    assert status != 124, "the time limit is over"
    return b"".join(said).decode("utf-8", "surrogateescape")


def printable(text: str | None) -> str:
    """A message as msg(3) prints it: a question mark for every byte that is not printable."""
    data = (text or "").encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)


def fold(key: str, *, utf8: bool) -> str:
    """A key as it is stored: in lower case, letters beyond ASCII only where they are UTF-8."""
    if key.isascii():
        return key.lower()
    if utf8:
        return key.casefold()
    return key.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


@cache
def _known_types() -> frozenset[str]:
    return frozenset(run([require_postfix().postconf, "-m"]).output.split())


def require_type(kind: str) -> None:
    """Skip a test where the installed Postfix does not have a type of table (in CI: fail it)."""
    if kind not in _known_types():
        if os.environ.get("CI"):
            pytest.fail(f"this Postfix has no {kind} tables, and this is CI")
        pytest.skip(f"this Postfix has no {kind} tables")
