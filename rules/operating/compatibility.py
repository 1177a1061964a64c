"""How far compatibility_level leaves old defaults in force."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.templates import has_control_lines
from postlint.lint.edits import insert_line_after, replace_value
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix import parameters
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion

_PARAMETER = "compatibility_level"
_LEVEL = LazyPattern(r"\+?[0-9]+(?:\.\+?[0-9]+){0,2}")
_CLIENT_TLS = ("smtp_tls_security_level", "smtp_use_tls", "smtp_enforce_tls")
_SECURITY = frozenset({"mynetworks_style", "smtpd_relay_restrictions"})
_MINOR = frozenset({"append_dot_mydomain", "chroot", "relay_domains", "respectful_logging"})
"""Old defaults that nobody is in danger from: the most that a stranger gains by relay_domains is
that mail for subdomains of this host's own domains is accepted."""

_Level = tuple[int, ...]


class _OldDefault(NamedTuple):
    """What a low compatibility_level keeps as it was before ``level``."""

    name: str
    value: str
    level: str

    def __str__(self) -> str:
        return f"{self.name} = {self.value or '(empty)'}"


@rule("OPS006", severity=Severity.WARNING, security=5.3, tags=("COMPATIBILITY_README", "CWE-1188"))
def compatibility_level(instance: Instance) -> Iterator[Finding]:
    """An old or missing compatibility_level keeps defaults that are no longer safe.

    Why: Without a compatibility_level Postfix behaves like releases before 3.0 wherever a
        default has changed since: neighbours in the network may relay, the list that protects
        against relaying is empty, outbound mail is not encrypted. An upgrade changes nothing
        of that by itself.
    Fix: Set compatibility_level to the release that the configuration was reviewed for. Write
        down what has to stay as it was.
    Bad (Postfix 3.11):
        myhostname = mx.example.com
    Good (Postfix 3.11):
        compatibility_level = 3.11
        myhostname = mx.example.com
    References: postconf(5) compatibility_level, COMPATIBILITY_README
    """
    version = instance.version
    main_cf = instance.main_cf
    if version < (3, 0) or main_cf is None:
        return
    value = instance.main[_PARAMETER]
    if not value.known:
        return
    level = _parse(value.text, version)
    location = value.value_location
    if location is None:
        if value.explicit or not instance.whole_main_cf or has_control_lines(instance):
            return
        location = Location(main_cf.source, Span(0, 0))
    if level is None:
        yield Finding(
            location,
            f'"{value.text}" is no compatibility level: no Postfix program will start',
            severity=Severity.ERROR,
            parameter=_PARAMETER,
        )
        return
    if level[0] > version.major or (instance.pinned and level[:2] > version.series):
        yield Finding(
            location,
            f"compatibility_level {value.text} is above Postfix {version}: later releases will"
            " change defaults without a word",
            severity=Severity.INFO,
            parameter=_PARAMETER,
        )
        return
    yield from _old_defaults(instance, value, level, location)


def _old_defaults(
    instance: Instance, value: Effective, level: _Level, location: Location
) -> Iterator[Finding]:
    version = instance.version
    active = [item for item in _below(level, instance.version) if _matters(item.name, instance)]
    if not active:
        return
    oldest = instance.oldest_version
    names = {item.name for item in _below(level, oldest)} if oldest >= (3, 0) else set()
    certain = [item for item in active if item.name in names]
    problem = f"without compatibility_level Postfix {version} keeps"
    if value.explicit:
        problem = f"compatibility_level {value.text} keeps"
    listed = ", ".join(map(str, active))
    severity: Severity | None = Severity.INFO
    if any(item.name in _SECURITY for item in certain):
        severity = None
    elif any(item.name not in _MINOR for item in certain):
        severity = Severity.WARNING
    message = f"{problem} old defaults: {listed}"
    yield Finding(
        location,
        message if certain else f"{message} (depends on the version)",
        severity=severity,
        parameter=_PARAMETER,
        fix=_fix(instance, level, location) if instance.pinned else None,
    )


def _parse(text: str, version: PostfixVersion) -> _Level | None:
    """The numbers of a level; None for what this version refuses (compat_level.c)."""
    pattern = _LEVEL if version >= (3, 6) else re.compile(r"[+-]?[0-9]+")
    if not pattern.fullmatch(text):
        return None
    return _numbers(text)


