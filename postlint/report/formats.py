"""The report formats by name; a format's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from postlint.lint.result import Result

FORMATS = {
    "text": "postlint.report.text",
    "json": "postlint.report.json",
    "sarif": "postlint.report.sarif",
}
"""Names for ``--format``, and the modules whose ``render(result, options)`` makes them."""

_TERMINAL = "postlint.report.terminal"


class Options(NamedTuple):
    """How a report for people looks; the formats for programs do not depend on it.

    ``terminal`` chooses the layout with source excerpts for the format ``text``, ``color`` and
    ``width`` are for that layout.
    """

    quiet: bool = False
    statistics: bool = False
    terminal: bool = False
    color: bool = False
    width: int = 80


DEFAULT = Options()


def render(format_name: str, result: Result, options: Options = DEFAULT) -> str:
    """The report as text that ends with a newline; KeyError for a format that does not exist."""
    module = FORMATS[format_name]
    if format_name == "text" and options.terminal:
        module = _TERMINAL
    renderer: Callable[[Result, Options], str] = import_module(module).render
    return renderer(result, options)
