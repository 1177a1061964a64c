"""Input that would take for ever, or all memory: an answer, or a line that says what the limit is.

Nothing is timed: a run that takes minutes is killed, one that wants gigabytes gets no more.
"""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.hostile.running import MASTER, postlint, write

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
DEEP = 10_000


def doubling(levels: int, last: str) -> str:
    names = [f"x{number}" for number in range(levels)]
    lines = [f"{one} = ${two}${two}" for one, two in pairwise(names)]
    return "\n".join([*lines, f"{names[-1]} = {last}", f"relayhost = ${names[0]}\n"])


LONG_VALUES = {
    "a line of 50 MB": ("relayhost = " + "x" * 50 * MIB, "relayhost", "characters"),
    "a list of 20 MB": ("mynetworks = " + "192.0.2.1, " * 2 * MIB, "mynetworks", "characters"),
    "a million restrictions": (
        "smtpd_recipient_restrictions = " + "permit_mynetworks, " * 1_000_000 + "reject",
        "smtpd_recipient_restrictions",
        "characters",
    ),
    "100,000 unknown restrictions": (
        "smtpd_client_restrictions = " + "none, " * 100_000,
        "smtpd_client_restrictions",
        "100000 words",
    ),
    "a value over many lines": (
        "mydestination =" + "\n a.example.com\n# b" * 20_000,
        "mydestination",
        "20000 words",
    ),
    "a million macros": ("relayhost = " + "$mydomain" * 1_000_000, "relayhost", "characters"),
}


@pytest.mark.parametrize("case", LONG_VALUES)
def test_a_value_that_is_too_long_is_a_finding(case: str, tmp_path: Path) -> None:
    text, name, limit = LONG_VALUES[case]
    write(tmp_path, {"main.cf": f"{text}\n", "master.cf": MASTER})
    run = postlint("check", "--no-config", ".", folder=tmp_path)
    assert run.status == 1, run.err
    assert f"SYN009 warning {name} is too long to be checked: " in run.text
    assert limit in run.text
    assert len(run.out) < 100_000


def test_what_else_stands_there_is_still_checked(tmp_path: Path) -> None:
    text = "mynetworks = " + "192.0.2.1 " * 20_000 + "\nrelayhost = a\nrelayhost = b\n"
    write(tmp_path, {"main.cf": text, "master.cf": MASTER})
    run = postlint("check", "--no-config", ".", folder=tmp_path)
    assert "main.cf:2:1: DUP001 warning relayhost is set twice" in run.text


