"""The relay verdict and --explain against the smtpd of this machine.

One master with many smtpd services; XCLIENT speaks as clients from elsewhere. The environment
variables POSTLINT_RELAY_SERVICES and POSTLINT_RELAY_SEED make a longer run.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.relay import explain, relay_verdict
from postlint.analysis.relay_session import UNKNOWN_NAME
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.differential.tls_clients import make_certificate
from tests.postfix_here import require_postfix
from tests.postfix_server import Client, NoReply, require_master, running, smtpd
from tests.relay_generator import (
    COMPILED,
    FILES,
    MAIN_CF,
    PEERS,
    STRANGER,
    TRUSTED_CLIENT,
    make_case,
    make_sessions,
    outside_sessions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.analysis.relay_session import Session
    from postlint.config.service import Service
    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix

SERVICES = int(os.environ.get("POSTLINT_RELAY_SERVICES", "60"))
SEED = int(os.environ.get("POSTLINT_RELAY_SEED", "1"))
BATCH = 100
"""Services of one master."""

SESSIONS = 8
"""Sessions of any kind per service; as many again try to relay."""


def dialogue(client: Client, session: Session) -> tuple[int, int]:
    """The reply class up to RCPT TO, and that of the whole dialogue."""
    name = "[UNAVAILABLE]" if session.name == UNKNOWN_NAME else session.name
    addresses = [session.address]
    if session.peer and session.peer not in PEERS:  # a stranger who may use XCLIENT himself
        addresses.insert(0, session.peer)
    for address in addresses:
        xclient = client.xclient(address, name)
        if xclient.code != 220:
            return xclient.code // 100, xclient.code // 100
    lines = [] if session.helo is None else [f"EHLO {session.helo}"]
    lines += [f"MAIL FROM:<{session.sender}>", f"RCPT TO:<{session.recipient}>"]
    for line in lines:
        reply = client.command(line)
        if reply.code >= 400:
            return reply.code // 100, reply.code // 100
    for line in ("DATA", "Subject: x\r\n\r\nx\r\n."):
        reply = client.command(line)
        if reply.code >= 400:
            return 2, reply.code // 100
    return 2, 2


class Tally:
    """Counts, and what did not agree."""

    def __init__(self) -> None:
        self.verdicts: dict[str, int] = {}
        self.sessions = 0
        self.certain = 0
        self.wrong: list[str] = []


def compare(
    server: Server, name: str, service: Service, tally: Tally, chance: random.Random
) -> None:
    """One service: its start, its verdict, and a number of sessions."""
    verdict = relay_verdict(service)
    tally.verdicts[verdict.status] = tally.verdicts.get(verdict.status, 0) + 1
    said = {key: value.text for key, value in service._overrides.items()}
    fatal = server.start_of(name)
    if (fatal is not None) != (verdict.status == "fatal"):
        tally.wrong.append(f"start: {fatal} / {verdict.status}: {said}")
        return
    if fatal is not None:
        return
    sessions = [*make_sessions(chance, SESSIONS), *outside_sessions(chance, SESSIONS)]
    if verdict.session is not None:
        sessions.append(verdict.session)
        sessions.append(verdict.session._replace(address=TRUSTED_CLIENT, peer=PEERS[1]))
    for session in sessions:
        source = session.peer if session.peer in PEERS else PEERS[1]
        evaluation = explain(service, session._replace(outsider=False, peer=source))
        # A connection of its own: some flags outlive XCLIENT, a refusal at once is for good.
        with Client(server.port(name), source=source) as client:
            try:
                if client.greeting().code != 220:
                    continue  # 127.0.0.1 itself is refused and can not speak for others
                up_to_recipient, whole = dialogue(client, session)
            except NoReply as error:
                # A DNS list with a bad filter ends smtpd, and master holds the service back.
                if not any(reply.code == 421 for reply, _ in evaluation.refusals):
                    tally.wrong.append(f"{session}: {error}: {said}")
                return
        tally.sessions += 1
        tally.certain += len(evaluation.classes) == 1
        if up_to_recipient not in evaluation.recipient_classes or whole not in evaluation.classes:
            steps = [(s.text, s.results, s.reason) for s in evaluation.steps]
            tally.wrong.append(
                f"{session.describe()}: smtpd {up_to_recipient} {whole}, "
                f"postlint {sorted(evaluation.recipient_classes)} {sorted(evaluation.classes)} "
                f"{steps}: {said}"
            )
        accepted = whole == 2 and evaluation.relayed is not False
        if session is verdict.session and accepted != (verdict.status == "allowed"):
            if verdict.status != "depends":
                tally.wrong.append(f"witness {session.describe()}: {whole}: {said}")
        elif accepted and verdict.status == "refused" and session.address == STRANGER:
            tally.wrong.append(f"refused, but {session.describe()} got in: {said}")


CIRCLE = {"smtpd_restriction_classes": "one, two", "one": "two", "two": "one"}

TRAPS: dict[str, tuple[str, dict[str, str], str]] = {
    "swallowed": ("permit_mynetworks, reject_rbl_client reject_unauth_destination", {}, "allowed"),
    "digits": (
        "check_sender_access inline:{example.net=550}, reject_unauth_destination",
        {},
        "allowed",
    ),
    "class": (
        "one, reject_unauth_destination",
        {"smtpd_restriction_classes": "one", "one": "permit"},
        "allowed",
    ),
    "permit": ("permit, reject_unauth_destination", {}, "fatal"),
    "warned": ("warn_if_reject reject_unauth_destination", {}, "fatal"),
    "closed": ("permit_mynetworks, permit_auth_destination, reject", {}, "refused"),
    "override": ("reject_unauth_destination", {"relay_domains": "static:all"}, "refused"),
    "dnswl": ("permit_dnswl_client list.example.org, reject_unauth_destination", {}, "refused"),
    "reverse": ("check_reverse_client_hostname_access static:OK, reject", {}, "refused"),
    "policy": ("check_policy_service reject_unauth_destination", {}, "fatal"),
    "no class": ("one, reject", {"smtpd_restriction_classes": "one"}, "fatal"),
    "data": ("static:OK, reject", {"smtpd_data_restrictions": "reject"}, "refused"),
    "no helo": ("static:OK, reject", {"smtpd_helo_restrictions": "reject"}, "allowed"),
    "networks": ("permit_mynetworks, reject", {"mynetworks": "0.0.0.0/0"}, "allowed"),
    "host bits": ("permit_mynetworks, reject", {"mynetworks": "198.51.100.7/8"}, "refused"),
    "discard": ("static:DISCARD, reject_unauth_destination", {}, "refused"),
    "brackets": (
        "permit_mynetworks, static:OK",
        {"smtpd_recipient_restrictions": "reject"},
        "refused",
    ),
    "xclient": (
        "permit_mynetworks, reject_unauth_destination",
        {"smtpd_authorized_xclient_hosts": "0.0.0.0/0"},
        "allowed",
    ),
    "misspelt": (
        "permit_mynetworks, reject_unauth_destination",
        {"mynetworks": "0.0.0.0/0", "smtpd_data_restrictions": "reject_unauth_pipeling"},
        "refused",
    ),
    "certificate": (
        "static:OK, reject",
        {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"},
        "refused",
    ),
    "level": ("reject_unauth_destination", {"smtpd_tls_security_level": "dane"}, "fatal"),
    "boolean": ("reject_unauth_destination", {"smtpd_delay_reject": "true"}, "fatal"),
    "number": ("reject_unauth_destination", {"smtpd_recipient_limit": "10k"}, "fatal"),
    "option": (
        "check_policy_service { unix:private/none, try=1 }, reject_unauth_destination",
        {},
        "fatal",
    ),
    "only warned of a missing table": (
        "warn_if_reject check_client_access hash:/nonexistent, static:OK, reject",
        {},
        "allowed",
    ),
    "not only warned of bad networks": (
        "warn_if_reject permit_mynetworks, static:OK, reject",
        {"mynetworks": "10.0.0.1/8"},
        "refused",
    ),
    "unapproved": (
        "check_client_access proxy:texthash:$config_directory/helos, reject",
        {},
        "fatal",
    ),
    "own": ("permit_inet_interfaces, reject_unauth_destination", {}, "refused"),
    "circle": ("one, reject", CIRCLE, "fatal"),
    "circle later": (
        "permit_mynetworks, one, reject",
        {**CIRCLE, "smtpd_recipient_restrictions": "reject_unauth_destination"},
        "refused",
    ),
    "circle not reached": (
        "reject, one",
        {**CIRCLE, "smtpd_recipient_restrictions": "reject_unauth_destination"},
        "refused",
    ),
    "circle by table": (
        "one, reject",
        {"smtpd_restriction_classes": "one", "one": "check_client_access static:one"},
        "refused",
    ),
    "level 0": ("-", {"compatibility_level": "0"}, "fatal"),
    "level 0 with recipients": (
        "-",
        {"compatibility_level": "0", "smtpd_recipient_restrictions": "permit_mynetworks, reject"},
        "refused",
    ),
    "level 1": ("-", {"compatibility_level": "1"}, "refused"),
    "unknown type": ("check_client_access nonsense:x, static:OK, reject", {}, "refused"),
    "network without brackets": (
        "permit_mynetworks, static:OK, reject",
        {"mynetworks": "2001:db8::/32"},
        "refused",
    ),
    "postmaster": (
        "check_recipient_access inline:{postmaster@=OK}, reject_unauth_destination",
        {},
        "allowed",
    ),
}
"""What people get wrong, and what comes of it; "-": the default."""


def test_known_traps() -> None:
    require_master()
    version = require_postfix().version
    services = {
        name.replace(" ", "-"): smtpd(
            **({} if relay == "-" else {"smtpd_relay_restrictions": relay}), **more
        )
        for name, (relay, more, _) in TRAPS.items()
    }
    tally = Tally()
    with running(services, MAIN_CF, files=FILES) as server:
        (candidate,) = Discovery().find([str(server.folder)], bytes)
        instance = load_instance(candidate, version, host=True)
        by_port = {
            service.name.rpartition(":")[2]: service
            for service in instance.services_running("smtpd")
        }
        for name, (_, _, expected) in TRAPS.items():
            label = name.replace(" ", "-")
            service = by_port[str(server.port(label))]
            assert relay_verdict(service).status == expected, name
            compare(server, label, service, tally, random.Random(name))
    assert not tally.wrong, "\n".join(tally.wrong[:8])


def test_agrees_with_smtpd() -> None:
    require_master()
    version = require_postfix().version
    tally = Tally()
    for batch in range(0, SERVICES, BATCH):
        chance = random.Random(f"{SEED} {batch}")
        count = min(BATCH, SERVICES - batch)
        cases = {
            f"s{number}": make_case(chance, modern=version >= (3, 6)) for number in range(count)
        }
        services = {
            name: smtpd(
                **{
                    key: value.replace("/etc/postfix", "$config_directory")
                    for key, value in case.overrides.items()
                },
                max_idle="5",
            )
            for name, case in cases.items()
        }
        with running(services, MAIN_CF, files=FILES, compiled=COMPILED) as server:
            (candidate,) = Discovery().find([str(server.folder)], bytes)
            instance = load_instance(candidate, version, host=True)
            by_port = {
                service.name.rpartition(":")[2]: service
                for service in instance.services_running("smtpd")
            }
            for name in cases:
                compare(server, name, by_port[str(server.port(name))], tally, chance)
    print(
        f"{SERVICES} services {tally.verdicts}, {tally.sessions} sessions, {tally.certain} certain"
    )
    assert not tally.wrong, f"{len(tally.wrong)} disagreements:\n" + "\n".join(tally.wrong[:12])


def test_a_certificate_is_demanded(tmp_path: Path) -> None:
    """smtpd_tls_req_ccert counts where TLS has to be used; the reply is as --explain says."""
    require_master()
    version = require_postfix().version
    common = {
        "smtpd_tls_chain_files": str(make_certificate(tmp_path)),
        "smtpd_tls_req_ccert": "yes",
        "smtpd_relay_restrictions": "static:OK, reject",
    }
    services = {
        "may": smtpd(**common, smtpd_tls_security_level="may"),
        "encrypt": smtpd(**common, smtpd_tls_security_level="encrypt"),
        "wrapper": smtpd(**common, smtpd_tls_wrappermode="yes"),
    }
    with running(services, MAIN_CF, files=FILES) as server:
        (candidate,) = Discovery().find([str(server.folder)], bytes)
        instance = load_instance(candidate, version, host=True)
        verdicts = {
            service.name.rpartition(":")[2]: relay_verdict(service)
            for service in instance.services_running("smtpd")
        }
        said = {}
        for name in services:
            with Client(server.port(name), implicit_tls=name == "wrapper") as client:
                reply = client.greeting()
                if name != "wrapper":
                    client.ehlo()
                    assert client.starttls().code == 220
                    reply = client.command("EHLO client.example.net")
                said[name] = reply.code
            verdict = verdicts[str(server.port(name))]
            assert verdict.status == ("allowed" if name == "may" else "refused")
    assert said == {"may": 250, "encrypt": 421, "wrapper": 421}
