"""The exposure of installations as JSON, described by ``exposure.schema.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from postlint.analysis.cipher_suites import KINDS
from postlint.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.analysis.exposure import (
        AuthExposure,
        Ciphers,
        DestinationExposure,
        ServiceExposure,
        TlsExposure,
    )
    from postlint.analysis.relay import RelayVerdict
    from postlint.analysis.relay_session import Decision
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.syntax.source import Location


def as_json(found: Iterable[tuple[Instance, Sequence[ServiceExposure]]]) -> str:
    """The contract of the JSON output."""
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
        row["auth"] = _auth(item.auth)
    if item.relay is not None:
        row["relay"] = _relay(item.relay)
        row["accepts_local_mail"] = item.local_mail
    if item.service.program in ("smtp", "lmtp"):
        row["destinations"] = [_destination(hop) for hop in item.destinations]
    return row


def _tls(tls: TlsExposure) -> dict[str, Any]:
    row: dict[str, Any] = {
        "mode": tls.mode,
        "protocols": None if tls.protocols is None else list(tls.protocols),
        "cipher_grade": tls.cipher_grade,
        "excluded_ciphers": None if tls.excluded is None else list(tls.excluded),
        "ciphers": None if tls.ciphers is None else _ciphers(tls.ciphers),
        "client_certificate": tls.client_certificate,
    }
    if tls.level is not None:
        row["level"] = tls.level
    else:
        row["starttls"] = tls.starttls
        row["certificate"] = tls.certificate
    if tls.old_library:
        row["protocols_of_old_libraries"] = list(tls.old_library)
    if tls.problem:
        row["problem"] = {"text": visible(tls.problem), **_cause(tls.cause)}
    return row


def _ciphers(ciphers: Ciphers) -> dict[str, Any]:
    row: dict[str, Any] = {kind: kind in ciphers.kinds for kind in KINDS}
    row["forward_secrecy_only"] = ciphers.forward_secrecy_only
    row["aead_only"] = ciphers.aead_only
    row["of_old_libraries"] = [kind for kind in KINDS if kind in ciphers.old_kinds]
    return row


def _cause(cause: Effective | None) -> dict[str, Any]:
    if cause is None:
        return {"parameter": None, "path": None, "line": None}
    return {"parameter": cause.name, **_place(cause.value_location)}


def _place(where: Location | None) -> dict[str, Any]:
    return {
        "path": None if where is None else where.path,
        "line": None if where is None else where.start.line,
    }


def _auth(auth: AuthExposure) -> dict[str, Any]:
    before, after = auth.mechanisms
    return {
        "cleartext": auth.cleartext,
        "offered": auth.offered,
        "mechanisms": {
            "before_tls": None if before is None else list(before),
            "after_tls": None if after is None else list(after),
        },
    }


def _destination(hop: DestinationExposure) -> dict[str, Any]:
    row: dict[str, Any] = {
        "nexthop": visible(hop.nexthop),
        "level": None if hop.level is None else visible(hop.level),
        "policy": visible(hop.policy_key) or None,
        "authenticated": hop.authenticated,
        "falls_back_to_cleartext": hop.falls_back,
        "credentials": hop.credentials,
        "protocols": None if hop.tls.protocols is None else list(hop.tls.protocols),
        "cipher_grade": hop.tls.cipher_grade,
        "ciphers": None if hop.tls.ciphers is None else _ciphers(hop.tls.ciphers),
    }
    if hop.refused:
        row["problem"] = visible(hop.refused)
    return row


def _relay(verdict: RelayVerdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "anonymous": verdict.status,
        "decided_by": _decision(verdict.decided_by),
        "trusted_networks": list(verdict.trusted_networks),
        "trusted_clients": [
            {"clients": visible(item.clients), "restriction": visible(item.restriction)}
            for item in verdict.trusted_clients
        ],
    }
    if verdict.session is not None and verdict.status != "refused":
        session = verdict.session
        row["witness"] = {
            "client": session.peer or session.address,
            "helo": session.helo,
            "sender": session.sender,
            "recipient": session.recipient,
        }
        if session.peer:
            row["witness"]["xclient"] = session.address
    if verdict.notes:
        row["note"] = "; ".join(verdict.notes)
    return row


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "restriction": decision.restriction,
        "parameter": decision.parameter,
        **_place(decision.location),
        "reason": decision.reason,
    }
