"""MST and OPS rules against the master and the daemons of this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.postfix_here import initialize, postconf, require_postfix, write
from tests.postfix_server import INFRASTRUCTURE, MasterDied, ServiceLine, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postfix_server import Server

pytestmark = pytest.mark.postfix


def refusal(line: str) -> str | None:
    """Why master refuses a line of master.cf; None if it runs."""
    try:
        with running({}, master_cf=f"{line}\n"):
            return None
    except MasterDied as error:
        return str(error)


def messages(folder: Path, main: str, master: str, select: str) -> list[str]:
    files = {"main.cf": main, "master.cf": master}
    version = str(require_postfix().version)
    return [item.message for item in lint_files(folder, files, version=version, select=select)]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("smtpss", True),
        ("127.0.0.1:SUBMISSION", True),
        ("10999x", True),
        ("127.0.0.1:10999", False),
        ("127.0.0.1:qmqp", None),
        ("127.0.0.1:submissions", None),
        ("127.0.0.1:99999", None),
    ],
)
def test_port_names(name: str, error: bool | None, tmp_path: Path) -> None:
    """``error`` None: the host may differ, master's answer is only to be of the right kind."""
    line = f"{name} inet n - n - - smtpd"
    reason = refusal(line)
    assert reason is None or "not supported for ai_socktype" in reason or "garbage" in reason
    found = messages(tmp_path, "", f"{line}\n", "MST015")
    if error is not None:
        assert bool(reason) is error
        assert any("master will not start" in text for text in found) is error


@pytest.mark.parametrize(
    "level",
    ["0", "2", "3", "3.6", "3.7.11", "03.06", "+3", "9999", "", "x", "-1", "3.", "3.6.1.2", "1 2"],
)
def test_compatibility_levels(level: str, tmp_path: Path) -> None:
    version = require_postfix().version
    if version < (3, 6):
        pytest.skip("levels had no dots before 3.6")
    main = f"compatibility_level = {level}\n"
    said = initialize(write(tmp_path, {"main.cf": main}))
    refused = any("malformed compatibility level" in text for text in said.messages)
    found = messages(tmp_path, main, "", "OPS006")
    assert any("no Postfix program will start" in text for text in found) is refused


def test_old_defaults_are_those_of_postconf(tmp_path: Path) -> None:
    filler = "".join(f"x{number} = y\n" for number in range(8))
    master = "25 inet n - n - - smtpd\n25 unix - - n - - smtp\n"
    (message,) = messages(tmp_path, filler, master, "OPS006")
    listed = [item.partition(" = ") for item in message.partition(": ")[2].split(", ")]
    assert len(listed) >= 3
    for name, _, value in listed:
        said = postconf(tmp_path, "-x", "-h", name).output.strip()
        expected = value.replace("(empty)", "")
        if expected.startswith("$"):
            expected = postconf(tmp_path, "-x", "-h", expected[1:]).output.strip()
        assert said == expected, name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x unix - - n - smtp", "MST001"),
        ("x", "MST001"),
        ("x inet - - n - - smtpd", "MST002"),
        ("x inet y - n - - smtpd", "MST002"),
        ("x unix Y - n - - smtp", "MST002"),
        ("x unix - no n - - smtp", "MST002"),
        ("x UNIX - - n - - smtp", "MST002"),
        ("x tcp - - n - - smtp", "MST002"),
        ("x unix - - n never - smtp", "MST002"),
        ("x unix - - n - -1 smtp", "MST002"),
        ("x unix - - n - - -", "MST002"),
        ("x unix - - n - - smtp {flags=}x", "MST005"),
        ("x unix - - n - - smtp -o {myorigin=x", "MST005"),
        ("x unix - - n - - pipe argv=/bin/x {a b}c", "MST005"),
        ("x unix - - n - - pipe user=nobody argv=/bin/x {a b} c{d", None),
        ("x unix - - n 5? 0 smtp", None),
        ("x unix - - n 5x 10x smtp", None),
    ],
)
def test_what_master_refuses(line: str, code: str | None, tmp_path: Path) -> None:
    reason = refusal(line)
    assert (reason is not None) is (code is not None), reason
    found = messages(tmp_path, "", f"{line}\n", "MST00")
    assert any("master will not start" in text for text in found) is (code is not None)


