"""SMTP: what the server tells, demands and endures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.list_use import top_of_main_cf
from postlint.analysis.restrictions import restriction_lists
from postlint.analysis.roles import is_public, service_role
from postlint.analysis.tls import explicit_values
from postlint.config.effective import UNKNOWN
from postlint.lint.edits import insert_line_after, replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service


def _set_to(value: Effective, text: str, message: str) -> Fix | None:
    edit = replace_value(value.setting, text)
    return None if edit is None else Fix(message, (edit,), "unsafe")


@rule(
    "SMTP005",
    programs=("smtpd",),
    severity=Severity.INFO,
    security=3.7,
    tags=("CWE-203", "CIS", "STIG", "lynis"),
)
def vrfy_enabled(service: Service) -> Iterator[Finding]:
    """VRFY tells strangers which addresses exist.

    Why: Spammers try names with it without sending a message. The answers pass the same
        restrictions as RCPT TO, so it tells them nothing that they could not find out otherwise,
        only faster.
    Fix: Set disable_vrfy_command to yes.
    Bad:
        myhostname = mx.example.com
        disable_vrfy_command = no
    Good:
        disable_vrfy_command = yes
    References: postconf(5) disable_vrfy_command, RFC 5321 section 7.3
    """
    if service_role(service) != "mx":
        return
    value = service["disable_vrfy_command"]
    if value.yes is not False or is_public(service) is False:
        return
    whole = service.instance.whole_main_cf and is_public(service) and not service.implicit
    if not value.explicit and not whole:
        return
    location = value.value_location or top_of_main_cf(service.instance)
    if location is None:
        return
    yield Finding(
        location,
        "disable_vrfy_command is no: VRFY tells strangers which addresses exist",
        parameter=value.name,
        fix=_set_to(value, "yes", "switch VRFY off"),
    )


@rule(
    "SMTP006",
    programs=("smtpd",),
    severity=Severity.INFO,
    security=2.0,
    tags=("SMTPD_ACCESS_README",),
)
def helo_not_required(service: Service) -> Iterator[Finding]:
    """HELO restrictions are set, but a client need not say HELO.

    Why: Without HELO there is no name to check, and smtpd passes over the list. A spammer gets
        round it by leaving the command out.
    Fix: Set smtpd_helo_required to yes.
    Bad:
        smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname
    Good:
        smtpd_helo_required = yes
        smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname
    References: postconf(5) smtpd_helo_required, SMTPD_ACCESS_README
    """
    if is_public(service) is False:
        return
    required, restrictions = service["smtpd_helo_required"], service["smtpd_helo_restrictions"]
    if required.yes is not False or not restrictions.explicit:
        return
    if required.explicit is False and not (service.implicit or service.entry is not None):
        return
    lists = restriction_lists(service)
    matters = any(
        item.restriction is not None and item.restriction.answers in ("reject", "both")
        for members in lists.with_classes(lists["smtpd_helo_restrictions"])
        for item in members.items
        if item.dead_after is None and not item.warned
    )
    location = required.value_location or restrictions.value_location
    if not matters or location is None:
        return
    fix = _set_to(required, "yes", "demand HELO")
    if fix is None and restrictions.setting.origin == "main.cf" and restrictions.location:
        added = insert_line_after(restrictions.location, "smtpd_helo_required = yes")
        fix = Fix("demand HELO", (added,), "unsafe")
    yield Finding(
        location,
        "smtpd_helo_required is no: a client gets round smtpd_helo_restrictions by saying no HELO",
        parameter="smtpd_helo_required",
        fix=fix,
    )


_DISCLOSES = LazyPattern(
    r"\b(debian|ubuntu|centos|red ?hat|fedora|suse|freebsd|openbsd|netbsd|gentoo|arch|linux|windows"
    r"|mail_version)\b",
    re.IGNORECASE,
)
_NAME = LazyPattern(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\Z")


@rule(
    "SMTP007",
    programs=("smtpd",),
    severity=Severity.WARNING,
    tags=("RFC 5321", "CWE-200", "CIS", "lynis"),
)
def banner(service: Service) -> Iterator[Finding]:
    """The greeting does not begin with the host's name, or tells too much.

    Why: Clients may expect the name as the first word, and Postfix itself finds out by it that
        it talks to itself. A version in it helps those who look for old servers.
    Fix: Set smtpd_banner to $myhostname ESMTP, or leave it at its default.
    Bad:
        smtpd_banner = Welcome to our mail server
    Good:
        smtpd_banner = $myhostname ESMTP
    References: RFC 5321 section 4.2, postconf(5) smtpd_banner
    """
    value = service["smtpd_banner"]
    if not value.explicit or value.value_location is None or value.problem is not None:
        return
    written = value.setting.text.strip()
    first = value.text.split(maxsplit=1)[0] if value.text.split() else ""
    named = written.startswith(("$", "@", "<", "{", "%")) or UNKNOWN in first
    if not named and not _NAME.match(first):
        yield Finding(
            value.value_location,
            "smtpd_banner does not begin with the name of the host",
            parameter=value.name,
            fix=_set_to(value, "$myhostname ESMTP", "begin with $myhostname"),
        )
        return
    found = _DISCLOSES.search(written)
    if found is not None:
        what = "the Postfix version" if found[1].lower() == "mail_version" else found[1]
        yield Finding(
            value.value_location,
            f"smtpd_banner tells everybody: {what}",
            severity=Severity.INFO,
            security_severity=2.0,
            parameter=value.name,
            fix=_set_to(value, "$myhostname ESMTP", "tell the name only"),
        )


_HUGE = {
    "smtpd_soft_error_limit": 1000,
    "smtpd_hard_error_limit": 1000,
    "smtpd_junk_command_limit": 10_000,
    "smtpd_recipient_limit": 10_000,
    "smtpd_recipient_overshoot_limit": 100_000,
    "header_size_limit": 10_000_000,
    "smtpd_client_connection_count_limit": 1000,
}
_UNDER_STRESS = {
    "smtpd_timeout": (300, "idle clients hold processes"),
    "smtpd_hard_error_limit": (20, "clients may go on making errors"),
    "smtpd_junk_command_limit": (100, "clients may go on talking to no purpose"),
}
"""What Postfix lowers by itself when all processes are busy; the usual values."""
_UNLIMITED_AT_ZERO = ("message_size_limit",)


@rule("SMTP009", severity=Severity.WARNING, security=5.3, tags=("CWE-770", "STRESS_README"))
def limits_disabled(instance: Instance) -> Iterator[Finding]:
    """A limit that protects the server from one client is off or out of all measure.

    Why: The limits keep a single client from filling the disk, the memory or all smtpd processes.
        Switched off, one broken or hostile client is enough to stop mail for everybody.
    Fix: Delete the line, or set a limit that fits your users.
    Bad:
        message_size_limit = 0
    Good:
        message_size_limit = 52428800
    References: postconf(5) message_size_limit, STRESS_README, CWE-770
    """
    names = (*_HUGE, *_UNLIMITED_AT_ZERO, "in_flow_delay", "smtpd_timeout")
    for service, value in explicit_values(instance, names):
        if service is not None and service_role(service) not in ("mx", "msa"):
            continue  # filters may make errors, as FILTER_README wants
        said = _limit(value)
        if said is not None and value.value_location is not None:
            message, grave = said
            yield Finding(
                value.value_location,
                message,
                severity=None if grave else Severity.INFO,
                security_severity=5.3 if grave else None,
                parameter=value.name,
                service=None if service is None else service.label,
            )


def _limit(value: Effective) -> tuple[str, bool] | None:
    """What a limit fails to do, and whether that is grave."""
    name, number = value.name, value.integer
    most = _HUGE.get(name)
    if most is not None and number is not None and number > most:
        return f"{name} = {number} is no limit any more", True
    if name in _UNLIMITED_AT_ZERO and number == 0:
        return f"{name} = 0: a message may be as large as the disk", True
    if name == "in_flow_delay" and re.fullmatch(r"0+s?", value.text.strip()):
        return "in_flow_delay = 0: incoming mail can outrun delivery", False
    usual = _UNDER_STRESS.get(name)
    if usual is None:
        return None
    amount = _seconds(value) if name == "smtpd_timeout" else number
    if amount is None or amount <= usual[0]:
        return None
    if name == "smtpd_timeout" and amount > 1800:
        return f"{name} = {value.text}: {usual[1]}", True
    if "stress" in value.setting.text:
        return None
    return f"{name} = {value.text} stays as high when all processes are busy: {usual[1]}", False


_TIME = LazyPattern(r"([0-9]+)([smhdw]?)\Z")


def _seconds(value: Effective) -> int | None:
    match = _TIME.match(value.text.strip())
    if match is None:
        return None
    return integer(match[1]) * {"m": 60, "h": 3600, "d": 86400, "w": 604800}.get(match[2], 1)


_SCANNERS = LazyPattern(
    r"clam(?:av|smtp)|amavis|savdi|sophos|avira|\bav[-_.]|antivir", re.IGNORECASE
)
_SIGNERS = LazyPattern(r"dkim|rspamd|:8891\b|:11332\b", re.IGNORECASE)
_PLAIN = LazyPattern(r"inet6?:(?:\[?([^\]:@]+)\]?:)?([0-9a-z-]+)(?:@(.+))?\Z", re.IGNORECASE)


@rule("SMTP015", severity=Severity.WARNING, security=4.3, tags=("CWE-636", "MILTER_README"))
def milter_fail_open(instance: Instance) -> Iterator[Finding]:
    """Mail goes through unfiltered and unsigned while the Milter is down.

    Why: With milter_default_action = accept nobody notices that the virus scanner is gone, and
        viruses come in; that is a warning. Without a spam filter, or without a DKIM signature for
        an hour, mail gets through all the same, and many want just that: it is only mentioned.
    Fix: Set milter_default_action to tempfail, or for one Milter
        { inet:localhost:8891, default_action=accept } where it does no harm.
    Bad:
        smtpd_milters = unix:/run/clamav/clamav-milter.sock
        milter_default_action = accept
    Good:
        smtpd_milters = unix:/run/clamav/clamav-milter.sock
        milter_default_action = tempfail
    References: MILTER_README, postconf(5) milter_default_action
    """
    main = instance.main
    milters = main["smtpd_milters"]
    if milters.empty is not False or not milters.explicit:
        return
    action = main["milter_default_action"]
    matters = _SCANNERS.search(milters.text) is not None
    lost = "unfiltered" if _SIGNERS.search(milters.text) is None else "unfiltered and unsigned"
    if action.explicit and action.word() == "accept" and action.value_location is not None:
        related: tuple[Related, ...] = ()
        if milters.value_location is not None:
            related = (Related("the Milters", milters.value_location),)
        yield Finding(
            action.value_location,
            f"milter_default_action = accept: mail passes {lost} while a Milter is down",
            severity=None if matters else Severity.INFO,
            security_severity=4.3 if matters else None,
            parameter=action.name,
            related=related,
            fix=_set_to(action, "tempfail", "defer mail instead"),
        )
    local = main["non_smtpd_milters"]
    signer = _SIGNERS.search(milters.text)
    if signer and local.empty and instance.whole_main_cf and milters.value_location is not None:
        yield Finding(
            milters.value_location,
            "non_smtpd_milters is empty: mail that programs of this host send is not signed",
            severity=Severity.INFO,
            parameter="non_smtpd_milters",
        )
    for element in milters.elements():
        match = _PLAIN.match(element.text) if element.known else None
        if match is None or element.location is None:
            continue
        host = (match[3] or match[1] or "").strip("[]").lower()
        if "." in host and not host.startswith("127.") and _elsewhere(host):
            yield Finding(
                element.location,
                f"the Milter at {host} gets all mail in clear text over the network",
                severity=Severity.INFO,
                parameter=milters.name,
            )


def _elsewhere(host: str) -> bool:
    private = re.match(r"10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.", host)
    return private is None and re.fullmatch(r"[0-9.]+", host) is not None
