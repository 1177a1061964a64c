"""TLS: hardening on the parameter that the security level does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from postlint.analysis.names import names_of
from postlint.analysis.roles import is_public
from postlint.analysis.tls import PolicyUse, tls_of
from postlint.analysis.tls_protocols import BROKEN, LEGACY, protocols_of
from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import CIPHER_GRADES, cipher_grade

from .words import SIDES, service_items, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls import Kind, Use
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

_KINDS: tuple[Kind, ...] = ("protocols", "ciphers")

_NOBODY = {
    ("smtpd", True): "no service requires TLS",
    ("smtpd", False): "every service with TLS requires it",
    ("smtp", True): "TLS is required for no destination",
    ("smtp", False): "TLS is required for every destination",
}


@rule("TLS007", severity=Severity.WARNING, security=4.3, tags=("CWE-757",))
def wrong_parameter_for_level(instance: Instance) -> Iterator[Finding]:
    """Protocols or ciphers are hardened on the parameter that the security level does not use.

    Why: Where TLS is optional (level may) Postfix takes smtpd_tls_protocols and
        smtpd_tls_ciphers, where it is required the parameters with "mandatory" in their names.
        Set on one of the two, hardening does nothing for services that use the other.
    Fix: Set the other parameter too, or move the value there.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_mandatory_ciphers = high
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_ciphers = high
        smtpd_tls_mandatory_ciphers = high
    References: postconf(5) smtpd_tls_mandatory_ciphers, postconf(5) smtpd_tls_ciphers, TLS_README
    """
    for side in SIDES:
        for kind in _KINDS:
            yield from _without_effect(instance, side, kind)
    for kind in _KINDS:
        yield from _left_at_default(instance, kind)


def _without_effect(instance: Instance, side: str, kind: Kind) -> Iterator[Finding]:
    """A parameter that no service uses while its twin keeps a weaker default."""
    tls = tls_of(instance)
    for mandatory in (True, False):
        value = instance.main[_name(side, kind, mandatory=mandatory)]
        twin = instance.main[_name(side, kind, mandatory=not mandatory)]
        location = value.value_location
        if value.setting.origin != "main.cf" or location is None or _is_set(instance, twin.name):
            continue
        if tls.used(side, kind, mandatory=mandatory) is not False:
            continue
        if tls.used(side, kind, mandatory=not mandatory) is not True:
            continue
        if names_of(instance).mentioned(value.name) or not _stricter(value, twin, instance, kind):
            continue
        reason = _NOBODY["smtpd" if side == "smtpd" else "smtp", mandatory]
        # Medium is the grade that Postfix advises where TLS is optional.
        enough = side != "smtpd" and kind == "ciphers" and not _weak(twin, instance, kind)
        yield Finding(
            location,
            f"{value.name} has no effect: {reason}; {twin.name} counts and"
            f" is {shown(twin)} by default",
            severity=Severity.INFO if enough and mandatory else None,
            parameter=value.name,
        )


def _left_at_default(instance: Instance, kind: Kind) -> Iterator[Finding]:
    """A service that uses the default of one parameter while others use its hardened twin."""
    groups: dict[tuple[object, ...], tuple[Finding, list[Use]]] = {}
    for use in tls_of(instance).uses(kind):
        found = _weaker_default(use, instance, kind)
        if found is not None:
            key = (found.location.path, found.location.span, found.message)
            groups.setdefault(key, (found, []))[1].append(use)
    for finding, uses in groups.values():
        finding.services = service_items(uses)
        yield finding


def _weaker_default(use: Use, instance: Instance, kind: Kind) -> Finding | None:
    side = use.value.name.partition("_")[0]
    location = use.why_location
    if use.value.explicit or location is None:
        return None
    twin = use.service[_name(side, kind, mandatory=not use.mandatory)]
    if not twin.explicit or not _stricter(twin, use.value, instance, kind):
        return None
    if tls_of(instance).used(side, kind, mandatory=not use.mandatory) is False:
        return None  # reported at the twin
    if use.side == "server" and is_public(use.service) is False:
        return None
    weak = _weak(use.value, instance, kind)
    if not use.mandatory and not weak and use.side == "client":
        return None
    severe = use.mandatory or weak
    return Finding(
        location,
        f"{_where(use)} {use.value.name} counts, by default {shown(use.value) or '(empty)'},"
        f" not {twin.name} = {shown(twin)}",
        severity=Severity.WARNING if severe else Severity.INFO,
        security_severity=4.3 if severe else None,
        parameter=use.value.name,
        related=[Related("counts for other services only", place)]
        if (place := twin.value_location) is not None
        else (),
    )


def _where(use: Use) -> str:
    """The mode or level in words."""
    if isinstance(use.why, PolicyUse):
        return "with this policy"
    if use.why.name.endswith("_wrappermode"):
        return "in wrapper mode"
    if use.why.name.endswith("_security_level"):
        return f"at level {use.why.word()}"
    return "where TLS is required" if use.mandatory else "where TLS is optional"


def _name(side: str, kind: Kind, *, mandatory: bool) -> str:
    return f"{side}_tls_{'mandatory_' if mandatory else ''}{kind}"


def _is_set(instance: Instance, name: str) -> bool:
    return name in instance.settings or any(
        service.overrides(name) for service in instance.services
    )


def _stricter(value: Effective, twin: Effective, instance: Instance, kind: Kind) -> bool:
    """Whether a value certainly allows less that is old or weak than its twin."""
    if kind == "ciphers":
        rank, other = _rank(value, instance), _rank(twin, instance)
        return rank is not None and other is not None and rank < other
    offered, others = _old(value, instance), _old(twin, instance)
    return offered is not None and others is not None and offered < others


def _rank(value: Effective, instance: Instance) -> int | None:
    grade = cipher_grade(value.word() or "", instance.version)
    return None if grade is None else CIPHER_GRADES.index(grade)


def _old(value: Effective, instance: Instance) -> frozenset[str] | None:
    side: Literal["server", "client"] = "server" if value.name.startswith("smtpd_") else "client"
    offered = protocols_of(instance, value).offered(side)
    if offered is None:
        return None
    return frozenset(name for name in (*offered.certain, *offered.library) if name in LEGACY)


def _weak(value: Effective, instance: Instance, kind: Kind) -> bool:
    """Whether a default is weak by any measure."""
    if kind == "ciphers":
        grade = cipher_grade(value.word() or "", instance.version)
        return grade in ("low", "export")
    offered = protocols_of(instance, value).offered()
    return offered is not None and any(name in BROKEN for name in offered.certain)
