"""RST: what is never reached, what can not work where it stands, and what comes too early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import Use, uses, uses_in
from postlint.analysis.restrictions import restriction_lists
from postlint.analysis.roles import is_public, service_role
from postlint.lint.edits import delete_element, insert_line_after
from postlint.lint.finding import Edit, Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.restrictions import LISTS
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import RestrictionList
    from postlint.config.service import Service

_REFUSING = frozenset({"reject", "reject_unauth_destination", "defer_unauth_destination"})


@rule("RST004", programs=("smtpd",), severity=Severity.WARNING, tags=("SMTPD_ACCESS_README",))
def unreachable_restriction(service: Service) -> Iterator[Finding]:
    """A restriction stands behind one that always ends the list.

    Why: "permit", "reject" and "defer" decide for every client, so smtpd never looks at what
        follows and only warns in the log. Often the check that matters has slipped behind.
    Fix: Move it before the word that ends the list, or delete it.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, permit, reject_unlisted_recipient
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, reject_unlisted_recipient, permit
    References: postconf(5) smtpd_recipient_restrictions, SMTPD_ACCESS_README
    """
    reported: set[object] = set()
    for use in uses(service):
        item, location = use.item, use.location
        dead = item.dead_after
        if dead is None or location is None or item.kind in ("word", "unknown"):
            continue
        if use.within.name in reported:
            continue  # the first one tells it all, unless it hides a check that matters
        reported.add(use.within.name)
        behind = [other for other in use.within.items if other.dead_after is not None]
        guards = [
            other.element.text
            for other in behind
            if other.restriction is not None and other.restriction.name in _REFUSING
        ]
        opened = dead.text.lower() == "permit"
        grave = bool(guards) and opened
        count = len(behind)
        what = f'"{item.element.text}"' if count == 1 else f'"{item.element.text}" and what follows'
        extra = f", {guards[0]} too" if grave and guards[0] != item.element.text else ""
        related = () if dead.location is None else (Related("the list ends here", dead.location),)
        fix = None
        if len(behind) == 1 and use.within is use.start and item.element.location is not None:
            fix = _deleted(use)
        yield Finding(
            location,
            f'{what} in {use.where} is never reached{extra}: "{dead.text}" comes before it',
            severity=Severity.ERROR if grave else None,
            parameter=use.start.name,
            related=related,
            fix=fix,
        )


def _deleted(use: Use) -> Fix | None:
    """Delete a restriction with its argument, where they stand together."""
    item, place = use.item, use.item.element.location
    last = place if item.argument is None else item.argument.location
    if place is None or last is None or last.source is not place.source or item.warned:
        return None
    both = Location(place.source, Span(place.span.start, last.span.end))
    if "\n" in place.source.text[both.span.start : both.span.end]:
        return None
    return Fix("delete it", (delete_element(both),), "unsafe")


_EARLIER = {
    "smtpd_client_restrictions": ("helo", "sender", "recipient"),
    "smtpd_helo_restrictions": ("sender", "recipient"),
    "smtpd_sender_restrictions": ("recipient",),
}


@rule("RST007", programs=("smtpd",), severity=Severity.WARNING, tags=("SMTPD_ACCESS_README",))
def wrong_context(service: Service) -> Iterator[Finding]:
    """A restriction needs what is not known yet where it stands.

    Why: With smtpd_delay_reject off, smtpd works off the client list when the client connects,
        the HELO list at HELO and the sender list at MAIL FROM. A check of a later word is passed
        over there without any sign.
    Fix: Move it to the list for what it checks, or let smtpd_delay_reject be yes.
    Bad:
        smtpd_delay_reject = no
        smtpd_client_restrictions = check_recipient_access hash:/etc/postfix/recipients
    Good:
        smtpd_delay_reject = yes
        smtpd_client_restrictions = check_recipient_access hash:/etc/postfix/recipients
    References: postconf(5) smtpd_delay_reject, SMTPD_ACCESS_README
    """
    delay = service["smtpd_delay_reject"]
    for use in uses(service):
        restriction, location = use.item.restriction, use.location
        if restriction is None or location is None or use.item.dead_after is not None:
            continue
        if use.name in ("reject_unauth_destination", "defer_unauth_destination"):
            continue  # RLY008
        needs, name = restriction.needs, use.start.name
        if delay.yes is False and needs in _EARLIER.get(name, ()):
            related: tuple[Related, ...] = ()
            if delay.value_location is not None:
                related = (Related("this makes smtpd check at once", delay.value_location),)
            yield Finding(
                location,
                f"{use.name} does nothing in {name}: no {_noun(needs)} is known there, "
                "smtpd_delay_reject is off",
                parameter=name,
                related=related,
            )
        elif needs == "etrn" and name != "smtpd_etrn_restrictions":
            yield Finding(
                location,
                f"{use.name} does nothing in {name}: it is for ETRN",
                parameter=name,
            )
        elif needs == "recipient" and LISTS[name].one_recipient_only:
            yield Finding(
                location,
                f"{use.name} in {name} works only for messages with one recipient",
                severity=Severity.INFO,
                parameter=name,
            )
        elif needs in ("recipient", "sender") and name == "smtpd_etrn_restrictions":
            yield Finding(
                location,
                f"{use.name} does nothing in {name}: there is no {needs}",
                parameter=name,
            )


def _noun(stage: str) -> str:
    return {"helo": "HELO name"}.get(stage, stage)


_DYNAMIC = (
    "reject_rbl_client",
    "reject_rhsbl_client",
    "reject_rhsbl_reverse_client",
    "reject_rhsbl_helo",
    "reject_unknown_client_hostname",
    "reject_unknown_reverse_client_hostname",
    "reject_unknown_helo_hostname",
    "reject_non_fqdn_helo_hostname",
)
"""What strikes people at home as it does spammers."""

_LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
)


@rule("RST009", programs=("smtpd",), severity=Severity.ERROR, tags=("SMTPD_ACCESS_README",))
def dnsbl_before_permit(service: Service) -> Iterator[Finding]:
    """Own users are checked against DNS lists before they are permitted.

    Why: Addresses of homes and phones are on the lists of dynamic addresses by design, and such
        clients often have no proper name. Where permit_mynetworks and permit_sasl_authenticated
        come later, your own people are refused. A permit in another list does not help. Hosts in
        mynetworks that nobody logs in from are less often hit: that is a warning.
    Fix: Write permit_mynetworks and permit_sasl_authenticated before the checks, in the same list.
    Bad:
        smtpd_sasl_auth_enable = yes
        smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
        smtpd_recipient_restrictions = reject_rbl_client bl.example.org, permit_mynetworks, permit_sasl_authenticated
    Good:
        smtpd_sasl_auth_enable = yes
        smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
        smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_rbl_client bl.example.org
    References: SMTPD_ACCESS_README, SASL_README, postconf(5) reject_rbl_client
    """  # noqa: E501
    if service_role(service) == "msa":
        return
    login = service["smtpd_sasl_auth_enable"].yes is True
    if is_public(service) is False or not (login or _has_hosts(service)):
        return
    lists = restriction_lists(service)
    for name in _LISTS:
        if not LISTS[name].exists_in(service.version):
            continue
        early = _first_dynamic(service, lists[name])
        if early is None or early.location is None:
            continue
        later = _later_permit(lists[name], early, login=login)
        if later is None:
            continue
        location = later.item.element.location
        whom = "users at home or on the move are" if login else "hosts of mynetworks may be"
        yield Finding(
            early.location,
            f"{early.name} comes before {later.name} in {name}: {whom} refused",
            severity=Severity.WARNING if "helo" in early.name or not login else None,
            parameter=name,
            related=() if location is None else (Related("too late", location),),
            fix=_permit_first(early, "permit_mynetworks, permit_sasl_authenticated"),
        )


def _has_hosts(service: Service) -> bool:
    """Whether mynetworks names other hosts than this one."""
    if not service["mynetworks"].explicit:
        return False
    found = destinations_of(service.instance).networks(service).trusted()
    return any(not network.is_loopback for _, network in found)


def _permit_first(early: Use, permits: str) -> Fix | None:
    """Permit before the restriction that comes too early."""
    location = early.item.element.location
    if location is None or early.within is not early.start or early.item.warned:
        return None
    start = location.span.start
    place = Location(location.source, Span(start, start))
    return Fix(f"write {permits} before it", (Edit(place, f"{permits}, "),), "unsafe")


def _first_dynamic(service: Service, start: RestrictionList) -> Use | None:
    """The first check of dynamic addresses that logged-in users come to."""
    for use in uses_in(restriction_lists(service), start):
        if use.item.dead_after is not None or use.within is not start:
            continue
        if use.name in ("permit_sasl_authenticated", "permit"):
            return None
        if use.name == "permit_mynetworks" and service["smtpd_sasl_auth_enable"].yes is not True:
            return None
        if use.name in _DYNAMIC and not use.item.warned and use.item.flaw is None:
            return use
    return None


def _later_permit(start: RestrictionList, early: Use, *, login: bool) -> Use | None:
    """The permit for the server's own people that stands behind it."""
    wanted = "permit_sasl_authenticated" if login else "permit_mynetworks"
    at = start.items.index(early.item)
    for item in start.items[at + 1 :]:
        restriction = item.restriction
        if restriction is not None and restriction.name == wanted:
            return Use(item, start, start)
    return None


