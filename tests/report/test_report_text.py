from __future__ import annotations

import re
import subprocess
import sys

import pytest

from postlint.lint.finding import Location
from postlint.lint.result import Notification
from postlint.report.escape import visible
from postlint.report.formats import FORMATS, Options, render
from postlint.report.text import notification_lines, summary_line
from postlint.syntax.source import SourceFile, Span
from tests.report.cases import (
    MAIN,
    duplicate_setting,
    finding,
    full,
    legacy_protocol_offered,
    locate,
    one,
    result,
    undocumented,
)

HOSTILE = "a\nb\x1b[31mc\u202ed\u2028e\udcfff[red]g\x85h\x00\x7f\r\t"
HOSTILE_VISIBLE = r"a\nb\x1b[31mc\u202ed\u2028e\xfff[red]g\u0085h\x00\x7f\r\t"


def test_one_line_per_finding_then_blank_line_and_summary():
    lines = render("text", full()).split("\n")
    assert lines[0] == (
        "conf/main.cf:3:1: DUP001 warning relayhost is set again in line 4: "
        "this value [a.example.com]:587 is ignored"
    )
    assert lines[1].startswith("conf/main.cf:5:23: TLS001 error TLSv1 and")
    assert lines[1].endswith(" [smtp/inet, submission/inet, smtps/inet]")
    assert lines[4:] == [
        "",
        "Found 1 error, 2 warnings, 1 info in 2 files (1 suppressed).",
        "",
    ]


def test_nothing_found():
    assert render("text", result([])) == "No problems found in 2 files.\n"
    hidden = finding(duplicate_setting, locate(MAIN, "relayhost"), "twice")
    assert (
        summary_line(result([], suppressed=[hidden]))
        == "No problems found in 2 files (1 suppressed)."
    )


def test_quiet_prints_the_summary_only():
    text = render("text", full(), Options(quiet=True))
    assert text == "Found 1 error, 2 warnings, 1 info in 2 files (1 suppressed).\n"


def test_statistics_count_by_rule_the_most_frequent_first():
    text = render("text", full(), Options(statistics=True))
    assert text.split("\n\n")[-1] == (
        "2  TLS001  legacy-protocol-offered\n"
        "1  DUP001  duplicate-setting\n"
        "1  PLG001  undocumented\n"
    )
    assert render("text", result([]), Options(statistics=True)).count("\n") == 1


def test_hostile_text_stays_one_visible_line():
    source = SourceFile(f"dir/{HOSTILE}", "relayhost = x\n")
    text = render("text", one(HOSTILE, source))
    first = text.split("\n")[0]
    assert first == (f"dir/{HOSTILE_VISIBLE}:1:1: DUP001 warning {HOSTILE_VISIBLE}")
    assert text.count("\n") == 3
    assert all(char == "\n" or char.isprintable() for char in text)


def test_a_hostile_service_name_is_escaped():
    made = finding(
        legacy_protocol_offered,
        locate(MAIN, "relayhost"),
        "message",
        services=[("smtp\x1b]0;x\x07/inet", None)],
    )
    assert r"[smtp\x1b]0;x\x07/inet]" in render("text", result([made]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 日本 e\u0301", "plain äöü 日本 e\u0301"),
        ("\udc80", r"\x80"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("\u200b\ufeff\u2066", r"\u200b\ufeff\u2066"),
        ("\xa0", r"\u00a0"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_notifications_are_lines_for_standard_error():
    made = result(
        [],
        notifications=[
            Notification("unreadable-file", "permission denied", path="conf/main.cf"),
            Notification("note", "a\nb"),
        ],
    )
    assert notification_lines(made) == [
        "postlint: conf/main.cf: permission denied",
        r"postlint: a\nb",
    ]
    assert "permission" not in render("text", made)


def test_columns_count_code_points():
    source = SourceFile("main.cf", "日本\udcff x = 1\n")
    made = finding(undocumented, Location(source, Span(4, 5)), "here")
    assert re.match(r"main\.cf:1:5: ", render("text", result([made])))


def test_unknown_format():
    with pytest.raises(KeyError):
        render("yaml", full())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_newline_and_is_deterministic(name):
    assert render(name, full()).endswith("\n")
    assert render(name, full()) == render(name, full())


def test_text_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from postlint.report.formats import Options, render\n"
        "from postlint.lint.result import Result\n"
        "render('text', Result([], [], [], [], [], 0))\n"
        "heavy = {'rich', 'json', 'packaging', 'importlib.metadata', 'tomllib', 'dataclasses',"
        " 'postlint.report.sarif', 'postlint.report.terminal'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
