"""RST: DNS lists that are gone, answer for everything, or tell a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.list_use import uses
from postlint.lint.edits import delete_element
from postlint.lint.finding import Edit, Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix import dnsbl
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Location, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.list_use import Use
    from postlint.config.service import Service

POSTSCREEN_SITES = "postscreen_dnsbl_sites"


class DnsList(NamedTuple):
    """A DNS list in use. ``check`` is the restriction, or postscreen's parameter."""

    check: str
    name: str
    answers: str
    text: str
    location: Location
    parameter: str
    weight: int = 1
    alone: bool = True
    """Whether its answer is enough to refuse a client."""
    whole: Location | None = None
    """The restriction with the list, where both stand on one line."""


def dns_lists(service: Service) -> Iterator[DnsList]:
    """The DNS lists that smtpd or postscreen asks."""
    if service.program == "postscreen":
        threshold = service["postscreen_dnsbl_threshold"].integer
        for element in service[POSTSCREEN_SITES].elements():
            if element.known and element.location is not None:
                name, answers = dnsbl.split(element.text)
                found = re.search(r"\*([+-]?[0-9]+)\Z", element.text)
                weight = integer(found[1]) if found is not None else 1
                yield DnsList(
                    POSTSCREEN_SITES,
                    name,
                    answers,
                    element.text,
                    element.location,
                    POSTSCREEN_SITES,
                    weight,
                    threshold is None or weight >= threshold,
                    element.location,
                )
        return
    for use in uses(service):
        item = use.item
        argument = item.argument
        restriction = item.restriction
        if restriction is None or argument is None or restriction.argument != "domain":
            continue
        location = argument.location or use.location
        if not argument.known or location is None or item.dead_after is not None:
            continue
        if item.flaw is not None or "." not in argument.text:
            continue
        name, answers = dnsbl.split(argument.text)
        yield DnsList(
            use.name,
            name,
            answers,
            argument.text,
            location,
            use.start.name,
            alone=not item.warned,
            whole=_whole(use),
        )


def _whole(use: Use) -> Location | None:
    """A restriction with its argument and the warn_if_reject before it."""
    item = use.item
    first = (item.warned_at or item.element).location
    last = None if item.argument is None else item.argument.location
    if first is None or last is None or first.source is not last.source:
        return None
    place = Location(first.source, Span(first.span.start, last.span.end))
    return None if "\n" in place.source.text[place.span.start : place.span.end] else place


@rule(
    "RST011",
    programs=("smtpd", "postscreen"),
    severity=Severity.ERROR,
    tags=("RFC 5782", "POSTSCREEN_README"),
)
def dead_dnsbl(service: Service) -> Iterator[Finding]:
    """A DNS list is gone, has moved, or lists something else.

    Why: A list that was shut down costs a lookup per client and protects from nothing. Some
        answer "listed" for every address after their end, so that all mail is refused. A list of
        domain names that is asked for addresses never answers, and the reverse.
    Fix: Take the list out, or write the one that took its place.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, reject_rbl_client dnsbl.ahbl.org
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, reject_rbl_client bl.spamcop.net
    References: RFC 5782, postconf(5) reject_rbl_client, postconf(5) postscreen_dnsbl_sites
    """
    for item in dns_lists(service):
        zone = dnsbl.lookup(item.name)
        if zone is None:
            continue
        found = _verdict(item, zone)
        if found is None:
            continue
        severity, message = found
        fix = None
        if zone.status == "moved" and zone.instead:
            text = item.text.replace(item.text.partition("=")[0].partition("*")[0], zone.instead, 1)
            fix = Fix(f"ask {zone.instead}", (Edit(item.location, text),), "unsafe")
        elif zone.useless and item.whole is not None:
            fix = Fix("ask it no more", (delete_element(item.whole),), "safe")
        yield Finding(item.location, message, severity=severity, parameter=item.parameter, fix=fix)


def _verdict(item: DnsList, zone: dnsbl.Zone) -> tuple[Severity | None, str] | None:
    rejects = item.check.startswith("reject") or (
        item.check == POSTSCREEN_SITES and item.weight > 0
    )
    by_address = item.check in ("reject_rbl_client", "permit_dnswl_client", POSTSCREEN_SITES)
    since = f" since {zone.since}" if zone.since else ""
    head = f"the DNS list {item.name}"
    match zone.status:
        case "lists everything":
            what = "all mail may be refused" if rejects else "every client may be permitted"
            return None, f"{head} is shut down and answers for every address{since}: {what}"
        case "dead":
            return Severity.WARNING, f"{head} is shut down{since}: every lookup is wasted"
        case "moved":
            return Severity.WARNING, f"{head} is no list of its own any more: ask {zone.instead}"
        case "paid":
            if not rejects:
                return None
            return Severity.INFO, f"{head} answers only those who have registered or pay"
        case "allowlist":
            if item.check.startswith("reject"):
                return None, f"{head} lists good senders: {item.check} refuses just these"
            if item.check == POSTSCREEN_SITES and item.weight > 0:
                return None, f"{head} lists good senders, but counts against them here"
            return None
        case "broad":
            if item.check != "reject_rbl_client":
                return None
            return Severity.WARNING, f"{head} lists whole networks: good senders are refused, too"
        case "special":
            if item.check != "reject_rbl_client":
                return None
            return Severity.WARNING, f"{head} is {zone.note or 'for other uses'}: not for all mail"
        case "domains":
            if not by_address:
                return None
            return None, f"{head} lists domain names: {item.check} asks it for addresses in vain"
        case "addresses":
            if by_address or item.check == "permit_rhswl_client" or not item.check:
                return None
            return None, f"{head} lists addresses: {item.check} asks it for names in vain"
    return None


