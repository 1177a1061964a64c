"""MST011: services that others need and master.cf does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.restrictions import restriction_lists
from postlint.analysis.templates import has_control_lines
from postlint.config.tables import table_references
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.records import NamedTuple
from postlint.syntax.source import Span

from .transports import transports_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service

_BACKBONE = frozenset({"cleanup", "qmgr", "rewrite"})
"""Without all of these a file is no master.cf but a part of one."""

_ALWAYS = {
    "cleanup": "no mail can be queued",
    "qmgr": "no mail is delivered",
    "rewrite": "no mail is accepted or delivered",
    "bounce": "mail that can not be delivered is never returned",
    "defer": "mail that has to wait holds up whoever delivers it",
}
_SOMETIMES = {
    "error": "mail that can be delivered nowhere stays in the queue",
    "retry": "the queue manager has to put mail off all by itself",
    "pickup": "mail from sendmail(1) is never picked up",
    "trace": "mail with a delivery report asked for is not delivered",
}

_UNVERIFIED = frozenset({"reject_unverified_recipient", "reject_unverified_sender"})
_TLS_SWITCHES = {
    "smtpd": ("smtpd_tls_security_level", "smtpd_use_tls", "smtpd_enforce_tls"),
    "smtp": ("smtp_tls_security_level", "smtp_use_tls", "smtp_enforce_tls"),
    "lmtp": ("lmtp_tls_security_level", "lmtp_use_tls", "lmtp_enforce_tls"),
}
_LIMITS = (
    "smtpd_client_connection_count_limit",
    "smtpd_client_connection_rate_limit",
    "smtpd_client_message_rate_limit",
    "smtpd_client_recipient_rate_limit",
    "smtpd_client_new_tls_session_rate_limit",
    "smtpd_client_auth_rate_limit",
)
"""What anvil(8) counts."""


class _Need(NamedTuple):
    """A service that something asks for; ``location`` is what asks, None for Postfix itself."""

    name: str
    reason: str
    location: Location | None = None
    parameter: str | None = None
    severity: Severity | None = None
    service: str | None = None


@rule("MST011", severity=Severity.ERROR, tags=("FILTER_README",))
def missing_service(instance: Instance) -> Iterator[Finding]:
    """A service that the configuration needs is not in master.cf.

    Why: Daemons reach each other through sockets that master(8) makes from master.cf. Where one
        is missing, Postfix waits for it and tries again: mail for a transport without a service
        stays in the queue as "mail transport unavailable".
    Fix: Take the line from the stock master.cf, or correct the name of the transport.
    Bad:
        content_filter = scan:[127.0.0.1]:10024
    Good:
        content_filter = scan:[127.0.0.1]:10024
        --- master.cf
        smtp inet n - n - - smtpd
        pickup unix n - n 60 1 pickup
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        error unix - - n - - error
        retry unix - - n - - error
        anvil unix - - n - 1 anvil
        proxymap unix - - n - - proxymap
        tlsmgr unix - - n 1000? 1 tlsmgr
        smtp unix - - n - - smtp
        local unix - n n - - local
        scan unix - - n - 10 smtp
    References: master(5), transport(5), FILTER_README
    """
    if instance.master_cf is None or not instance.whole_master_cf or has_control_lines(instance):
        return
    there = {service.name for service in instance.services if service.type != "inet"}
    if there.isdisjoint(_BACKBONE):
        return
    transports = {service.name for service in instance.services if service.type == "unix"}
    reported: set[tuple[str, Location | None]] = set()
    for need in _needs(instance):
        if need.name in there or (need.name, need.location) in reported:
            continue
        reported.add((need.name, need.location))
        yield _finding(need, instance)
    missing = {name for name, location in reported if location is None}
    for item in transports_of(instance):
        if item.transport in transports or item.transport in missing:
            continue
        if (item.transport, item.location) in reported:
            continue
        reported.add((item.transport, item.location))
        yield _finding(_Need(*item), instance)


def _finding(need: _Need, instance: Instance) -> Finding:
    assert instance.master_cf is not None
    beginning = Location(instance.master_cf.source, Span(0, 0))
    related = () if need.location is None else (Related("the service is missing here", beginning),)
    return Finding(
        need.location or beginning,
        f'master.cf has no service "{need.name}": {need.reason}',
        severity=need.severity,
        parameter=need.parameter,
        service=need.service,
        related=related,
    )


def _needs(instance: Instance) -> Iterator[_Need]:
    """What Postfix asks for by itself."""
    for name, reason in _ALWAYS.items():
        yield _Need(name, reason)
    for name, reason in _SOMETIMES.items():
        severity = Severity.INFO if name == "retry" else Severity.WARNING
        yield _Need(name, reason, severity=severity)
    if instance.main_cf is None:
        return
    log = instance.main["maillog_file"]
    if log.explicit and log.empty is False:
        yield _Need("postlog", "nothing is logged", log.value_location, log.name)
    yield from _proxied(instance)
    yield from _optional(instance)
    for service in instance.services_running("smtpd", "smtp", "lmtp"):
        yield from _tls(service)
        if service.program == "smtpd":
            yield from _verification(service)


def _proxied(instance: Instance) -> Iterator[_Need]:
    """proxymap, for tables that are read through it."""
    for setting in instance.settings.values():
        if "proxy:" in setting.text and setting.name != "proxy_read_maps":
            value = instance.main[setting.name]
            for reference in table_references(value):
                if reference.proxied:
                    where = reference.element.location or value.value_location
                    yield _Need(
                        "proxymap", f"{reference.element.text} can not be read", where, setting.name
                    )
                    return


def _optional(instance: Instance) -> Iterator[_Need]:
    """Services without which mail still flows, but something that is set does not happen."""
    for service in instance.services_running("smtpd"):
        value = next((service[name] for name in _LIMITS if service[name].integer), None)
        if value is not None:
            reason = f"{service.label} lets clients do what {value.name} forbids"
            where = value.value_location
            yield _Need("anvil", reason, where, value.name, Severity.WARNING)
            break
    domains = instance.main["fast_flush_domains"]
    if not domains.explicit:
        domains = instance.main["relay_domains"]
    if domains.explicit and domains.empty is False:
        severity = Severity.WARNING if domains.name == "fast_flush_domains" else Severity.INFO
        reason = "ETRN and postqueue -s do nothing"
        yield _Need("flush", reason, domains.value_location, domains.name, severity)


def _tls(service: Service) -> Iterator[_Need]:
    for name in _TLS_SWITCHES[service.program]:
        value = service[name]
        on = value.yes if name.endswith("_tls") else value.word() not in (None, "", "none")
        if value.explicit and on:
            reason = "TLS does not work without it"
            yield _Need("tlsmgr", reason, value.value_location, name)
            return


def _verification(service: Service) -> Iterator[_Need]:
    lists = restriction_lists(service)
    for start in lists:
        if not start.value.explicit:
            continue
        for part in lists.with_classes(start):
            for item in part.items:
                if item.restriction is not None and item.restriction.name in _UNVERIFIED:
                    where = item.element.location or part.value.value_location
                    reason = f"{item.restriction.name} can not find out about addresses"
                    yield _Need("verify", reason, where, start.name)
                    return
