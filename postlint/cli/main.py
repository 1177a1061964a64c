"""The command line: arguments to commands, errors to exit status."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

from postlint.cli.errors import EXIT_OK, EXIT_TROUBLE, UsageError
from postlint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG = """\
exit status:
  0  no finding at or above --fail-on
  1  findings
  2  wrong usage, or a named input could not be read

Suppress a finding with a comment of its own above the line:
  # postlint: ignore[TLS001] reason
"""


class _Parser(argparse.ArgumentParser):
    """argparse with this program's way to report wrong usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    try:
        options = build_parser().parse_args(arguments)
        match options.command:
            case "check":
                from postlint.cli.check import run_check

                return run_check(options)
            case "rules":
                from postlint.cli.rules import run_rules

                return run_rules(options)
            case "rule":
                from postlint.cli.rules import run_rule

                return run_rule(options)
            case _:
                build_parser().print_help()
                return EXIT_TROUBLE
    except UsageError as error:
        print(f"postlint: error: {error}", file=sys.stderr)
        return EXIT_TROUBLE
    except BrokenPipeError:  # the reader, head(1) say, has seen enough
        sys.stderr.close()
        return EXIT_OK
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = _Parser(
        prog="postlint",
        description="Linter and security auditor for Postfix configuration.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"postlint {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_check(commands)
    _add_rules(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="report what is wrong in a configuration",
        description="Check Postfix configurations and report findings.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    check.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folders or files; - is standard input (default: $MAIL_CONFIG, else /etc/postfix)",
    )
    what = check.add_argument_group("rules")
    add_selection(what)
    what.add_argument("--plugin", action="append", metavar="NAME|FILE", help="load more rules")
    report = check.add_argument_group("report")
    report.add_argument("--format", choices=("text", "json", "sarif"), help="default: text")
    report.add_argument("--output", metavar="FILE", help="write the report to a file")
    report.add_argument(
        "--severity-at-least", metavar="LEVEL", help="show findings from error, warning or info up"
    )
    report.add_argument(
        "--fail-on",
        metavar="LEVEL",
        help="exit with 1 from error, warning or info up, or never (default: warning)",
    )
    report.add_argument("--statistics", action="store_true", default=None, help="count by rule")
    report.add_argument("--quiet", action="store_true", default=None, help="the summary only")
    report.add_argument("--color", metavar="WHEN", help="auto, always or never (default: auto)")
    what_is = check.add_argument_group("configuration to check")
    what_is.add_argument("--postfix-version", metavar="X.Y[.Z]", help="the Postfix it is for")
    what_is.add_argument("--as", dest="kind", metavar="KIND", help="main.cf or master.cf")
    what_is.add_argument("--root", metavar="DIR", help="where absolute paths begin (an image)")
    what_is.add_argument(
        "--host", action="store_true", default=None, help="check this host: open the files named"
    )
    settings = check.add_argument_group("postlint's own configuration")
    settings.add_argument("--config", metavar="FILE", help="pyproject.toml or postlint.toml to use")
    settings.add_argument("--no-config", action="store_true", help="read no configuration file")
    settings.add_argument(
        "--isolated", action="store_true", help="read no configuration file and no environment"
    )
    settings.add_argument("--jobs", metavar="N", help="processes to use (default: 1; 0: all cores)")


def add_selection(group: argparse._ArgumentGroup) -> None:
    """The options that choose rules."""
    group.add_argument(
        "--select", action="append", metavar="CODES", help="run only these codes, prefixes, names"
    )
    group.add_argument("--ignore", action="append", metavar="CODES", help="do not run these")
    group.add_argument(
        "--extend-select", action="append", metavar="CODES", help="run these as well"
    )


def _add_rules(commands: argparse._SubParsersAction[_Parser]) -> None:
    rules = commands.add_parser("rules", help="list the rules", allow_abbrev=False)
    add_selection(rules.add_argument_group("rules"))
    rules.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    rules.add_argument("--plugin", action="append", metavar="NAME|FILE", help="load more rules")
    rule = commands.add_parser("rule", help="explain one rule", allow_abbrev=False)
    rule.add_argument("rule", metavar="CODE|NAME")
    rule.add_argument("--color", metavar="WHEN", help="auto, always or never (default: auto)")
    rule.add_argument("--plugin", action="append", metavar="NAME|FILE", help="load more rules")