SERVICES = {
    "good": smtpd(),
    "options": ServiceLine("smtpd", {}, "-v -i 10 -m 5 -osmtpd_banner=x"),
    "braces": ServiceLine(
        "smtpd", {}, "-o { smtpd_helo_restrictions = permit_mynetworks, reject }"
    ),
    "absolute": ServiceLine("/usr/lib/postfix/sbin/smtpd", {}),
    "nosuch": ServiceLine("nosuch", {}),
    "blank": ServiceLine("smtpd", {}, "-o smtpd_helo_restrictions=permit_mynetworks, reject"),
    "equals": ServiceLine("smtpd", {}, "-o smtpd_banner = hello"),
    "no-equals": ServiceLine("smtpd", {}, "-o smtpd_banner"),
    "word": ServiceLine("smtpd", {}, "relay"),
    "swallowed": ServiceLine("smtpd", {}, "\n  x inet n - n - - smtpd"),
    "option": ServiceLine("smtpd", {}, "-x"),
    "debugger": ServiceLine("smtpd", {}, "-D"),
    "attribute": ServiceLine("smtp", {}, "fast"),
    "qmgr-limit": ServiceLine("qmgr", {}, "", "2"),
    "anvil-limit": ServiceLine("anvil", {}),
    "bounce-limit": ServiceLine("bounce", {}, "", "1"),
    "dnsblog-limit": ServiceLine("dnsblog", {}, "", "10"),
    "privileges": ServiceLine("spawn", {}, "user=nobody argv=/bin/echo hello"),
}
"""Services that listen, and of which some die as soon as anybody connects."""

