"""PAR001, PAR006, PAR008, PAR010: names that Postfix does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import (
    counterpart,
    looks_built_in,
    names_of,
    vendor_patch,
)
from postlint.lint.edits import delete_lines, rename
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.names import Names
    from postlint.config.instance import Instance
    from postlint.config.settings import Setting
    from postlint.lint.finding import Applicability


@rule("PAR001", severity=Severity.ERROR, tags=("CWE-1109",))
def unknown_parameter(instance: Instance) -> Iterator[Finding]:
    """A parameter in main.cf has a name that Postfix does not know.

    Why: Postfix accepts any name and ignores those that it does not know; only postconf warns.
        The setting that was meant keeps its default, whatever the line says.
    Fix: Correct the name. For a macro of your own, use it: a name that some value mentions is
        not reported.
    Bad:
        smtpd_recipent_restrictions = reject_unauth_destination
    Good:
        smtpd_recipient_restrictions = reject_unauth_destination
    References: postconf(5), postconf(1), src/postconf/postconf_unused.c
    """
    names = names_of(instance)
    for name, setting in instance.settings.items():
        use = names.use(name)
        if use in ("no service", "unlisted service"):
            yield _without_service(setting, names)
        elif use == "vendor":
            yield _of_a_patch(setting)
        elif use == "unused" and names.unknown_kind(setting) == "other":
            finding = _unknown(setting, names)
            if finding is not None:
                yield finding


@rule("PAR006", severity=Severity.ERROR, tags=("CWE-1109",))
def wrong_daemon_prefix(instance: Instance) -> Iterator[Finding]:
    """A parameter of the SMTP client is written for the server, or the reverse.

    Why: smtpd_ belongs to the server, smtp_ to the client. Most parameters exist on one side
        only; on the other the name means nothing, and the setting has no effect.
    Fix: Use the name of the side that has it.
    Bad:
        smtp_recipient_restrictions = reject_unauth_destination
    Good:
        smtpd_recipient_restrictions = reject_unauth_destination
    References: postconf(5), smtp(8), smtpd(8)
    """
    names = names_of(instance)
    for name, setting in instance.settings.items():
        if names.use(name) != "unused" or names.unknown_kind(setting) != "other side":
            continue
        other = counterpart(name, instance.version)
        assert other is not None
        mine = "server" if name.startswith("smtpd_") else "client"
        theirs = "server" if other.startswith("smtpd_") else "client"
        sides = f"the SMTP {theirs} has {other}, the {mine} no such parameter"
        if mine == theirs:
            sides = f"the SMTP client has {other}, the LMTP client no such parameter"
        fix = None
        if other not in instance.settings:
            fix = renamed(setting, other, "unsafe")
        yield _finding(setting, f"{name} configures nothing: {sides}", Severity.ERROR, fix)


@rule("PAR008", severity=Severity.INFO, tags=("CWE-563",))
def unused_user_parameter(instance: Instance) -> Iterator[Finding]:
    """A parameter of your own is never used.

    Why: A name that Postfix does not know is a macro for other values. When nothing mentions it
        with a dollar sign, in main.cf or master.cf, the line does nothing.
    Fix: Use it, or delete the line.
    Bad:
        foo_list = 192.0.2.0/24
        mynetworks = 127.0.0.0/8
    Good:
        foo_list = 192.0.2.0/24
        mynetworks = 127.0.0.0/8, $foo_list
    References: postconf(5), postconf(1)
    """
    if instance.master_cf is None:
        return
    names = names_of(instance)
    for name, setting in instance.settings.items():
        if names.use(name) != "unused" or names.unknown_kind(setting) != "other":
            continue
        if looks_built_in(name) or names.suggest(name) is not None or names.as_word(name):
            continue
        fix = None
        if setting.location is not None:
            fix = Fix("delete the line", (delete_lines(setting.location),), "unsafe")
        text = f'"{_shown(name)}" is no parameter of Postfix, and no value mentions ${_shown(name)}'
        yield _finding(setting, text, Severity.INFO, fix)


@rule("PAR010", severity=Severity.ERROR, tags=("CWE-1109",))
def case_mismatch_name(instance: Instance) -> Iterator[Finding]:
    """The name of a parameter is written with capitals.

    Why: Names are case-sensitive, and almost all consist of small letters. Postfix takes the
        other spelling for a macro of your own, which nothing uses.
    Fix: Write the name as postconf prints it.
    Bad:
        MyHostname = mx.example.com
    Good:
        myhostname = mx.example.com
    References: postconf(5)
    """
    names = names_of(instance)
    for name, setting in instance.settings.items():
        if names.use(name) != "unused" or names.unknown_kind(setting) != "case":
            continue
        right = names.right_case(name)
        assert right is not None
        fix = None if right in instance.settings else renamed(setting, right, "safe")
        text = f'"{name}" is not "{right}": names are case-sensitive, Postfix ignores this one'
        yield _finding(setting, text, Severity.ERROR, fix)


def renamed(setting: Setting, name: str, applicability: Applicability) -> Fix | None:
    """The fix that gives a setting another name."""
    edit = rename(setting, name)
    return None if edit is None else Fix(f"rename it to {name}", (edit,), applicability)


def _unknown(setting: Setting, names: Names) -> Finding | None:
    name = setting.name
    suggestion = names.suggest(name)
    if suggestion is None or not suggestion.close:
        hidden = suggestion is None or names.instance.master_cf is None
        if not looks_built_in(name) and hidden:
            return None  # a macro: used from a master.cf that is not here, or else PAR008
    fix = None
    hint = ""
    severity = Severity.WARNING
    ignored = "Postfix ignores it"
    if suggestion is not None and suggestion.close:
        severity = Severity.ERROR
    elif names.instance.master_cf is None:
        severity = Severity.INFO
        ignored = "unless master.cf mentions it, Postfix ignores it"
    if suggestion is not None and suggestion.name in names.instance.settings:
        hint = f"; {suggestion.name}, which was probably meant, is set too"
    elif suggestion is not None:
        hint = f"; did you mean {suggestion.name}?"
        fix = renamed(setting, suggestion.name, "unsafe")
    text = f'unknown parameter "{_shown(name)}": {ignored}{hint}'
    return _finding(setting, text, severity, fix)


def _without_service(setting: Setting, names: Names) -> Finding:
    from postlint.postfix.service_parameters import match_service_parameter

    matched = match_service_parameter(setting.name)
    service, suffix = (matched[0], matched[1]) if matched is not None else (setting.name, "")
    if names.use(setting.name) == "unlisted service":
        return _finding(
            setting,
            f'the queue manager reads {setting.name} for a transport "{service}", but postconf says'
            " that nothing does: it does not know the program of this service for a delivery agent",
            Severity.INFO,
            None,
        )
    suggestion = names.suggest(setting.name)
    if suggestion is not None and suggestion.close and service not in ("smtp", "lmtp", "relay"):
        return _finding(
            setting,
            f'unknown parameter "{setting.name}": Postfix ignores it; '
            f"did you mean {suggestion.name}?",
            Severity.ERROR,
            None,
        )
    near = names.similar_service(service)
    hint = "" if near is None else f"; did you mean {near}{suffix}?"
    kind = "pipe or spawn service" if suffix == "_time_limit" else "service"
    fix = None if near is None else renamed(setting, f"{near}{suffix}", "unsafe")
    return _finding(
        setting,
        f'master.cf has no {kind} "{service}": nothing reads {setting.name}{hint}',
        Severity.WARNING,
        fix,
    )


def _of_a_patch(setting: Setting) -> Finding:
    patch = vendor_patch(setting.name)
    text = f"{setting.name} is a parameter of {patch}; without it, Postfix ignores it"
    return _finding(setting, text, Severity.INFO, None)


def _finding(setting: Setting, text: str, severity: Severity, fix: Fix | None) -> Finding:
    assert setting.name_text is not None
    return Finding(
        setting.name_text.location, text, severity=severity, parameter=setting.name, fix=fix
    )


def _shown(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
