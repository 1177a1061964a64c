"""The restriction lists of smtpd worked off for one client, step by step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from postlint.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.relay_session import Evaluation, Outcome, Step

_STAGES = {
    "connect": "when the client connects",
    "helo": "at HELO",
    "mail": "at MAIL FROM",
    "rcpt": "at RCPT TO",
    "data": "at DATA",
    "end of data": "at the end of the message",
}


def as_steps(service: str, evaluation: Evaluation) -> str:
    """What smtpd looks at, one restriction after the other, and what it answers."""
    session = evaluation.session
    lines = [f"{service}: {visible(session.describe())}"]
    parameter = ""
    for step in evaluation.steps:
        if step.depth <= 1 and step.parameter != parameter:
            parameter = step.parameter
            lines.append(f"  {parameter}")
        results = " or ".join(step.results) or "not reached"
        reason = f" ({visible(step.reason)})" if step.reason else ""
        indent = "  " * (max(step.depth, 1) + 1)
        lines.append(f"{indent}{visible(step.text)}: {results}{reason} [{place(step)}]")
    said = " or ".join(text for text, _ in answers(evaluation))
    lines.append(f"  smtpd: {said}")
    return "\n".join(lines) + "\n"


def place(step: Step) -> str:
    """Where a restriction is written."""
    where = step.location
    if where is None and step.parameter.isupper():
        return "always"
    return "default" if where is None else f"{visible(where.path)}:{where.start.line}"


def answers(evaluation: Evaluation) -> Iterator[tuple[str, bool]]:
    """What smtpd may answer, in words, each once; whether it takes the mail."""
    said: dict[str, bool] = {}
    for outcome in _ordered(evaluation):
        if outcome.refusal is None:
            end = "accepted and discarded" if outcome.discarded else "accepted (2xx)"
            said[f"mail is {end}"] = True
            continue
        step = evaluation.step(outcome.refusal.step)
        by = "" if step is None else f" by {visible(step.text)} ({place(step)})"
        said[f"refused with {outcome.refusal.code}{by}, {_STAGES[outcome.stage]}"] = False
    yield from said.items()


def _ordered(evaluation: Evaluation) -> list[Outcome]:
    stages = list(_STAGES)
    return sorted(
        evaluation.outcomes, key=lambda item: (stages.index(item.stage), repr(item.refusal))
    )


def steps_as_json(path: str, service: str, evaluation: Evaluation) -> str:
    """The same for programs. ``accepted`` and ``relayed`` are null where that is not known."""
    session = evaluation.session
    report = {
        "version": 1,
        "path": path,
        "service": service,
        "session": {
            "client": session.address,
            "client_name": session.name,
            "helo": session.helo,
            "sender": session.sender,
            "recipient": session.recipient,
        },
        "steps": [
            {**_restriction(step), "depth": step.depth, "results": list(step.results)}
            | {"reason": visible(step.reason)}
            for step in evaluation.steps
        ],
        "answers": [_answer(evaluation, outcome) for outcome in _ordered(evaluation)],
        "accepted": evaluation.accepted,
        "relayed": evaluation.relayed,
    }
    return json.dumps(report, indent=2) + "\n"


def _answer(evaluation: Evaluation, outcome: Outcome) -> dict[str, Any]:
    refusal = outcome.refusal
    step = None if refusal is None else evaluation.step(refusal.step)
    return {
        "stage": outcome.stage,
        "code": 250 if refusal is None else refusal.code,
        "discarded": outcome.discarded,
        "by": None if step is None else _restriction(step),
    }


def _restriction(step: Step) -> dict[str, Any]:
    where = step.location
    return {
        "parameter": step.parameter,
        "restriction": visible(step.text),
        "path": None if where is None else where.path,
        "line": None if where is None else where.start.line,
    }