DYING = {
    "absolute": "exec .*//usr/lib/postfix/sbin/smtpd: No such file",
    "nosuch": "exec .*/nosuch: No such file",
    "blank": "unexpected command-line argument: reject",
    "equals": "missing '=' after attribute name",
    "no-equals": "missing '=' after attribute name",
    "word": "unexpected command-line argument: relay",
    "swallowed": "unexpected command-line argument: x",
    "option": "invalid option: x",
    "debugger": "no debugger_command",
    "attribute": "(unknown attribute name|unexpected command-line argument): fast",
    "qmgr-limit": "requires a process limit of 1",
    "anvil-limit": "requires a process limit of 1",
    "bounce-limit": "requires a process limit of 0",
    "dnsblog-limit": "requires a process limit of 0",
    "privileges": "requires privileged operation",
}
FOUND_BY = {
    "MST003": ("absolute", "nosuch"),
    "MST004": ("blank", "equals", "no-equals"),
    "MST005": ("word", "swallowed", "option", "debugger", "attribute"),
    "MST009": ("qmgr-limit", "anvil-limit", "bounce-limit", "dnsblog-limit"),
    "MST013": ("privileges",),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(SERVICES, {"debugger_command": ""}) as found:
        yield found


@pytest.mark.parametrize("name", SERVICES)
def test_services_that_die(name: str, server: Server, tmp_path: Path) -> None:
    if name not in DYING:
        assert server.start_of(name) is None
    else:
        with socket.create_connection(("127.0.0.1", server.port(name)), 10):
            server.wait_for(rf"fatal: .*{DYING[name]}")
    entry = (server.folder / "master.cf").read_text()
    lines = entry[entry.index(f"127.0.0.1:{server.port(name)} ") :].splitlines(keepends=True)
    text = lines[0] + "".join(line for line in lines[1:3] if line[0] == " ")
    main = "debugger_command =\n" + "".join(f"x{number} = y\n" for number in range(8))
    codes = {
        code
        for code in FOUND_BY
        if any("depends" not in item for item in messages(tmp_path, main, text, code))
    }
    assert codes == {code for code, names in FOUND_BY.items() if name in names}


TRANSPORTS = """\
pipe-jailed unix - n y - - pipe user=daemon argv=/bin/true
pipe-anonymous unix - n n - - pipe argv=/bin/true
pipe-root unix - n n - - pipe user=root argv=/bin/true
pipe-owner unix - n n - - pipe user=postfix argv=/bin/true
pipe-flag unix - n n - - pipe flags=z user=daemon argv=/bin/true
pipe-word unix - n n - - pipe usr=daemon argv=/bin/true
pipe-silent unix - n n - - pipe user=daemon
pipe-public unix n n n - - pipe user=daemon argv=/bin/true
pipe-shell unix - n n - - pipe user=daemon argv=/bin/sh -c { echo ran-${sender}; exit 69 }
pipe-signs unix - n n - - pipe user=daemon argv=/bin/sh -c { echo got-$$1; exit 69 } x | y
pipe-good unix - n n - - pipe flags=DRhu user=daemon argv=/bin/true
"""
OUTCOMES = {
    "pipe-jailed": ("MST008", "unknown username: daemon"),
    "pipe-anonymous": ("MST012", "missing user="),
    "pipe-root": ("MST012", "root privileges"),
    "pipe-owner": ("MST012", "mail system owner"),
    "pipe-flag": ("MST012", "unknown flag: z"),
    "pipe-word": ("MST012", "unknown attribute name: usr=daemon"),
    "pipe-silent": ("MST012", "missing argv="),
    "pipe-public": ("MST014", "private/pipe-public: No such file"),
    "pipe-shell": ("MST012", "ran-x0"),
    "pipe-signs": ("MST012", r"got-\|"),
    "pipe-nosuch": ("MST011", "connect to transport private/pipe-nosuch: No such file"),
    "pipe-good": ("", "relay=pipe-good, .*status=sent"),
}
"""Transport -> the rule that warns of it, and what Postfix logs."""


def test_transports(tmp_path: Path) -> None:
    main = {
        "mynetworks": "127.0.0.0/8",
        "mydestination": "",
        "transport_maps": "texthash:$config_directory/transport",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    table = "".join(f"{name}.example {name}:\n" for name in OUTCOMES)
    services = {"in": smtpd()}
    with running(services, main, master_cf=TRANSPORTS, files={"transport": table}) as server:
        for name, (_, said) in OUTCOMES.items():
            with server.connect("in") as client:
                sender = '"x$(id -u | tr 1-9 0 | cut -c1)"@example.net'
                assert client.send(f"user@{name}.example", sender).code == 250
            server.wait_for(said)
    text = "".join(f"{name} = {value}\n" for name, value in main.items())
    text = text.replace("$config_directory", "/etc/postfix")
    files = {"main.cf": text, "master.cf": TRANSPORTS + INFRASTRUCTURE, "transport": table}
    version = str(require_postfix().version)
    found = lint_files(tmp_path, files, version=version, select="MST0")
    told = {(item.code, item.services[0][0] if item.services else None) for item in found}
    for name, (code, _) in OUTCOMES.items():
        about = {item_code for item_code, label in told if label == f"{name}/unix"}
        if code == "MST008":
            assert any(item.code == code and "pipe is chrooted" in item.message for item in found)
        elif code == "MST011":
            assert any(item.code == code and f'"{name}"' in item.message for item in found)
        else:
            assert ({code} if code else set()) <= about and (code or not about), name


OVERRIDES = {
    "relay_domains": ("a.example", True),
    "mydestination": ("b.example", True),
    "mynetworks": ("127.0.0.0/8", False),
}
"""Parameter -> a value that would let mail in, and whether smtpd ignores it as an override."""


def test_overrides_that_do_nothing(tmp_path: Path) -> None:
    rules = "permit_mynetworks, reject_unauth_destination"
    services = {
        name: smtpd(smtpd_relay_restrictions=rules, **{name: value})
        for name, (value, _) in OVERRIDES.items()
    }
    with running(services) as server:
        for name, (value, ignored) in OVERRIDES.items():
            domain = value if value.endswith(".example") else "c.example"
            with server.connect(name) as client:
                assert (client.mail_to(f"user@{domain}").code >= 400) is ignored
            master = f"25 inet n - n - - smtpd -o {name}={value}\n"
            assert bool(messages(tmp_path, "", master, "MST010")) is ignored


@pytest.mark.parametrize("program", ["smtpd", "smtp"])
def test_a_relayhost_of_one_service_is_ignored(program: str, tmp_path: Path) -> None:
    """Which host is next the queue manager asks of trivial-rewrite, not of smtpd or smtp."""
    main = {"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject"}
    main |= {"default_transport": "own", "relayhost": "[127.0.0.1]:1"}
    other = {"relayhost": "[127.0.0.1]:2"}
    services = {"in": smtpd(**other) if program == "smtpd" else smtpd()}
    own = "own unix - - n - - smtp"
    own += " -o relayhost=[127.0.0.1]:2\n" if program == "smtp" else "\n"
    with running(services, main, master_cf=own) as server:
        with server.connect("in") as client:
            assert client.send("user@a.example").code == 250
        server.wait_for(r"connect to 127\.0\.0\.1\[127\.0\.0\.1\]:1: Connection refused")
    line = f"x inet n - n - - {program} -o relayhost=[127.0.0.1]:2\n"
    assert len(messages(tmp_path, "relayhost = [127.0.0.1]:1\n", line, "MST010")) == 1


def test_sockets_in_the_wrong_folder(tmp_path: Path) -> None:
    wrong = INFRASTRUCTURE.replace("rewrite unix - -", "rewrite unix n -")
    with running({"in": smtpd()}, infrastructure=wrong) as server, server.connect("in") as client:
        client.send_only("MAIL FROM:<user@example.net>")
        server.wait_for("private/rewrite: No such file or directory")
    (message,) = messages(tmp_path, "", wrong, "MST014")
    assert message == "the socket is in public/, but clients look for rewrite in private/"


def test_helpers_on_the_network(tmp_path: Path) -> None:
    """cleanup(8) begins to take mail as soon as anybody connects."""
    with running({"helper": ServiceLine("cleanup", {}, "", "0")}) as server:
        address = ("127.0.0.1", server.port("helper"))
        with socket.create_connection(address, 10) as connection:
            connection.settimeout(10)
            assert b"queue_id" in connection.recv(200)
    assert messages(tmp_path, "", "10026 inet n - n - 0 cleanup\n", "MST017")


@pytest.mark.parametrize(
    ("service", "recipient", "said"),
    [
        ("cleanup", "<a@example.net>", "public/cleanup: No such file"),
        ("rewrite", "<a@example.net>", "private/rewrite: No such file"),
        ("defer", "<a@example.net>", "private/defer: No such file"),
        ("proxymap", "<a@example.net>", "private/proxymap: No such file"),
        ("error", "<alias@example.com>", "private/error: No such file"),
        ("trace", "<a@a.example> NOTIFY=SUCCESS", "private/trace: No such file"),
        ("anvil", "<a@a.example>", "private/anvil: No such file"),
        ("flush", "<a@a.example>", "public/flush: No such file"),
        ("discard", "<a@a.example>", "private/discard: No such file"),
        ("local", "<a@e.example>", "private/local: No such file"),
    ],
)
def test_missing_services(service: str, recipient: str, said: str, tmp_path: Path) -> None:
    lines = INFRASTRUCTURE.splitlines(keepends=True)
    master = "".join(line for line in lines if not line.startswith(f"{service} "))
    main = {
        "mynetworks": "127.0.0.0/8",
        "default_transport": "smtp:[127.0.0.1]:1",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "transport_maps": "proxy:inline:{a.example=discard:, b.example=error:no}",
        "smtpd_client_connection_count_limit": "50",
        "smtpd_client_event_limit_exceptions": "",
        "relay_domains": "a.example",
        "fast_flush_domains": "a.example",
        "header_checks": "regexp:{{/^Subject: local/ FILTER local:here}}",
        "virtual_alias_maps": "inline:{alias@example.com=a@b.example}",
    }
    lines = ["EHLO a.example", "MAIL FROM:<a@example.net>", f"RCPT TO:{recipient}", "DATA"]
    lines += [f"Subject: {service}", "", ".", "ETRN a.example"]
    services = {"in": smtpd()}
    with running(services, main, infrastructure=master) as server, server.connect("in") as client:
        for line in lines:
            client.send_only(line)
        server.wait_for(said)
    text = "".join(f"{name} = {value}\n" for name, value in main.items())
    found = messages(tmp_path, text, "25 inet n - n - - smtpd\n" + master, "MST011")
    assert len(found) == 1 and f'no service "{service}"' in found[0]
