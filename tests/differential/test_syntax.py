"""What the rules about syntax say is what Postfix does with such text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.postfix_here import (
    Ran,
    first_fatal,
    initialize,
    load_parameters,
    postconf,
    quiet_settings,
    require_postfix,
    run,
    write,
)
from tests.rules.fixes import apply_fix

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix


def said(folder: Path, text: str, *names: str) -> Ran:
    """``postconf -h`` of some names for a main.cf."""
    write(folder, {"main.cf": text})
    return postconf(folder, "-h", *names)


def codes(folder: Path, text: str, select: str) -> list[tuple[int, str]]:
    found = lint_files(folder / "lint", {"main.cf": text}, select=select)
    return [(item.location.start.line, item.code) for item in found]


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("myhostname mx.example.com", True),
        ("myhostname: mx.example.com", True),
        ("myhostname += mx", True),
        ("my hostname = mx", True),
        ("= mx.example.com", True),
        ("[section]", True),
        ("\u00a0mydomain = example.com", False),
        ("\u00a0 mydomain = example.com", True),
        ("myhostname=mx.example.com", False),
        ("myhostname =", False),
        ("myhostname\t=\tmx", False),
        ("a-b.c/d = x", False),
        ("x\n = y", False),
        ("x\n# comment\n\n\t= y", False),
    ],
)
def test_lines_that_are_no_settings(line: str, bad: bool, tmp_path: Path) -> None:
    text = f"# one\nmydomain = example.com\n{line}\n"
    ran = said(tmp_path, text, "mydomain")
    fatal = f"{tmp_path}/main.cf, line 3: missing" in ran.errors and ran.status != 0
    assert fatal == bad, ran
    assert codes(tmp_path, text, "SYN001") == ([(3, "SYN001")] if bad else [])


def test_an_indented_setting_belongs_to_the_line_above(tmp_path: Path) -> None:
    text = "myhostname = mx.example.com\n  relayhost = [mail.example.net]\n"
    ran = said(tmp_path, text, "myhostname", "relayhost")
    assert ran.output == "mx.example.com relayhost = [mail.example.net]\n\n"
    assert codes(tmp_path, text, "SYN002") == [(2, "SYN002")]


@pytest.mark.parametrize("text", ["  relayhost = [mail.example.net]\nmydomain = example.com\n"])
def test_an_indented_first_line_is_dropped(text: str, tmp_path: Path) -> None:
    ran = said(tmp_path, text, "relayhost", "mydomain")
    assert ran.output == "\nexample.com\n"
    assert "logical line must not start with whitespace" in ran.errors
    assert codes(tmp_path, text, "SYN003") == [(1, "SYN003")]


def test_a_comment_behind_a_value_is_part_of_it(tmp_path: Path) -> None:
    text = "message_size_limit = 20480000 # 20 MB\nrelayhost = [mail.example.net] #old\n"
    ran = said(tmp_path, text, "relayhost")
    assert ran.output == "[mail.example.net] #old\n"
    assert "message_size_limit = 20480000 # 20 MB" in initialize(tmp_path).errors
    assert codes(tmp_path, text, "SYN004") == [(1, "SYN004"), (2, "SYN004")]


def test_a_comment_behind_a_service_stops_the_daemon(tmp_path: Path) -> None:
    write(tmp_path, {"main.cf": quiet_settings(tmp_path)})
    daemon = require_postfix().daemon_directory / "smtpd"
    reason = first_fatal([daemon, "-V", "-S", "#", "public"], tmp_path)
    assert reason == "unexpected command-line argument: #"


def test_a_backslash_stays_in_the_value(tmp_path: Path) -> None:
    text = "mynetworks = 127.0.0.0/8\\\n  192.0.2.0/24\n"
    assert said(tmp_path, text, "mynetworks").output == "127.0.0.0/8\\ 192.0.2.0/24\n"
    assert codes(tmp_path, text, "SYN005") == [(1, "SYN005")]


def test_quotes_stay_in_the_value(tmp_path: Path) -> None:
    text = 'myorigin = "example.com"\nsmtpd_helo_required = "yes"\n'
    assert said(tmp_path, text, "myorigin").output == '"example.com"\n'
    write(tmp_path, {"main.cf": f"myhostname = mx.example.com\n{text}"})
    assert load_parameters("smtpd", tmp_path) == (
        'bad boolean configuration: smtpd_helo_required = "yes"'
    )
    assert codes(tmp_path, text, "SYN006") == [(1, "SYN006"), (2, "SYN006")]


def test_quotes_hold_nothing_together_in_master_cf(tmp_path: Path) -> None:
    daemon = require_postfix().daemon_directory / "smtpd"
    write(tmp_path, {"main.cf": quiet_settings(tmp_path)})
    words = ["-o", '"smtpd_client_restrictions=permit,', 'reject"']
    reason = first_fatal([daemon, "-V", "-S", *words], tmp_path)
    assert reason == 'unexpected command-line argument: reject"'


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffrelayhost = [mail.example.net]\n",
        "relay\u200bhost = [mail.example.net]\n",
        "relayhost\u00a0 = [mail.example.net]\n",
    ],
)
def test_invisible_characters_in_names(text: str, tmp_path: Path) -> None:
    ran = said(tmp_path, text, "relayhost")
    assert ran.output == "\n"
    assert "unused parameter" in postconf(tmp_path, "-n").errors
    assert codes(tmp_path, text, "SYN007") == [(1, "SYN007")]


def test_text_behind_a_nul_byte_is_lost(tmp_path: Path) -> None:
    text = "mydestination = example.com\0 example.org\n"
    assert said(tmp_path, text, "mydestination").output == "example.com\n"
    assert codes(tmp_path, text, "SYN007") == [(1, "SYN007")]


EXPRESSIONS = (
    "$",
    "$ x",
    "x$",
    "$$",
    "x$$",
    "$/",
    "${",
    "${}",
    "$()",
    "${x",
    "$(x",
    "$(x}",
    "${x)}",
    "${x}",
    "$(x)",
    "${ x }",
    "${x y}",
    "${x-y}",
    "${x?a}",
    "${x:a}",
    "${x?{a}}",
    "${x?{a}:{b}}",
    "${x?{a}:b}",
    "${x?a:b}",
    "${x?{a}b}",
    "${x?{a}:{b}c}",
    "${x ? {a} : {b}}",
    "${{a}}",
    "${{a} == {b}}",
    "${{a} == {b} ? {c} : {d}}",
    "${{a} = {b}}",
    "${{a} ~ {b}}",
    "${{a} == b}",
    "${{a} == {b} {c}}",
    "${{$x} != {}?{$y}}",
    "${x?${y}}",
    "${x?${y}",
    "${{a}<{b}:{c}}",
    "${{a} <level {3.6}}",
    "${{3.6} <level {3.6}}",
    "$x$y$(z)",
    "{$x}",
    "}$x{",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_are_refused_exactly_where_a_rule_says_so(
    expression: str, tmp_path: Path
) -> None:
    """Where a condition leaves text out, only postconf looks at it."""
    text = f"mydomain = example.com\nmyorigin = example.com{expression}\n"
    write(tmp_path, {"main.cf": text})
    scanned = postconf(tmp_path, "-n")
    fatal = "macro processing error" in scanned.errors
    version = str(require_postfix().version)
    found = lint_files(tmp_path / "lint", {"main.cf": text}, version=version, select="SYN008")
    assert bool(found) == fatal, scanned.errors


def test_loops_are_fatal(tmp_path: Path) -> None:
    text = "mydomain = $a\na = $b\nb = x$a\nmyhostname = mx.example.com\n"
    write(tmp_path, {"main.cf": text})
    assert "unreasonable macro call nesting" in initialize(tmp_path).errors
    assert codes(tmp_path, text, "SYN008") == [(2, "SYN008"), (3, "SYN008")]


def test_mydomain_is_empty_in_myhostname(tmp_path: Path) -> None:
    text = "myhostname = $mydomain\n"
    write(tmp_path, {"main.cf": text})
    assert "bad string length 0 < 1: myhostname" in initialize(tmp_path).errors
    assert codes(tmp_path, text, "SYN008") == [(1, "SYN008")]


FIXED = (
    ("SYN002", "myhostname = mx.example.com\n  relayhost = [a.example.net]\n", "[a.example.net]"),
    ("SYN003", "  relayhost = [a.example.net]\nmydomain = example.com\n", "[a.example.net]"),
    ("SYN004", "relayhost = [a.example.net] # old\n", "[a.example.net]"),
    ("SYN005", "relayhost =\\\n  [a.example.net]\n", "[a.example.net]"),
    ("SYN006", 'relayhost = "[a.example.net]"\n', "[a.example.net]"),
    ("SYN007", "\ufeffrelayhost = [a.example.net]\n", "[a.example.net]"),
)


@pytest.mark.parametrize(("code", "text", "relayhost"), FIXED)
def test_fixes_give_the_value_that_was_meant(
    code: str, text: str, relayhost: str, tmp_path: Path
) -> None:
    found = lint_files(tmp_path, {"main.cf": text, "master.cf": ""}, select=code)
    assert len(found) == 1 and found[0].fix is not None
    assert found[0].fix.applicability == "safe"
    apply_fix(found[0])
    ran = postconf(tmp_path, "-h", "relayhost")
    assert (ran.output.strip(), ran.errors) == (relayhost, "")


def test_files_are_read_as_they_are(tmp_path: Path) -> None:
    """The helper itself: old files are read once, so that no message is repeated."""
    write(tmp_path, {"main.cf": "a = 1\na = 2\n"})
    ran = run([require_postfix().postconf, "-c", tmp_path, "-h", "a"], tmp_path)
    assert ran.errors.count("overriding earlier entry") == 1
    assert (tmp_path / "main.cf").stat().st_mtime < 1_100_000_000
    write(tmp_path, {"main.cf": "myhostname = mx.example.com\nbiff = x\n"})
    assert load_parameters("anvil", tmp_path) is None
