"""Whether strangers may relay through an smtpd service, and what decides it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.relay_answers import NO_RESTRICTION
from postlint.analysis.relay_dialogue import evaluate
from postlint.analysis.relay_session import Decision
from postlint.analysis.relay_start import fatal_restriction, fatal_setting
from postlint.analysis.relay_trials import Trials
from postlint.analysis.relay_trust import (
    XCLIENT,
    claimed_addresses,
    may_use_xclient,
    trusted_clients,
    trusted_networks,
)
from postlint.analysis.restrictions import RECIPIENT, RELAY, restriction_lists
from postlint.analysis.roles import is_public
from postlint.analysis.witness import candidates, clients, foreign_domain, uses_client_tables
from postlint.config.derived import once
from postlint.postfix.restrictions import LISTS
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.relay_session import Evaluation, Session, Step, Verdict
    from postlint.analysis.relay_trust import Trusted
    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service

OPEN_ANYWAY = ("permit", "discard")

CLAIMS = 5
"""Addresses that are claimed by XCLIENT."""


class RelayVerdict(NamedTuple):
    """What an anonymous outside client gets from one service.

    ``witness`` is the session that proves it, with every step. ``by_restrictions`` is what the
    restrictions alone say: where they allow it ``status`` may still be ``depends``, because a
    Milter may refuse, or ``fatal``, because smtpd dies of something else.
    """

    service: Service
    status: Verdict
    decided_by: Decision | None
    witness: Evaluation | None = None
    trusted_networks: tuple[str, ...] = ()
    trusted_clients: tuple[Trusted, ...] = ()
    by_restrictions: Verdict = "refused"
    lets_in: Decision | None = None
    """What decides by the restrictions alone."""
    notes: tuple[str, ...] = ()
    unhindered: Evaluation | None = None
    """Of a verdict that depends: a session that is relayed unless an unknown check refuses it."""
    once_mended: tuple[Decision, Evaluation] | None = None
    """Of one that is refused for a word that smtpd does not know: a session that is relayed as
    soon as the word is taken out, and what decides then."""

    @property
    def session(self) -> Session | None:
        return None if self.witness is None else self.witness.session

    @property
    def doubts(self) -> Iterator[Step]:
        """The steps whose answer is not known and may let the client in."""
        for step in self.witness.steps if self.witness is not None else ():
            if len(step.results) > 1 and "permit" in step.results:
                yield step


@once
def relay_verdict(service: Service) -> RelayVerdict:
    """The verdict on an smtpd service."""
    verdict = _by_restrictions(service)
    fatal = (
        fatal_setting(service, restriction_lists(service)) if verdict.status != "fatal" else None
    )
    if fatal is not None:
        return verdict._replace(status="fatal", decided_by=fatal, notes=())
    if verdict.status == "allowed":
        for name, filters in (
            ("smtpd_milters", "a Milter"),
            ("smtpd_proxy_filter", "the filter before the queue"),
        ):
            if service[name].empty is not True:
                note = f"{filters} may still refuse it"
                return verdict._replace(status="depends", notes=(*verdict.notes, note))
    return verdict


def _by_restrictions(service: Service) -> RelayVerdict:
    """What the restriction lists say, and who else may name another client."""
    lists = restriction_lists(service)
    fatal = fatal_restriction(service, lists)
    if fatal is not None:
        return RelayVerdict(service, "fatal", fatal, by_restrictions="fatal")
    domain = foreign_domain(service)
    if domain is None:
        everything = "every domain is delivered here, none is passed on"
        where = Decision("", "mydestination", None, everything)
        networks = trusted_networks(service, lists, None)
        return RelayVerdict(service, "refused", where, trusted_networks=networks)
    status, witness = _search(service, lists, domain)
    claimed = None if status == "allowed" else _by_xclient(service, lists, domain)
    if claimed is not None:
        status, witness = "allowed", claimed
    open_unless = mended = None
    if status == "depends":
        again = evaluate(service, lists, witness.session._replace(unhindered=True))
        open_unless = again if again.relayed else None
    elif status == "refused" and any(
        step and step.reason == NO_RESTRICTION for step in witness.steps
    ):
        result = _search(service, lists, domain, mended=True)
        if result[0] == "allowed":
            mended = _deciding(service, "allowed", result[1]), result[1]
    decision = _deciding(service, status, open_unless or witness)
    if claimed is not None:
        place = service[XCLIENT].value_location
        decision = Decision("", XCLIENT, place, "strangers may name another client")
    usual = witness.session._replace(peer="")
    return RelayVerdict(
        service,
        status,
        decision,
        witness,
        trusted_networks(service, lists, usual),
        trusted_clients(service, lists, usual),
        status,
        decision,
        _notes(service),
        open_unless,
        mended,
    )


def _by_xclient(service: Service, lists: RestrictionLists, domain: str) -> Evaluation | None:
    """A session of a stranger who claims to be a trusted client, if XCLIENT lets him."""
    for addresses in clients(service):
        if not may_use_xclient(service, addresses[0]):
            continue
        sessions = candidates(service, lists, domain).sessions()
        claims = Trials(service, lists, (item._replace(peer=addresses[0]) for item in sessions))
        for address in islice(claimed_addresses(service), CLAIMS):
            status, found = claims.of(address)
            if status == "allowed":
                return found
    return None


def _notes(service: Service) -> tuple[str, ...]:
    proxied = service["smtpd_upstream_proxy_protocol"]
    if proxied.empty is False and is_public(service) is not False:
        return ("the PROXY header says who the client is: only the proxy may reach this port",)
    return ()


def explain(service: Service, session: Session) -> Evaluation:
    """What the service would answer to one client."""
    return evaluate(service, restriction_lists(service), session)


def _search(
    service: Service, lists: RestrictionLists, domain: str, *, mended: bool = False
) -> tuple[Verdict, Evaluation]:
    """Try what a stranger could say; the worst that comes of it.

    A client that no table and no network knows is meant: so what most addresses get counts,
    where tables of clients are looked up, and else an address outside mynetworks.
    """
    sessions = candidates(service, lists, domain).sessions()
    trials = Trials(service, lists, (item._replace(mended=mended) for item in sessions))
    worst: tuple[Verdict, Evaluation] | None = None
    rank: dict[Verdict, int] = {"refused": 0, "depends": 1, "allowed": 2}
    by_address = uses_client_tables(lists)
    for addresses in clients(service):
        unknown = (item for item in addresses if not _trusted(service, item))
        strangers = list(unknown if by_address else islice(unknown, 1))
        if not strangers:
            strangers = list(addresses if by_address else addresses[:1])
        found = [trials.of(item) for item in strangers]
        counts = {status: [item[0] for item in found].count(status) for status in rank}
        usual = max(rank, key=lambda status: (counts[status], -rank[status]))
        for item in found:
            if item[0] == usual and (worst is None or rank[usual] > rank[worst[0]]):
                worst = item
    if worst is None:
        raise AssertionError("no client address to try")
    return worst


def _trusted(service: Service, address: str) -> bool:
    return destinations_of(service.instance).trusted(service, address) is True


def _deciding(service: Service, status: Verdict, witness: Evaluation) -> Decision:
    if status == "refused":
        for _, step in witness.refusals:
            if step is not None:
                return Decision(step.text, step.parameter, step.location, step.reason)
    wanted = [step for step in witness.steps if set(step.results) & set(OPEN_ANYWAY)]
    if status == "allowed":
        wanted = [step for step in wanted if len(step.results) == 1] or wanted
    elif status == "depends":
        wanted = [step for step in wanted if len(step.results) > 1] or wanted
    names = (RELAY, RECIPIENT)
    best = [step for step in wanted if step.parameter in names and step.depth == 1]
    if best:
        step = min(best, key=lambda item: names.index(item.parameter))
        number = next(at for at, other in enumerate(witness.steps) if other is step)
        deepest = step
        for other in witness.steps[number + 1 :]:
            if other.depth <= step.depth:
                break
            if set(other.results) & set(OPEN_ANYWAY):
                deepest = other
        chosen = deepest if deepest.location is not None else step
        where = chosen.location
        if where is None and chosen.text.lower() == "permit_mynetworks":
            where = service["mynetworks"].value_location
        return Decision(chosen.text, step.parameter, where, chosen.reason)
    for step in witness.steps:
        if step.text.endswith("_unauth_destination") and "dunno" in step.results:
            return Decision(step.text, step.parameter, step.location, "everything is a destination")
    if wanted:
        step = wanted[-1]
        return Decision(step.text, step.parameter, step.location, step.reason)
    name = RELAY if LISTS[RELAY].exists_in(service.version) else RECIPIENT
    value = service[name]
    return Decision("", name, value.value_location, "no restriction refuses")
