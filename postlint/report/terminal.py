"""Text for people at a terminal: findings with the source they are about."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from postlint.lint.finding import Severity
from postlint.report import details
from postlint.report.escape import visible
from postlint.report.excerpt import excerpt
from postlint.report.text import count_of, statistics, summary_line

if TYPE_CHECKING:
    from postlint.lint.finding import Finding, Location
    from postlint.lint.result import Result
    from postlint.report.formats import Options

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_RELATED = "blue"
_FAINT = "dim"
_INDENT = "  "
_NARROWEST = 40
_MOST_RELATED = 5


def render(result: Result, options: Options) -> str:
    """Findings with excerpts, then a table of counts and a sentence.

    All text is passed as it is or as rich ``Text``: nothing of it is read as markup.
    """
    screen = _Screen(max(_NARROWEST, options.width), color=options.color)
    if not options.quiet:
        for finding in result.findings:
            _print_finding(screen, finding)
        if result.findings:
            screen.table(_summary_table(result))
    screen.line((summary_line(result), "bold" if result.findings else "green"))
    if options.statistics and result.findings:
        screen.line()
        screen.table(_statistics_table(result))
    return screen.text()


class _Screen:
    """Styled lines. Only tables go through rich's console: it is slow for thousands of lines."""

    __slots__ = ("_colors", "_console", "_out", "width")

    def __init__(self, width: int, *, color: bool) -> None:
        self.width = width
        self._colors = ColorSystem.STANDARD if color else None
        self._out = StringIO()
        self._console = Console(
            file=self._out,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},  # colour and width are the caller's decision
        )

    def text(self) -> str:
        return self._out.getvalue()

    def line(self, *parts: tuple[str, str]) -> None:
        """One line of texts with their styles."""
        for text, style in parts:
            styled = Style.parse(style).render(text, color_system=self._colors) if style else text
            self._out.write(styled)
        self._out.write("\n")

    def paragraph(self, label: str, style: str, text: str) -> None:
        """Text after a label, its further lines aligned with the first."""
        shown = visible(text)
        room = self.width - len(label)
        lines = [shown]
        if cell_len(shown) > room:
            lines = [line.plain.rstrip() for line in Text(shown).wrap(self._console, room)]
        for line in lines:
            self.line((label, style), (line, ""))
            label = " " * len(label)

    def table(self, table: Table) -> None:
        """Without the blanks that rich pads the last column with."""
        for row in self._console.render_lines(table, pad=False):
            line = Text()
            for segment in row:
                line.append(segment.text, style=segment.style)
            line.rstrip()
            self._console.print(line, no_wrap=True, crop=False)


def _print_finding(screen: _Screen, finding: Finding) -> None:
    style = _STYLES[finding.severity]
    related = finding.related[:_MOST_RELATED]
    locations = [finding.location, *(place.location for place in related)]
    gutter = max(len(str(location.start.line)) for location in locations)
    screen.line(
        (_place(finding.location), "bold"),
        (f"  {finding.code} ", style),
        (visible(finding.name), ""),
        (f"  {finding.severity.label}", style),
    )
    screen.paragraph(_INDENT, "", details.message(finding))
    _print_excerpt(screen, finding.location, gutter, style)
    for place in related:
        where = _place(place.location)
        if place.location.path == finding.location.path:
            where = f"line {place.location.start.line}"
        label = f"{_INDENT}{'':>{gutter}} = "
        screen.paragraph(label, _RELATED, f"{where}: {details.redacted(place)}")
        _print_excerpt(screen, place.location, gutter, _RELATED)
    hidden = len(finding.related) - len(related)
    if hidden:
        more = count_of(hidden, "more related place")
        screen.line((f"{_INDENT}{'':>{gutter}} = {more}", _FAINT))
    for heading, text in _explanations(finding):
        screen.paragraph(f"{_INDENT}{heading}: ", "bold", text)
    screen.line()


def _explanations(finding: Finding) -> list[tuple[str, str]]:
    explained = []
    documentation = details.documentation(finding.rule)
    if documentation:
        explained.append(("why", details.first_sentence(documentation.why)))
    if finding.fix:
        explained.append(("fix", details.fix_message(finding, finding.fix)))
    elif documentation:
        explained.append(("fix", documentation.fix))
    if finding.services:
        explained.append(("for", ", ".join(name for name, _ in finding.services)))
    return explained


def _place(location: Location) -> str:
    line, column = location.start
    return f"{visible(location.path)}:{line}:{column}"


def _print_excerpt(screen: _Screen, location: Location, gutter: int, style: str) -> None:
    margin = f"{_INDENT}{'':>{gutter}} | "
    shown = excerpt(location, screen.width - len(margin))
    number = f"{_INDENT}{shown.number:>{gutter}} | "
    screen.line(
        (number, _FAINT), (shown.before, ""), (shown.marked, style), (shown.after.rstrip(), "")
    )
    screen.line((margin, _FAINT), (shown.underline, style))
    if shown.continues:
        screen.line((f"{margin}...", _FAINT))


def _summary_table(result: Result) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    counts = [
        ("errors", result.count(Severity.ERROR), _STYLES[Severity.ERROR]),
        ("warnings", result.count(Severity.WARNING), _STYLES[Severity.WARNING]),
        ("info", result.count(Severity.INFO), _STYLES[Severity.INFO]),
        ("suppressed", len(result.suppressed), ""),
        ("files", result.file_count, ""),
    ]
    for heading, _, _ in counts:
        table.add_column(heading, justify="right")
    table.add_row(
        *(Text(str(count), style=style if count else _FAINT) for _, count, style in counts)
    )
    return table


def _statistics_table(result: Result) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("count", justify="right")
    for heading in ("code", "rule", "severity"):
        table.add_column(heading)
    for count, rule in statistics(result):
        table.add_row(
            str(count),
            Text(rule.code),
            Text(visible(rule.name)),
            Text(rule.severity.label, style=_STYLES[rule.severity]),
        )
    return table
