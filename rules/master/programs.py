"""MST003: commands in master.cf that master(8) can not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import program, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service


@rule("MST003", severity=Severity.ERROR)
def unknown_program(instance: Instance) -> Iterator[Finding]:
    """A service runs a program that Postfix does not have.

    Why: master(8) puts daemon_directory before the command, also before one that is an absolute
        path, and runs what it finds there when the service is first needed. If there is nothing,
        the service never answers; all else goes on, and only the log tells.
    Fix: Write the name of a daemon. To run a program of your own, use spawn(8) or pipe(8).
    Bad:
        --- master.cf
        smtp inet n - n - - smptd
    Good:
        --- master.cf
        smtp inet n - n - - smtpd
    References: master(5), src/master/master_ent.c, spawn(8)
    """
    for service in instance.services:
        entry = service.entry
        if entry is None or entry not in filled_in(instance):
            continue
        command = entry.field("command").text
        if command == "-":
            continue
        if command.startswith("/"):
            yield _absolute(service, command)
        elif program(command, instance.version) is None:
            finding = _unknown(service, command, instance)
            if finding is not None:
                yield finding


def _absolute(service: Service, command: str) -> Finding:
    assert service.entry is not None
    location = service.entry.field("command").location
    known = program(service.program, service.version) is not None
    fix = Fix("write the name only", (Edit(location, service.program),), "safe")
    return Finding(
        location,
        f"master puts daemon_directory before {command} and finds nothing: the service is dead",
        service=service.label,
        fix=fix if known else None,
    )


def _unknown(service: Service, command: str, instance: Instance) -> Finding | None:
    assert service.entry is not None
    location = service.entry.field("command").location
    there = _in_daemon_directory(command, instance)
    if there:
        return None
    fix = None
    severity = None
    other = program(command)
    if command.startswith("-"):
        problem = f'the command is missing, "{command}" stands in its place: the service is dead'
    elif other is not None:
        problem = f"{command} needs Postfix {other.first} or later: the service is dead"
    elif there is False:
        problem = f"daemon_directory has no {command}: the service is dead"
    elif (near := _nearest(command, instance)) is not None:
        problem = f"Postfix has no {command} (did you mean {near}?): the service is dead"
        fix = Fix(f"run {near}", (Edit(location, near),), "unsafe")
    else:
        problem = f"Postfix has no {command}: unless it is in daemon_directory, the service is dead"
        severity = Severity.WARNING
    return Finding(location, problem, severity=severity, service=service.label, fix=fix)


def _in_daemon_directory(command: str, instance: Instance) -> bool | None:
    """Whether the program is there; None when nobody can look."""
    folder = instance.main["daemon_directory"]
    if not folder.explicit or not folder.known or not instance.files.complete:
        return None
    path = instance.files.locate(f"{folder.text}/{command}")
    try:
        if path is None or not path.parent.is_dir():
            return None
        return path.is_file()
    except (OSError, ValueError):
        return None


def _nearest(command: str, instance: Instance) -> str | None:
    from postlint.analysis.names import edit_distance

    near = sorted(
        (distance, known.name)
        for known in programs(instance.version)
        if (distance := edit_distance(command, known.name, 2 if len(known.name) > 5 else 1))
        is not None
    )
    return near[0][1] if near else None
