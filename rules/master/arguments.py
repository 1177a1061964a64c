"""MST004, MST005: words of a service that its daemon does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import (
    ATTRIBUTE_PROGRAMS,
    COMMAND_PROGRAMS,
    TOLERANT_PROGRAMS,
    command_line,
    filled_in,
)
from postlint.analysis.shapes import shape
from postlint.analysis.templates import is_templated
from postlint.config.derived import once
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import program
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.analysis.command_lines import CommandLine
    from postlint.config.instance import Instance
    from postlint.postfix.services import Program
    from postlint.syntax.master_cf import Argument, Override, ServiceEntry

BRACED_ARGUMENTS_SINCE = (3, 0)

_SAID_ELSEWHERE = ("#", "\\", '"', "'")
"""First characters of words that are comments, continuations and quotes to whoever wrote them."""

_TYPES = frozenset({"inet", "unix", "fifo", "pass", "unix-dgram"})


@rule("MST004", severity=Severity.ERROR, tags=("CWE-1286",))
def override_with_spaces(instance: Instance) -> Iterator[Finding]:
    """An override contains blanks, so that its value ends at the first of them.

    Why: Blanks end an argument in master.cf. "-o name=a, b" sets the name to "a,"; the daemon
        does not know what to do with "b" and exits, and so it does when there is no "=" behind
        the name at once.
    Fix: Write the value without blanks, or (since Postfix 3.0) "-o { name = a, b }".
    Bad:
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_client_restrictions=permit_sasl_authenticated, reject
    Good:
        --- master.cf
        submission inet n - n - - smtpd
          -o smtpd_client_restrictions=permit_sasl_authenticated,reject
    References: master(5), src/master/master_ent.c
    """
    for entry, daemon in _daemons(instance):
        if not entry.overrides and entry.dangling is None:
            continue
        line = command_line(entry)
        for override in entry.overrides:
            value = override.argument.text if override.value is None else override.value
            if value.text[:1] in _SAID_ELSEWHERE:
                continue
            words = _belonging(entry, override, line)
            if override.name is not None and not words:
                continue
            yield _broken(entry, override, words, daemon, instance)
        if entry.dangling is not None:
            yield Finding(
                entry.dangling.location,
                f"-o has no argument: {daemon.name} will not start",
                service=_label(entry),
            )


@rule("MST005", severity=Severity.ERROR, tags=("CWE-1286",))
def stray_argument(instance: Instance) -> Iterator[Finding]:
    """A daemon is given words or options that it does not take.

    Why: Only pipe and spawn run commands, and smtp and lmtp take a few attributes. All other
        daemons exit when a word follows their options, or when they do not know an option. An
        indented service line is such a row of words to the service above it.
    Fix: Delete the words; begin the line of a service in the first column.
    Bad:
        --- master.cf
        smtp inet n - n - - smtpd relay
    Good:
        --- master.cf
        smtp inet n - n - - smtpd
    References: master(5), src/master/single_server.c, src/master/master_ent.c
    """
    yield from _bad_braces(instance)
    for entry, daemon in _daemons(instance):
        line = command_line(entry)
        yield from _options(entry, line, daemon, instance)
        arguments = _strangers(line, daemon)
        if not arguments or any(
            _belonging(entry, override, line) for override in entry.overrides[-1:]
        ):
            continue
        if arguments[0].text.text[:1] in _SAID_ELSEWHERE:
            continue
        swallowed = _swallowed_service(line.arguments)
        first = arguments[0]
        message = f'{daemon.name} does not take the argument "{first.text.text}": it will not start'
        if swallowed is not None:
            first = swallowed
            message = (
                f'the line of "{first.text.text}" is indented: to {daemon.name} above it, it is a'
                " row of arguments, with which it will not start"
            )
        yield Finding(first.raw.location, message, service=_label(entry))


def _bad_braces(instance: Instance) -> Iterator[Finding]:
    """Arguments whose braces do not match, of any program."""
    if instance.master_cf is None or instance.version < BRACED_ARGUMENTS_SINCE:
        return
    for entry in instance.master_cf.services:
        if is_templated(entry):
            continue
        if program(entry.field("command").text, instance.version) is None:
            for override in entry.overrides:
                if override.name is None and override.argument.raw.text.startswith("{"):
                    yield Finding(
                        override.argument.raw.location,
                        f'the override "{override.argument.text.text[:40]}" has no "="',
                        severity=Severity.WARNING,
                        service=_label(entry),
                    )
        for argument in (*(each.argument for each in entry.overrides), *entry.arguments):
            if argument.error is None:
                continue
            missing = argument.error.startswith("missing")  # else there is text after it
            what = 'a "{" has no "}"' if missing else 'something follows the "}" of an argument'
            yield Finding(
                argument.raw.location, f"{what}: master will not start", service=_label(entry)
            )


@once
def _daemons(instance: Instance) -> tuple[tuple[ServiceEntry, Program], ...]:
    """The services that run daemons of Postfix."""
    return tuple(
        (entry, daemon)
        for entry in filled_in(instance)
        if (daemon := program(entry.field("command").text, instance.version)) is not None
        and not is_templated(entry)
    )


def _strangers(line: CommandLine, daemon: Program) -> Sequence[Argument]:
    """The arguments from the first one that the daemon does not take."""
    if daemon.name in COMMAND_PROGRAMS or daemon.name in TOLERANT_PROGRAMS:
        return ()
    arguments = line.arguments
    if daemon.name in ATTRIBUTE_PROGRAMS:
        while arguments and arguments[0].text.text.lower().startswith("flags="):
            arguments = arguments[1:]
    return arguments


def _belonging(entry: ServiceEntry, override: Override, line: CommandLine) -> list[Argument]:
    """The arguments right behind an override that were meant as part of its value."""
    if not line.arguments or override is not entry.overrides[-1]:
        return []
    if override.argument.raw.text.startswith("{"):
        return []
    command = entry.field("command").text
    between = [word for word in entry.words if word.span.start >= override.span.end]
    if not between or between[0].span != line.arguments[0].raw.span:
        return []
    found: list[Argument] = []
    swallowed = _swallowed_service(line.arguments)
    for argument in line.arguments:
        text = argument.raw.text
        if argument is swallowed or text[:1] in _SAID_ELSEWHERE:
            break
        if text.startswith("-") and len(text) > 1:
            break
        if command in ATTRIBUTE_PROGRAMS and "=" in text[1:]:
            break
        found.append(argument)
    return found


def _swallowed_service(arguments: Sequence[Argument]) -> Argument | None:
    """The name of a service whose whole line was taken for arguments."""
    texts = [argument.raw.text for argument in arguments]
    for at in range(len(texts) - 7):
        fields = texts[at + 1 : at + 7]
        if fields[0] in _TYPES and all(field in ("y", "n", "-") for field in fields[1:4]):
            return arguments[at]
    return None


def _broken(
    entry: ServiceEntry,
    override: Override,
    words: list[Argument],
    daemon: Program,
    instance: Instance,
) -> Finding:
    source = override.argument.raw.source
    end = words[-1].raw.span.end if words else override.span.end
    location = Location(source, Span(override.span.start, end))
    name = None if override.name is None else override.name.text
    if override.name is None:
        message = f'"-o {override.argument.text.text}" has no "="'
        if words and words[0].raw.text.startswith("="):
            name = override.argument.text.text
            message = f'there may be no blanks around "=": "-o {name}" sets nothing'
    else:
        value = override.value.text if override.value is not None else ""
        message = f'the value of {name} ends at the blank behind "{value or "="}"'
    if daemon.name in TOLERANT_PROGRAMS and override.name is not None:
        message += ", the rest is ignored"
    else:
        message += f": {daemon.name} will not start"
    return Finding(
        location,
        message,
        parameter=name,
        service=_label(entry),
        fix=_join(override, words, location, instance) if name and words else None,
    )


def _join(
    override: Override, words: list[Argument], location: Location, instance: Instance
) -> Fix | None:
    """Take the blanks out, or put braces around them."""
    written = location.source.text[location.span.start : location.span.end]
    if "\n" in written and "#" in written:
        return None
    parts = [override.argument.raw.text, *(word.raw.text for word in words)]
    name, equals, value = "".join(f"{part}\0" for part in parts).partition("=")
    name, value = name.replace("\0", ""), value.strip("\0")
    if not equals:
        return None
    pieces = value.split("\0")
    joined = pieces[0]
    for piece in pieces[1:]:
        glue = "" if joined.endswith((",", "=")) or piece.startswith(",") or not joined else None
        if glue is None and shape(name, instance.version) in ("restrictions", "patterns"):
            glue = ","
        if glue is None:
            break
        joined += glue + piece
    else:
        edit = Edit(location, f"-o {name}={joined}")
        return Fix("write it without blanks", (edit,), "safe")
    if instance.oldest_version < (3, 0) and instance.pinned:
        return None
    edit = Edit(location, f"-o {{ {name} = {' '.join(pieces)} }}")
    return Fix("put it in braces", (edit,), "safe" if instance.pinned else "unsafe")


def _options(
    entry: ServiceEntry, line: CommandLine, daemon: Program, instance: Instance
) -> Iterator[Finding]:
    """Options that no daemon has, or that end it."""
    for option in line.options:
        reason = None
        if not option.known:
            reason = f"there is no option -{option.letter}"
        elif option.letter == "S" and entry.field("type").text == "inet":
            reason = "-S makes it talk to standard input, where nobody is"
        elif option.letter == "D" and _has_no_debugger(instance):
            reason = "-D needs a debugger_command"
        if reason is not None:
            yield Finding(
                option.word.location,
                f"{reason}: {daemon.name} will not start",
                service=_label(entry),
            )


def _has_no_debugger(instance: Instance) -> bool:
    return instance.whole_main_cf and instance.main["debugger_command"].empty is True


def _label(entry: ServiceEntry) -> str:
    return f"{entry.fields[0].text}/{entry.fields[1].text}"
