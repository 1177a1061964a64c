"""The TLS policy of an SMTP client for one next hop: main.cf and the policy tables together.

A table is asked with the next hop as it is spelled, and for a plain host name with its parents
(``.example.com``); what it says takes the place of the level of main.cf, a policy that smtp(8)
can not read defers the mail (smtp_tls_policy.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_tables import access_table
from postlint.analysis.handshakes import (
    Handshake,
    client_handshake,
    excluded_words,
    policy_protocols,
)
from postlint.analysis.nexthops import is_host_name
from postlint.analysis.policies import level_of
from postlint.analysis.policy_problems import BRACES_SINCE, attribute_problems
from postlint.analysis.tls import client_tls, no_dnssec
from postlint.postfix.tls import policy_levels
from postlint.records import NamedTuple
from postlint.syntax.source import SourceFile, SourceText
from postlint.syntax.table import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service
    from postlint.syntax.source import Location
    from postlint.syntax.table import Policy

AUTHENTICATED = frozenset({"dane-only", "fingerprint", "verify", "secure"})
"""Levels at which mail goes only to a server that has proved who it is."""

FALLS_BACK = frozenset({"none", "may", "dane"})
"""Levels at which mail goes in clear text when the server offers no TLS, or seems to."""

_DANE = frozenset({"dane", "dane-only"})


class ClientPolicy(NamedTuple):
    """How a client treats a next hop.

    ``level`` None: not known. ``key`` is that of the policy, "" for what main.cf says to all.
    ``refused``: why mail is deferred whatever the server does. ``handshake`` is None without TLS.
    """

    level: str | None
    key: str = ""
    refused: str = ""
    handshake: Handshake | None = None
    location: Location | None = None
    policy: Policy | None = None


class _Found(NamedTuple):
    """What the tables say. ``known``: whether they all could be asked."""

    known: bool
    key: str = ""
    policy: Policy | None = None
    location: Location | None = None


def client_policy(service: Service, hop: str | None) -> ClientPolicy:
    """The policy for a next hop; None for mail that goes by the recipient's domain.

    Of the latter only what holds for every domain without a policy of its own is said.
    """
    found = _Found(known=True) if hop is None else _look_up(service, hop)
    if not found.known:
        return ClientPolicy(None)
    level = client_tls(service).level
    if found.policy is not None:
        level = level_of(found.policy) if found.policy.level is not None else ""  # type: ignore[assignment]
    elif _asks_per_site(service):
        return ClientPolicy(None)
    if level is None:
        return ClientPolicy(None)
    refused = _refused(service, level, found.policy)
    result = ClientPolicy(level, found.key, refused, None, found.location, found.policy)
    if refused or level == "none":
        return result
    effective = level
    if level == "dane" and no_dnssec(service):
        effective = "may"
    return result._replace(handshake=_handshake(service, effective, found.policy))


def _asks_per_site(service: Service) -> bool:
    """Whether the tables of Postfix before 2.3 count: only where there are no policies."""
    prefix = service.program
    if service[f"{prefix}_tls_policy_maps"].empty is not True:
        return False
    return service[f"{prefix}_tls_per_site"].empty is not True


def _refused(service: Service, level: str, policy: Policy | None) -> str:
    """Why mail to the next hop is deferred; empty when it is not."""
    prefix = service.program
    if level not in policy_levels(service.version):
        return f'"{level}" is no security level'
    if policy is not None and level != "none":
        for attribute in policy.attributes:
            if attribute.value is None:
                return f'"{attribute.name}" is no attribute'
        for _, problem in attribute_problems(policy, service.version):
            return problem
    given = {} if policy is None else {item.name for item in policy.attributes}
    matches = service[f"{prefix}_tls_fingerprint_cert_match"]
    if level == "fingerprint" and "match" not in given and matches.empty is True:
        return "no fingerprint is named"
    without = no_dnssec(service) if level == "dane-only" else None
    if without is not None:
        return f"dane-only without DNSSEC ({without})"
    if level in ("none", "may") and service[f"{prefix}_tls_wrappermode"].yes:
        return f"{prefix}_tls_wrappermode needs the level encrypt"
    return ""


def _handshake(service: Service, level: str, policy: Policy | None) -> Handshake:
    """Attributes take the place of parameters."""
    given: dict[str, str] = {}
    for item in () if policy is None else policy.attributes:
        if item.value is not None:
            given[item.name] = item.value.text
    protocols = given.get("protocols")
    exclude = given.get("exclude")
    return client_handshake(
        service,
        level,
        protocols=None if protocols is None else policy_protocols(protocols, service),
        grade=given.get("ciphers"),
        exclude=None if exclude is None else excluded_words(exclude),
    )


def _look_up(service: Service, hop: str) -> _Found:
    value = service[f"{service.program}_tls_policy_maps"]
    if value.problem is not None:
        return _Found(known=False)
    tables = [access_table(service.instance, element) for element in value.elements()]
    for key in _keys(hop.lower()):
        for table in tables:
            found = table.look_up(((key, False),))
            if found.unknown:
                return _Found(known=False)
            if found.error:  # an empty policy, or a table that fails
                return _Found(True, key, parse_policy(_text("")), found.location)
            if found.value is not None:
                braces = service.version.at_least(BRACES_SINCE)
                policy = parse_policy(_text(found.value), braces=braces)
                return _Found(True, key, policy, found.location)
    return _Found(known=True)


def _keys(hop: str) -> Iterator[str]:
    """The next hop, and for a host name the domains above it."""
    yield hop
    if not is_host_name(hop):
        return
    at = hop.find(".", 1)
    while at >= 0:
        yield hop[at:]
        at = hop.find(".", at + 1)


def _text(text: str) -> SourceText:
    return SourceText(SourceFile("", text), text, 0)
