"""argparse as this program uses it, and the options that several commands have."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from postlint.cli.errors import UsageError, did_you_mean
from postlint.cli.output import width

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parser(argparse.ArgumentParser):
    """Reports wrong usage as UsageError, suggests options, takes no abbreviated ones."""

    def __init__(self, **options: Any) -> None:
        formatter: Any = partial(
            argparse.RawDescriptionHelpFormatter, max_help_position=29, width=width() - 2
        )
        super().__init__(formatter_class=formatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse all arguments; raises UsageError."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            word = unknown[0].partition("=")[0]
            if not word.startswith("-"):
                self.error(f'what is "{unknown[0]}" for?')
            known = [text for action in self._actions for text in action.option_strings]
            self.error(f"no option {word}{did_you_mean(word, known)}")
        return options


def add_selection(parser: Parser) -> None:
    """The options that choose rules."""
    group = parser.add_argument_group("rules")
    group.add_argument(
        "--select",
        action="append",
        metavar="CODES",
        help="run only these: codes, beginnings of codes (TLS, TLS0), names",
    )
    group.add_argument("--ignore", action="append", metavar="CODES", help="do not run these")
    group.add_argument(
        "--extend-select",
        action="append",
        metavar="CODES",
        help="run these too, beside the usual ones",
    )
    add_plugin(group)


def add_plugin(parser: argparse._ActionsContainer) -> None:
    """Where more rules come from."""
    parser.add_argument(
        "--plugin",
        action="append",
        metavar="NAME|FILE.py",
        help="more rules: an installed plugin, or a Python file to run",
    )


def add_color(parser: argparse._ActionsContainer) -> None:
    """When to use colours."""
    parser.add_argument("--color", metavar="WHEN", help="auto, always or never (default: auto)")
