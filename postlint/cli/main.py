"""The command line: arguments to commands, errors to exit status."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from postlint import quick_import
from postlint.cli.arguments import Parser
from postlint.cli.errors import EXIT_OK, EXIT_TROUBLE, UsageError, did_you_mean
from postlint.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "check": "report what is wrong in a configuration",
    "show": "show what postconf says, without Postfix",
    "exposure": "show what a stranger gets from every port",
    "rules": "list the rules",
    "rule": "explain one rule",
}
"""The commands; each has a module with USAGE, DESCRIPTION, EPILOG, add_arguments() and run().

A module without add_arguments() takes its arguments apart itself.
"""

TRACEBACK = "POSTLINT_TRACEBACK"
"""The environment variable that makes an internal error print its traceback."""

_INTERRUPTED = 130
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def program() -> NoReturn:
    """The installed command: main(), quicker to start and to end.

    The cyclic garbage collector would look through every module while they are imported, and
    Python would take its whole memory apart at the end: a third of the time of a short run.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    quick_import.install()
    try:
        status = main()
    except SystemExit as end:  # argparse: --help
        status = end.code if isinstance(end.code, int) else EXIT_OK
    if sys.getprofile() or sys.gettrace():
        raise SystemExit(status)
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    try:
        try:
            status = _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
        return status
    except UsageError as error:
        return _trouble(f"error: {error}")
    except BrokenPipeError:  # the reader of --help, head(1) say, has seen enough
        _silence_standard_output()
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        return _internal_error(error)


def _run(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        return _without_command(arguments)
    module = import_module(f"postlint.cli.{name}")
    status: int
    if not hasattr(module, "add_arguments"):
        status = module.run(arguments[1:])
        return status
    parser = Parser(
        prog=f"postlint {name}",
        usage=f"postlint {name} {module.USAGE}",
        description=module.DESCRIPTION,
        epilog=module.EPILOG,
    )
    module.add_arguments(parser)
    status = module.run(parser.parse(arguments[1:]))
    return status


def _without_command(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="postlint",
        usage="postlint COMMAND ...",
        description="Linter and security auditor for Postfix configuration.",
        epilog=f"commands:\n{_command_list()}\n\nMore about a command: postlint COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"postlint {VERSION}")
    word = arguments[0] if arguments else ""
    if word and not word.startswith("-"):
        if os.path.lexists(word):
            raise UsageError(f'no command "{word}"; did you mean postlint check {word}?')
        hint = did_you_mean(word, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
        raise UsageError(f'no command "{word}"{hint}')
    parser.parse(arguments)
    parser.print_help(sys.stderr)
    return EXIT_TROUBLE


def _command_list() -> str:
    return "\n".join(f"  {name:<8} {summary}" for name, summary in COMMANDS.items())


def _internal_error(error: Exception) -> int:
    """Say what postlint itself failed on, in one line unless more is asked for."""
    if os.environ.get(TRACEBACK):
        from traceback import print_exception

        print_exception(error)
        return EXIT_TROUBLE
    from postlint.lint.calls import crash

    return _trouble(
        f"internal error: {crash(error)} (please report it; {TRACEBACK}=1 shows the traceback)"
    )


def _trouble(text: str) -> int:
    from postlint.report.escape import visible
    from postlint.report.redact import anywhere

    if sys.stderr is not None:
        print(visible(f"postlint: {anywhere(text)}"), file=sys.stderr)
    return EXIT_TROUBLE


def _silence_standard_output() -> None:
    """What is left in its buffer must not fail again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
