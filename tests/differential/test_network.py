"""Address lists, host names and address classes compared with the installed Postfix."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from postlint.analysis.networks import address_list
from postlint.config.effective import Effective, Piece
from postlint.config.files import Files
from postlint.config.settings import Setting
from tests.linting import lint_files
from tests.postfix_here import initialize, require_postfix, write
from tests.postfix_server import MasterDied, Server, require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.lint.finding import Finding

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


def lint(folder: Path, main: str, select: str) -> list[Finding]:
    return lint_files(folder, {"main.cf": main}, select=select)


NAMES = (
    *("mx", "mx.example.com", "mx.example.com.", ".example.com", "mx..example.com", "192.0.2.1"),
    *("mx_1.example.com", "-mx.example.com", "mx-.example.com", "a b.example.com", "1.2.3.x"),
    *("[192.0.2.1]", "2001:db8::1", "mx.ex\u00e4mple.com", "mx.example.com:25", "localhost"),
    *("a" * 63 + ".com", "a" * 64 + ".com", ".".join(["a" * 50] * 6)),
)


ORIGINS = (
    *("a.example b.example", "a.example, b.example", "a.example", "192.0.2.1", "@example.com"),
    "localhost",
)
INTERFACES = (
    *("all", "ALL", "loopback-only", "all, 127.0.0.1", "loopback-only 127.0.0.1", "127.0.0.1"),
    *("[127.0.0.1]", "127.0.0.9", "127.0.1.1", "0.0.0.0", "::", "127.0.0.1/8", "eth0", "localhost"),
)
PROTOCOLS = (("ipv4", "[::1]"), ("ipv4", "2001:db8::1"), ("ipv6", "127.0.0.1"))

HOST = "myhostname = mx.example.com\n"
STARTS = (
    *((f"myhostname = {name}\n", "NET003") for name in NAMES),
    *((f"{HOST}mydomain = {name}\n", "NET009") for name in NAMES),
    *((f"{HOST}myorigin = {name}\n", "NET009") for name in ORIGINS),
    *((f"{HOST}inet_interfaces = {name}\n", "NET008") for name in INTERFACES),
    *((f"{HOST}inet_protocols = {a}\ninet_interfaces = {b}\n", "NET007") for a, b in PROTOCOLS),
)


@pytest.fixture(scope="module")
def statuses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int | None]:
    """The exit status of a program that reads each main.cf; a fatal error costs it a second."""
    require_postfix()

    def status(main: str) -> int | None:
        return initialize(write(tmp_path_factory.mktemp("start"), {"main.cf": main})).status

    texts = [main for main, _ in STARTS]
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(texts, pool.map(status, texts), strict=True))


@pytest.mark.parametrize(("main", "code"), STARTS, ids=lambda text: text.split("\n")[-2:][0])
def test_what_stops_every_program(
    statuses: dict[str, int | None], main: str, code: str, tmp_path: Path
) -> None:
    found = [item.message for item in lint(tmp_path, main, code)]
    stops = any("no Postfix program will start" in message for message in found)
    assert (statuses[main] != 0) == stops, found


def test_endpoint_of_the_other_protocol() -> None:
    with (
        pytest.raises(MasterDied, match="bad hostname or network address"),
        running(
            {"here": smtpd()},
            {"inet_protocols": "ipv4"},
            master_cf="[::1]:0 inet n - n - - smtpd\n",
        ),
    ):
        pass


CLASS_SETTINGS = {
    "mydestination": "l.example, la.example, lm.example, lr.example",
    "virtual_alias_domains": "a.example, la.example, am.example, ar.example",
    "virtual_mailbox_domains": "m.example, lm.example, am.example, mr.example",
    "relay_domains": "r.example, lr.example, ar.example, mr.example",
    "local_transport": "discard:mydestination",
    "virtual_transport": "discard:virtual_mailbox_domains",
    "relay_transport": "discard:relay_domains",
    "default_transport": "discard:default",
}


def test_the_first_class_counts(tmp_path: Path) -> None:
    main = "".join(f"{name} = {value}\n" for name, value in CLASS_SETTINGS.items())
    found = lint(tmp_path, f"myhostname = mx.example.com\n{main}", "NET004")
    front = smtpd(mynetworks="127.0.0.0/8", smtpd_reject_unlisted_recipient="no")
    with running({"front": front}, CLASS_SETTINGS) as server:
        for domain in ("la", "lm", "lr", "am", "ar", "mr", "l", "a", "m", "r"):
            with server.connect("front") as client:
                client.send(f"user@{domain}.example")
            line = server.wait_for(rf"to=<user@{domain}\.example>.*")
            used = line.rpartition("(")[2].rstrip(")")
            both = [item for item in found if f'"{domain}.example"' in item.message]
            assert len(both) == (len(domain) == 2)
            for finding in both:
                winner = finding.message.partition(" and in ")[2].partition(":")[0]
                assert winner in (used, "virtual_alias_domains")
        warned = set(re.findall(r"do not list domain (\S+) in BOTH", server.log()))
    errors = {item.message.split('"')[1] for item in found if item.severity.label == "error"}
    assert warned == errors == {f"{name}.example" for name in ("la", "lm", "am", "ar", "mr")}


def test_subdomains_of_the_old_default_are_relayed(tmp_path: Path) -> None:
    settings = {"mydestination": "example.com", "relay_domains": "$mydestination"}
    with (
        running({"front": smtpd()}, settings) as server,
        server.connect("front") as client,
    ):
        assert client.mail_to("user@sub.example.com").code == 250
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    assert "subdomains of example.com" in lint(tmp_path, main, "NET004")[0].message
