"""TBL rules against the real daemons: which keys are asked, what results mean, who is refused."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from postlint.analysis.access_tables import ENTRY_LIMIT
from tests.differential.table_sources import require_type
from tests.linting import lint_files
from tests.postfix_here import OLD, postmap, require_postfix
from tests.postfix_server import running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix


class Key(NamedTuple):
    """A key of an access table, and a mail that it should be for. ``asked``: it is looked up."""

    restriction: str
    key: str
    asked: bool
    sender: str = "user@sub.example.net"
    recipient: str = "someone@example.com"


KEYS = (
    Key("check_sender_access", ".example.net", False),
    Key("check_sender_access", "example.net", True),
    Key("check_sender_access", "@sub.example.net", False),
    Key("check_sender_access", "*.example.net", False),
    Key("check_sender_access", "*@sub.example.net", False),
    Key("check_sender_access", "*", False),
    Key("check_sender_access", "user@", True),
    Key("check_sender_access", "user@sub.example.net", True),
    Key("check_sender_access", "192.0.2.9", False, "user@[192.0.2.9]"),
    Key("check_sender_access", "198.51.100.7", False),
    Key("check_recipient_access", ".com", False),
    Key("check_recipient_access", "com", True),
    Key("check_recipient_access", "@example.com", False),
    Key("check_client_access", "198.51.100", True),
    Key("check_client_access", "198.51.100.", False),
    Key("check_client_access", "198.51.100.*", False),
    Key("check_client_access", "198.51.100.0/24", False),
    Key("check_client_access", "198.51.100.7", True),
    Key("check_client_access", "user@sub.example.net", False),
    Key("check_client_access", ".example.org", False),
    Key("check_client_access", "example.org", True),
    Key("check_helo_access", ".example.net", False),
    Key("check_helo_access", "example.net", True),
    Key("check_helo_access", "*.example.net", False),
    Key("check_helo_access", "@client.example.net", False),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    services = {
        f"k{number}": smtpd(
            smtpd_relay_restrictions="",
            smtpd_delay_reject="yes",
            smtpd_recipient_restrictions=(
                f"{key.restriction} inline:{{{{{key.key} = 511 asked}}}}, reject_unauth_destination"
            ),
            smtpd_authorized_xclient_hosts="127.0.0.1",
        )
        for number, key in enumerate(KEYS)
    }
    plain = {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}
    plain["mynetworks"] = "127.0.0.0/8"
    services["plain"] = smtpd(**plain)
    proxied = "check_client_access proxy:texthash:$config_directory/t"
    services["refused"] = smtpd(smtpd_data_restrictions=proxied, **plain)
    services["missing"] = smtpd(
        smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination",
        mynetworks="/nonexistent/networks",
    )
    settings = {
        "transport_maps": "inline:{{bare.example = mail.example.net}, {service.example = discard}}",
        "virtual_alias_maps": (
            "inline:{{note@example.com = a@example.org # b}, {@old.example = new.example},"
            " {@kept.example = @new.example}, {team@example.com = a@example.org example.net}}"
        ),
        "virtual_alias_domains": "old.example, kept.example",
        "smtp_fallback_relay": "",
    }
    with running(services, settings, files={"t": "a OK\n"}) as found:
        yield found


@pytest.mark.parametrize("number", range(len(KEYS)), ids=lambda number: KEYS[number].key)
def test_keys_of_access_tables(number: int, server: Server, tmp_path: Path) -> None:
    key = KEYS[number]
    with server.connect(f"k{number}") as client:
        client.xclient("198.51.100.7", "host.example.org")
        client.ehlo()
        reply = client.mail_to(key.recipient, key.sender)
    assert (reply.code == 511) is key.asked, reply
    main = f"smtpd_recipient_restrictions = {key.restriction} texthash:/etc/postfix/t\n"
    files = {"main.cf": main, "t": f"{key.key} REJECT\n"}
    found = [
        item for code in ("TBL004", "TBL008") for item in lint_files(tmp_path, files, select=code)
    ]
    assert bool(found) is not key.asked


def queued(server: Server, recipient: str) -> str:
    """Send a message; its queue name."""
    with server.connect("plain") as client:
        reply = client.send(recipient)
    assert reply.code == 250, reply
    match = re.search(r"queued as (\S+)", reply.text)
    assert match is not None
    return match[1]


def test_transport_without_colon(server: Server, tmp_path: Path) -> None:
    name = queued(server, "a@bare.example")
    text = server.wait_for(rf"{name}: to=<a@bare\.example>.*")
    assert "status=deferred" in text
    assert "mail transport unavailable" in text or "unknown mail transport" in text
    name = queued(server, "a@service.example")
    assert "status=sent" in server.wait_for(rf"{name}: to=<a@service\.example>.*")
    master = "smtp inet n - n - - smtpd\ndiscard unix - - n - - discard\n"
    table = "bare.example mail.example.net\nservice.example discard\n"
    main = "transport_maps = texthash:/etc/postfix/t\n"
    files = {"main.cf": main, "master.cf": master, "t": table}
    (finding,) = lint_files(tmp_path, files, select="TBL010")
    assert finding.location.start.line == 1


def test_comment_in_an_alias(server: Server) -> None:
    name = queued(server, "note@example.com")
    for address in ("a@example.org", "#@mx.example.com", "b@mx.example.com"):
        server.wait_for(rf"{name}: to=<{re.escape(address)}>.*")


def test_domain_beside_addresses(server: Server) -> None:
    name = queued(server, "team@example.com")
    server.wait_for(rf"{name}: to=<example\.net@mx\.example\.com>.*")


def test_missing_list_file(server: Server, tmp_path: Path) -> None:
    with server.connect("missing") as client:
        reply = client.mail_to("someone@example.org")
    assert reply.code == 451
    main = "mynetworks = /etc/postfix/networks\n"
    (finding,) = lint_files(tmp_path, {"main.cf": main}, select="TBL001", host=True)
    assert "temporary error" in finding.message


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("query = select 1\n", "dbpath"),
        ("dbpath = /nonexistent\n", "bad string length 0 < 1: table"),
        (
            "dbpath = /nonexistent\ntable = t\nselect_field = f\n",
            "bad string length 0 < 1: where_field",
        ),
        ("dbpath = /nonexistent\nquery select 1\n", "missing '=' after attribute name"),
        ("dbpath = /nonexistent\n= select 1\n", "missing attribute name"),
        ("dbpath = /nonexistent\ntable = t\nselect_field = f\nwhere_field = w\n", ""),
        ("dbpath = /nonexistent\nquery = select 1\n", ""),
    ],
)
def test_client_files_that_no_program_opens(text: str, refused: str, tmp_path: Path) -> None:
    require_type("sqlite")
    (tmp_path / "t").write_text(text)
    (tmp_path / "main.cf").write_text("")
    said = postmap(tmp_path, "-q", "a", f"sqlite:{tmp_path / 't'}")
    opening = said.errors.partition("fatal: ")[2]
    assert (refused in opening) if refused else ("bad string" not in opening)
    main = "virtual_alias_maps = sqlite:/etc/postfix/t\n"
    assert bool(lint_files(tmp_path, {"main.cf": main}, select="TBL004")) is bool(refused)


SENSITIVE = {
    "alias_maps": "regexp:$config_directory/aliases",
    "virtual_mailbox_maps": "regexp:$config_directory/boxes",
    "mailbox_command_maps": "memcache:$config_directory/commands",
    "virtual_mailbox_domains": "box.example",
    "virtual_mailbox_base": "/nonexistent",
    "mail_spool_directory": "/nonexistent/",
    "virtual_uid_maps": "static:65534",
    "virtual_gid_maps": "proxy:texthash:$config_directory/groups",
    "proxy_read_maps": "$virtual_alias_maps",
    "local_transport": "local:",
    "virtual_transport": "virtual:",
}
SENSITIVE_FILES = {
    "aliases": "/^jo(hn)$/ nobody, ${1}x\n/^jane$/ nobody\n",
    "boxes": "/^(u)@box.example$/ box/$1\n/^v@/ box\n",
    "commands": "memcache = inet:127.0.0.1:1\n",
    "groups": "v@box.example 65534\n",
}


def test_what_local_and_virtual_do_not_trust(tmp_path: Path) -> None:
    plain = {"smtpd_relay_restrictions": "permit_mynetworks, reject", "mynetworks": "127.0.0.0/8"}
    with running({"plain": smtpd(**plain)}, SENSITIVE, files=SENSITIVE_FILES) as server:
        people = ("john@example.com", "u@box.example", "v@box.example", "nobody@example.com")
        for recipient in people:
            queued(server, recipient)
        skipped = "regular expression substitution is not allowed: skipping this rule"
        server.wait_for(rf"local\[.*aliases, line 1: {skipped}")
        server.wait_for(rf"virtual\[.*boxes, line 1: {skipped}")
        server.wait_for(r"memcache:\S*commands map is not allowed for security-sensitive data")
        server.wait_for(r"to=<nobody@example\.com>.*status=deferred")
        server.wait_for(r"to=<u@box\.example>.*status=bounced")
        # virtual(8) does not ask proxymap, which would refuse
        server.wait_for(r"to=<v@box\.example>.*unable to create lock file")
        assert "unapproved" not in server.log()
    main = "".join(f"{name} = {value}\n" for name, value in SENSITIVE.items())
    main = main.replace("$config_directory", "/etc/postfix")
    files = {"main.cf": main, **SENSITIVE_FILES}
    findings = [
        item for code in ("TBL006", "TBL013") for item in lint_files(tmp_path, files, select=code)
    ]
    places = [
        (item.location.path.rpartition("/")[2], item.location.start.line) for item in findings
    ]
    assert places == [("aliases", 1), ("boxes", 1), ("main.cf", 3)]
    assert not lint_files(tmp_path, files, select="TBL012")


def test_domain_without_at(server: Server) -> None:
    name = queued(server, "user@old.example")
    server.wait_for(rf"{name}: to=<new\.example@mx\.example\.com>.*")
    name = queued(server, "user@kept.example")
    server.wait_for(rf"{name}: to=<user@new\.example>.*")


def test_proxymap_refuses(server: Server, tmp_path: Path) -> None:
    reason = server.start_of("refused")
    assert reason is not None
    assert "proxymap service is not configured for table" in reason
    server.wait_for('request for unapproved table: "texthash:')
    main = "smtpd_data_restrictions = check_client_access proxy:texthash:/etc/postfix/t\n"
    (finding,) = lint_files(tmp_path, {"main.cf": main}, select="TBL012")
    assert "proxymap refuses texthash:/etc/postfix/t" in finding.message


def test_stale_index(tmp_path: Path) -> None:
    """Postfix answers from the old index, and postlint says that it is old."""
    require_postfix()
    source = tmp_path / "t"
    source.write_text("a.example old:\n")
    (tmp_path / "main.cf").write_text("transport_maps = hash:/etc/postfix/t\n")
    built = postmap(tmp_path, f"hash:{source}")
    if "unsupported" in built.errors:
        pytest.skip("this Postfix has no Berkeley DB")
    source.write_text("a.example new:\n")
    os.utime(tmp_path / "t.db", (OLD - 1000, OLD - 1000))
    asked = postmap(tmp_path, "-q", "a.example", f"hash:{source}")
    os.utime(tmp_path / "t.db", (OLD - 1000, OLD - 1000))
    assert asked.output == "old:\n"
    assert lint_files(tmp_path, {}, select="TBL002", host=True)


def test_mode_of_an_index(tmp_path: Path) -> None:
    """postmap(1) keeps the mode of an index that exists."""
    require_postfix()
    source = tmp_path / "t"
    source.write_text("[smtp.example.com] user:secret\n")
    source.chmod(0o644)
    (tmp_path / "main.cf").write_text("smtp_sasl_password_maps = hash:/etc/postfix/t\n")
    built = postmap(tmp_path, f"hash:{source}")
    if "unsupported" in built.errors:
        pytest.skip("this Postfix has no Berkeley DB")
    source.chmod(0o600)
    postmap(tmp_path, f"hash:{source}")
    assert (tmp_path / "t.db").stat().st_mode & 0o004
    (finding,) = lint_files(tmp_path, {}, select="TBL003", host=True)
    assert "t.db" in finding.message


def test_empty_result_of_a_pattern(tmp_path: Path) -> None:
    """A rule without a result: the lookup finds an empty text, which is refused."""
    require_postfix()
    (tmp_path / "t").write_text("/^a$/\n")
    (tmp_path / "main.cf").write_text("")
    said = postmap(tmp_path, "-q", "a", f"regexp:{tmp_path / 't'}")
    assert "no replacement text" in said.errors


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("texthash", "u{at}@example.net {result}\n"),
        ("regexp", "/^u{at}@example\\.net$/ {result}\n"),
        ("pcre", "/^u{at}@example\\.net$/ {result}\n"),
    ],
)
def test_results_at_the_end_of_long_tables(kind: str, line: str, tmp_path: Path) -> None:
    """What is said of the last lines of a table with more entries than are kept."""
    require_type(kind)
    number = ENTRY_LIMIT + 10
    results = {number - 3: "REJCT", number - 2: "550", number - 1: "550 go away"}
    text = "".join(line.format(at=at, result=results.get(at, "DUNNO")) for at in range(number))
    restrictions = f"check_sender_access {kind}:$config_directory/long, reject_unauth_destination"
    service = smtpd(smtpd_relay_restrictions="", smtpd_recipient_restrictions=restrictions)
    with running({"long": service}, {}, files={"long": text}) as server:
        codes = []
        for at in results:
            with server.connect("long") as client:
                client.ehlo()
                codes.append(client.mail_to("x@example.org", f"u{at}@example.net").code)
    assert codes == [451, 250, 550]  # an unknown word; digits alone mean OK; a refusal
    main = f"smtpd_recipient_restrictions = check_sender_access {kind}:/etc/postfix/long, reject\n"
    found = lint_files(tmp_path, {"main.cf": main, "long": text}, select="RST019")
    assert [item.location.start.line for item in found] == [number - 2, number - 1]