@rule("RST010", programs=("smtpd",), severity=Severity.WARNING, tags=("SMTPD_ACCESS_README",))
def msa_inherits_mx_filters(service: Service) -> Iterator[Finding]:
    """The port for users works off the spam checks that are meant for port 25.

    Why: A submission service has the lists of main.cf unless it overrides them. DNS lists,
        HELO checks and greylisting then hit people who have not yet logged in or never get past
        the client list, because their addresses are dynamic.
    Fix: Override the list for the service, for example
        -o smtpd_client_restrictions=permit_sasl_authenticated,reject, or begin the list in
        main.cf with permit_sasl_authenticated.
    Bad:
        smtpd_client_restrictions = permit_mynetworks, reject_rbl_client bl.example.org
        --- master.cf
        smtp inet n - n - - smtpd
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
    Good:
        smtpd_client_restrictions = permit_mynetworks, reject_rbl_client bl.example.org
        --- master.cf
        smtp inet n - n - - smtpd
        submission inet n - n - - smtpd
          -o smtpd_sasl_auth_enable=yes
          -o smtpd_client_restrictions=permit_sasl_authenticated,reject
    References: SASL_README, SMTPD_ACCESS_README, master(5)
    """
    if service.implicit or service_role(service) != "msa":
        return
    lists = restriction_lists(service)
    for name in _LISTS:
        if not LISTS[name].exists_in(service.version) or service.overrides(name):
            continue
        early = _first_dynamic(service, lists[name])
        if early is None or early.location is None:
            continue
        related: tuple[Related, ...] = ()
        if service.location is not None:
            related = (Related("the port for users", service.location),)
        yield Finding(
            early.location,
            f"{early.name} in {name} strikes users who submit mail, too: "
            "nothing permits them before",
            parameter=name,
            related=related,
            fix=_overridden(service, name),
        )


def _overridden(service: Service, name: str) -> Fix | None:
    """Give the port for users a list of its own."""
    if service.location is None:
        return None
    value = "" if "helo" in name or "sender" in name else "permit_sasl_authenticated,reject"
    line = f"  -o {name}={value}"
    edit = insert_line_after(service.location, line)
    return Fix(f"override {name} for {service.label}", (edit,), "unsafe")
