"""Whether strangers may relay through an smtpd service, and what decides it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.relay_dialogue import evaluate
from postlint.analysis.relay_session import Session
from postlint.analysis.restrictions import CLASSES, RECIPIENT, RELAY, RestrictionLists
from postlint.analysis.witness import candidates, clients, foreign_domain, uses_client_tables
from postlint.postfix.restrictions import LISTS
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.relay_session import Evaluation, Step, Verdict
    from postlint.config.service import Service
    from postlint.syntax.source import Location

OPEN_ANYWAY = ("permit", "discard")


class Decision(NamedTuple):
    """The word that decides: a restriction in a list, or the list itself when it lacks one."""

    restriction: str
    parameter: str
    location: Location | None
    reason: str = ""


class RelayVerdict(NamedTuple):
    """What an anonymous outside client gets from one service.

    ``witness`` is the session that proves it, with every step. ``by_restrictions`` is what the
    restrictions alone say; ``status`` is ``depends`` instead of ``allowed`` where a Milter may
    still refuse.
    """

    service: Service
    status: Verdict
    decided_by: Decision | None
    witness: Evaluation | None
    trusted_networks: tuple[str, ...]
    by_restrictions: Verdict
    reason: str = ""
    unhindered: Evaluation | None = None
    """Of a verdict that depends: a session that is relayed unless an unknown check refuses it."""

    @property
    def session(self) -> Session | None:
        return None if self.witness is None else self.witness.session

    @property
    def doubts(self) -> Iterator[Step]:
        """The steps whose answer is not known and may let the client in."""
        for step in self.witness.steps if self.witness is not None else ():
            if len(step.results) > 1 and "permit" in step.results:
                yield step


@lru_cache(maxsize=512)
def relay_verdict(service: Service) -> RelayVerdict:
    """The verdict on an smtpd service."""
    lists = restriction_lists(service)
    fatal = _fatal(service, lists)
    if fatal is not None:
        return RelayVerdict(service, "fatal", fatal, None, (), "fatal", fatal.reason)
    domain = foreign_domain(service)
    if domain is None:
        everything = "every domain is delivered here, none is passed on"
        where = Decision("", "mydestination", None, everything)
        return RelayVerdict(
            service, "refused", where, None, trusted_networks(service, lists), "refused", everything
        )
    status, witness = _search(service, lists, domain)
    final: Verdict = status
    reason = ""
    if status == "allowed" and service["smtpd_milters"].empty is not True:
        final = "depends"
        reason = "a Milter may still refuse it"
    open_unless = None
    if status == "depends":
        again = evaluate(service, lists, witness.session._replace(unhindered=True))
        open_unless = again if again.relayed else None
    decision = _deciding(service, status, open_unless or witness)
    networks = trusted_networks(service, lists)
    return RelayVerdict(service, final, decision, witness, networks, status, reason, open_unless)


@lru_cache(maxsize=512)
def restriction_lists(service: Service) -> RestrictionLists:
    """The restriction lists of a service, read once."""
    return RestrictionLists(service)


def explain(service: Service, session: Session) -> Evaluation:
    """What the service would answer to one client."""
    return evaluate(service, restriction_lists(service), session)


def trusted_networks(service: Service, lists: RestrictionLists) -> tuple[str, ...]:
    """The networks whose clients may relay, if permit_mynetworks lets them."""
    used = any(
        item.restriction is not None and item.restriction.name == "permit_mynetworks"
        for name in (RELAY, RECIPIENT)
        if LISTS[name].exists_in(service.version)
        for members in lists.with_classes(lists[name])
        for item in members.items
    )
    value = service["mynetworks"]
    if not used or not value.explicit:
        return ()
    found = destinations_of(service.instance).networks(service).trusted()
    return tuple(dict.fromkeys(str(network) for _, network in found))


def _search(service: Service, lists: RestrictionLists, domain: str) -> tuple[Verdict, Evaluation]:
    """Try what a stranger could say; the worst that comes of it.

    A client that no table and no network knows is meant: so what most addresses get counts,
    where tables of clients are looked up, and else an address outside mynetworks.
    """
    tries = candidates(service, lists, domain)
    worst: tuple[Verdict, Evaluation] | None = None
    rank: dict[Verdict, int] = {"refused": 0, "depends": 1, "allowed": 2}
    by_address = uses_client_tables(lists)
    for addresses in clients(service):
        strangers = [item for item in addresses if not _trusted(service, item)] or list(addresses)
        if not by_address:
            strangers = strangers[:1]
        found = [_try_all(service, lists, tries.sessions(item)) for item in strangers]
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


def _try_all(
    service: Service, lists: RestrictionLists, sessions: Iterator[Session]
) -> tuple[Verdict, Evaluation]:
    first: Evaluation | None = None
    doubtful: Evaluation | None = None
    for session in sessions:
        evaluation = evaluate(service, lists, session)
        first = first or evaluation
        relayed = evaluation.relayed
        if relayed:
            return "allowed", evaluation
        if relayed is None and doubtful is None:
            doubtful = evaluation
    if doubtful is not None:
        return "depends", doubtful
    if first is None:
        raise AssertionError("no session to try")
    return "refused", first


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
        inner = witness.steps[witness.steps.index(step) :]
        deepest = step
        for other in inner[1:]:
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


def _fatal(service: Service, lists: RestrictionLists) -> Decision | None:
    """Why smtpd does not start; None when it does or may."""
    for name in sorted(lists.classes):
        value = service[name]
        if value.empty:
            where = service[CLASSES].value_location
            return Decision(name, CLASSES, where, f'restriction class "{name}" has no definition')
    for restrictions in lists:
        for members in lists.with_classes(restrictions):
            for item in members.items:
                if (
                    item.restriction is not None
                    and item.restriction.name == "check_policy_service"
                    and item.argument is not None
                    and item.flaw == "bad argument"
                ):
                    reason = f'"{item.argument.text}" is no policy server'
                    where = item.argument.location
                    return Decision(item.argument.text, members.name, where, reason)
    guard, obstacles = lists.relay_guard()
    if guard not in ("missing", "endless"):
        return None
    name = RELAY if LISTS[RELAY].exists_in(service.version) else RECIPIENT
    if guard == "endless":
        return Decision("", CLASSES, service[CLASSES].value_location, "classes without end")
    if obstacles:
        word = obstacles[0].element
        return Decision(word.text, name, word.location, obstacles[0].reason)
    explicit = [service[item] for item in (RELAY, RECIPIENT) if service[item].explicit]
    where = explicit[-1].value_location if explicit else None
    return Decision("", name, where, "no restriction stops relaying")
