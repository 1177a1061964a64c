"""The dialogue of a client with smtpd up to end-of-data: which list is carried out when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.public_authorities import anybody_has_certificate
from postlint.analysis.relay_checks import Checks
from postlint.analysis.relay_evaluation import Evaluator
from postlint.analysis.relay_session import Evaluation, Outcome, Reply, State
from postlint.analysis.restrictions import RECIPIENT, RELAY, RestrictionLists
from postlint.analysis.tls import server_tls
from postlint.postfix.restrictions import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.relay_evaluation import Result
    from postlint.analysis.relay_session import Session, Stage
    from postlint.config.service import Service

CLIENT = "smtpd_client_restrictions"
HELO = "smtpd_helo_restrictions"
SENDER = "smtpd_sender_restrictions"
DATA = "smtpd_data_restrictions"
END_OF_DATA = "smtpd_end_of_data_restrictions"


def evaluate(service: Service, lists: RestrictionLists, session: Session) -> Evaluation:
    """What smtpd would answer; ``lists`` are those of the service."""
    return _Dialogue(service, lists, session).run()


class _Dialogue:
    __slots__ = ("_checks", "_evaluator", "_lists", "_outcomes", "_service", "_session")

    def __init__(self, service: Service, lists: RestrictionLists, session: Session) -> None:
        self._service = service
        self._lists = lists
        self._session = session
        self._checks = Checks(service, lists, destinations_of(service.instance), session)
        self._evaluator = Evaluator(self._checks)
        self._outcomes: set[Outcome] = set()

    def run(self) -> Evaluation:
        states = self._talk()
        for state in states:
            self._outcomes.add(Outcome("end of data", None, state.discard))
        if self._evaluator.exhausted:
            self._outcomes |= {Outcome("end of data", None), Outcome("rcpt", Reply(450, -1))}
        steps, asked = tuple(self._evaluator.steps), frozenset(self._checks.asked)
        return Evaluation(self._session, steps, frozenset(self._outcomes), asked)

    def _talk(self) -> set[State]:
        session, checks = self._session, self._checks
        if self._needs_certificate():
            return set()
        delayed = self._service["smtpd_delay_reject"].yes is not False
        states = {State()}
        if not delayed:
            states = self._list(CLIENT, states)
            states = self._greet(states)
        if self._service["smtpd_helo_required"].yes and self._helo_is_missing():
            text = "smtpd_helo_required"
            number = self._evaluator.note(text, text, 503, "the client did not say HELO")
            self._outcomes.add(Outcome("mail", checks.reply(503, number)))
            return set()
        checks.helo = session.helo
        checks.stage = "mail"
        if session.sender and self._is_bad_address("MAIL FROM", session.sender):
            checks.asked.add("sender")
            return set()
        if not delayed:
            states = self._mail(states)
        checks.sender = session.sender
        checks.stage = "rcpt"
        checks.recipient = session.recipient
        if self._is_bad_address("RCPT TO", session.recipient):
            return set()
        if session.recipient.lower() == "postmaster":
            return self._data(states)  # accepted before anything is looked at
        if delayed:
            states = {
                state._replace(defer_if_permit=None) if state.defer_if_permit else state
                for state in states
            }
            states = self._list(CLIENT, states)
            states = self._greeted(states)
            states = self._mail(states)
        return self._data(self._recipient(states))

    def _is_bad_address(self, command: str, address: str) -> bool:
        """Whether the command is refused for what it says; the refusal is noted."""
        if self._checks.destinations.is_address(address):
            return False
        number = self._evaluator.note(command, command, 501, f"{address} is no address")
        self._outcomes.add(Outcome(self._checks.stage, self._checks.reply(501, number)))
        return True

    def _needs_certificate(self) -> bool:
        """Whether nobody gets anywhere without a certificate; the refusal is noted."""
        name = "smtpd_tls_req_ccert"
        if not self._service[name].yes:
            return False
        tls = server_tls(self._service)
        if not tls.mandatory or self._session.login:
            return False
        number = self._evaluator.note(name, name, 421, "the client has no certificate")
        self._outcomes.add(Outcome("helo", self._checks.reply(421, number)))
        if tls.mode == "encrypt":  # who does not ask for TLS gets another answer, later
            self._outcomes.add(Outcome("mail", self._checks.reply(530, number)))
        return anybody_has_certificate(self._service) is None

    def _data(self, states: set[State]) -> set[State]:
        stages: tuple[tuple[str, Stage], ...] = ((DATA, "data"), (END_OF_DATA, "end of data"))
        for parameter, stage in stages:
            self._checks.stage = stage
            states = {
                state._replace(defer_if_permit=None) if state.defer_if_permit else state
                for state in states
            }
            states = self._deferred(self._list(parameter, states))
        return states

    def _greet(self, states: set[State]) -> set[State]:
        self._checks.stage = "helo"
        self._checks.helo = self._session.helo
        return self._greeted(states)

    def _greeted(self, states: set[State]) -> set[State]:
        """What the HELO restrictions say, which are for clients that say HELO."""
        if self._lists[HELO].items and self._helo_is_missing():
            return states
        return self._list(HELO, states)

    def _helo_is_missing(self) -> bool:
        self._checks.asked.add("helo")
        return self._session.helo is None

    def _mail(self, states: set[State]) -> set[State]:
        sender = self._session.sender
        self._checks.sender = sender
        states = {
            state._replace(sender_checked=False) if state.sender_checked else state
            for state in states
        }
        states = self._list(SENDER, states)
        if self._service["smtpd_reject_unlisted_sender"].yes and self._checks.sender:
            states = self._unlisted(states, "smtpd_reject_unlisted_sender", sender)
        return states

    def _recipient(self, states: set[State]) -> set[State]:
        names = [RECIPIENT]
        if LISTS[RELAY].exists_in(self._service.version):
            # Without the parameter (before 3.6) the recipient restrictions come first.
            before = self._service["smtpd_relay_before_recipient_restrictions"].yes
            names.insert(0 if before else 1, RELAY)
        states = {_fresh(state) for state in states}
        for name in names:
            states = self._list(name, states, fresh=False)
        states = self._deferred(states)
        recipient = self._session.recipient
        if self._service["smtpd_reject_unlisted_recipient"].yes:
            states = self._unlisted(states, "smtpd_reject_unlisted_recipient", recipient)
        return states

    def _list(self, parameter: str, states: set[State], *, fresh: bool = True) -> set[State]:
        """Carry out a list; the states in which it does not refuse."""
        if not states or not LISTS[parameter].exists_in(self._service.version):
            return states
        start = {_fresh(state) for state in states} if fresh else states
        restrictions = self._lists[parameter]
        if not restrictions.items or restrictions.value.problem is not None:
            return start
        return self._go_on(self._evaluator.run(restrictions, start))

    def _go_on(self, results: Iterable[Result]) -> set[State]:
        going = set()
        for result in results:
            if result.status == "reject":
                self._outcomes.add(Outcome(self._checks.stage, result.by))
            else:
                going.add(result.state)
        return going

    def _deferred(self, states: set[State]) -> set[State]:
        """A promise to defer comes due."""
        going = set()
        for state in states:
            promise = state.defer_if_permit
            if promise is None:
                going.add(state)
                continue
            refused = self._evaluator.refuse(promise.code, state, promise.step)
            self._outcomes.add(Outcome(self._checks.stage, refused.by))
        return going

    def _unlisted(self, states: set[State], parameter: str, address: str) -> set[State]:
        """The check that follows the lists when no restriction has made it."""
        field = "recipient_checked" if parameter.endswith("recipient") else "sender_checked"
        due = {state for state in states if not getattr(state, field) and not state.discard}
        codes, listed = self._checks.unlisted(address) if due else ((), True)
        for code in codes:
            number = self._evaluator.note(parameter, parameter, code, "the address may be unknown")
            for state in due:
                refused = self._evaluator.refuse(code, state, number)
                self._outcomes.add(Outcome(self._checks.stage, refused.by))
        return states if listed else states - due


def _fresh(state: State) -> State:
    """SMTPD_CHECK_RESET()."""
    if state.defer_if_reject is None and not state.warn_if_reject:
        return state
    return state._replace(defer_if_reject=None, warn_if_reject=0)
