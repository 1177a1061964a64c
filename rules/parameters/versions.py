"""PAR002 and PAR005: parameters of other versions, and those that another one replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import explicit_settings, names_of
from postlint.analysis.readers import explicit_values
from postlint.analysis.versions import interval_of
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import obsolete, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.postfix.parameters import Parameter
    from postlint.postfix.versions import PostfixVersion

_LEVELS = {
    "smtpd": "smtpd_tls_security_level",
    "smtp": "smtp_tls_security_level",
    "lmtp": "lmtp_tls_security_level",
    "postscreen": "postscreen_tls_security_level",
    "tlsproxy": "tlsproxy_tls_security_level",
    "tlsproxy_client": "tlsproxy_client_security_level",
}
_OTHER_VALUES = ("disable_dns_lookups", "_use_tls", "_enforce_tls", "_peername", "_per_site")
"""Ends of names that were replaced by a parameter with other values."""

_STRENGTH = {"none": 0, "may": 1}
_SWITCHES = {"_use_tls": 1, "_enforce_tls": 2, "_tls_enforce_peername": 2}
_CERTIFICATES = tuple(
    f"_tls_{kind}_file" for kind in ("cert", "key", "dcert", "dkey", "eccert", "eckey")
)


@rule("PAR002", severity=Severity.ERROR, tags=("COMPATIBILITY_README",))
def not_in_this_version(instance: Instance) -> Iterator[Finding]:
    """A parameter does not exist in this version of Postfix.

    Why: Postfix ignores a name that it does not know. A newer security setting protects nothing
        on an older release, and a removed one has no effect any more.
    Fix: Upgrade, or use what this version has.
    Bad (Postfix 2.9):
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    Good (Postfix 2.10):
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: postconf(5), RELEASE_NOTES
    """
    names = names_of(instance)
    interval = interval_of(instance)
    for service, setting in explicit_settings(instance):
        if names.use(setting.name, service) != "other version":
            continue
        parameter = parameters.get(setting.name)
        gone = obsolete.get(setting.name)
        if parameter is None or (gone is not None and gone.removed_from(instance.version)):
            continue  # PAR004
        sometimes = interval.holds(parameter.exists_in) != "never"
        severity = Severity.ERROR if instance.pinned else Severity.WARNING
        if sometimes:
            severity = Severity.INFO
        doubt = " (depends on the version)" if sometimes else ""
        location = setting.name_text.location if setting.name_text is not None else None
        if location is not None:
            yield Finding(
                location,
                f"{setting.name} {_life(parameter, instance.version)}: "
                f"Postfix {instance.version} ignores it{doubt}{_older_name(parameter, instance)}",
                severity=severity,
                parameter=setting.name,
                service=None if service is None else service.label,
            )


@rule("PAR005", severity=Severity.WARNING, tags=("CWE-477", "TLS_README"))
def superseded_pair(instance: Instance) -> Iterator[Finding]:
    """A parameter is ignored because another one that replaces it is set.

    Why: Postfix looks at the older of the two only while the newer one is empty. What the line
        says is not what happens: with a security level "may" TLS is not enforced, even though
        smtpd_enforce_tls = yes stands beside it.
    Fix: Say it with the newer parameter, and delete the older one.
    Bad:
        smtpd_tls_security_level = may
        smtpd_enforce_tls = yes
    Good:
        smtpd_tls_security_level = encrypt
    References: postconf(5), TLS_README, DEPRECATION_README
    """
    for item in explicit_values(instance):
        name = item.setting.name
        scope: Scope = instance.main if item.service is None else item.service
        finding = (
            _switch(item, scope, instance)
            or _certificate(item, scope)
            or _old_name(item, scope, instance)
        )
        if finding is None and name.endswith("_tls_per_site"):
            finding = _pair(item, scope, name.replace("_tls_per_site", "_tls_policy_maps"))
        if finding is None and name == "mynetworks_style":
            # Beside mynetworks in -o it is a habit: both stand in what content filters document.
            severity = None if item.service is None else Severity.INFO
            finding = _pair(item, scope, "mynetworks", severity)
        if finding is not None:
            yield finding


def _life(parameter: Parameter, version: PostfixVersion) -> str:
    removed = parameter.removed
    if removed is not None and version.at_least(removed):
        return f"exists only until Postfix {parameter.last}"
    releases = parameter.introduced.replace(",", " ").split()
    if len(releases) > 1:
        return f"exists only from Postfix {', '.join(releases[:-1])} and {releases[-1]} on"
    return f"exists only from Postfix {releases[0]} on"


def _older_name(parameter: Parameter, instance: Instance) -> str:
    """What a version calls a parameter that a later one renamed."""
    for entry in obsolete.all_obsolete("parameter"):
        if entry.replacement != parameter.name or entry.name.endswith(_OTHER_VALUES):
            continue
        if parameters.is_known(entry.name, instance.version):
            return f"; here its name is {entry.name}"
    return ""


def _switch(item: Explicit, scope: Scope, instance: Instance) -> Finding | None:
    """use_tls, enforce_tls and enforce_peername beside a security level."""
    name = item.setting.name
    suffix = next((end for end in _SWITCHES if name.endswith(end)), None)
    if suffix is None or name.removesuffix(suffix) not in _LEVELS:
        return None
    parameter = _LEVELS[name.removesuffix(suffix)]
    level = scope[parameter]
    word = level.word()
    if not word or item.value.yes is None:
        return None
    wanted = _SWITCHES[suffix]
    actual = _STRENGTH.get(word, 2)
    severity: Severity | None = None
    if suffix == "_tls_enforce_peername":
        text = ""
        severity = Severity.INFO
    elif item.value.yes and actual < wanted:
        severity = Severity.ERROR
        text = ": TLS is not enforced" if wanted == 2 else ": TLS is off"
    elif not item.value.yes and actual >= wanted:
        text = ": TLS is required" if wanted == 2 else ": TLS is on"
    else:
        severity = Severity.INFO
        text = ", which says the same"
    fix = None
    if severity == Severity.INFO and suffix != "_tls_enforce_peername":
        fix = _deletion(item, parameter, instance)
    location = item.setting.name_text.location if item.setting.name_text is not None else None
    if location is None:
        return None
    return Finding(
        location,
        f"{name} = {item.value.text} is ignored because {parameter} is {word}{text}",
        severity=severity,
        parameter=name,
        service=item.service_label,
        related=_where(scope, parameter),
        fix=fix,
    )


def _deletion(item: Explicit, level: str, instance: Instance) -> Fix | None:
    """Delete a switch of main.cf that no service can need."""
    if item.service is not None or item.setting.location is None:
        return None
    if any(service[level].empty is not False for service in instance.services):
        return None
    if names_of(instance).mentioned(item.setting.name):
        return None
    return Fix("delete the line", (delete_lines(item.setting.location),), "safe")


def _certificate(item: Explicit, scope: Scope) -> Finding | None:
    name = item.setting.name
    if not name.endswith(_CERTIFICATES) or not item.value.known:
        return None
    if item.value.text in ("", "none"):
        return None
    suffix = next(end for end in _CERTIFICATES if name.endswith(end))
    return _pair(item, scope, name.removesuffix(suffix) + "_tls_chain_files")


def _old_name(item: Explicit, scope: Scope, instance: Instance) -> Finding | None:
    """An old name that works only as the default of the new one."""
    name = item.setting.name
    parameter = parameters.get(name)
    if parameter is None or not parameter.legacy_in(instance.version):
        return None
    new = parameter.replacement
    explicit = None if new is None else scope.explicit(new)
    if new is None or explicit is None or name in explicit.text or item.value.empty is not False:
        return None
    return _ignored(item, scope, new)


def _pair(
    item: Explicit, scope: Scope, other: str, severity: Severity | None = None
) -> Finding | None:
    parameter = parameters.get(other)
    if parameter is None or not parameter.exists_in(scope.version):
        return None
    if scope.explicit(other) is None or scope[other].empty is not False:
        return None
    if item.value.empty is not False:
        return None
    return _ignored(item, scope, other, severity)


def _ignored(
    item: Explicit, scope: Scope, other: str, severity: Severity | None = None
) -> Finding | None:
    if item.setting.name_text is None:
        return None
    return Finding(
        item.setting.name_text.location,
        f"{item.setting.name} is ignored because {other} is set",
        severity=severity,
        parameter=item.setting.name,
        service=item.service_label,
        related=_where(scope, other),
    )


def _where(scope: Scope, name: str) -> tuple[Related, ...]:
    explicit = scope.explicit(name)
    if explicit is None or explicit.location is None:
        return ()
    return (Related(f"{name} is set here", explicit.location),)
