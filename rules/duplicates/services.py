"""DUP002 and DUP003: overrides and services that master.cf gives more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.effective import UNKNOWN
from postlint.lint.edits import skip_back, skip_on
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import inet_port
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.branches import Branches
    from postlint.config.instance import Instance
    from postlint.syntax.master_cf import MasterCf, Override, ServiceEntry

_BLANKS = WHITE_SPACE.replace("\n", "")
_REUSES_PORTS = (3, 6)
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_ENDPOINT = LazyPattern(r"(?:(\[[^\]]*\]|[^:\[\]]*):)?([^:]+)\Z")


@rule("DUP002", severity=Severity.WARNING, tags=("CWE-694",))
def duplicate_override(master_cf: MasterCf) -> Iterator[Finding]:
    """A service overrides the same parameter twice.

    Why: The last -o of an entry counts, and nothing is logged about the others. One of the two
        values is not what the daemon works with.
    Fix: Keep the one that is meant.
    Bad:
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd
          -o smtpd_helo_required=yes
          -o smtpd_helo_required=no
    Good:
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd
          -o smtpd_helo_required=yes
    References: master(5), src/master/single_server.c
    """
    for entry in master_cf.services:
        last: dict[str, Override] = {}
        for override in entry.overrides:
            if override.name is not None:
                last[override.name.text] = override
        if len(last) == len(entry.overrides):
            continue
        for override in entry.overrides:
            if override.name is None or last[override.name.text] is override:
                continue
            yield _dead_override(entry, override, last[override.name.text])


@rule("DUP003", severity=Severity.ERROR, tags=("CWE-694",))
def duplicate_service(instance: Instance) -> Iterator[Finding]:
    """master.cf defines the same service twice.

    Why: master(8) takes the last entry for a name and type, with its options only, and logs a
        warning; what the first says is lost. Names of ports count as their numbers: smtps,
        submissions and 465 are one service. Two entries that listen on the same address, one of
        them because of inet_interfaces, share its connections at random (before Postfix 3.6 the
        second can not be bound).
    Fix: Join the two entries, or delete one.
    Bad:
        myhostname = mx.example.com
        --- master.cf
        submissions inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
        465 inet n - n - - smtpd
    Good:
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd
        smtp unix - - n - - smtp
    References: master(5), src/master/master_conf.c, src/master/master_ent.c, src/util/inet_listen.c
    """
    if instance.master_cf is None:
        return
    services: dict[tuple[str, str, str], list[ServiceEntry]] = {}
    for entry in instance.master_cf.services:
        key = _identity(entry)
        if key is not None:
            services.setdefault(key, []).append(entry)
    branches: Branches | None = None
    for entries in services.values():
        for entry in entries[:-1]:
            if branches is None:
                from postlint.analysis.branches import Branches

                branches = Branches(instance.master_cf.source)
            yield _dead_service(entry, entries[-1], alternative=branches.differ(entry, entries[-1]))
    yield from _conflicts(instance, services)


def _dead_override(entry: ServiceEntry, override: Override, last: Override) -> Finding:
    name = override.name.text if override.name is not None else ""
    value = override.value.text if override.value is not None else ""
    final = last.value.text if last.value is not None else ""
    same = value == final
    source = entry.line.source
    service = f"{entry.fields[0].text}/{entry.fields[1].text}"
    said = "with the same value" if same else f'the last value, "{final}", counts'
    return Finding(
        Location(source, override.span),
        f"-o {name} is given twice for {service}: {said}",
        severity=Severity.INFO if same else None,
        parameter=name,
        service=service,
        related=(Related("the one that counts", Location(source, last.span)),),
        fix=Fix("delete the earlier one", (_delete_word(override),), "safe"),
    )


def _delete_word(override: Override) -> Edit:
    """Delete an override with the white space before it; its line too, if nothing is left."""
    source = override.argument.raw.source
    text = source.text
    start, end = override.span
    before = skip_back(text, start, _BLANKS)
    after = skip_on(text, end, _BLANKS)
    first = before == 0 or text[before - 1] == "\n"
    last = after == len(text) or text[after] == "\n"
    if first and last and before:
        return Edit(Location(source, Span(before, min(after + 1, len(text)))), "")
    if first:  # the white space before it must stay
        return Edit(Location(source, Span(start, after)), "")
    return Edit(Location(source, Span(before, end)), "")


def _identity(entry: ServiceEntry) -> tuple[str, str, str] | None:
    """What master(8) takes for one service: type, host part, and port or name."""
    name, kind = entry.fields[0].text, entry.fields[1].text
    if UNKNOWN in name or any(character in name for character in "{}<>%@"):
        return None
    if kind != "inet":  # public and private sockets lie in different folders
        public = entry.field("private").text == "n"
        return (kind, "public" if public else "private", name)
    match = _ENDPOINT.match(name)
    if match is None:
        return (kind, "", name)
    host = (match[1] or "").lower().strip("[]")
    port = inet_port(match[2])
    return (kind, host, match[2].lower() if port is None else str(port))


def _dead_service(entry: ServiceEntry, last: ServiceEntry, *, alternative: bool) -> Finding:
    name, kind = entry.fields[0].text, entry.fields[1].text
    line = last.fields[0].location.start.line
    other = last.fields[0].text
    alias = "" if other == name else f' as "{other}"'
    same = [word.text for word in entry.words[1:]] == [word.text for word in last.words[1:]]
    effect = "the two entries are equal" if same else "this entry is dead, with its options"
    severity = Severity.WARNING if same else None
    if alternative:
        severity = Severity.INFO
        effect = "unless the template chooses one of them, only that entry counts"
    return Finding(
        entry.fields[0].location,
        f"{name}/{kind} is defined again on line {line}{alias}: {effect}",
        severity=severity,
        service=f"{name}/{kind}",
        related=(Related("the entry that counts", last.fields[0].location),),
    )


def _conflicts(
    instance: Instance, services: dict[tuple[str, str, str], list[ServiceEntry]]
) -> Iterator[Finding]:
    """Entries that name an address which an entry without one listens on too.

    From 3.6 on both can be bound (SO_REUSEPORT), and on the very same address the kernel gives
    each connection to one or the other; before that, master(8) ends.
    """
    interfaces = instance.main["inet_interfaces"]
    if not interfaces.known:
        return
    words = {element.text.lower() for element in interfaces.elements()}
    for (kind, host, port), entries in services.items():
        wildcard = services.get((kind, "", port))
        if kind != "inet" or not host or wildcard is None:
            continue
        address = "127.0.0.1" if host == "localhost" else host
        same = bool(words & {address, f"[{address}]", host})
        same = same or ("loopback-only" in words and address in _LOOPBACK)
        shared = instance.version >= _REUSES_PORTS
        if not same and ("all" not in words or shared):
            continue
        name = entries[-1].fields[0].text
        other = wildcard[-1].fields[0].text
        effect = "each connection gets one of the two" if shared else "master will not start"
        yield Finding(
            entries[-1].fields[0].location,
            f'"{name}" and "{other}" listen on the same address and port: {effect}',
            service=f"{name}/{kind}",
            related=(Related("listens there too", wildcard[-1].fields[0].location),),
        )
