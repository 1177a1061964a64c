"""Trying sessions on an smtpd service: no more of them than can have different answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.destinations import destinations_of
from postlint.analysis.relay_dialogue import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.analysis.domains import Match
    from postlint.analysis.relay_session import Evaluation, Session, Verdict
    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service


class Trials:
    """What the same sessions come to for one client address after the other.

    A session that says otherwise only what no answer depended on is not tried again, and neither
    is an address where none depended on more of it than whether mynetworks has it.
    """

    __slots__ = ("_known", "_lists", "_service", "_sessions")

    def __init__(
        self, service: Service, lists: RestrictionLists, sessions: Iterable[Session]
    ) -> None:
        """``sessions``: at least one, the most ordinary first; their addresses do not count."""
        self._service = service
        self._lists = lists
        self._sessions = tuple(sessions)
        self._known: dict[Match, tuple[Verdict, Evaluation]] = {}

    def of(self, address: str) -> tuple[Verdict, Evaluation]:
        """The worst that comes of them: the first that is relayed, else that may be, else any."""
        trusted = destinations_of(self._service.instance).trusted(self._service, address)
        if trusted in self._known:
            verdict, shown = self._known[trusted]
            return verdict, shown._replace(session=shown.session._replace(address=address))
        verdict, shown, asked = self._try_all(address)
        if "address" not in asked:
            self._known[trusted] = verdict, shown
        return verdict, shown

    def _try_all(self, address: str) -> tuple[Verdict, Evaluation, frozenset[str]]:
        """The verdict with the session that shows it, and the words that answers depended on."""
        tried: list[Evaluation] = []
        answered: dict[frozenset[str], set[tuple[object, ...]]] = {}
        for words in self._sessions:
            session = words._replace(address=address)
            if any(_said(session, asked) in said for asked, said in answered.items()):
                continue
            evaluation = evaluate(self._service, self._lists, session)
            tried.append(evaluation)
            if evaluation.relayed:
                break
            answered.setdefault(evaluation.asked, set()).add(_said(session, evaluation.asked))
        asked = frozenset().union(*(evaluation.asked for evaluation in tried))
        if tried[-1].relayed:
            return "allowed", tried[-1], asked
        doubtful = next((item for item in tried if item.relayed is None), None)
        if doubtful is not None:
            return "depends", doubtful, asked
        return "refused", tried[0], asked


def _said(session: Session, asked: frozenset[str]) -> tuple[object, ...]:
    return tuple(getattr(session, word) for word in asked)