_SPAMHAUS = LazyPattern(
    r"(?:.+\.)?(?:(?:zen|sbl|xbl|pbl|sbl-xbl)\.spamhaus\.org|zen\.dq\.spamhaus\.net)"
)
_SPAMHAUS_NAMES = LazyPattern(r"(?:.+\.)?(?:dbl\.spamhaus\.org|(?:dbl|zrd)\.dq\.spamhaus\.net)")


@rule(
    "RST012",
    programs=("smtpd", "postscreen"),
    severity=Severity.WARNING,
    tags=("RFC 5782", "CWE-754"),
)
def spamhaus_unfiltered(service: Service) -> Iterator[Finding]:
    """A DNS list is asked without saying which of its answers count.

    Why: Spamhaus answers 127.255.255.x to resolvers that it does not serve, such as public ones,
        and dnswl.org answers 127.0.0.255. Without a filter such an answer means "listed": all
        mail is refused, or everybody is permitted. Where one such answer is not enough, because
        postscreen wants more points or warn_if_reject stands before it, that is only mentioned.
    Fix: Write the answers that count behind the name, as in zen.spamhaus.org=127.0.0.[2..11].
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, reject_rbl_client zen.spamhaus.org
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]
    References: RFC 5782, postconf(5) reject_rbl_client, postconf(5) postscreen_dnsbl_sites
    """  # noqa: E501
    if service.version < (2, 8):
        return
    for item in dns_lists(service):
        if item.answers:
            continue
        suggested, consequence = _filter(item)
        if not suggested:
            continue
        public = _public_resolver(service) if "127.255" in consequence else None
        if public is not None:
            consequence += f"; this host asks {public}, which Spamhaus does not serve"
        text = item.text.replace(item.text.partition("*")[0], f"{item.name}={suggested}", 1)
        hostkarma = "hostkarma" in item.name
        permits = item.name == "list.dnswl.org"
        yield Finding(
            item.location,
            f"{item.name} without a filter of answers: {consequence}",
            severity=Severity.ERROR
            if (hostkarma or public is not None) and item.alone
            else None
            if item.alone or permits
            else Severity.INFO,
            security_severity=5.3 if permits else None,
            parameter=item.parameter,
            fix=Fix(f"count {suggested} only", (Edit(item.location, text),), "unsafe"),
        )


_RESOLVERS = LazyPattern(
    r"(?:8\.8\.(?:8\.8|4\.4)|1\.[01]\.[01]\.[12]|9\.9\.9\.[0-9]+|149\.112\.112\.[0-9]+"
    r"|208\.67\.22[02]\.[0-9]+|2001:4860:4860::88(?:88|44)|2606:4700:4700::1(?:11|00)1"
    r"|2620:fe::.*)"
)
"""Resolvers that everybody may use, of which Spamhaus takes no questions."""


def _public_resolver(service: Service) -> str | None:
    """A public resolver that resolv.conf names, where that file may be read."""
    source = service.instance.files.read("/etc/resolv.conf")
    for line in source.text.splitlines() if source is not None else ():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and _RESOLVERS.fullmatch(words[1]):
            return words[1]
    return None


def _filter(item: DnsList) -> tuple[str, str]:
    """The answers that count, and what happens without a filter."""
    if _SPAMHAUS.fullmatch(item.name):
        error = "its error answers 127.255.255.x count as listed, and all mail is refused"
        return "127.0.0.[2..11]", error
    if _SPAMHAUS_NAMES.fullmatch(item.name):
        error = "its error answers 127.255.255.x count as listed, and all mail is refused"
        return "127.0.1.[2..99]", error
    if item.name == "list.dnswl.org" and not item.check.startswith("reject"):
        if item.check == POSTSCREEN_SITES and item.weight >= 0:
            return "", ""
        error = "its answer 127.0.0.255 for a blocked resolver permits everybody"
        return "127.0.[0..255].[1..3]", error
    if item.name == "hostkarma.junkemailfilter.com" and item.check.startswith("reject"):
        return "127.0.0.2", "it answers 127.0.0.1 for good senders, and they are refused"
    return "", ""


_DQS = LazyPattern(r"[a-z0-9]{20,}\.[a-z]+\.dq\.spamhaus\.net")


@rule(
    "RST013",
    programs=("smtpd", "postscreen"),
    severity=Severity.WARNING,
    security=4.3,
    tags=("CWE-200",),
)
def dqs_key_exposed(service: Service) -> Iterator[Finding]:
    """The personal key for a DNS list is shown to every client that is refused.

    Why: The key is a part of the list's name, and the usual reply names the list. Whoever is
        refused can use the key, and its owner is charged or locked out.
    Fix: Write a reply without the name: rbl_reply_maps or default_rbl_reply for smtpd,
        postscreen_dnsbl_reply_map for postscreen.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = reject_rbl_client abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net=127.0.0.[2..11]
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = reject_rbl_client abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net=127.0.0.[2..11]
        rbl_reply_maps = hash:/etc/postfix/rbl_reply
    References: postconf(5) rbl_reply_maps, postconf(5) postscreen_dnsbl_reply_map
    """  # noqa: E501
    for item in dns_lists(service):
        if not _DQS.fullmatch(item.name):
            continue
        if service.program == "postscreen":
            hidden = service["postscreen_dnsbl_reply_map"].empty is not True
            remedy = "postscreen_dnsbl_reply_map"
        else:
            template = service["default_rbl_reply"]
            hidden = service["rbl_reply_maps"].empty is not True or (
                template.explicit and "rbl_domain" not in template.setting.text
            )
            remedy = "rbl_reply_maps"
        if hidden:
            continue
        yield Finding(
            item.location,
            f"the key of this list is shown to every client that it refuses: {remedy} is not set",
            parameter=item.parameter,
        )