def _numbers(text: str) -> _Level:
    numbers = tuple(map(integer, text.split(".")))
    return numbers + (0,) * (3 - len(numbers))


def _below(level: _Level, version: PostfixVersion) -> Iterator[_OldDefault]:
    """The defaults that this level keeps in this version, the oldest changes first."""
    found = [
        _OldDefault(name, change[1], change[0])
        for name in _DEPENDENT
        if (parameter := parameters.get(name)) is not None
        and (change := parameter.compatibility(version)) is not None
    ]
    found.append(_OldDefault("chroot", "y", "1"))
    found.sort(key=lambda item: _numbers(item.level))
    return (item for item in found if level < _numbers(item.level))


_DEPENDENT = (
    "append_dot_mydomain",
    "lmtp_tls_fingerprint_digest",
    "mynetworks_style",
    "relay_domains",
    "respectful_logging",
    "smtp_tls_fingerprint_digest",
    "smtp_tls_security_level",
    "smtpd_relay_before_recipient_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_tls_fingerprint_digest",
    "smtputf8_enable",
)
"""All parameters whose default asks for the level; a test compares them with the facts."""


def _matters(name: str, instance: Instance) -> bool:
    """Whether an old default makes this installation less safe than it could be."""
    servers = list(instance.services_running("smtpd"))
    if name != "chroot" and instance.main.explicit(name) is not None:
        return False
    match name:
        case "smtpd_relay_restrictions":
            return any(server.explicit(name) is None for server in servers)
        case "mynetworks_style":
            return bool(servers) and instance.main.explicit("mynetworks") is None
        case "relay_domains":
            return bool(servers) and instance.main[name].empty is not True
        case "smtp_tls_security_level":
            return any(
                all(client.explicit(parameter) is None for parameter in _CLIENT_TLS)
                for client in instance.services_running("smtp")
            )
        case "chroot":
            return any(not s.implicit and s.field(name) == "-" for s in instance.services)
        case "smtpd_tls_fingerprint_digest":
            return any(_knows_fingerprints(setting.text) for setting in _settings(instance))
        case "smtp_tls_fingerprint_digest" | "lmtp_tls_fingerprint_digest":
            return _verifies_fingerprints(instance, name.partition("_")[0])
        case _:
            return False


def _settings(instance: Instance) -> Iterator[_Named]:
    for setting in instance.settings.values():
        yield _Named(setting.name, setting.text)
    for service in instance.services:
        for override in service.entry.overrides if service.entry is not None else ():
            if override.name is not None and override.value is not None:
                yield _Named(override.name.text, override.value.text)


class _Named(NamedTuple):
    name: str
    text: str


def _knows_fingerprints(text: str) -> bool:
    """Whether a restriction list identifies clients by the fingerprint of a certificate."""
    return "permit_tls_clientcerts" in text or "check_ccert_access" in text


def _verifies_fingerprints(instance: Instance, prefix: str) -> bool:
    """Whether a client's security level compares fingerprints of servers."""
    level = f"{prefix}_tls_security_level"
    if any(item.name == level and "fingerprint" in item.text for item in _settings(instance)):
        return True
    return any(
        policy.level is not None and policy.level.text.lower() == "fingerprint"
        for table in instance.policy_tables
        if table.parameter.startswith(prefix)
        for _, policy in table.policies()
    )


def _fix(instance: Instance, level: _Level, location: Location) -> Fix | None:
    """Raise the level, and write down every default that it would change."""
    version = instance.version
    newest = f"{version.major}.{version.minor}" if version >= (3, 6) else "2"
    kept = [item for item in _below(level, version) if item.name != "chroot"]
    lines = [
        f"{item.name} = {item.value}".rstrip()
        for item in kept
        if instance.main.explicit(item.name) is None
    ]
    setting = instance.main.explicit(_PARAMETER)
    if setting is None:
        if location.source.text[:1].isspace():
            return None
        text = "\n".join([f"{_PARAMETER} = {newest}", *lines]) + "\n"
        edits = [Edit(location, text)]
    else:
        change = replace_value(setting, newest)
        if change is None or setting.location is None:
            return None
        edits = [change]
        if lines:
            edits.append(insert_line_after(setting.location, "\n".join(lines)))
    if level < (1, 0, 0):
        for service in instance.services:
            if service.entry is not None and service.field("chroot") == "-":
                edits.append(Edit(service.entry.field("chroot").location, "y"))
    return Fix(f"set it to {newest} and write down what it changes", edits, "unsafe")
