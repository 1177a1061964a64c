"""``postlint show``: postconf(1) without Postfix."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from postlint.cli.errors import EXIT_OK, UsageError, did_you_mean
from postlint.cli.output import VisibleStream, is_terminal
from postlint.config.boundary import Boundary
from postlint.config.files import CONFIG_DIRECTORY, Files
from postlint.postfix.versions import NEWEST_STABLE, PostfixVersion
from postlint.records import NamedTuple
from postlint.show.messages import FatalError, Messages, Output
from postlint.show.octets import file_name, octets
from postlint.show.options import EDITING, OF_THE_PROGRAM, WITH_ARGUMENT, Options, knows
from postlint.show.run import Request, show
from postlint.show.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

USAGE = "[-dnxMFPfhHjpqv] [-c DIR] [-C CLASS] [-o NAME=VALUE] [OPTION...] [NAME...]"

_HELP = f"""\
usage: postlint show {USAGE}

What postconf(1) says about a configuration directory, without Postfix: all of
it, passwords in main.cf and master.cf included.

what to show, with the letters of postconf(1):
  (none), -p           all parameters of main.cf and their values, or those named
  -n                   only parameters that are set
  -d                   defaults only
  -C CLASS             only builtin, service or user-defined parameters, or all
  -M [NAME[/TYPE]...]  services of master.cf
  -F [NAME[/TYPE[/FIELD]]...]      their fields
  -P [NAME[/TYPE[/PARAMETER]]...]  their overrides; -PP: all that they see (3.11)

how to show it:
  -x                   with $name expanded
  -f                   long lines folded
  -h, -H               without names, without values
  -j                   as JSON, an object on each line (3.11; any version with --origin
                       or --service)
  -q                   without warnings about unused and deprecated parameters (3.9)
  -v                   does nothing

configuration:
  -c DIR               where main.cf and master.cf are
                       (default: $MAIL_CONFIG, else {CONFIG_DIRECTORY})
  -o NAME=VALUE        instead of what main.cf says
  --host               open the files that settings name wherever they are on this host
                       (implied for {CONFIG_DIRECTORY})
  --postfix-version X.Y[.Z]        the Postfix it is for

more than postconf(1) has:
  --service NAME/TYPE  every parameter as the daemon of this service sees it, expanded;
                       goes with -n, -C, -f, -h, -H, -j, -o and names
  --origin             where each value comes from: file:line, default or command-line
                       before it; with -j as members "origin", "path" and "line"

not here:
  -e, -X, -#, NAME=VALUE           edit files, and this command only reads them
  -a, -A, -b, -l, -m, -t, -T       ask what an installed Postfix is built with

postlint's own configuration:
  --config FILE        pyproject.toml or postlint.toml to take postfix-version from
  --no-config          read no configuration file
  --help               this text
