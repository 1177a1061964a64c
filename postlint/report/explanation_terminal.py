"""The restriction lists of smtpd worked off for one client, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postlint.report.escape import visible
from postlint.report.explanation import answers, place

if TYPE_CHECKING:
    from rich.text import Text

    from postlint.analysis.relay_session import Evaluation, Step

NARROW: Final = 40
"""Columns below which lines are wider than the terminal."""

_STYLES: Final = {"permit": "green", "reject": "bold red", "discard": "yellow", "dunno": "cyan"}
_UNCERTAIN: Final = "what smtpd answers depends on what can not be known here, one of:"


def as_lines(service: str, evaluation: Evaluation, *, width: int, color: bool) -> str:
    """Each restriction with its answer, the reason and where it is written."""
    from rich.padding import Padding
    from rich.text import Text

    from postlint.report.screen import Screen

    screen = Screen(width=max(width, NARROW), color=color)
    console = screen.console
    session = visible(evaluation.session.describe())
    console.print(Text(f"{service}: {session}", style="bold"))
    parameter = ""
    for step in evaluation.steps:
        if step.depth <= 1 and step.parameter != parameter:
            parameter = step.parameter
            console.print(Text(parameter, style="bold"))
        console.print(Padding(_line(step), (0, 0, 0, 2 * max(step.depth, 1))))
    said = list(answers(evaluation))
    if len(said) > 1:
        console.print(Text(_UNCERTAIN, style="bold"))
    for text, accepted in said:
        line = Text(text if len(said) > 1 else f"smtpd: {text}")
        line.stylize("bold green" if accepted else "bold red")
        console.print(Padding(line, (0, 0, 0, 2 if len(said) > 1 else 0)))
    return "".join(f"{line.rstrip()}\n" for line in screen.text().splitlines())


def _line(step: Step) -> Text:
    from rich.text import Text

    line = Text(f"{visible(step.text)}  ")
    for number, result in enumerate(step.results or ("not reached",)):
        line.append(" or " if number else "")
        line.append(result, style=_STYLES.get(result.partition(" ")[0], "yellow"))
    if step.reason:
        line.append(f"  {visible(step.reason)}")
    line.append(f"  {place(step)}", style="dim")
    return line
