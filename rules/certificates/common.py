"""What the rules about certificates share: what follows, and one finding for many services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.tls import ClientTls, ServerTls
    from postlint.analysis.tls_identities import Identity
    from postlint.lint.finding import Finding, Location

EFFECTS = {
    "may": "STARTTLS is offered and then refused, mail comes in clear text",
    "encrypt": "STARTTLS is refused and so is mail without it",
    "wrapper": "every connection is dropped",
}
"""What clients notice of a server that can not set up TLS, by its mode."""

_CLIENT = {"none": "", "may": "all mail leaves in clear text"}


def without_tls(uses: Iterable[ServerTls | ClientTls]) -> str:
    """What happens when TLS can not be set up for services: the effects of their modes."""
    from postlint.analysis.tls import ServerTls

    effects: dict[str, None] = {}
    for use in uses:
        if isinstance(use, ServerTls):
            effects[EFFECTS.get(use.mode or "", "")] = None
        else:
            effects[_CLIENT.get(use.level or "none", "mail is deferred")] = None
    named = [effect for effect in effects if effect]
    return f"TLS is off, {'; elsewhere '.join(named)}" if named else "TLS is off"


def labels(users: Iterable[Identity]) -> tuple[tuple[str, Location | None], ...]:
    """The services of identities as findings name them, each once."""
    found = {user.service.label: user.service.location for user in users}
    return tuple(found.items())


def merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for equal ones of several services, as grave as the gravest of them.

    They all have severities of their own.
    """
    found: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key = (finding.location.path, finding.location.span, finding.message)
        found.setdefault(key, []).append(finding)
    for equal in found.values():
        gravest = max(
            equal, key=lambda finding: (finding.severity, finding.security_severity or 0.0)
        )
        services = dict(item for finding in equal for item in finding.services)
        gravest.services = tuple(services.items())
        yield gravest
