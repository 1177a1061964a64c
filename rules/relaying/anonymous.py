"""RLY: verdicts of the reachability analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import access_table
from postlint.analysis.destinations import destinations_of
from postlint.analysis.list_use import anchor, top_of_main_cf
from postlint.analysis.relay import relay_verdict
from postlint.analysis.restrictions import RECIPIENT, RELAY, restriction_lists
from postlint.analysis.witness import FOREIGN_DOMAINS
from postlint.lint.edits import insert_line_after, replace_value
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.restrictions import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.relay import RelayVerdict
    from postlint.analysis.relay_session import Decision, Evaluation, Step
    from postlint.config.service import Service
    from postlint.lint.finding import Location

_STANDARD = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"


@rule(
    "RLY001",
    programs=("smtpd",),
    severity=Severity.ERROR,
    security=9.8,
    tags=("CWE-1188", "CWE-284", "SMTPD_ACCESS_README", "STIG"),
)
def open_relay(service: Service) -> Iterator[Finding]:
    """Anybody on the Internet can send mail to anybody through this server.

    Why: Spammers find an open relay within hours. The server then sends their mail in your name
        until it is on every blocklist, and the queue is full of bounces. postlint walks through
        the restriction lists as smtpd does and names a client, a HELO name, a sender and a
        recipient with which nothing refuses the mail. Where only recipients that a table names
        are open to everybody it is a warning: relay_domains is the place for domains whose mail
        you pass on.
    Fix: Let nothing permit strangers before reject_unauth_destination. Access tables that answer
        OK, RELAY or digits, and classes that hold a permit, belong behind it or into another
        list.
    Bad:
        mynetworks = 127.0.0.0/8
        smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination
    Good:
        mynetworks = 127.0.0.0/8
        smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
    References: SMTPD_ACCESS_README, postconf(5) smtpd_relay_restrictions, RFC 5321
    """  # noqa: E501
    verdict = relay_verdict(service)
    shown = _shown(verdict)
    if shown is None:
        return
    decision, evaluation = shown
    location = decision.location or anchor(service, decision.parameter, "mynetworks")
    ground = f"{decision.reason}: " if decision.reason else ""
    parameter = decision.parameter
    if decision.restriction == "permit_mynetworks":
        parameter, ground = "mynetworks", "mynetworks takes in everybody: "
        location = _everybody(service) or service["mynetworks"].value_location or location
    if location is None or (service.implicit and decision.location is None and not ground):
        return
    where = decision.parameter
    word = f'"{decision.restriction}" in {where}' if decision.restriction else where
    old = parameter != "mynetworks" and _safe_once(service)
    end = _unless(verdict) + (VERSIONS if old else "")
    related = [
        Related(f"{step.text}: {', '.join(step.results)}", step.location)
        for step in _permitting(evaluation)
        if step.location is not None and step.location.span != location.span
    ]
    begin = "open relay"
    recipient = evaluation.session.recipient.rpartition("@")[2]
    one_domain = recipient not in FOREIGN_DOMAINS and decision.restriction != "permit_mynetworks"
    if one_domain:
        begin = f"open relay to {recipient}"
    obstacle = None if verdict.once_mended is None else verdict.decided_by
    if obstacle is not None:
        begin = f'open relay as soon as "{obstacle.restriction}" is put right,'
        if obstacle.location is not None:
            related.insert(0, Related("smtpd answers 451 to everybody here", obstacle.location))
    yield Finding(
        location,
        f"{begin} by {word}: {ground}{_story(evaluation)}{end}",
        severity=Severity.WARNING if old or one_domain else None,
        security_severity=6.5 if one_domain else 9.8,
        parameter=parameter,
        related=related[:8],
    )


def _shown(verdict: RelayVerdict) -> tuple[Decision, Evaluation] | None:
    """What decides that strangers may relay, and the session that shows it."""
    if verdict.once_mended is not None:
        return verdict.once_mended
    evaluation = verdict.unhindered
    if verdict.by_restrictions == "allowed":
        evaluation = verdict.witness
    if evaluation is None or verdict.lets_in is None:
        return None
    return verdict.lets_in, evaluation


def _story(evaluation: Evaluation) -> str:
    """Who may send what to whom."""
    session = evaluation.session
    words = [f"client {session.peer or session.address}"]
    if session.peer:
        words.append(f"says XCLIENT ADDR={session.address} and")
    elif session.helo is None:
        words.append("without HELO")
    elif any("check_helo_access" in step.text for step in _permitting(evaluation)):
        words.append(f"with HELO {session.helo}")
    words.append(f"may send from <{session.sender}> to <{session.recipient}>")
    return " ".join(words)


def _unless(verdict: RelayVerdict) -> str:
    """What may still refuse him."""
    if verdict.by_restrictions != "allowed" and verdict.unhindered is not None:
        return " (unless a table or server that can not be read refuses it)"
    if verdict.status == "depends" and verdict.notes:
        return f" ({verdict.notes[-1]})"
    return ""


def _everybody(service: Service) -> Location | None:
    """The element of mynetworks that takes in all addresses."""
    for pattern in destinations_of(service.instance).networks(service).patterns:
        everybody = pattern.kind == "everyone" or (
            pattern.network is not None and pattern.network.prefixlen == 0
        )
        if everybody and not pattern.negated:
            return pattern.element.location
    return None


VERSIONS = " (depends on the version)"


def _safe_once(service: Service) -> bool:
    """Whether some version that is meant has a safe default where this one has none.

    2.10 and 2.11 refuse strangers in smtpd_relay_restrictions whatever the compatibility level.
    """
    return not service[RELAY].explicit and service.instance.oldest_version < (3, 0)


def _permitting(evaluation: Evaluation | None) -> list[Step]:
    steps = evaluation.steps if evaluation is not None else ()
    return [step for step in steps if "permit" in step.results]


@rule(
    "RLY002",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=6.5,
    tags=("CWE-284", "SMTPD_ACCESS_README"),
)
def possible_relay_hole(service: Service) -> Iterator[Finding]:
    """A table or server that may permit strangers is asked before relaying is refused.

    Why: An OK from an access table or a policy server ends the list, so that
        reject_unauth_destination behind it is never reached. HELO names and sender addresses are
        whatever the client claims: an OK for them is an OK for everybody who guesses it.
    Fix: Put the check behind reject_unauth_destination, or into smtpd_recipient_restrictions
        while smtpd_relay_restrictions refuses strangers by itself. Or answer DUNNO.
    Bad:
        mynetworks = 127.0.0.0/8
        smtpd_relay_restrictions = permit_mynetworks, check_sender_access hash:/srv/senders, reject_unauth_destination
    Good:
        mynetworks = 127.0.0.0/8
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = check_sender_access hash:/srv/senders
    References: SMTPD_ACCESS_README, access(5), postconf(5) smtpd_relay_restrictions
    """  # noqa: E501
    verdict = relay_verdict(service)
    if verdict.by_restrictions == "allowed":
        yield from _revealing_entries(service, verdict)
        return
    if verdict.by_restrictions != "depends" or verdict.unhindered is not None:
        return
    old = _safe_once(service)
    for step in verdict.doubts:
        if step.depth != 1 or step.parameter not in (RELAY, RECIPIENT) or step.location is None:
            continue
        if step.text.lower() == "permit_tls_all_clientcerts":
            continue  # RLY006
        yield Finding(
            step.location,
            f'"{step.text}" in {step.parameter} can permit any client to relay, '
            f"nothing refuses it before{VERSIONS if old else ''}",
            severity=Severity.INFO if old else None,
            security_severity=6.5,
            parameter=step.parameter,
        )


def _revealing_entries(service: Service, verdict: RelayVerdict) -> Iterator[Finding]:
    """The entries of a readable table that let whoever knows them relay."""
    lists = restriction_lists(service)
    numbers = {step.text: step for step in _permitting(verdict.witness) if step.depth == 1}
    for name in (RELAY, RECIPIENT):
        if not LISTS[name].exists_in(service.version):
            continue
        for item in lists[name].items:
            if item.argument is None or item.restriction is None:
                continue
            kind = item.restriction.name
            text = f"{item.element.text} {item.argument.text}"
            if kind not in ("check_sender_access", "check_helo_access") or text not in numbers:
                continue
            what = "sender" if kind == "check_sender_access" else "HELO name"
            for entry in access_table(service.instance, item.argument).entries[:50]:
                if parse_access_result(entry.value, service.version).kind != "permit":
                    continue
                if entry.location is None or not entry.key:
                    continue
                related: tuple[Related, ...] = ()
                if item.element.location is not None:
                    related = (Related(f"asked by {name}", item.element.location),)
                yield Finding(
                    entry.location,
                    f'"{entry.value}" lets everybody relay who claims the {what} {entry.key}',
                    severity=Severity.ERROR,
                    security_severity=8.1,
                    parameter=name,
                    related=related,
                )


@rule(
    "RLY004",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.3,
    tags=("COMPATIBILITY_README",),
)
def relay_restrictions_empty(service: Service) -> Iterator[Finding]:
    """smtpd_relay_restrictions is empty: the recipient restrictions alone stop relaying.

    Why: Spam rules change often, and one OK too early in smtpd_recipient_restrictions makes an
        open relay. The separate list was made so that such a slip does no harm. Below
        compatibility_level 1 it is empty unless it is set.
    Fix: Set smtpd_relay_restrictions to who may relay, and keep the spam rules apart.
    Bad:
        smtpd_relay_restrictions =
        smtpd_recipient_restrictions = check_sender_access hash:/srv/senders, reject_unauth_destination
    Good:
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = check_sender_access hash:/srv/senders
    References: COMPATIBILITY_README, SMTPD_ACCESS_README, postconf(5) smtpd_relay_restrictions
    """  # noqa: E501
    if service.implicit or not LISTS[RELAY].exists_in(service.version):
        return
    relay = service[RELAY]
    if relay.empty is not True or not (relay.explicit or service.instance.whole_main_cf):
        return
    verdict = relay_verdict(service)
    if verdict.by_restrictions in ("fatal", "allowed"):
        return
    recipient = service[RECIPIENT]
    if recipient.text.strip().lower() in ("reject", "permit_sasl_authenticated,reject"):
        return
    explicit = relay.explicit
    location = relay.value_location or recipient.value_location
    location = location or top_of_main_cf(service.instance)
    if location is None:
        return
    why = "" if explicit else " (its default below compatibility_level 1)"
    safe = verdict.by_restrictions == "refused"
    versions = (
        ""
        if explicit or service.instance.oldest_version >= (3, 0)
        else (" (depends on the version)")
    )
    related = []
    if explicit and recipient.value_location is not None:
        related.append(Related("this list alone refuses strangers", recipient.value_location))
    yield Finding(
        location,
        f"{RELAY} is empty{why}: {RECIPIENT} alone stops relaying{versions}",
        severity=Severity.INFO if safe or versions else None,
        parameter=RELAY,
        related=related,
        fix=_standard_fix(service),
    )


def _standard_fix(service: Service) -> Fix | None:
    setting = service[RELAY].setting
    message = "set the usual restrictions"
    if setting.origin == "main.cf":
        edit = replace_value(setting, _STANDARD)
        return None if edit is None else Fix(message, (edit,), "unsafe")
    recipient = service[RECIPIENT].setting
    if setting.origin == "default" and recipient.origin == "main.cf":
        location = recipient.location
        if location is not None:
            added: Edit = insert_line_after(location, f"{RELAY} = {_STANDARD}")
            return Fix(message, (added,), "unsafe")
    return None
