"""What the installed Postfix does with settings for tests, odd limits and silenced bounces."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.postfix_here import initialize, require_postfix, run, write
from tests.postfix_server import INFRASTRUCTURE, running, smtpd

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

pytestmark = pytest.mark.postfix

OPEN = smtpd(mynetworks="127.0.0.0/8", smtpd_relay_restrictions="permit_mynetworks, reject")


def lint(folder: Path, settings: dict[str, str], select: str, **files: str) -> list[Finding]:
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    named = {name.replace("_cf", ".cf"): text for name, text in files.items()}
    head = "compatibility_level = 3.6\nmyhostname = mx.example.com\n"
    return lint_files(folder, {"main.cf": head + main, **named}, select=select)


@pytest.mark.parametrize("soft", [False, True])
def test_soft_bounce(soft: bool, tmp_path: Path) -> None:
    closed = "reject_unauth_destination"
    services = {"here": smtpd(soft_bounce="yes" if soft else "no", smtpd_relay_restrictions=closed)}
    with running(services) as server, server.connect("here") as client:
        assert client.mail_to("user@elsewhere.example").code == (454 if soft else 554)
    settings = {"soft_bounce": "yes" if soft else "no"}
    assert bool(lint(tmp_path, settings, "OPS001")) == soft


def test_passwords_in_the_log(tmp_path: Path) -> None:
    """-v and debug_peer_list log what clients say; TLS level 4 does, level 3 does not."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mx.example.com"
    made = run([*command.split(), "-keyout", key, "-out", certificate])
    assert made.status == 0, made.errors
    tls = {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
    }
    services = {
        "quiet": OPEN,
        "verbose": OPEN._replace(arguments="-v"),
        "peer": smtpd(**OPEN.overrides, debug_peer_list="127.0.0.1"),
        "other": smtpd(**OPEN.overrides, debug_peer_list="192.0.2.7"),
        **{
            f"tls{level}": smtpd(**OPEN.overrides, **tls, smtpd_tls_loglevel=level)
            for level in ("1", "2", "3", "4", "summary", "ssl-session-packet-dump")
        },
    }
    secret = base64.b64encode(b"\0user\0a secret word").decode()
    logged = set()
    with running(services) as server:
        for name in services:
            with server.connect(name) as client:
                if name.startswith("tls"):
                    assert client.starttls().code == 220
                    client.ehlo()
                client.command(f"NOOP {secret}")
                client.command("QUIT")
            server.wait_for("disconnect from", name)
            if secret[:12] in server.log(name):
                logged.add(name)
    assert logged == {"verbose", "peer", "tls4", "tlsssl-session-packet-dump"}
    for name in services:
        if name.startswith("tls"):
            found = lint(tmp_path, {"smtpd_tls_loglevel": name.removeprefix("tls")}, "OPS003")
            assert any(item.severity.label == "error" for item in found) == (name in logged)


def test_no_second_attempt(tmp_path: Path) -> None:
    settings = {"maximal_queue_lifetime": "0", "default_transport": "smtp:[127.0.0.1]:1"}
    with running({"front": OPEN}, settings) as server:
        with server.connect("front") as client:
            client.send("user@elsewhere.example")
        server.wait_for("status=expired, returned to sender")
    assert lint(tmp_path, settings, "OPS004")[0].severity.label == "error"


@pytest.mark.parametrize(
    ("settings", "fatal"),
    [
        ({"message_size_limit": "51200001"}, "mailbox_size_limit is smaller"),
        ({"message_size_limit": "51200000"}, None),
        ({"message_size_limit": "0"}, "message_size_limit is unlimited"),
        ({"message_size_limit": "0", "mailbox_size_limit": "0"}, None),
    ],
)
@pytest.mark.parametrize("program", ["local", "virtual"])
def test_mailboxes_smaller_than_messages(
    program: str, settings: dict[str, str], fatal: str | None, tmp_path: Path
) -> None:
    limit = "mailbox_size_limit" if program == "local" else "virtual_mailbox_limit"
    chosen = {name.replace("mailbox_size_limit", limit): text for name, text in settings.items()}
    if program == "virtual":
        chosen |= {"mydestination": "", "virtual_mailbox_domains": "box.example"}
    chosen |= {"virtual_mailbox_base": "/nowhere"}
    transports = {"local_transport": "local", "virtual_transport": "virtual"}
    domain = "example.com" if program == "local" else "box.example"
    with running({"front": OPEN}, {**chosen, **transports}) as server:
        with server.connect("front") as client:
            client.send(f"no-such-user-here@{domain}")
        said = server.wait_for(rf"(?:postfix/{program}.*)(?:fatal: .*|status=.*)")
    assert ("fatal: configuration error" in said) == (fatal is not None), said
    if fatal is not None:
        assert fatal.replace("mailbox_size_limit", limit) in said
    given = {**chosen, "mydestination": chosen.get("mydestination", "example.com")}
    errors = [item for item in lint(tmp_path, given, "OPS005") if item.severity.label == "error"]
    assert bool(errors) == (fatal is not None)


