from __future__ import annotations

import pytest
from rich.cells import cell_len

from postlint.lint.finding import Location, Related
from postlint.report import redact
from postlint.report.excerpt import excerpt
from postlint.report.formats import Options, render
from postlint.syntax.source import SourceFile, Span
from tests.report.cases import MAIN, duplicate_setting, finding, full, locate, one, result
from tests.report.test_report_text import HOSTILE, HOSTILE_VISIBLE


def show(made, **options):
    return render("text", made, Options(terminal=True, **options))


def at(text, part, path="main.cf"):
    return locate(SourceFile(path, text), part)


@pytest.mark.parametrize("width", [80, 120])
def test_layout(snapshot, width):
    text = show(full(), width=width)
    assert text == snapshot
    assert max(cell_len(line) for line in text.split("\n")) <= width
    assert all(line == line.rstrip() for line in text.split("\n"))


def test_statistics_and_quiet(snapshot):
    assert show(full(), quiet=True, statistics=True) == snapshot


def test_nothing_found():
    assert show(result([])) == "No problems found in 2 files.\n"


def test_color_is_the_callers_decision(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    colored = show(full(), color=True)
    assert "\x1b[1;31m" in colored  # error
    assert "\x1b[33m" in colored  # warning
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    plain = show(full())
    assert "\x1b" not in plain
    assert "legacy-protocol-offered  error" in plain


def test_markup_and_control_characters_are_shown_literally():
    source = SourceFile("[bold]x[/bold]/main.cf", "relayhost = [red]\x1b[31m\u202e\udcff:smile:\n")
    text = show(one(HOSTILE.replace("g", "[/red] :smile:"), source), width=120)
    assert "[bold]x[/bold]/main.cf:1:1" in text
    assert HOSTILE_VISIBLE.replace("g", "[/red] :smile:") in text
    assert r"relayhost = [red]\x1b[31m\u202e\xff:smile:" in text
    assert all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize(
    ("line", "part", "before", "marked"),
    [
        ("a = b", "b", "a = ", "b"),
        ("a\t= b", "b", "a       = ", "b"),
        ("日本 = b", "b", "日本 = ", "b"),
        ("日本 = 日", "日", "", "日"),
        ("e\u0301e\u0301 = b", "b", "e\u0301e\u0301 = ", "b"),
        ("a = \x1bb", "\x1bb", "a = ", r"\x1bb"),
        ("a = x\r\nb", "x\r", "a = ", "x"),
    ],
)
def test_underline_is_aligned(line, part, before, marked):
    shown = excerpt(at(line + "\n", part), 70)
    assert (shown.before, shown.marked) == (before, marked)
    assert shown.underline == " " * cell_len(before) + "^" * cell_len(marked)


def test_span_without_width_points_at_a_character_or_behind_the_line():
    source = SourceFile("main.cf", "a = b\n")
    inside = excerpt(Location(source, Span(2, 2)), 70)
    assert (inside.marked, inside.underline) == ("=", "  ^")
    behind = excerpt(Location(source, Span(5, 5)), 70)
    assert (behind.before, behind.underline) == ("a = b", "     ^")
    nothing = excerpt(Location(SourceFile("main.cf", ""), Span(0, 0)), 70)
    assert (nothing.number, nothing.before, nothing.underline) == (1, "", "^")


def test_multi_line_span_shows_its_first_line():
    shown = excerpt(at("a = b\n c\n", "b\n c"), 70)
    assert (shown.marked, shown.continues) == ("b", True)
    whole = excerpt(at("a = b\n c\n", "a = b\n"), 70)
    assert (whole.marked, whole.continues) == ("a = b", False)


@pytest.mark.parametrize("width", [40, 73, 117])
@pytest.mark.parametrize("position", [0, 50, 5_000, 9_995])
def test_long_lines_are_cut_around_the_span(width, position):
    line = "x" * position + "SPAN!" + "y" * (9_995 - position)
    shown = excerpt(at(line + "\n", "SPAN!"), width)
    text = shown.before + shown.marked + shown.after
    assert shown.marked == "SPAN!"
    assert width - 2 <= cell_len(text) <= width
    assert text.startswith("…") == (position > 40)
    assert text.endswith("…") == (position < 9_000)
    assert shown.underline == " " * cell_len(shown.before) + "^^^^^"


def test_a_span_longer_than_the_window_is_underlined_as_far_as_shown():
    shown = excerpt(at("a = " + "b" * 500, "b" * 500), 60)
    assert shown.before == "a = "
    assert shown.after == "…"
    assert cell_len(shown.underline) == 58


def test_secrets_in_excerpts_are_masked_and_the_underline_fits():
    source = SourceFile("ldap.cf", "bind_pw = hunter2hunter2\n")
    shown = excerpt(Location(source, Span(10, 24)), 70)
    assert (shown.before, shown.marked) == ("bind_pw = ", redact.MASK)
    assert shown.underline == " " * 10 + "^" * 8
    text = show(one('the password "hunter2hunter2" is weak', source))
    assert "hunter2" not in text


def test_further_related_places_are_counted():
    places = [Related("here", locate(MAIN, "relayhost")) for _ in range(8)]
    made = finding(duplicate_setting, locate(MAIN, "relayhost"), "many", related=places)
    text = show(result([made]))
    assert text.count("line 3: here") == 5
    assert "= 3 more related places" in text
