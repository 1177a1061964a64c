"""Mail through a real smtp(8) to real smtpd services: what client settings and policies do.

One master receives, with services that each speak what they are told to; another sends messages
with a recipient per case, each through a client service of its own.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from postlint.analysis.client_policies import client_policy
from postlint.config.discovery import Discovery
from postlint.config.load import load_instance
from tests.postfix_server import require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from postlint.analysis.client_policies import ClientPolicy
    from tests.postfix_server import Server, ServiceLine


GROUP = 12
"""Recipients of one message: more clients at once and tlsmgr(8) does not answer all of them."""


class Case(NamedTuple):
    """A delivery: to which sink, with which settings of the client, by which next hop.

    ``PORT`` in settings and next hop is the port of the sink.
    """

    sink: str
    overrides: Mapping[str, str]
    hop: str = "[127.0.0.1]:PORT"


class Delivery(NamedTuple):
    """What became of it. ``tls`` is the protocol in the log, None for clear text.

    ``policy`` is what postlint says of the next hop.
    """

    status: str
    reason: str
    tls: str | None
    log: str
    policy: ClientPolicy


@contextmanager
def sinks(services: Mapping[str, ServiceLine], main_cf: Mapping[str, str]) -> Iterator[Server]:
    """Services that take mail for sink.example and throw it away."""
    settings = {
        "mydestination": "sink.example",
        "smtpd_relay_restrictions": "check_client_access static:OK, reject",
        "smtpd_recipient_limit": "1000",
        **main_cf,
    }
    with running(services, settings) as server:
        yield server


def deliver(
    cases: Sequence[Case],
    ports: Server,
    main_cf: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> list[Delivery]:
    """Send a message to a recipient for every case.

    ``PORT:name`` in files is the port of a sink.
    """
    lines, routes, hops = [], [], []
    for number, case in enumerate(cases):
        port = str(ports.port(case.sink))
        overrides = {"syslog_name": f"c{number}", "smtp_tls_loglevel": "1", **case.overrides}
        lines.append(f"c{number} unix - - n - - smtp\n")
        lines += [
            f"  -o {{ {name} = {value.replace('PORT', port)} }}\n"
            for name, value in overrides.items()
        ]
        hops.append(case.hop.replace("PORT", port))
        routes.append(f"c{number}.example c{number}:{hops[-1]}\n")
    settings = {
        "mydestination": "",
        "transport_maps": "texthash:$config_directory/routes",
        "smtpd_relay_restrictions": "check_client_access static:OK, reject",
        "smtp_tls_security_level": "may",
        "smtp_host_lookup": "native",
        "lmtp_host_lookup": "native",
        "default_process_limit": "20",
        **(main_cf or {}),
    }
    given = {"routes": "".join(routes)}
    for name, text in (files or {}).items():
        given[name] = re.sub(r"PORT:([a-z]+)", lambda match: str(ports.port(match[1])), text)
    with running({"in": smtpd()}, settings, files=given, master_cf="".join(lines)) as server:
        for start in range(0, len(cases), GROUP):
            group = range(start, min(start + GROUP, len(cases)))
            with server.connect("in") as client:
                lines = [f"RCPT TO:<to@c{number}.example>" for number in group]
                for line in ("MAIL FROM:<>", *lines, "DATA", "Subject: test\r\n\r\ntest\r\n."):
                    reply = client.command(line)
                    assert reply.code < 400, reply
            for number in group:
                server.wait_for(rf"to=<to@c{number}\.example>.*status=", f"c{number}", 60)
        version = require_master().version
        instance = load_instance(Discovery().find([str(server.folder)], bytes)[0], version)
        clients = {service.name: service for service in instance.services}
        return [
            _delivery(
                server.log(f"c{number}"), number, client_policy(clients[f"c{number}"], hops[number])
            )
            for number in range(len(cases))
        ]


def _delivery(log: str, number: int, policy: ClientPolicy) -> Delivery:
    status = re.search(rf"to=<to@c{number}\.example>.*status=(\w+) \((.*)\)", log)
    tls = re.search(r"TLS connection established to .*?: (\S+) with cipher", log)
    assert status is not None
    return Delivery(status[1], status[2], tls[1] if tls else None, log, policy)
