"""Mail through a real smtp(8) to real smtpd services: what client settings and policies do.

One master receives, with services that each speak what they are told to; another sends one
message with a recipient per case, each through a client service of its own.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.postfix_server import running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.postfix_server import Server, ServiceLine


class Case(NamedTuple):
    """A delivery: to which sink, with which settings of the client."""

    sink: str
    overrides: Mapping[str, str]


class Delivery(NamedTuple):
    """What became of it. ``tls`` is the protocol in the log, None for clear text."""

    status: str
    reason: str
    tls: str | None
    log: str


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
    """Send one message with a recipient for every case.

    ``PORT`` in settings is the port of the case's sink; ``PORT:name`` in files that of a sink.
    """
    lines, routes = [], []
    for number, case in enumerate(cases):
        port = str(ports.port(case.sink))
        overrides = {"syslog_name": f"c{number}", "smtp_tls_loglevel": "1", **case.overrides}
        lines.append(f"c{number} unix - - n - - smtp\n")
        lines += [
            f"  -o {{ {name} = {value.replace('PORT', port)} }}\n"
            for name, value in overrides.items()
        ]
        routes.append(f"c{number}.example c{number}:[127.0.0.1]:{port}\n")
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
        with server.connect("in") as client:
            replies = [client.command("MAIL FROM:<>")]
            replies += [
                client.command(f"RCPT TO:<to@c{number}.example>") for number in range(len(cases))
            ]
            replies += [client.command("DATA"), client.command("Subject: test\r\n\r\ntest\r\n.")]
            assert all(reply.code < 400 for reply in replies), replies
        for number in range(len(cases)):
            server.wait_for(rf"to=<to@c{number}\.example>.*status=", f"c{number}", 60)
        return [_delivery(server.log(f"c{number}"), number) for number in range(len(cases))]


def _delivery(log: str, number: int) -> Delivery:
    status = re.search(rf"to=<to@c{number}\.example>.*status=(\w+) \((.*)\)", log)
    tls = re.search(r"TLS connection established to .*?: (\S+) with cipher", log)
    assert status is not None
    return Delivery(status[1], status[2], tls[1] if tls else None, log)
