"""Sessions that are not tried again would have said nothing new."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from postlint.analysis import relay_trials
from postlint.analysis.relay_dialogue import evaluate
from postlint.analysis.relay_trials import Trials
from postlint.analysis.restrictions import restriction_lists
from postlint.analysis.witness import CLIENTS, candidates, foreign_domain
from postlint.config.discovery import Candidate
from postlint.config.load import load_instance
from postlint.postfix.versions import PostfixVersion
from postlint.syntax.source import SourceFile
from tests.relay_generator import FILES, HELOS, MAIN_CF, SENDERS, TRUSTED_CLIENT, make_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from postlint.analysis.relay_session import Evaluation, Session, Verdict
    from postlint.config.service import Service

SERVICES = 120
ADDRESSES = (*CLIENTS[4], *CLIENTS[6], TRUSTED_CLIENT, "198.51.100.200", "127.0.0.1")


def services(folder: Path, chance: Random) -> Iterator[Service]:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for number in range(SERVICES):
        version = PostfixVersion.parse("3.4" if number % 5 == 0 else "3.7")
        settings = MAIN_CF | make_case(chance, modern=version >= (3, 6)).overrides
        candidate = Candidate(folder)
        lines = (f"{name} = {text}\n" for name, text in settings.items())
        candidate.main_cf = SourceFile("main.cf", "".join(lines))
        candidate.master_cf = SourceFile("master.cf", "smtp inet n - n - - smtpd\n")
        (service,) = load_instance(candidate, version).services
        yield service


def sessions_for(service: Service, chance: Random) -> list[Session]:
    """What is worth trying, and what is not."""
    domain = foreign_domain(service)
    if domain is None:
        return []
    found = list(candidates(service, restriction_lists(service), domain).sessions())[:20]
    found += [
        session._replace(helo=chance.choice(HELOS), sender=chance.choice(SENDERS))
        for session in found[:5]
    ]
    if chance.random() < 0.3:  # what is refused for itself before all that is not
        found.insert(0, found[0]._replace(sender="someone@203.0.113.9"))
    return found


def try_everything(
    service: Service, sessions: list[Session], address: str
) -> tuple[Verdict, Evaluation]:
    lists = restriction_lists(service)
    found = [evaluate(service, lists, item._replace(address=address)) for item in sessions]
    for item in found:
        if item.relayed:
            return "allowed", item
    doubtful = [item for item in found if item.relayed is None]
    return ("depends", doubtful[0]) if doubtful else ("refused", found[0])


def told(evaluation: Evaluation) -> object:
    steps = [
        (
            step._replace(what=None),
            step.text,
            step.location and (step.location.path, step.location.span),
        )
        for step in evaluation.steps
    ]
    return evaluation.session, steps, evaluation.outcomes


def test_nothing_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(7)
    evaluated: list[Evaluation] = []
    tried = 0

    def counting(*of: object) -> Evaluation:
        evaluated.append(evaluate(*of))  # type: ignore[arg-type]
        return evaluated[-1]

    monkeypatch.setattr(relay_trials, "evaluate", counting)
    verdicts: set[str] = set()
    for service in services(tmp_path, chance):
        sessions = sessions_for(service, chance)
        if not sessions:
            continue
        trials = Trials(service, restriction_lists(service), sessions)
        for address in ADDRESSES:
            verdict, shown = try_everything(service, sessions, address)
            found = trials.of(address)
            assert (found[0], told(found[1])) == (verdict, told(shown))
            verdicts.add(verdict)
            tried += len(sessions)
    assert verdicts == {"refused", "allowed", "depends"}
    assert len(evaluated) < tried / 2
