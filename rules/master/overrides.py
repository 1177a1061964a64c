"""MST006, MST010: overrides that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import counterpart, looks_built_in, names_of
from postlint.analysis.readers import EVERYTHING, readers
from postlint.lint.edits import rename
from postlint.lint.finding import Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters
from postlint.postfix.services import program
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.names import Names
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.settings import Setting
    from postlint.postfix.versions import PostfixVersion

_SECURITY = LazyPattern(
    r"_restrictions$|_tls_(?:auth_only|security_level|wrappermode|(?:mandatory_)?(?:ciphers|protocols))$"
    r"|_sasl_auth_enable$|_sasl_(?:tls_)?security_options$"
)

_ROUTING = {
    "mydestination": "trivial-rewrite",
    "relay_domains": "trivial-rewrite",
    "relayhost": "trivial-rewrite",
}
_ONLY_OF_MAIN_CF = {"smtp": _ROUTING, "smtpd": _ROUTING}
"""Parameters that a daemon loads but leaves to another to act upon, as tests show."""

_SERVERS = frozenset({"postscreen", "smtpd"})
_TALK_SMTP = frozenset({"lmtp", "postscreen", "smtp", "smtpd"})
_NOT_FOR_SMTP = frozenset({"non_smtpd_milters"})

_GO_BETWEENS = frozenset({"proxymap", "oqmgr"})
"""Programs that load parameters for others."""


@rule("MST006", severity=Severity.ERROR, tags=("CWE-1109",))
def unknown_override(instance: Instance) -> Iterator[Finding]:
    """An override has a name that Postfix does not know.

    Why: A daemon accepts any name behind -o and ignores those that it does not know. The service
        then runs with the setting of main.cf that was to be overridden.
    Fix: Correct the name.
    Bad:
        --- master.cf
        submissions inet n - n - - smtpd
          -o smtpd_tls_wrapermode=yes
    Good:
        --- master.cf
        submissions inet n - n - - smtpd
          -o smtpd_tls_wrappermode=yes
    References: master(5), postconf(5), postconf(1)
    """
    names = names_of(instance)
    for service, setting in _overrides(instance):
        if names.use(setting.name, service) == "unused":
            finding = _unknown(setting, service, names)
            if finding is not None:
                yield finding


def _unknown(setting: Setting, service: Service, names: Names) -> Finding | None:
    name = setting.name
    kind = names.unknown_kind(setting)
    if kind == "template" or setting.name_text is None:
        return None
    meant: str | None = None
    certain = True
    if kind == "case":
        meant = names.right_case(name)
    elif kind == "other side":
        meant = counterpart(name, names.instance.version)
    else:
        suggestion = names.suggest(name)
        if suggestion is not None:
            meant, certain = suggestion
        if not certain or meant is None:
            if names.instance.main_cf is None:
                return None  # a macro for values that are not here
            if not looks_built_in(name):
                return _unused(setting, setting.name_text.location, service)
            certain = False
    hint = "" if meant is None else f" (did you mean {meant}?)"
    fix = None
    if meant is not None and not service.overrides(meant):
        edit = rename(setting, meant)
        fix = None if edit is None else Fix(f"rename it to {meant}", (edit,), "unsafe")
    return Finding(
        setting.name_text.location,
        f'{service.program} knows no parameter "{name}"{hint}: the override does nothing',
        severity=None if certain else Severity.WARNING,
        parameter=name,
        service=service.label,
        fix=fix,
    )


def _unused(setting: Setting, location: Location, service: Service) -> Finding:
    name = setting.name
    return Finding(
        location,
        f'"{name}" is no parameter of Postfix, and no value mentions ${name}: '
        "the override does nothing",
        severity=Severity.INFO,
        parameter=name,
        service=service.label,
    )


@rule("MST010", severity=Severity.WARNING, security=6.5, tags=("CWE-1109",))
def ineffective_override(instance: Instance) -> Iterator[Finding]:
    """An override sets a parameter that the daemon of the service does not read.

    Why: An override is for one process only. What another daemon does, such as cleanup for
        headers or trivial-rewrite for domains, is set in main.cf or at that daemon's own entry;
        here the line has no effect.
    Fix: Move the setting to main.cf, or to the service of the daemon that reads it.
    Bad:
        --- master.cf
        127.0.0.1:10025 inet n - n - - smtpd
          -o header_checks=
    Good:
        --- master.cf
        127.0.0.1:10025 inet n - n - - smtpd
          -o receive_override_options=no_header_body_checks
    References: master(5), smtpd(8), cleanup(8), trivial-rewrite(8)
    """
    names = names_of(instance)
    for service, setting in _overrides(instance):
        name = setting.name
        who = _other_readers(name, service, instance)
        if not who or names.mentioned(name, service):
            continue
        location = setting.location
        if location is None:
            continue
        severity = _ineffective_severity(name, service)
        yield Finding(
            Location(location.source, location.span),
            f"{service.program} does not read {name}: that is up to {who}, from its own entry or"
            " main.cf",
            severity=severity,
            security_severity=6.5 if severity == Severity.ERROR else None,
            parameter=name,
            service=service.label,
        )


def _ineffective_severity(name: str, service: Service) -> Severity:
    """How much is lost with an override.

    Nothing, when it says what main.cf says, or when it switches off what the mail of the service
    does not meet anyway: a client's parameter in a server, or filters for mail not by SMTP.
    """
    value = service[name]
    off = value.empty or value.yes is False or value.word() == "none"
    if off and (_other_side(name, service.program) or name in _NOT_FOR_SMTP):
        return Severity.INFO
    main = service.instance.main[name]
    word = value.word()
    if service.instance.main_cf is not None and word is not None and word == main.word():
        return Severity.INFO
    if _SECURITY.search(name) is not None and not off and service.program in _TALK_SMTP:
        return Severity.ERROR
    return Severity.WARNING


def _other_side(name: str, daemon: str) -> bool:
    """Whether a parameter is one of the server and the daemon is none, or the reverse."""
    prefix = name.partition("_")[0]
    if prefix == "smtpd":
        return daemon not in _SERVERS
    return prefix in ("smtp", "lmtp") and daemon not in ("smtp", "lmtp")


def _overrides(instance: Instance) -> Iterator[tuple[Service, Setting]]:
    """The overrides that count, of services that run daemons of Postfix."""
    for service in instance.services:
        if service.entry is None or program(service.program) is None:
            continue
        seen = set()
        for override in service.entry.overrides:
            name = None if override.name is None else override.name.text
            if name is not None and name not in seen:
                seen.add(name)
                setting = service.explicit(name)
                if setting is not None:
                    yield service, setting


def _other_readers(name: str, service: Service, instance: Instance) -> str | None:
    """Who reads a parameter that the service certainly does not; None when it may read it."""
    for version in {instance.version, instance.oldest_version}:
        if not _ineffective(name, service.program, version):
            return None
    only = _ONLY_OF_MAIN_CF.get(service.program, {}).get(name)
    if only is not None:
        return only
    loading = readers(name, instance)
    parameter = parameters.get(name)
    using = loading if parameter is None else loading & parameter.used_by
    programs = sorted(using - _GO_BETWEENS) or sorted(loading)
    if not programs:
        return None
    return programs[0] if len(programs) == 1 else f"{', '.join(programs[:-1])} or {programs[-1]}"


def _ineffective(name: str, daemon: str, version: PostfixVersion) -> bool:
    parameter = parameters.get(name)
    if parameter is None:
        return _ineffective_service_parameter(name, daemon)
    if name in _ONLY_OF_MAIN_CF.get(daemon, {}):
        return True
    programs = parameter.programs(version)
    if not programs:  # not in this version
        return parameter.exists_in(version)
    return EVERYTHING not in programs and daemon not in programs | parameter.indirect


def _ineffective_service_parameter(name: str, daemon: str) -> bool:
    """``smtp_destination_recipient_limit`` and the like, which the queue manager reads."""
    from postlint.postfix.service_parameters import match_service_parameter

    matched = match_service_parameter(name)
    return matched is not None and daemon not in matched[2].read_by
