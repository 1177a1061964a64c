"""SASL mechanisms: which ones smtpd announces of those that its backend has.

The security options go by properties that Dovecot tells of every mechanism, and Cyrus SASL knows
of its own (xsasl_dovecot_server.c); smtpd_sasl_mechanism_filter goes by names (3.6,
smtpd_sasl_glue.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postlint.config.effective import Element
    from postlint.config.service import Service

USUAL: Final[Mapping[str, frozenset[str]]] = {
    "PLAIN": frozenset({"plaintext"}),
    "LOGIN": frozenset({"plaintext"}),
    "CRAM-MD5": frozenset({"dictionary", "active"}),
    "DIGEST-MD5": frozenset({"dictionary", "active", "mutual-auth"}),
    "NTLM": frozenset({"dictionary", "active"}),
    "SCRAM-SHA-1": frozenset({"mutual-auth"}),
    "SCRAM-SHA-256": frozenset({"mutual-auth"}),
    "GSSAPI": frozenset(),
    "XOAUTH2": frozenset(),
    "OAUTHBEARER": frozenset(),
    "EXTERNAL": frozenset(),
    "ANONYMOUS": frozenset({"anonymous"}),
}
"""Mechanisms that backends have, and their properties in Dovecot's words."""

_FORBIDS: Final = {
    "noplaintext": "plaintext",
    "noactive": "active",
    "nodictionary": "dictionary",
    "noanonymous": "anonymous",
}
_DEMANDS: Final = {"mutual_auth": "mutual-auth", "forward_secrecy": "forward-secrecy"}
_FILTER_SINCE: Final = "3.6"


def security_options(service: Service, name: str) -> frozenset[str] | None:
    """The words of smtpd_sasl_security_options and its like; None when not all are known."""
    value = service[name]
    elements = value.elements(braces=False)
    if value.problem is not None or not all(element.known for element in elements):
        return None
    return frozenset(element.text.lower() for element in elements)


def announced(
    service: Service, *, tls: bool, backend: Mapping[str, frozenset[str]] = USUAL
) -> tuple[str, ...] | None:
    """The mechanisms that smtpd announces before or after the handshake; None: not known."""
    options = security_options(service, f"smtpd_sasl_{'tls_' if tls else ''}security_options")
    if options is None:
        return None
    found = []
    for name, properties in backend.items():
        if not options_allow(options, properties):
            continue
        passes = _passes_filter(service, name)
        if passes is None:
            return None
        if passes:
            found.append(name)
    return tuple(found)


def options_allow(options: frozenset[str], properties: frozenset[str]) -> bool:
    """Whether security options leave a mechanism with these properties."""
    forbidden = {_FORBIDS[word] for word in options if word in _FORBIDS}
    demanded = {_DEMANDS[word] for word in options if word in _DEMANDS}
    return not forbidden & properties and demanded <= properties


def _passes_filter(service: Service, name: str) -> bool | None:
    """The first item of the filter that fits decides (string_list.c)."""
    if not service.version.at_least(_FILTER_SINCE):
        return True
    value = service["smtpd_sasl_mechanism_filter"]
    if value.problem is not None:
        return None
    for element in value.elements():
        bare = element.text.lstrip("!")
        positive = (len(element.text) - len(bare)) % 2 == 0
        if not element.known or bare.startswith("/"):
            return None
        if ":" in bare:
            has = _table_has(service, element, name)
            if has is None:
                return None
            if has:
                return positive
        elif bare.lower() == name.lower():
            return positive
    return False


def _table_has(service: Service, element: Element, name: str) -> bool | None:
    from postlint.analysis.access_tables import access_table
    from postlint.config.effective import Element as Bare

    table = access_table(service.instance, Bare(element.text.lstrip("!"), element.location))
    found = table.look_up(((name.lower(), False),))
    return None if found.unknown or found.error else found.value is not None
