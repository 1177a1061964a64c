"""RLY: ports that take mail back from content filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.relay import relay_verdict
from postlint.analysis.roles import is_public, port, service_role
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.service import Service

_USUAL_PORTS = (10025, 10026, 10027)

_PRIVATE_HOST = LazyPattern(r"10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|\[?f[cd]|[A-Z_]+:")
"""A listening address that the Internet does not reach, or one that is still to be filled in."""


@rule(
    "RLY011",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=8.1,
    tags=("CWE-284", "FILTER_README"),
)
def unrestricted_authenticated_relay_on_reinject(service: Service) -> Iterator[Finding]:
    """A port for mail that comes back from a content filter can be reached from outside.

    Why: Such a port does without the checks, because the mail has been checked. Whoever reaches
        it gets round the filter, and past the restrictions if mynetworks takes him in. Where its
        restrictions refuse all strangers that is only mentioned.
    Fix: Write 127.0.0.1: before the port, or the address of the host where the filter runs, and
        keep mynetworks of the port as small as that.
    Bad:
        mynetworks = 127.0.0.0/8
        --- master.cf
        smtp inet n - n - - smtpd
        10025 inet n - n - - smtpd
          -o content_filter= -o receive_override_options=no_unknown_recipient_checks
          -o smtpd_recipient_restrictions=permit_mynetworks,reject -o mynetworks=0.0.0.0/0
    Good:
        mynetworks = 127.0.0.0/8
        --- master.cf
        smtp inet n - n - - smtpd
        127.0.0.1:10025 inet n - n - - smtpd
          -o content_filter= -o receive_override_options=no_unknown_recipient_checks
          -o smtpd_recipient_restrictions=permit_mynetworks,reject
    References: FILTER_README, postconf(5) receive_override_options
    """
    if service.type != "inet" or service.location is None:
        return
    if is_public(service) is not True or service_role(service) in ("mx", "msa"):
        return
    sign = _reinjection_sign(service)
    if sign is None or _PRIVATE_HOST.match(service.name):
        return
    verdict = relay_verdict(service)
    if verdict.by_restrictions == "fatal":
        return
    steps = [step for _, step in verdict.witness.refusals] if verdict.witness is not None else []
    if steps and all(step and step.text.lower() in ("reject", "defer") for step in steps):
        yield Finding(
            service.location,
            f"this port takes filtered mail back ({sign}), but listens for everybody: "
            f'"{steps[0].text if steps[0] else ""}" alone keeps strangers out',
            severity=Severity.INFO,
            security_severity=2.0,
            fix=_on_loopback(service),
        )
        return
    relays = verdict.by_restrictions == "allowed"
    wide = [name for name in verdict.trusted_networks if "/0" in name]
    grave = relays or bool(wide)
    consequence = "anybody may relay there" if grave else "strangers get round the content filter"
    yield Finding(
        service.location,
        f"this port takes filtered mail back ({sign}), but listens for everybody: {consequence}",
        severity=None if grave else Severity.WARNING,
        security_severity=None if grave else 5.3,
        fix=_on_loopback(service),
    )


def _on_loopback(service: Service) -> Fix | None:
    """Listen for this host alone."""
    if service.entry is None or ":" in service.name:
        return None
    name = service.entry.field("service")
    return Fix("listen on 127.0.0.1", (Edit(name.location, f"127.0.0.1:{name.text}"),), "unsafe")


def _reinjection_sign(service: Service) -> str | None:
    for name in ("content_filter", "smtpd_proxy_filter"):
        if service.overrides(name) and service[name].empty:
            if service.instance.main[name].empty is False:
                return f"{name} is switched off here"
            if service.overrides("receive_override_options"):
                return f"{name} is switched off here"
    if service.overrides("receive_override_options"):
        options = service["receive_override_options"].text
        if "no_unknown_recipient_checks" in options or "no_header_body_checks" in options:
            return "receive_override_options leaves checks out"
    if service.overrides("mynetworks") and port(service) in _USUAL_PORTS:
        return "mynetworks is its own"
    return None
