"""POL: policies that protect less than the rest, or than they seem to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.auth import password_entries
from postlint.analysis.nexthops import is_address
from postlint.analysis.policies import destination, level_of, policies_of
from postlint.analysis.roles import listens_on_loopback
from postlint.analysis.tls import tls_of
from postlint.lint.finding import Finding, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.tables import PolicyTable
    from postlint.syntax.table import Policy

_RANK = {
    "none": 0,
    "may": 1,
    "encrypt": 2,
    "dane": 2,
    "fingerprint": 3,
    "dane-only": 3,
    "verify": 3,
    "secure": 3,
}


@rule("POL012", severity=Severity.WARNING, security=5.3, tags=("CWE-757",))
def policy_downgrade(table: PolicyTable) -> Iterator[Finding]:
    """A policy protects a destination less than all others.

    Why: Such lines are left behind when a partner once had a problem with TLS. The problem is
        gone, and mail to him is still the only one that can be read on the way.
    Fix: Try without the line; keep it only while the partner can not do better.
    Bad:
        relayhost = [mail.example.org]
        smtp_tls_security_level = encrypt
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  none
    Good:
        relayhost = [mail.example.org]
        smtp_tls_security_level = encrypt
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  secure
    References: postconf(5) smtp_tls_policy_maps, TLS_README
    """
    tls = tls_of(table.instance)
    clients = [client for client in tls.clients if client.service in table.services]
    levels = {client.level for client in clients}
    if len(levels) != 1:
        return
    common = str(levels.pop())
    rank = _RANK.get(common)
    place = clients[0].cause.value_location
    if rank is None or place is None:
        return
    for entry, policy in policies_of(table).entries(lambda policy: _below(policy, common, rank)):
        host = destination(entry.key.text).host
        if listens_on_loopback(host) or "." not in host or _is_private(host):
            continue
        if policy.level is not None:
            yield Finding(
                policy.level.location,
                f"{entry.key.text}: level {level_of(policy)} where all others get {common}",
                parameter=table.parameter,
                related=(Related("the level of all others", place),),
            )


def _below(policy: Policy, common: str, rank: int) -> bool:
    level = level_of(policy)
    if level not in _RANK or _RANK[level] >= rank:
        return False
    # The level dane delivers as may does to whoever has no TLSA records.
    return not (common == "dane" and level == "encrypt")


def _is_private(host: str) -> bool:
    import ipaddress

    return is_address(host) and ipaddress.ip_address(host).is_private


@rule("POL014", severity=Severity.INFO, security=3.1, tags=("CWE-295",))
def policy_encrypt_is_unauthenticated(table: PolicyTable) -> Iterator[Finding]:
    """A policy requires TLS and takes any certificate.

    Why: The level encrypt keeps listeners out, not somebody who answers in the place of the
        server: nobody looks at the certificate. Where a password is sent he gets that too.
    Fix: Take dane-only, or secure or verify with a match, or a fingerprint.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        [mail.example.com]:587  encrypt
    Good:
        smtp_tls_CAfile = /etc/ssl/ca.pem
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        [mail.example.com]:587  secure match=mail.example.com
    References: TLS_README, postconf(5) smtp_tls_policy_maps
    """
    keys = _password_keys(table)
    for entry, policy in policies_of(table).entries(lambda policy: level_of(policy) == "encrypt"):
        if policy.level is None:
            continue
        login = entry.key.text.lower() in keys
        yield Finding(
            policy.level.location,
            f"{entry.key.text}: level encrypt takes any certificate"
            + (", and a password is sent there" if login else ""),
            severity=Severity.WARNING if login else Severity.INFO,
            security_severity=5.3 if login else 3.1,
            parameter=table.parameter,
        )


def _password_keys(table: PolicyTable) -> frozenset[str]:
    """The destinations with a password, where those tables can be read."""
    return frozenset(
        entry.key.text.lower()
        for service in table.services
        if service[f"{service.program}_sasl_auth_enable"].yes
        for entry in password_entries(service)
        if entry is not None
    )