@pytest.mark.parametrize("last", ["x", "x, ", ""], ids=["one word", "words", "nothing"])
def test_names_that_double_each_other(last: str, tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": doubling(90, last), "master.cf": MASTER})
    run = postlint("check", "--no-config", ".", folder=tmp_path)
    assert run.status in (0, 1), run.err
    assert ("SYN009" in run.text) is bool(last)


def test_names_that_go_round(tmp_path: Path) -> None:
    text = "a = $b\nb = $c\nc = $a$b$c\nrelayhost = $a\nd = $d\nmynetworks = ${d?$a}\n"
    write(tmp_path, {"main.cf": text, "master.cf": MASTER})
    run = postlint("check", "--no-config", "--select", "SYN", ".", folder=tmp_path)
    assert run.status == 1
    for name in "abcd":
        assert f"{name} refers to itself" in run.text


def test_100_000_duplicates(tmp_path: Path) -> None:
    text = "".join(f"relayhost = h{number}\n" for number in range(100_000))
    write(tmp_path, {"main.cf": text, "master.cf": MASTER})
    run = postlint("check", "--no-config", "--select", "DUP", ".", folder=tmp_path)
    assert run.status == 1, run.err
    assert run.text.count("DUP001") == 99_999


def test_more_lines_than_any_configuration_has(tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": "a = b\n" * 1_000_000, "master.cf": "x\n" * 1_000_000})
    run = postlint("check", "--no-config", ".", folder=tmp_path)
    assert run.status == 2
    for name in (b"main.cf", b"master.cf"):
        reason = b"more than 150000 lines, which no configuration has"
        assert b"postlint: %s: %s\n" % (name, reason) in run.err


def test_a_file_larger_than_any_configuration(tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": "", "b/main.cf": "relayhost = a\nrelayhost = b\n"})
    with (tmp_path / "main.cf").open("r+b") as file:
        file.truncate(1 << 40)  # of holes
    run = postlint("check", "--no-config", ".", folder=tmp_path)
    assert run.status == 2
    assert run.err == b"postlint: main.cf: larger than 64 MiB, which no configuration is\n"
    assert b"b/main.cf:1:1: DUP001" in run.out


NESTED = {
    "braces": "{" * DEEP + "}" * DEEP,
    "open braces": "{" * DEEP,
    "macros": "${a?" * DEEP + "}" * DEEP,
    "macros with braces": "${a?{" * DEEP + "}}" * DEEP,
    "comparisons": "${{" * DEEP + "} == {b}}" * DEEP,
    "parentheses": "$(" * DEEP,
    "tables": "pipemap:{" * DEEP + "}" * DEEP,
    "inline": "inline:{{a=" + "{" * DEEP + "}" * DEEP + "}}",
    "regexp": "regexp:{{/" + "(" * DEEP + ")" * DEEP + "/ x}}",
    "pcre": "pcre:{{/" + "(?:a|[b" * DEEP + "/ x}}",
}


@pytest.mark.parametrize("case", NESTED)
def test_deep_nesting(case: str, tmp_path: Path) -> None:
    text = NESTED[case]
    main = f"relayhost = {text}\nalias_maps = {text}\nsmtpd_client_restrictions = {text}\n"
    master = f"{MASTER} -o {{ x = {text} }} -o relayhost={text}\n"
    write(tmp_path, {"main.cf": main, "master.cf": master})
    assert postlint("check", "--no-config", ".", folder=tmp_path).status in (0, 1)
    assert postlint("exposure", ".", folder=tmp_path).status == 0
    assert postlint("show", "--no-config", "-xc", ".", folder=tmp_path).status in (0, 1)


def test_deep_folders(tmp_path: Path) -> None:
    """Deeper than Python calls itself, and than a path may be long."""
    folder = os_open(tmp_path)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=folder)
            inner = os.open("d", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        descriptor = os.open("main.cf", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
        os.write(descriptor, b"relayhost = a\nrelayhost = b\n")
        os.close(descriptor)
    finally:
        os.close(folder)
    try:
        run = postlint("check", "--no-config", ".", folder=tmp_path)
    finally:  # Python's own way to delete folders calls itself, too
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)
    assert (run.status, run.err) == (1, b"")
    assert b"d/d/d/main.cf:1:1: DUP001 warning" in run.out


def os_open(path: Path) -> int:
    return os.open(path, os.O_RDONLY)


WIDE = {
    "overrides": "smtp inet n - n - - smtpd" + " -o a=b" * 100_000 + "\n",
    "arguments": "x unix - n n - - pipe argv=" + "a " * 200_000 + "\n",
    "services": "".join(f"s{number} inet n - n - - smtpd\n" for number in range(1_000)),
    "fields": "x " * 500_000 + "\n",
}


@pytest.mark.parametrize("case", WIDE)
def test_wide_master_cf(case: str, tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": "", "master.cf": WIDE[case]})
    assert postlint("check", "--no-config", ".", folder=tmp_path).status in (0, 1)


NUMBERS = (
    *(
        "default_process_limit",
        "maximal_queue_lifetime",
        "compatibility_level",
        "smtp_tls_loglevel",
    ),
    *("mynetworks", "message_size_limit", "lmtp_tcp_port", "unknown_client_reject_code"),
    *("postscreen_dnsbl_sites", "postscreen_dnsbl_threshold", "smtpd_soft_error_limit"),
    *("relayhost", "smtpd_milters", "smtpd_tls_protocols", "soft_bounce", "inet_interfaces"),
    *("smtp_tls_policy_maps", "smtpd_reject_footer", "bounce_size_limit", "line_length_limit"),
)


@pytest.mark.parametrize(
    "digits", ["9" * 9_000, "1." * 4_000, "\u00b2", "\u0663", "0x" + "f" * 9_000]
)
def test_numbers_that_are_none(digits: str, tmp_path: Path) -> None:
    """Python refuses to read more than 4300 digits, and takes other scripts' for digits."""
    forms = ("{0}", "{0}s", "-{0}", "a{0}:{0}", "[a]:{0}", "10.0.0.0/{0}", "a*{0}", "a=127.0.0.{0}")
    for number, form in enumerate(forms):
        text = form.format(digits)
        lines = [f"{name} = {text}" for name in NUMBERS]
        lines.append(f"a = ${{{{{text}}} < {{{text}}} ? {{b}} : {{c}}}}")
        lines.append(f"b = ${{{{{digits}}} <=level {{3.6}} ? {{b}} : {{c}}}}")
        lines.append("smtpd_client_restrictions = $a $b sleep " + digits)
        master = f"{digits} inet n - n {digits} {digits} smtpd -o mynetworks={text}\n"
        master += f"[::1]:{digits} inet n - n - - smtpd\nsmtp unix - - n {digits}? - smtp\n"
        table = f"10.0.0.0/{digits} x\n[a]:{digits} y\n"
        files = {"main.cf": "\n".join(lines), "master.cf": master, "cidr": table}
        write(tmp_path, {f"{number}/{name}": f"{text}\n" for name, text in files.items()})
    assert postlint("check", "--no-config", ".", folder=tmp_path).status in (0, 1)
    assert postlint("exposure", ".", folder=tmp_path).status == 0
    assert postlint("show", "--no-config", "-xc", "0", folder=tmp_path).status in (0, 1)


def test_ignore_patterns_that_go_back_and_forth(tmp_path: Path) -> None:
    name = "a" * 200
    pattern = "*a" * 40 + "*b\n" + "**/" * 40 + "*a*a*a*a*a*a*[b]\n" + "[" * 500 + "\n"
    write(tmp_path, {f"{name}/main.cf": "", f"{name}b/{name}/main.cf": "", ".gitignore": pattern})
    assert postlint("check", "--no-config", ".", folder=tmp_path).status == 0


def test_a_configuration_file_that_nests(tmp_path: Path) -> None:
    for text in ("x = " + "[" * 100_000, "a" + ".a" * 50_000 + " = 1", "[" + "a." * 50_000 + "a]"):
        write(tmp_path, {"main.cf": "", "postlint.toml": text})
        run = postlint("check", ".", folder=tmp_path)
        assert run.status == 2
        assert run.err.startswith(b"postlint: error: ")
        assert run.err.count(b"\n") == 1
        assert len(run.err) < 10_000
