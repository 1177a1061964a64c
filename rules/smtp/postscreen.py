"""SMTP: postscreen and the services around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.roles import port
from postlint.config.tables import table_reference
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix import restrictions
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from postlint.config.effective import Effective, Element
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_SITES = "postscreen_dnsbl_sites"
_DEEP = (
    "postscreen_pipelining_enable",
    "postscreen_non_smtp_command_enable",
    "postscreen_bare_newline_enable",
)
_SUBMISSION = (465, 587)


@rule("SMTP011", severity=Severity.ERROR, tags=("POSTSCREEN_README",))
def postscreen_wiring(instance: Instance) -> Iterator[Finding]:
    """Postscreen lacks a service that it needs, or stands where it must not.

    Why: postscreen is one process for all clients: it hands good ones to an smtpd service of type
        pass, asks DNS lists through dnsblog and speaks TLS through tlsproxy. Without these it
        holds clients up or drops them. On a port for users its tests break mail programs.
    Fix: Take the services over from the stock master.cf: smtp inet postscreen with a process
        limit of 1, smtpd pass smtpd, dnsblog unix dnsblog, tlsproxy unix tlsproxy.
    Bad:
        postscreen_greet_action = enforce
        --- master.cf
        smtp inet n - n - 1 postscreen
    Good:
        postscreen_greet_action = enforce
        --- master.cf
        smtp inet n - n - 1 postscreen
        smtpd pass - - n - - smtpd
        dnsblog unix - - n - 0 dnsblog
        tlsproxy unix - - n - 0 tlsproxy
    References: POSTSCREEN_README, postscreen(8), dnsblog(8), tlsproxy(8)
    """
    if instance.master_cf is None:
        return
    screens = [item for item in instance.services_running("postscreen") if item.type == "inet"]
    if not screens:
        yield from _without_effect(instance)
        return
    there = {(service.name, service.type) for service in instance.services}
    names = {name for name, _ in there}
    for screen in screens:
        yield from _screen(screen, there)
        yield from _helpers(screen, names)


def _without_effect(instance: Instance) -> Iterator[Finding]:
    """Tests of postscreen are configured, but it does not run."""
    if not instance.whole_master_cf:
        return
    for name in (_SITES, *_DEEP):
        value = instance.main[name]
        on = value.empty is False if name == _SITES else value.yes is True
        if value.explicit and on and value.value_location is not None:
            yield Finding(
                value.value_location,
                f"{name} has no effect: master.cf has no postscreen service",
                severity=Severity.WARNING,
                parameter=name,
            )
            return


def _screen(screen: Service, there: Container[tuple[str, str]]) -> Iterator[Finding]:
    location = screen.location
    entry = screen.entry
    if location is None or entry is None:
        return
    limit = entry.field("process_limit")
    if limit.text != "1":
        yield Finding(
            limit.location,
            f'postscreen needs a process limit of 1, not "{limit.text}": it refuses to run twice',
            service=screen.label,
        )
    if port(screen) in _SUBMISSION:
        yield Finding(
            location,
            "postscreen on a port for users: its tests defer mail programs, and it offers no AUTH",
            service=screen.label,
        )
    needed = _service_name(screen, "smtpd_service_name", "smtpd")
    if (needed, "pass") not in there:
        yield Finding(
            location,
            f"postscreen has nobody to hand clients to: master.cf lacks {needed} of type pass",
            service=screen.label,
        )


def _helpers(screen: Service, names: Container[str]) -> Iterator[Finding]:
    location = screen.location
    if location is None:
        return
    for parameter, default, wanted, why in (
        ("dnsblog_service_name", "dnsblog", _asks_lists(screen), _SITES),
        ("tlsproxy_service_name", "tlsproxy", _offers_tls(screen), "STARTTLS"),
    ):
        name = _service_name(screen, parameter, default)
        if not wanted or name in names:
            continue
        cause = screen[_SITES] if why == _SITES else screen["postscreen_tls_security_level"]
        if why == "STARTTLS" and not cause.explicit:
            cause = screen["smtpd_tls_security_level"]
        related: tuple[Related, ...] = ()
        if cause.value_location is not None:
            related = (Related(f"this makes postscreen need {name}", cause.value_location),)
        yield Finding(
            location,
            f"postscreen can not do {why}: master.cf lacks the service {name}",
            service=screen.label,
            related=related,
        )


def _service_name(screen: Service, parameter: str, default: str) -> str:
    value = screen[parameter]
    return value.text if value.known and value.text else default


def _asks_lists(screen: Service) -> bool:
    return screen[_SITES].empty is False


def _offers_tls(screen: Service) -> bool:
    level = screen["postscreen_tls_security_level"]
    return level.known and level.word() not in (None, "", "none")


_SITE = LazyPattern(r"[A-Za-z0-9_.-]+(?:=([^*]*))?(?:\*(.*))?\Z")
_WEIGHT = LazyPattern(r"[+-]?[0-9]+\Z")


@rule("SMTP012", programs=("postscreen",), severity=Severity.ERROR, tags=("POSTSCREEN_README",))
def postscreen_values(service: Service) -> Iterator[Finding]:
    """A postscreen list or threshold says what postscreen can not do.

    Why: A weight that is no number ends postscreen. A threshold above the sum of all weights is
        never reached, so that the lists never refuse anybody. The access list knows four words
        and tables only: at any other word postscreen stops reading it.
    Fix: Write weights as *2, keep the threshold within their sum, and use permit_mynetworks,
        permit, reject, dunno and cidr tables in the access list.
    Bad:
        postscreen_dnsbl_sites = bl.example.org*1, bl.example.net*1
        postscreen_dnsbl_threshold = 5
        --- master.cf
        smtp inet n - n - 1 postscreen
    Good:
        postscreen_dnsbl_sites = bl.example.org*1, bl.example.net*1
        postscreen_dnsbl_threshold = 2
        --- master.cf
        smtp inet n - n - 1 postscreen
    References: POSTSCREEN_README, postconf(5) postscreen_dnsbl_sites
    """
    sites = service[_SITES]
    yield from _sites(service, sites)
    access = service["postscreen_access_list"]
    if access.explicit:
        yield from _access_list(access)
    for name, tested in (
        ("postscreen_greet_action", True),
        ("postscreen_dnsbl_action", sites.empty is False),
    ):
        value = service[name]
        if tested and value.explicit and value.word() == "ignore" and value.value_location:
            yield Finding(
                value.value_location,
                f"{name} = ignore: what the test finds is only logged",
                severity=Severity.INFO,
                parameter=name,
            )


def _sites(service: Service, sites: Effective) -> Iterator[Finding]:
    total = 0
    complete = sites.known
    for element in sites.elements():
        weight = _weight(element)
        if weight is not None:
            total += max(weight, 0)
            continue
        complete = False
        if element.known and element.location is not None:
            yield Finding(
                element.location,
                f'"{element.text}" in {_SITES}: the weight behind * is no number, '
                "postscreen does not start",
                parameter=_SITES,
            )
    threshold = service["postscreen_dnsbl_threshold"]
    number = threshold.integer
    if complete and total and number is not None and number > total:
        location = threshold.value_location or sites.value_location
        if location is not None:
            yield Finding(
                location,
                f"the threshold {number} is never reached: all lists together weigh {total}",
                severity=Severity.WARNING,
                parameter=threshold.name,
                fix=_within(threshold, total),
            )


def _within(threshold: Effective, total: int) -> Fix | None:
    edit = replace_value(threshold.setting, str(total))
    return None if edit is None else Fix(f"lower it to {total}", (edit,), "unsafe")


def _weight(element: Element) -> int | None:
    match = _SITE.match(element.text)
    if not element.known or match is None:
        return None
    if match[2] is None:
        return 1
    return integer(match[2]) if _WEIGHT.match(match[2]) else None


def _access_list(access: Effective) -> Iterator[Finding]:
    first = True
    for element in access.elements():
        location = element.location
        word = element.text.lower()
        if not element.known or location is None:
            first = False
            continue
        reference = table_reference(element)
        if reference is None and word not in restrictions.POSTSCREEN_TOKENS:
            yield Finding(
                location,
                f'"{element.text}" is nothing that postscreen_access_list knows: '
                "postscreen ignores it and the rest of the list",
                parameter=access.name,
            )
            return
        if reference is not None and reference.type in ("hash", "btree", "lmdb", "cdb"):
            yield Finding(
                location,
                f"{reference.type}: tables match whole addresses only, networks need cidr:",
                severity=Severity.INFO,
                parameter=access.name,
            )
        if first and word in ("reject", "permit"):
            yield Finding(
                location,
                f'"{element.text}" comes first: nothing behind it is looked at',
                severity=Severity.WARNING,
                parameter=access.name,
            )
        first = False
    words = {element.text.lower() for element in access.elements()}
    listed = access.known and access.empty is False
    if listed and "permit_mynetworks" not in words and access.value_location is not None:
        yield Finding(
            access.value_location,
            "postscreen_access_list lacks permit_mynetworks: own hosts are tested, too",
            severity=Severity.INFO,
            parameter=access.name,
        )


@rule("SMTP013", programs=("postscreen",), severity=Severity.WARNING, tags=("POSTSCREEN_README",))
def deep_protocol_tests(service: Service) -> Iterator[Finding]:
    """Postscreen defers every new client once, good ones too.

    Why: After its deep protocol tests postscreen can not hand the connection on, so that the
        client has to come again. Large senders come from another address each time, and their
        mail is late for hours or lost.
    Fix: Leave the deep tests off. If you need them, let postscreen_dnsbl_allowlist_threshold
        excuse senders that an allowlist such as list.dnswl.org knows.
    Bad:
        postscreen_bare_newline_enable = yes
        --- master.cf
        smtp inet n - n - 1 postscreen
    Good:
        postscreen_bare_newline_enable = no
        --- master.cf
        smtp inet n - n - 1 postscreen
    References: POSTSCREEN_README, postconf(5) postscreen_bare_newline_enable
    """
    names = ("postscreen_dnsbl_allowlist_threshold", "postscreen_dnsbl_whitelist_threshold")
    excused = any((service[name].integer or 0) < 0 for name in names)
    for name in _DEEP:
        value = service[name]
        if value.explicit and value.yes and value.value_location is not None:
            extra = "" if not excused else ", except those in an allowlist"
            yield Finding(
                value.value_location,
                f"{name} = yes defers every new client once{extra}",
                severity=Severity.INFO if excused else None,
                parameter=name,
            )
