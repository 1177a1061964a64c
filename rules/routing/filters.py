"""RTE003: mail that comes back from a content filter and is sent to it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import destination, next_hop
from postlint.analysis.roles import is_public, port
from postlint.lint.edits import insert_line_after
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.instance import Instance
    from postlint.config.service import Service

_CLIENT_PORTS = frozenset({25, 465, 587})
_BCC = ("always_bcc", "recipient_bcc_maps", "sender_bcc_maps")
_OVERRIDES = "receive_override_options"


@rule("RTE003", severity=Severity.ERROR, tags=("FILTER_README", "CWE-835"))
def content_filter_loop(instance: Instance) -> Iterator[Finding]:
    """Mail that a content filter hands back goes to the filter again.

    Why: A filter in main.cf holds for every smtpd, the one that takes filtered mail back among
        them. Without an exception there each message goes round until it has too many Received:
        headers and bounces. Mail that passes cleanup twice gets its automatic copies twice.
    Fix: Give the service that takes mail back -o content_filter= (for a proxy filter
        -o smtpd_proxy_filter=), and let only one of the two passes expand addresses.
    Bad:
        content_filter = scan:[127.0.0.1]:10024
        --- master.cf
        smtp            inet  n  -  n  -  -  smtpd
        127.0.0.1:10025 inet  n  -  n  -  -  smtpd
        scan            unix  -  -  n  -  -  smtp
    Good:
        content_filter = scan:[127.0.0.1]:10024
        --- master.cf
        smtp            inet  n  -  n  -  -  smtpd
        127.0.0.1:10025 inet  n  -  n  -  -  smtpd
          -o content_filter=
        scan            unix  -  -  n  -  -  smtp
    References: FILTER_README, SMTPD_PROXY_README, postconf(5) content_filter
    """
    if instance.master_cf is None:
        return
    servers = [item for item in instance.services_running("smtpd") if item.type == "inet"]
    returning = [
        service
        for service in servers
        if is_public(service) is False and port(service) not in _CLIENT_PORTS
    ]
    for name in ("content_filter", "smtpd_proxy_filter"):
        value = instance.main[name]
        if value.location is None or value.empty is not False:
            continue
        if all(service[name].empty is False for service in servers):
            yield from _loops(instance, name, returning)
    yield from _copies(instance, returning)


def _loops(instance: Instance, name: str, returning: list[Service]) -> Iterator[Finding]:
    """Every smtpd has the filter, so nothing can come back past it."""
    value = instance.main[name]
    location = value.value_location
    candidates = [service for service in returning if not service.overrides(name)]
    if location is None or not candidates or not _filters_here(instance, name):
        return
    edits = [
        insert_line_after(Location(entry.line.source, entry.span), f"  -o {name}=")
        for service in candidates
        if (entry := service.entry) is not None
    ]
    names = ", ".join(service.label for service in candidates)
    yield Finding(
        location,
        f"{name} holds for every smtpd, also for {names}: what the filter hands back is "
        "filtered again, without end",
        parameter=name,
        related=[
            Related(f"no -o {name}= here", service.location)
            for service in candidates
            if service.location is not None
        ],
        fix=Fix(f"add -o {name}= to {names}", edits, "unsafe"),
    )


def _filters_here(instance: Instance, name: str) -> bool:
    """Whether the filter listens on this host, so that it hands mail back over loopback."""
    value = instance.main[name]
    if name == "smtpd_proxy_filter":
        hop = next_hop(value.elements(braces=False)[0]) if value.known else None
        return hop is not None and (hop.is_loopback or not hop.problem)
    target = destination(value)
    if target is None or not target.known:
        return False
    running = [
        item for item in instance.services if item.name == target.transport and item.type != "inet"
    ]
    if any(item.program not in ("smtp", "lmtp") for item in running):
        return False  # pipe(8) may hand mail back with sendmail(1)
    return next_hop(target.nexthop).is_loopback


def _copies(instance: Instance, returning: list[Service]) -> Iterator[Finding]:
    """Both passes add the automatic copies."""
    content_filter = instance.main["content_filter"]
    if content_filter.empty is not False or not _filters_here(instance, "content_filter"):
        return
    copies = [instance.main[name] for name in _BCC if instance.main[name].empty is False]
    if not copies or _expands(instance.main[_OVERRIDES].word()) is not True:
        return
    for service in returning:
        unfiltered = service["content_filter"].empty
        location = copies[0].value_location
        if not unfiltered or _expands(service[_OVERRIDES].word()) is not True or location is None:
            continue
        related = () if service.location is None else (Related("the second", service.location),)
        yield Finding(
            location,
            f"{copies[0].name} adds its copies before the content filter and again behind it: "
            "neither pass has receive_override_options = no_address_mappings",
            severity=Severity.WARNING,
            parameter=copies[0].name,
            related=related,
        )
        return


def _expands(options: str | None) -> bool | None:
    return None if options is None else "no_address_mappings" not in options
