"""MST015, MST017: what inet services listen on, and which of them should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.command_lines import filled_in
from postlint.analysis.templates import is_unfilled
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import INET_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.syntax.source import SourceText

_SERVICES_FILE = "/etc/services"
_OLD_NAMES = ("smtps", "ssmtp")
_MAIL_NAMES = ("lmtp", "smtp", "smtps", "submission", "submissions")
_OTHER_NAMES = frozenset({"domain", "http", "https", "imap", "imaps", "pop3", "pop3s", "sieve"})
"""Not for mail transport, but known to every services(5)."""


@rule("MST015", severity=Severity.ERROR, tags=("RFC 8314",))
def unknown_port_name(instance: Instance) -> Iterator[Finding]:
    """A service listens on a port whose name the host does not know.

    Why: master(8) looks the name up in services(5), in exact case. If it is not there, it does
        not start, and with it all of Postfix. Old names such as "smtps" are in some of these
        files only.
    Fix: Write the number, or a name that the services(5) of the host has.
    Bad:
        --- master.cf
        smtpss inet n - n - - smtpd
          -o smtpd_tls_wrappermode=yes
    Good:
        --- master.cf
        submissions inet n - n - - smtpd
          -o smtpd_tls_wrappermode=yes
    References: master(5), services(5), RFC 8314
    """
    if instance.master_cf is None:
        return
    known = _names_on_host(instance)
    for entry in filled_in(instance):
        if entry.fields[1].text != "inet":
            continue
        name = entry.fields[0]
        port = name.cut(name.text.rfind(":") + 1, len(name))
        if not port.text:
            continue
        if port.text.isascii() and port.text.isdigit():
            yield from _number(port)
        elif port.text[0].isdigit():
            yield _unknown(port, "is no number of a port: master will not start", Severity.ERROR)
        elif known is not None:
            if port.text not in known:
                where = f"{_SERVICES_FILE} of this host"
                yield _unknown(port, f"is not in {where}: master will not start", Severity.ERROR)
        elif not is_unfilled(port.text):  # behind "127.0.0.1:"
            yield from _name(port)


def _number(port: SourceText) -> Iterator[Finding]:
    number = int(port.text[:20])
    if number > 65535:
        yield Finding(
            port.location,
            f"there is no port {port.text}: the system takes {number % 65536} instead",
        )


def _name(port: SourceText) -> Iterator[Finding]:
    """A name, where nobody can ask the host."""
    text = port.text
    if text in _OLD_NAMES:
        yield Finding(
            port.location,
            f'"{text}" is an old name of port 465: where services(5) lacks it, master will not'
            ' start; the registered name is "submissions"',
            severity=Severity.INFO,
            fix=_replace(port, "465", "unsafe"),
        )
    elif text not in INET_PORTS and text not in _OTHER_NAMES:
        lower = text.lower()
        if lower in INET_PORTS:
            problem = "is no name of a port, they are in lower case: master will not start"
            yield _unknown(port, problem, Severity.ERROR, _replace(port, lower, "safe"))
            return
        near = _nearest(lower)
        if near is not None:
            problem = f'is no name of a port (did you mean "{near}"?): master will not start'
            yield _unknown(port, problem, Severity.ERROR, _replace(port, near, "unsafe"))
            return
        problem = "is no well-known port: unless services(5) has it, master will not start"
        yield _unknown(port, problem, Severity.WARNING)


def _unknown(port: SourceText, problem: str, severity: Severity, fix: Fix | None = None) -> Finding:
    return Finding(port.location, f'"{port.text}" {problem}', severity=severity, fix=fix)


def _replace(port: SourceText, text: str, applicability: str) -> Fix:
    edit = Edit(port.location, text)
    return Fix(f"listen on {text}", (edit,), "safe" if applicability == "safe" else "unsafe")


def _nearest(name: str) -> str | None:
    from postlint.analysis.names import edit_distance

    near = sorted(
        (distance, known)
        for known in _MAIL_NAMES
        if (distance := edit_distance(name, known, 2 if len(known) > 5 else 1)) is not None
    )
    return near[0][1] if near else None


def _names_on_host(instance: Instance) -> frozenset[str] | None:
    """The names in services(5), when the files of the host are here."""
    if not instance.files.complete:
        return None
    source = instance.files.read(_SERVICES_FILE)
    if source is None:
        return None
    names: set[str] = set()
    for line in source.text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[1].endswith("/tcp"):
            names.update(words[:1] + words[2:])
    return frozenset(names)