"""

_WITH_VALUE = ("--config", "--postfix-version", "--service")
_SWITCHES = ("--help", "--host", "--no-config", "--origin")


class _CommandLine(NamedTuple):
    letters: list[tuple[str, str]]
    """Options of postconf(1) with their arguments, in their order."""
    own: dict[str, str]
    names: list[str]


def run(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    stream: BinaryIO = sys.stdout.buffer
    if is_terminal():
        stream = cast("BinaryIO", VisibleStream(stream))
    return run_with(arguments, stream, sys.stderr.buffer)


def run_with(
    arguments: Sequence[str],
    standard_output: BinaryIO,
    standard_error: BinaryIO,
    scanner: type[Scanner] = Scanner,
) -> int:
    """The command, with other streams and (for tests) another scanner."""
    line = _parse(arguments)
    if "--help" in line.own:
        standard_output.write(_HELP.encode())
        return EXIT_OK
    directory = _directory(line)
    host = "--host" in line.own or _is_installed(directory or CONFIG_DIRECTORY)
    version = _version(line.own, directory or CONFIG_DIRECTORY, host=host)
    messages = Messages(standard_error)
    try:
        options = _options(line, version, messages)
    except FatalError as error:
        messages.fatal(error)
        return 1
    folder = Path(file_name(directory)) if directory is not None else Path(CONFIG_DIRECTORY)
    request = Request(
        version,
        options,
        directory if directory is not None else CONFIG_DIRECTORY,
        directory is not None,
        Files(None if host else folder, host=host),
        line.own.get("--service"),
        "--origin" in line.own,
        None if host else Boundary(folder),
    )
    return show(request, Output(standard_output), messages, scanner)


def _parse(arguments: Sequence[str]) -> _CommandLine:
    """getopt(3): letters in clusters, the rest are names; raises UsageError."""
    line = _CommandLine([], {}, [])
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            line.names.extend(map(octets, waiting))
        elif argument.startswith("--"):
            _own_option(argument, waiting, line.own)
        elif line.names or not argument.startswith("-") or argument == "-":
            line.names.append(octets(argument))
        else:
            _cluster(octets(argument)[1:], waiting, line.letters)
    return line


def _cluster(letters: str, waiting: Iterator[str], found: list[tuple[str, str]]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in WITH_ARGUMENT:
            found.append((letter, ""))
            continue
        if letters:
            found.append((letter, letters))
            return
        following = next(waiting, None)
        if following is None:
            raise UsageError(f"-{letter} needs an argument (see postlint show --help)")
        found.append((letter, octets(following)))


def _own_option(argument: str, waiting: Iterator[str], own: dict[str, str]) -> None:
    name, equals, value = argument.partition("=")
    if name in _SWITCHES:
        if equals:
            raise UsageError(f"{name} takes no value")
        own[name] = ""
    elif name in _WITH_VALUE:
        given = value if equals else next(waiting, None)
        if given is None:
            raise UsageError(f"{name} needs an argument (see postlint show --help)")
        own[name] = octets(given) if name == "--service" else given
    else:
        raise UsageError(f"no option {name}{did_you_mean(name, [*_WITH_VALUE, *_SWITCHES])}")


def _options(line: _CommandLine, version: PostfixVersion, messages: Messages) -> Options:
    """The options as a version takes them; raises UsageError or FatalError."""
    options = Options()
    own_json = "--origin" in line.own or "--service" in line.own
    for letter, argument in line.letters:
        if letter in EDITING:
            raise UsageError(f"-{letter} edits files, and postlint show only reads them")
        if letter in OF_THE_PROGRAM:
            raise UsageError(
                f"-{letter} asks what an installed Postfix is built with, not what files say"
            )
        if not knows(letter, version) and not (letter == "j" and own_json):
            messages.write(f"invalid option -- '{letter}'")
            raise FatalError(
                f"Postfix {version} has no option -{letter}; usage: postlint show {USAGE}"
            )
        options.add(letter, argument, version)
    options.names = line.names
    if line.names and "=" in line.names[0]:
        raise UsageError(f"{file_name(line.names[0])}: postlint show does not change settings")
    if "--service" in line.own:
        _check_service(line.own["--service"], options)
    else:
        options.check(version)
    return options


def _check_service(service: str, options: Options) -> None:
    name, slash, kind = service.rpartition("/")
    if not name or not slash or not kind:
        raise UsageError("--service needs a name and a type, such as submission/inet")
    excess = sorted(options.given & {"d", "F", "M", "P"})
    if excess:
        raise UsageError(f"with --service, do not specify -{excess[0]}")


def _directory(line: _CommandLine) -> str | None:
    """What -c or the environment names; None for the compiled-in default."""
    for letter, argument in reversed(line.letters):
        if letter == "c":
            return argument
    named = os.environ.get("MAIL_CONFIG")
    return None if named is None else octets(named)


def _is_installed(directory: str) -> bool:
    return Path(file_name(directory)).absolute().is_relative_to(CONFIG_DIRECTORY)


def _version(own: dict[str, str], directory: str, *, host: bool) -> PostfixVersion:
    """What the user asks for, else what is installed on this host, else the newest."""
    text = own.get("--postfix-version")
    if text is None and "--no-config" not in own:
        from postlint.cli.configuration import find_configuration, read_configuration

        if "--config" in own:
            configuration = read_configuration(own["--config"])
        else:
            configuration = find_configuration([file_name(directory)])
        text = configuration.get("postfix-version")
    if text is not None:
        try:
            return PostfixVersion.parse(text)
        except ValueError as error:
            raise UsageError(f"--postfix-version: {error}") from error
    if host:
        from postlint.cli.host import installed_version

        return installed_version() or NEWEST_STABLE
    return NEWEST_STABLE
