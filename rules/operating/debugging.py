"""OPS001 to OPS003: what is for tests and was left on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.readers import explicit_values
from postlint.lint.edits import replace_value
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.syntax.master_cf import MasterCf, ServiceEntry
    from postlint.syntax.source import SourceText

_BLANKS = " \t\r"
_TLS_LOG_LEVELS = (
    "lmtp_tls_loglevel",
    "smtp_tls_loglevel",
    "smtpd_tls_loglevel",
    "tlsproxy_client_loglevel",
    "tlsproxy_tls_loglevel",
)
_WORDS = {
    "routine": 1,
    "debug": 2,
    "ssl-debug": 2,
    "ssl-expert": 3,
    "ssl-handshake-packet-dump": 3,
    "ssl-developer": 4,
    "ssl-session-packet-dump": 4,
}
_DETAILS = {
    0: "nothing: which mail went encrypted can not be told afterwards",
    2: "every TLS handshake step by step",
    3: "dumps of every TLS handshake",
    4: "in clear text what is sent through TLS, passwords among it",
}
_HIGHEST = 4
_SEVERITIES = {0: Severity.INFO, _HIGHEST: Severity.ERROR}
_PROGRAMS = {
    "lmtp_tls_loglevel": "lmtp",
    "smtp_tls_loglevel": "smtp",
    "smtpd_tls_loglevel": "smtpd",
}
_LOGGED = {
    "smtpd": "what clients say, passwords among it",
    "smtp": "what it says to servers, passwords among it",
    "lmtp": "what it says to servers, passwords among it",
}


@rule("OPS001", severity=Severity.ERROR)
def soft_bounce_left_on(instance: Instance) -> Iterator[Finding]:
    """Permanent errors are turned into temporary ones.

    Why: soft_bounce is a safety net while a configuration is tried out: whatever would be refused
        or returned is kept and tried again. Left on, it makes others send rejected spam for days,
        senders do not learn about typing errors in addresses, and the queue fills up.
    Fix: Remove the setting once the configuration works.
    Bad:
        soft_bounce = yes
    Good:
        soft_bounce = no
    References: postconf(5) soft_bounce
    """
    for item in explicit_values(instance):
        if item.setting.name != "soft_bounce" or item.value.yes is not True:
            continue
        location = item.value.value_location
        edit = replace_value(item.setting, "no")
        if location is None or edit is None:
            continue
        yield Finding(
            location,
            "soft_bounce = yes: what should be refused for good is only put off, by this server "
            "and by those that send to it",
            parameter="soft_bounce",
            service=item.service_label,
            fix=Fix("turn it off", (edit,), "unsafe"),
        )


@rule("OPS002", severity=Severity.WARNING, security=4.3, tags=("DEBUG_README", "CWE-532"))
def debug_left_on(instance: Instance) -> Iterator[Finding]:
    """Daemons log every detail, or start under a debugger.

    Why: With -v a daemon logs each step, the passwords of users who log in among them. With
        debug_peer_list it does so for the listed clients. The log grows by hundreds of lines for
        each message, and who reads it reads mail traffic.
    Fix: Take -v and -D out of master.cf, and empty debug_peer_list, when the problem is found.
    Bad:
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd -v
    Good:
        myhostname = mx.example.com
        --- master.cf
        smtp inet n - n - - smtpd
    References: DEBUG_README, postconf(5) debug_peer_list
    """
    if instance.master_cf is not None:
        yield from _options(instance, instance.master_cf)
    for item in explicit_values(instance):
        if item.setting.name != "debug_peer_list" or item.value.empty is not False:
            continue
        location = item.value.value_location
        if location is None:
            continue
        edit = replace_value(item.setting, "")
        yield Finding(
            location,
            f"debug_peer_list = {item.value.text.strip()}: every detail of these connections is "
            "logged, passwords among them",
            parameter="debug_peer_list",
            service=item.service_label,
            fix=None if edit is None else Fix("empty the list", (edit,), "unsafe"),
        )


def _options(instance: Instance, master_cf: MasterCf) -> Iterator[Finding]:
    debugger = instance.main["debugger_command"]
    for entry in master_cf.services:
        program = entry.field("command").text.rpartition("/")[2]
        label = f"{entry.fields[0].text}/{entry.fields[1].text}"
        for option in entry.options:
            if "v" in option.text:
                message = f"{program} -v logs each step and {_LOGGED.get(program, 'all addresses')}"
                fix = _without(entry, option, "v")
                yield Finding(option.location, message, service=label, fix=fix)
            if "D" in option.text and debugger.empty is False:
                place = debugger.value_location
                yield Finding(
                    option.location,
                    f"{program} -D starts debugger_command with every process",
                    severity=Severity.WARNING,
                    service=label,
                    related=() if place is None else (Related("debugger_command", place),),
                    fix=_without(entry, option, "D"),
                )


def _without(entry: ServiceEntry, option: SourceText, letter: str) -> Fix:
    """Take a letter out of an option, and the option with the blanks before it if no other is."""
    rest = option.text.replace(letter, "")
    source, span = entry.line.source, option.span
    if rest == "-":
        rest = ""
        text = source.text
        start, end = span
        while start and text[start - 1] in _BLANKS:
            start -= 1
        if start and text[start - 1] == "\n" and text[end : end + 1] == "\n":
            end += 1  # it has a line of its own
        span = Span(start, end)
    return Fix(f"remove -{letter}", (Edit(Location(source, span), rest),), "unsafe")


@rule("OPS003", severity=Severity.WARNING, tags=("TLS_README", "DEBUG_README", "CWE-532"))
def tls_loglevel(instance: Instance) -> Iterator[Finding]:
    """TLS is logged in more detail than an operator needs, or not at all.

    Why: Level 1 logs a line for each handshake. Level 2 adds its steps and 3 dumps its packets,
        hundreds of lines for each connection. Level 4 also logs what is sent after the handshake
        in clear text: mail, passwords, all that TLS is there to protect. With an explicit 0
        nobody can tell afterwards which mail went encrypted.
    Fix: Use level 1.
    Bad:
        smtpd_tls_loglevel = 4
    Good:
        smtpd_tls_loglevel = 1
    References: postconf(5) smtpd_tls_loglevel, TLS_README
    """
    for item in explicit_values(instance):
        name = item.setting.name
        if name not in _TLS_LOG_LEVELS or not item.value.known:
            continue
        location = item.value.value_location
        if location is None:
            continue
        level = _highest(item.value.text)
        if level == 1 or (level == 0 and not _uses_tls(instance, name)):
            continue
        edit = replace_value(item.setting, "1")
        yield Finding(
            location,
            f"{name} = {item.value.text.strip()} logs {_DETAILS[level]}",
            severity=_SEVERITIES.get(level, Severity.WARNING),
            security_severity=5.9 if level == _HIGHEST else None,
            parameter=name,
            service=item.service_label,
            fix=None if edit is None else Fix("use level 1", (edit,), "unsafe"),
        )


def _uses_tls(instance: Instance, name: str) -> bool:
    """Whether a level of 0 hides anything: some service of the daemon certainly uses TLS."""
    program = _PROGRAMS.get(name)
    if program is None:
        return False
    levels = [item[f"{program}_tls_security_level"] for item in instance.services_running(program)]
    return any((level.word() or "none") != "none" for level in levels)


def _highest(text: str) -> int:
    """The level; from 2.9 on it may be a list of words, most of them parts of a level."""
    levels = [0]
    for word in text.replace(",", " ").lower().split():
        number = integer(word) if word.isascii() and word.isdigit() else _WORDS.get(word, 0)
        levels.append(min(number, _HIGHEST))
    return max(levels)
