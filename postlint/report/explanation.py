"""The restriction lists of smtpd worked off for one client, step by step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from postlint.report.escape import visible

if TYPE_CHECKING:
    from postlint.analysis.relay_session import Evaluation


def as_steps(service: str, evaluation: Evaluation) -> str:
    """What smtpd looks at, one restriction after the other, and what it answers."""
    session = evaluation.session
    lines = [f"{service}: {visible(session.describe())}"]
    parameter = ""
    for step in evaluation.steps:
        if step.depth <= 1 and step.parameter != parameter:
            parameter = step.parameter
            lines.append(f"  {parameter}")
        where = step.location
        place = "default" if where is None else f"{where.path}:{where.start.line}"
        results = " or ".join(step.results) or "not reached"
        reason = f" ({visible(step.reason)})" if step.reason else ""
        indent = "  " * (max(step.depth, 1) + 1)
        lines.append(f"{indent}{visible(step.text)}: {results}{reason} [{place}]")
    lines.append(_answer(evaluation))
    return "\n".join(lines) + "\n"


def _answer(evaluation: Evaluation) -> str:
    answers = []
    for outcome in sorted(evaluation.outcomes, key=repr):
        if outcome.refusal is None:
            taken = (
                "mail is accepted and discarded" if outcome.discarded else "mail is accepted (2xx)"
            )
            answers.append(taken)
            continue
        step = evaluation.step(outcome.refusal.step)
        by = "" if step is None else f" by {visible(step.text)}"
        answers.append(f"refused with {outcome.refusal.code}{by}, {_STAGES[outcome.stage]}")
    return "  smtpd: " + " or ".join(dict.fromkeys(answers))


_STAGES = {
    "connect": "when the client connects",
    "helo": "at HELO",
    "mail": "at MAIL FROM",
    "rcpt": "at RCPT TO",
    "data": "at DATA",
    "end of data": "at the end of the message",
}


def steps_as_json(service: str, evaluation: Evaluation) -> str:
    """The same for programs."""
    session = evaluation.session
    rows = [
        {
            "parameter": step.parameter,
            "depth": step.depth,
            "restriction": step.text,
            "path": None if step.location is None else step.location.path,
            "line": None if step.location is None else step.location.start.line,
            "results": list(step.results),
            "reason": step.reason,
        }
        for step in evaluation.steps
    ]
    answers = sorted(
        {
            (outcome.stage, 250 if outcome.refusal is None else outcome.refusal.code)
            for outcome in evaluation.outcomes
        }
    )
    report = {
        "version": 1,
        "service": service,
        "session": {
            "client": session.address,
            "helo": session.helo,
            "sender": session.sender,
            "recipient": session.recipient,
        },
        "steps": rows,
        "answers": [{"stage": stage, "code": code} for stage, code in answers],
    }
    return json.dumps(report, indent=2) + "\n"