@pytest.mark.parametrize("space", ["15359999", "15360000"])
def test_little_space(space: str, tmp_path: Path) -> None:
    with running({"front": smtpd(queue_minfree=space)}) as server:
        server.connect("front").close()
        warned = "should be at least 1.5" in server.log("front")
    found = lint(tmp_path, {"queue_minfree": space}, "OPS005")
    assert warned == bool(found) == (space == "15359999")


@pytest.mark.parametrize("program", ["bounce", "discard"])
def test_bounces_that_are_thrown_away(program: str, tmp_path: Path) -> None:
    """Without bounce(8) nobody is told, and the message stays in the queue."""
    line = "bounce unix - - n - 0 bounce\n"
    services = INFRASTRUCTURE.replace(line, line.replace("0 bounce", f"0 {program}"))
    settings = {"default_transport": "error:5.1.1 nobody there"}
    front = smtpd(**OPEN.overrides, smtpd_reject_unlisted_recipient="no")
    with running({"front": front}, settings, infrastructure=services) as server:
        with server.connect("front") as client:
            client.send("user@elsewhere.example")
        if program == "bounce":
            server.wait_for("sender non-delivery notification")
        else:
            server.wait_for(r"warning: .*(?:private/bounce|bounce service)|status=deferred")
            assert "sender non-delivery notification" not in server.log()
    found = lint(tmp_path, {}, "OPS008", master_cf=services)
    assert bool(found) == (program == "discard")


def test_a_template_that_is_not_there(tmp_path: Path) -> None:
    settings = {
        "default_transport": "error:5.1.1 nobody there",
        "bounce_template_file": str(tmp_path / "absent"),
    }
    front = smtpd(**OPEN.overrides, smtpd_reject_unlisted_recipient="no")
    with running({"front": front}, settings) as server:
        with server.connect("front") as client:
            client.send("user@elsewhere.example")
        server.wait_for(r"bounce\[.*fatal: open")


ACCOUNTS: tuple[dict[str, str], ...] = (
    {"default_privs": "root"},
    {"mail_owner": "root"},
    {"setgid_group": "root"},
    {"default_privs": "postfix", "mail_owner": "postfix"},
    {"mail_owner": "nobody"},
    {},
)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> list[bool]:
    """Whether a program refuses the accounts; a fatal error costs it a second."""
    require_postfix()

    def refuses(settings: dict[str, str]) -> bool:
        main = "".join(f"{name} = {value}\n" for name, value in settings.items())
        return initialize(write(tmp_path_factory.mktemp("accounts"), {"main.cf": main})).status != 0

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(refuses, ACCOUNTS))


@pytest.mark.parametrize("number", range(len(ACCOUNTS)))
def test_accounts(refused: list[bool], number: int, tmp_path: Path) -> None:
    assert refused[number] == bool(lint(tmp_path, ACCOUNTS[number], "OPS009"))


def test_user_below_the_minimum(tmp_path: Path) -> None:
    settings = {
        "virtual_mailbox_domains": "box.example",
        "virtual_mailbox_maps": "static:user",
        "virtual_mailbox_base": str(tmp_path),
        "virtual_uid_maps": "static:99",
        "virtual_gid_maps": "static:5000",
    }
    with running({"front": OPEN}, {**settings, "virtual_transport": "virtual"}) as server:
        with server.connect("front") as client:
            client.send("user@box.example")
        server.wait_for("bad uid 99 in virtual_uid_maps")
        server.wait_for("status=deferred")
    assert lint(tmp_path, settings, "OPS009")[0].severity.label == "error"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mailbox_command": "true", "home_mailbox": "Maildir/"}, "delivered to command: true"),
        (
            {"mailbox_transport": "discard:here", "mailbox_command": "true"},
            "postfix/discard.*status=sent",
        ),
    ],
)
def test_first_way_of_delivery(settings: dict[str, str], said: str, tmp_path: Path) -> None:
    with running({"front": OPEN}, {**settings, "local_transport": "local"}) as server:
        with server.connect("front") as client:
            client.send("nobody@example.com")
        server.wait_for(said)
    (found,) = lint(tmp_path, settings, "OPS009")
    assert found.parameter == list(settings)[1]
