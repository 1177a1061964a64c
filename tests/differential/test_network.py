"""Address lists, host names and address classes compared with the installed Postfix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postlint.analysis.networks import address_list
from postlint.config.effective import Effective, Piece
from postlint.config.files import Files
from postlint.config.settings import Setting
from tests.postfix_server import Server, require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postfix

PATTERNS = (
    *("10.0.0.0/8", "10.0.0.1/8", "10/8", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "10.0.0.0/08"),
    *("10.0.0", "10.0.0.", "10.0.0.*", "10.0.0.1-20", "10.0.0.0/8;", "10.0.0.0/", "(10.0.0.0/8)"),
    *("[10.0.0.0]/8", "[10.0.0.0/8]", "[10.0.0.1]", "[10.0.0", "010.0.0.0/8", "10.0.0.1/32/8"),
    *("10.0.0.256/32", "10.0.0.0/8]", "0/0", "0.0.0.0/0", "dead/16", "10.0.0.0/8:25"),
    *("::1/128", "::1", "2001:db8::/32", "fe80::1", "foo:bar", "10.0.0.1:25"),
    *("[2001:db8::]/32", "[2001:db8::/32]", "[2001:db8::1]/32", "[2001:DB8:0::1]", "[2001:db8::"),
    *("[2001:db8::1]/129", "[2001:db8]/32", "[2001:db8:]", "[::1]x", "[::]/0", "[fe80::1%eth0]/64"),
    *("client.example.net", ".example.net", "example.net", "[client.example.net]", "unknown"),
    *("!10.0.0.1 10.0.0.0/8", "!10.0.0.0/8 10.0.0.1", "!!10.0.0.1", "!10.0.0.1", "! 10.0.0.0/8"),
    *("static:all", "!static:all", "10.0.0.1/8 # 10.0.0.0/8", "127.0.0.0/8 #10.0.0.0/8"),
)
CLIENTS = (
    ("10.0.0.1", "client.example.net"),
    ("192.0.2.99", "unknown"),
    ("2001:db8::1", "unknown"),
)
DECISIONS = {250: "match", 554: "no match", 454: "no match", 451: "error"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    services = {
        f"list{number}": smtpd(
            mynetworks=pattern,
            smtpd_authorized_xclient_hosts="127.0.0.1",
            smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination",
        )
        for number, pattern in enumerate(PATTERNS)
    }
    with running(services, {"inet_protocols": "all"}) as found:
        yield found


@pytest.mark.parametrize("number", range(len(PATTERNS)), ids=PATTERNS.__getitem__)
def test_pattern_matches_whom_postfix_trusts(server: Server, number: int) -> None:
    name, text = f"list{number}", PATTERNS[number]
    version = require_master().version
    value = Effective(Setting.of_default("mynetworks", text, version), [Piece(text, None)])
    found = address_list(value, version, Files(None))
    is_fatal = any(pattern.kind == "fatal" for pattern in found.patterns)
    assert (server.start_of(name) is not None) == is_fatal
    for address, host in () if is_fatal else CLIENTS:
        with server.connect(name) as client:
            said = "[UNAVAILABLE]" if host == "unknown" else host
            reply = client.xclient(f"IPV6:{address}" if ":" in address else address, said)
            assert reply.code == 220
            client.ehlo()
            code = client.mail_to("user@example.org").code
        assert DECISIONS[code] == found.decide(address, host), (text, address)
