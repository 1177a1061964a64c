"""PAR003 and PAR004: parameters that are on their way out, and those without effect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from postlint.analysis.names import explicit_settings, names_of
from postlint.analysis.versions import interval_of
from postlint.lint.edits import delete_lines, rename
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.postfix import obsolete, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting
    from postlint.postfix.obsolete import Obsolete
    from postlint.postfix.versions import PostfixVersion

_SWITCHES = {"_use_tls": "may", "_enforce_tls": "encrypt"}
_OTHER_FORMAT = frozenset(
    {
        "disable_dns_lookups",
        "lmtp_tls_per_site",
        "smtp_tls_per_site",
        "tlsproxy_client_per_site",
    }
)


@rule("PAR003", severity=Severity.WARNING, tags=("CWE-477", "DEPRECATION_README"))
def deprecated_parameter(instance: Instance) -> Iterator[Finding]:
    """A parameter is deprecated: Postfix warns about it and will remove it.

    Why: The name still works. postconf and the daemons warn since the release that the finding
        names, and a later one will ignore the setting without another word.
    Fix: Use the parameter that replaces it.
    Bad (Postfix 3.9):
        smtpd_use_tls = yes
    Good (Postfix 3.9):
        smtpd_tls_security_level = may
    References: DEPRECATION_README, src/postconf/postconf_unused.c
    """
    for service, setting in explicit_settings(instance):
        entry = obsolete.get(setting.name)
        if entry is None or entry.warned_since is None or entry.dead_in(instance.version):
            continue
        use = names_of(instance).use(setting.name, service)
        if use not in ("built-in", "legacy"):
            continue
        yield _deprecated(setting, service, entry, instance)


@rule("PAR004", severity=Severity.WARNING, tags=("CWE-477", "DEPRECATION_README"))
def dead_obsolete_parameter(instance: Instance) -> Iterator[Finding]:
    """A parameter has no effect any more.

    Why: Postfix accepts the line and does nothing with it. What it once switched on or off is
        now decided elsewhere, or always.
    Fix: Delete the line; where another parameter took over, set that one.
    Bad:
        smtpd_tls_eecdh_grade = strong
    Good:
        smtpd_tls_security_level = may
    References: postconf(5), DEPRECATION_README, RELEASE_NOTES
    """
    names = names_of(instance)
    interval = interval_of(instance)
    for service, setting in explicit_settings(instance):
        parameter = parameters.get(setting.name)
        if parameter is not None and parameter.readonly and setting.name_text is not None:
            yield _read_only(setting, service)
        entry = obsolete.get(setting.name)
        if entry is None or names.use(setting.name, service) in ("legacy", "class", "mentioned"):
            continue
        dead = interval.holds(partial(_is_dead, entry))
        if dead == "never":
            continue
        since = entry.dead_since if entry.dead_in(instance.version) else entry.removed_in
        when = f" since {_release(since)}" if since is not None else ""
        doubt = "" if dead == "always" else " (depends on the version)"
        if not entry.implemented:
            text = f"{setting.name} has no effect: no Postfix version ever read it"
        else:
            text = f"{setting.name} has no effect{when}{doubt}{_advice(entry)}"
        fix = None
        if service is None and setting.location is not None:
            safe = instance.pinned and dead == "always"
            edits = (delete_lines(setting.location),)
            fix = Fix("delete the line", edits, "safe" if safe else "unsafe")
        harmless = dead != "always" or _says_what_happens(setting)
        yield _finding(setting, service, text, Severity.INFO if harmless else None, fix)


def _says_what_happens(setting: Setting) -> bool:
    """Whether a dead line repeats the last default, by which Postfix goes on."""
    parameter = parameters.get(setting.name)
    history = () if parameter is None else parameter.default_history()
    return bool(history) and setting.text == history[-1][1]


def _is_dead(entry: Obsolete, version: PostfixVersion) -> bool:
    parameter = parameters.get(entry.name)
    if parameter is not None and parameter.legacy_in(version):
        return False
    return entry.dead_in(version) or entry.removed_from(version)


def _deprecated(
    setting: Setting, service: Service | None, entry: Obsolete, instance: Instance
) -> Finding:
    interval = interval_of(instance)
    replaceable = entry.replacement is None or entry.replaceable_in(interval.oldest)
    always = interval.holds(entry.warned_in) == "always"
    # Without a version given it still works everywhere: a matter of tidiness, until an upgrade.
    severity = None if always and replaceable and instance.pinned else Severity.INFO
    if not entry.warned_in(instance.version):
        text = f"{setting.name} is deprecated from Postfix {entry.warned_since} on"
    else:
        text = f"{setting.name} is deprecated since Postfix {entry.warned_since}"
    fix = _replacement_fix(setting, service, entry, instance) if replaceable else None
    return _finding(setting, service, f"{text}{_advice(entry)}", severity, fix)


def _advice(entry: Obsolete) -> str:
    advice = entry.advice
    if advice.startswith("do not"):
        return ": leave it out"
    return f": {advice}"


def _replacement_fix(
    setting: Setting, service: Service | None, entry: Obsolete, instance: Instance
) -> Fix | None:
    new = entry.replacement
    scope = instance.main if service is None else service
    if new is None or setting.name in _OTHER_FORMAT or scope.explicit(new) is not None:
        return None
    if service is None and any(found.overrides(setting.name) for found in instance.services):
        return None
    if names_of(instance).mentioned(setting.name):
        return None
    edit = rename(setting, new)
    if edit is None:
        return None
    for suffix, level in _SWITCHES.items():
        if setting.name.endswith(suffix):
            return _level_fix(setting, edit, level, instance)
    if not setting.text:
        return None  # the new name's default may fall back on something else then
    if setting.name.endswith("_enforce_peername") or not entry.replaceable_in(instance.version):
        return None
    return Fix(f"rename it to {new}", (edit,), "safe")


def _level_fix(setting: Setting, edit: Edit, level: str, instance: Instance) -> Fix | None:
    """use_tls = yes is level may, enforce_tls = yes level encrypt, when nothing else is said."""
    word = setting.text.strip().lower()
    other = (
        setting.name.replace("_use_tls", "_enforce_tls")
        if setting.name.endswith("_use_tls")
        else setting.name.replace("_enforce_tls", "_use_tls")
    )
    if word != "yes" or other in instance.settings or setting.value is None:
        return None
    if any(service.overrides(other) for service in instance.services):
        return None
    edits = (edit, Edit(setting.value.location, level))
    return Fix(f"write {edit.text} = {level}", edits, "safe")


def _release(text: str | None) -> str:
    """The first of several releases, in words."""
    releases = (text or "").replace(",", " ").split()
    return f"Postfix {releases[-1]}" if releases else "long ago"


def _finding(
    setting: Setting,
    service: Service | None,
    text: str,
    severity: Severity | None,
    fix: Fix | None,
) -> Finding:
    assert setting.name_text is not None
    return Finding(
        setting.name_text.location,
        text,
        severity=severity,
        parameter=setting.name,
        service=None if service is None else service.label,
        fix=fix,
    )


def _read_only(setting: Setting, service: Service | None) -> Finding:
    assert setting.name_text is not None
    return Finding(
        setting.name_text.location,
        f"{setting.name} can only be read: each program sets it for itself, whatever is said here",
        parameter=setting.name,
        service=None if service is None else service.label,
    )
