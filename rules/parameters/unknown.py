"""PAR001: names that Postfix does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import (
    counterpart,
    looks_built_in,
    names_of,
    vendor_patch,
)
from postlint.lint.edits import rename
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.names import Names
    from postlint.config.instance import Instance
    from postlint.config.settings import Setting

_TEMPLATE_SIGNS = frozenset("{}%<>@$")
_INVISIBLE = "\ufeff\u00a0\u200b"


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
        if use == "no service":
            yield _without_service(setting, names)
        elif use == "vendor":
            yield _of_a_patch(setting)
        elif use == "unused" and _is_ours(name, instance):
            finding = _unknown(setting, names)
            if finding is not None:
                yield finding


def _is_ours(name: str, instance: Instance) -> bool:
    """Whether no other rule says more about an unknown name."""
    if not _TEMPLATE_SIGNS.isdisjoint(name) or any(sign in name for sign in _INVISIBLE):
        return False
    lower = name.lower()
    if lower != name and names_of(instance).use(lower) in ("built-in", "legacy"):
        return False  # PAR010
    return counterpart(name, instance.version) is None  # else PAR006


def _unknown(setting: Setting, names: Names) -> Finding | None:
    name = setting.name
    suggestion = names.suggest(name)
    fix = None
    hint = ""
    if suggestion is not None:
        hint = f"; did you mean {suggestion.name}?"
        edit = rename(setting, suggestion.name)
        if edit is not None and suggestion.name not in names.instance.settings:
            fix = Fix(f"rename it to {suggestion.name}", (edit,), "unsafe")
        elif suggestion.name in names.instance.settings:
            hint = f"; {suggestion.name}, which was probably meant, is set too"
    close = suggestion is not None and suggestion.close
    hidden = suggestion is None or names.instance.master_cf is None
    if not close and not looks_built_in(name) and hidden:
        return None  # a macro: used from a master.cf that is not here, or else PAR008
    severity = Severity.WARNING
    text = f'unknown parameter "{_shown(name)}": Postfix ignores it{hint}'
    if close:
        severity = Severity.ERROR
    elif names.instance.master_cf is None:
        severity = Severity.INFO
        ignored = "unless master.cf mentions it, Postfix ignores it"
        text = f'unknown parameter "{_shown(name)}": {ignored}{hint}'
    return _finding(setting, text, severity, fix)


def _without_service(setting: Setting, names: Names) -> Finding:
    from postlint.postfix.service_parameters import match_service_parameter

    matched = match_service_parameter(setting.name)
    service, suffix = (matched[0], matched[1]) if matched is not None else (setting.name, "")
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
    edit = None if near is None else rename(setting, f"{near}{suffix}")
    fix = None
    if edit is not None:
        fix = Fix(f"rename it to {near}{suffix}", (edit,), "unsafe")
    return _finding(
        setting,
        f'master.cf has no service "{service}": nothing reads {setting.name}{hint}',
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
