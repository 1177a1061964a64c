"""MST012: what pipe(8) and spawn(8) run, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import COMMAND_PROGRAMS, command_line, filled_in
from postlint.analysis.templates import is_templated
from postlint.lint.finding import Finding, Location, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.syntax.master_cf import Argument
    from postlint.syntax.source import SourceText

_ATTRIBUTES = {
    "pipe": ("flags", "user", "directory", "chroot", "eol", "null_sender", "size", "argv"),
    "spawn": ("user", "argv"),
}
_FLAGS = frozenset("BDFORXhqu.>")
_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_SIGNS = frozenset({"|", "||", "&", "&&", ";"})
_REDIRECTION = LazyPattern(r"[0-9]?(?:>>?|<)(?:&[0-9]|/\S+)?\Z")
_FROM_OUTSIDE = LazyPattern(
    r"\$[({]?(?:sender|recipient|original_recipient|user|extension|mailbox|domain|nexthop"
    r"|client_(?:helo|hostname)|sasl_(?:sender|username))\b"
)


@rule("MST012", severity=Severity.ERROR, security=8.1, tags=("CWE-78", "CWE-250"))
def pipe_user(instance: Instance) -> Iterator[Finding]:
    """Pipe or spawn lacks a user or a command, or hands text from outside to a shell.

    Why: Both run a command as the user given, and refuse root and the user and groups of Postfix
        itself: then they exit, and mail for them stays in the queue. A shell with the sender or
        recipient in its command line runs whatever somebody wrote into the address.
    Fix: Give a user of its own, and the command as "argv=program argument …", without a shell.
    Bad:
        --- master.cf
        filter unix - n n - - pipe flags=Rq argv=/usr/local/bin/filter -f $sender
    Good:
        --- master.cf
        filter unix - n n - - pipe flags=Rq user=filter argv=/usr/local/bin/filter -f $sender
    References: pipe(8), spawn(8), FILTER_README
    """
    for service in instance.services:
        entry = service.entry
        if entry is None or service.program not in COMMAND_PROGRAMS:
            continue
        if entry not in filled_in(instance) or is_templated(entry):
            continue
        yield from _attributes(service, command_line(entry).arguments)


def _attributes(service: Service, arguments: Sequence[Argument]) -> Iterator[Finding]:
    assert service.entry is not None
    daemon = service.program
    seen = set()
    for at, argument in enumerate(arguments):
        name, equals, value = argument.text.text.partition("=")
        name = name.lower()
        if not equals or name not in _ATTRIBUTES[daemon]:
            text = argument.text.text
            yield _fatal(service, argument.raw, f'{daemon} does not know "{text}"')
            return
        seen.add(name)
        if name == "user":
            yield from _user(service, argument, value)
        elif name == "flags":
            unknown = [letter for letter in value if letter not in _FLAGS]
            if unknown:
                yield _fatal(service, argument.raw, f'pipe has no flag "{unknown[0]}"')
        elif name == "argv":
            yield from _shell(service, arguments[at:])
            yield from _shell_signs(service, arguments[at + 1 :])
            break
    missing = [f"{name}=" for name in ("user", "argv") if name not in seen]
    if missing:
        command = service.entry.field("command")
        yield _fatal(service, command, f"{daemon} has no {' and no '.join(missing)}")


def _user(service: Service, argument: Argument, value: str) -> Iterator[Finding]:
    """Users and groups that pipe and spawn refuse."""
    user, _, group = value.partition(":")
    main = service.instance.main
    if user in ("root", "0"):
        yield _fatal(service, argument.raw, f"{service.program} does not run commands as root")
    elif _is(main["mail_owner"], user):
        problem = f"{service.program} does not run commands as {user}, the owner of the queue"
        yield _fatal(service, argument.raw, problem)
    elif group in ("root", "wheel") or (
        service.program == "pipe" and group and _is(main["setgid_group"], group)
    ):
        problem = f"{service.program} does not run commands with the group {group}"
        yield _fatal(service, argument.raw, problem)
    elif user == "nobody":
        yield Finding(
            argument.raw.location,
            "nobody is the user of everything that has none: give the command one of its own",
            severity=Severity.INFO,
            service=service.label,
        )


def _is(value: Effective, name: str) -> bool:
    return value.known and value.text == name


def _shell(service: Service, words: Sequence[Argument]) -> Iterator[Finding]:
    """A shell whose command line has text from outside in it."""
    texts = [word.text.text for word in words]
    program = texts[0].partition("=")[2].rpartition("/")[2]
    if program not in _SHELLS:
        return
    script = 1
    while script < len(texts) and texts[script].startswith("-"):
        if "c" in texts[script] and not texts[script].startswith("--"):
            break
        script += 1
    if script + 1 >= len(texts) or not texts[script].startswith("-"):
        return
    match = _FROM_OUTSIDE.search(texts[script + 1])
    if match is None:
        return
    text = words[script + 1].text
    yield Finding(
        Location(text.source, text.sub_span(match.start(), match.end())),
        f"{program} runs what stands in {match[0]}…: anybody can write a command there",
        service=service.label,
    )


def _shell_signs(service: Service, words: Sequence[Argument]) -> Iterator[Finding]:
    """Words that only a shell would act on; there is none."""
    for word in words:
        text = word.raw.text
        if text in _SIGNS or _REDIRECTION.match(text):
            yield Finding(
                word.raw.location,
                f'{service.program} runs no shell: the command gets "{text}" as an argument',
                severity=Severity.INFO,
                service=service.label,
            )
            return


def _fatal(service: Service, where: SourceText, problem: str) -> Finding:
    location = Location(where.source, Span(*where.span))
    return Finding(
        location,
        f"{problem}: mail for {service.name} stays in the queue"
        if service.program == "pipe"
        else f"{problem}: {service.name} does not answer",
        severity=Severity.ERROR,
        service=service.label,
    )
