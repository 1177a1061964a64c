"""MST001, MST002: what master(8) refuses to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.analysis.templates import has_template_marks
from postlint.config.placeholders import has_placeholder
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import program, service_types
from postlint.syntax.master_cf import FIELD_NAMES, BadFieldCount
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.master_cf import ServiceEntry
    from postlint.syntax.source import SourceText

_TYPES = ("inet", "unix", "fifo", "pass", "unix-dgram")
_YES_NO = {"yes": "y", "no": "n", "true": "y", "false": "n"}
_NO_DEFAULT = ("service", "type", "command")


@rule("MST001", severity=Severity.ERROR, tags=("CWE-1286",))
def bad_field_count(instance: Instance) -> Iterator[Finding]:
    """A line of master.cf has fewer than eight fields.

    Why: master(8) reads eight fields from every logical line. When one is missing it stops, at
        start as well as at reload, and no service runs.
    Fix: Write all eight: name, type, private, unprivileged, chroot, wakeup time, process limit
        and command. Use "-" for a default.
    Bad:
        --- master.cf
        smtp inet n - n - smtpd
    Good:
        --- master.cf
        smtp inet n - n - - smtpd
    References: master(5), src/master/master_ent.c
    """
    if instance.master_cf is None:
        return
    for entry in instance.master_cf.entries:
        if not isinstance(entry, BadFieldCount):
            continue
        text = entry.line.text
        if has_template_marks(text) or has_placeholder(text):
            continue
        count = len(entry.words)
        missing = FIELD_NAMES[count].replace("_", " ")
        what = "1 field" if count == 1 else f"{count} fields"
        yield Finding(
            entry.line.strip(" \t\r\v\f").location if count == 0 else _from_to(entry.words),
            f"{what} instead of 8, the {missing} field is missing: master will not start",
        )


def _from_to(words: tuple[SourceText, ...]) -> Location:
    first, last = words[0], words[-1]
    return Location(first.source, Span(first.span.start, last.span.end))


@rule("MST002", severity=Severity.ERROR, tags=("CWE-1287",))
def bad_field(instance: Instance) -> Iterator[Finding]:
    """A field of master.cf has a value that it can not have.

    Why: master(8) takes "y", "n" and "-" in small letters, the service types that it knows, and
        numbers. Anything else stops it, and all of Postfix. The private field of an inet service
        has to be "n": the default is "y".
    Fix: Write one of the values that the field takes.
    Bad:
        --- master.cf
        smtp inet - - n - - smtpd
    Good:
        --- master.cf
        smtp inet n - n - - smtpd
    References: master(5), src/master/master_ent.c
    """
    if instance.master_cf is None:
        return
    for entry in filled_in(instance):
        for name in _NO_DEFAULT:
            if entry.field(name).text == "-":
                where = entry.field(name).location
                yield Finding(where, f'"-" is no {name}: master will not start')
        for check in (_type, _switches, _private, _wakeup, _limit):
            yield from check(entry, instance.version)


def _type(entry: ServiceEntry, version: PostfixVersion) -> Iterator[Finding]:
    field = entry.field("type")
    text = field.text
    if text == "-":
        return
    if text not in service_types(version):
        if text in _TYPES:
            message = f'type "{text}" is not known to Postfix {version}: master will not start'
            yield Finding(field.location, message)
            return
        fix = _replace(field, text.lower()) if text.lower() in _TYPES else None
        yield Finding(field.location, f'"{text}" is no type: master will not start', fix=fix)
        return
    daemon = program(entry.field("command").text, version)
    if daemon is not None and text not in daemon.types:
        needs = " or ".join(daemon.types)
        yield Finding(
            field.location,
            f'{daemon.name} can not be of type "{text}", only {needs}: it will not start',
        )


def _switches(entry: ServiceEntry, _: PostfixVersion) -> Iterator[Finding]:
    for name in ("private", "unprivileged", "chroot"):
        field = entry.field(name)
        if field.text in ("y", "n", "-"):
            continue
        lower = field.text.lower()
        meant = _YES_NO.get(lower, lower)
        yield Finding(
            field.location,
            f'the {name} field takes y, n or -, not "{field.text}": master will not start',
            fix=_replace(field, meant) if meant in ("y", "n") else None,
        )


def _private(entry: ServiceEntry, _: PostfixVersion) -> Iterator[Finding]:
    field = entry.field("private")
    if entry.field("type").text == "inet" and field.text in ("y", "-"):
        how = "private" if field.text == "y" else 'private, which "-" stands for'
        yield Finding(
            field.location,
            f"an inet service can not be {how}: master will not start",
            fix=_replace(field, "n"),
        )


def _wakeup(entry: ServiceEntry, _: PostfixVersion) -> Iterator[Finding]:
    field = entry.field("wakeup")
    yield from _number(field, field.text.removesuffix("?"), "wakeup time")


def _limit(entry: ServiceEntry, _: PostfixVersion) -> Iterator[Finding]:
    field = entry.field("process_limit")
    yield from _number(field, field.text, "process limit")


def _number(field: SourceText, number: str, name: str) -> Iterator[Finding]:
    text = field.text
    if text == "-" or (number.isascii() and number.isdigit()):
        return
    digits = len(text) - len(text.lstrip("0123456789"))
    if digits:
        message = f'the {name} "{text}" is read as {text[:digits]}; postconf refuses it'
        yield Finding(field.location, message, severity=Severity.WARNING)
        return
    message = f'the {name} is a number or "-", not "{text}": master will not start'
    yield Finding(field.location, message)


def _replace(field: SourceText, text: str) -> Fix:
    return Fix(f'write "{text}"', (Edit(field.location, text),), "safe")
