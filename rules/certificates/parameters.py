"""CRT: Diffie-Hellman parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.dh_parameters import read_group
from postlint.analysis.tls import explicit_values
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.lint.finding import Location

_LARGEST = 1 << 20
"""Bytes of a file that is looked into."""

_SIZE_IN_NAME = LazyPattern(r"(?<![0-9])(512|1024)(?![0-9])")


@rule(
    "CRT013",
    severity=Severity.ERROR,
    security=7.4,
    tags=("CWE-326", "CVE-2015-4000", "RFC 9325", "RFC 7919"),
)
def weak_dh_params(instance: Instance) -> Iterator[Finding]:
    """Diffie-Hellman parameters of one's own are short, broken or just not needed.

    Why: Groups below 2048 bits can be broken by computing ahead (Logjam), those of 512 bits by
        anybody. Postfix brings 2048 bits along since 3.1, and before 3.6 the file of
        smtpd_tls_dh512_param_file is for export ciphers.
    Fix: Delete the parameter, or make a group of at least 2048 bits for a Postfix before 3.1.
    Bad:
        smtpd_tls_dh1024_param_file = /etc/postfix/dh.pem
        --- dh.pem
        -----BEGIN DH PARAMETERS-----
        MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJRSgh5jjQE3e+VGbPNOkMbMCs
        KbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf////
        //////AgEC
        -----END DH PARAMETERS-----
    Good:
        smtpd_tls_security_level = none
    References: postconf(5) smtpd_tls_dh1024_param_file, RFC 9325 section 4.1,
        FORWARD_SECRECY_README
    """
    for service, value in explicit_values(instance, ("smtpd_tls_dh1024_param_file",)):
        finding = _file(instance, value)
        if finding is not None:
            finding.services = () if service is None else ((service.label, service.location),)
            yield finding
    for service, value in explicit_values(instance, ("smtpd_tls_dh512_param_file",)):
        location = value.value_location
        if location is not None and value.empty is False and instance.version < (3, 6):
            yield Finding(
                location,
                f"{value.name}: 512 bits are for export ciphers and broken (Logjam)",
                parameter=value.name,
                service=None if service is None else service.label,
                fix=_delete(value, instance),
            )


def _file(instance: Instance, value: Effective) -> Finding | None:
    location = value.value_location
    if location is None or value.empty is not False or not value.known or value.word() == "auto":
        return None
    name = value.text.strip()
    data = instance.files.data(name, _LARGEST)
    if data is None:
        return _by_name(instance, value, name, location)
    group = read_group(data)
    if group is None:
        return None
    severity: Severity | None = None
    security: float | None = None
    if group.bits < 1024:
        message = f"{name} has only {group.bits} bits: anybody can break it"
    elif group.safe is False:
        message = f"{name}: the group is no safe prime"
    elif group.bits < 2048:
        message = f"{name} has {group.bits} bits, 2048 is the least that is taken for safe"
        severity, security = Severity.WARNING, 5.9
    elif not group.standard and instance.version >= (3, 1):
        message = f"{name} is a group of one's own; the built-in one is as good and well known"
        severity = Severity.INFO
    else:
        return None
    return Finding(
        location,
        message,
        severity=severity,
        security_severity=security,
        parameter=value.name,
        fix=_delete(value, instance),
    )


def _by_name(instance: Instance, value: Effective, name: str, location: Location) -> Finding | None:
    """The file can not be read: its name may tell."""
    match = _SIZE_IN_NAME.search(name.rpartition("/")[2])
    if match is None:
        return None
    return Finding(
        location,
        f"{value.name}: the name of the file suggests {match[1]} bits, 2048 are needed",
        severity=Severity.INFO,
        parameter=value.name,
        fix=_delete(value, instance),
    )


def _delete(value: Effective, instance: Instance) -> Fix | None:
    """Without the file Postfix takes 2048 bits of its own (since 3.1)."""
    if value.setting.origin != "main.cf" or value.location is None:
        return None
    if instance.oldest_version < (3, 1):
        return Fix("delete this line", (delete_lines(value.location),), "unsafe")
    return Fix("delete this line", (delete_lines(value.location),), "safe")
