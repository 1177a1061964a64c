"""The exposure of installations as JSON, as plain text and as a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from postlint.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.analysis.exposure import ServiceExposure, TlsExposure
    from postlint.analysis.relay import Decision, RelayVerdict
    from postlint.analysis.relay_session import Evaluation
    from postlint.config.instance import Instance

Exposed = tuple["Instance", "Sequence[ServiceExposure]"]

_HEADINGS = ("service", "listens on", "TLS", "AUTH", "relay for strangers", "decided by")


def as_json(found: Iterable[Exposed]) -> str:
    """The contract of the JSON output, with more keys."""
    instances = [
        {
            "path": instance.path,
            "postfix_version": str(instance.version),
            "services": [_service(item) for item in services],
        }
        for instance, services in found
    ]
    return json.dumps({"version": 1, "instances": instances}, indent=2) + "\n"


def _service(item: ServiceExposure) -> dict[str, Any]:
    row: dict[str, Any] = {
        "service": item.service.label,
        "program": item.service.program,
        "listen": visible(item.listen),
        "role": item.role,
        "public": item.public,
        "tls": _tls(item.tls),
    }
    if item.auth is not None:
        row["auth"] = {"cleartext": item.auth.cleartext, "offered": item.auth.offered}
    if item.relay is not None:
        row["relay"] = _relay(item.relay)
        row["accepts_local_mail"] = item.local_mail
    return row


def _tls(tls: TlsExposure) -> dict[str, Any]:
    row: dict[str, Any] = {
        "mode": tls.mode,
        "protocols": None if tls.protocols is None else list(tls.protocols),
        "cipher_grade": tls.cipher_grade,
        "excluded_ciphers": list(tls.excluded),
        "client_certificate": tls.client_certificate,
    }
    if tls.level is not None:
        row["level"] = tls.level
    if tls.old_library:
        row["protocols_of_old_libraries"] = list(tls.old_library)
    return row


def _relay(verdict: RelayVerdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "anonymous": verdict.status,
        "decided_by": _decision(verdict.decided_by),
        "trusted_networks": list(verdict.trusted_networks),
    }
    if verdict.session is not None and verdict.status != "refused":
        session = verdict.session
        row["witness"] = {
            "client": session.address,
            "helo": session.helo,
            "sender": session.sender,
            "recipient": session.recipient,
        }
    if verdict.reason:
        row["note"] = verdict.reason
    return row


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    where = decision.location
    return {
        "restriction": decision.restriction,
        "parameter": decision.parameter,
        "path": None if where is None else where.path,
        "line": None if where is None else where.start.line,
        "reason": decision.reason,
    }


def as_text(found: Iterable[Exposed]) -> str:
    """A paragraph per service."""
    lines: list[str] = []
    for instance, services in found:
        lines.append(f"{instance.path} (Postfix {instance.version})")
        for item in services:
            cells = [visible(cell) for cell in _cells(item)]
            lines.append(f"  {cells[0]} ({item.service.program}) on {cells[1]}")
            for heading, cell in zip(_HEADINGS[2:], cells[2:], strict=True):
                if cell != "-":
                    lines.append(f"    {heading}: {cell}")
    return "\n".join(lines) + "\n"


def as_table(found: Iterable[Exposed], *, width: int, color: bool) -> str:
    """A table for a terminal."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    screen = StringIO()
    console = Console(
        file=screen,
        width=max(width, 60),
        force_terminal=color,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
    )
    styles = {"allowed": "bold red", "fatal": "bold red", "depends": "yellow", "refused": "green"}
    for instance, services in found:
        console.print(Text(f"{visible(instance.path)} (Postfix {instance.version})", style="bold"))
        table = Table(*_HEADINGS)
        for item in services:
            cells = [Text(visible(cell)) for cell in _cells(item)]
            if item.relay is not None:
                cells[4].stylize(styles[item.relay.status])
            if item.auth is not None and item.auth.cleartext:
                cells[3].stylize("yellow")
            table.add_row(*cells)
        console.print(table)
    return screen.getvalue()


def _cells(item: ServiceExposure) -> tuple[str, ...]:
    tls = item.tls
    words = [tls.level or tls.mode]
    if tls.protocols:
        words.append(", ".join(tls.protocols))
    if tls.cipher_grade:
        words.append(tls.cipher_grade)
    auth = "-"
    if item.auth is not None:
        auth = item.auth.offered
        if item.auth.cleartext:
            auth = "in clear text"
    relay = decided = "-"
    if item.relay is not None:
        relay = item.relay.status
        decision = item.relay.decided_by
        if decision is not None:
            where = decision.location
            place = "" if where is None else f" ({where.path}:{where.start.line})"
            decided = f"{decision.restriction or decision.reason}{place}"
    return (
        item.service.label,
        item.listen,
        ": ".join(words[:1]) + _rest(words),
        auth,
        relay,
        decided,
    )


def _rest(words: list[str]) -> str:
    return "" if len(words) == 1 else f" ({'; '.join(words[1:])})"


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
