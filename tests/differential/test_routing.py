"""What the installed Postfix does with next hops, loops, unknown users and catch-all entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.postfix_server import MasterDied, ServiceLine, running, smtpd
from tests.postfix_server import _free_ports as free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from postlint.lint.finding import Finding

pytestmark = pytest.mark.postfix

OPEN = smtpd(mynetworks="127.0.0.0/8", smtpd_relay_restrictions="permit_mynetworks, reject")
REFUSES = smtpd(smtpd_recipient_restrictions="reject", smtpd_relay_restrictions="reject")
STATUS = r"status=[a-z]+ \(.*"


def lint(folder: Path, main: str, select: str, **files: str) -> list[Finding]:
    head = "compatibility_level = 3.6\nmyhostname = mx.example.com\n"
    named = {name.replace("_cf", ".cf"): text for name, text in files.items()}
    return lint_files(folder, {"main.cf": head + main, **named}, select=select)


def outcome(main_cf: dict[str, str], pattern: str = STATUS, **services: ServiceLine) -> str:
    """What is logged about a message to another domain."""
    settings = {"mydestination": "", "default_transport": "smtp", **main_cf}
    with running({"front": OPEN, **services}, settings) as server:
        with server.connect("front") as client:
            assert client.send("user@elsewhere.example").code == 250
        return server.wait_for(rf"{pattern}|fatal: .*")


HOPS = (
    ("[127.0.0.1]:{}", "status=bounced (host 127.0.0.1"),
    ("127.0.0.1:{}", "status=bounced (host 127.0.0.1"),
    ("[127.0.0.1]:1, [127.0.0.1]:{}", "status=bounced (host 127.0.0.1"),
    ("smtp:[127.0.0.1]:{}", "fatal: valid hostname or network address required"),
    ("[127.0.0.1:{}]", "fatal: valid hostname or network address required"),
    ("127.0.0.1/{}", "fatal: valid hostname or network address required"),
    ("localhost.:{}", "fatal: valid hostname or network address required"),
    ("[127.0.0.1]{}", 'fatal: garbage after "]"'),
    ("[127.0.0.1", 'fatal: missing "]"'),
    ("[127.0.0.1]:0", "fatal: bad network port"),
    ("[127.0.0.1]:25x", "fatal: garbage after numerical service"),
    ("[ipv6:127.0.0.1]:{}", "fatal: malformed IPv6 address"),
)


@pytest.mark.parametrize(("hop", "said"), HOPS)
def test_next_hops(hop: str, said: str, tmp_path: Path) -> None:
    with running({"sink": REFUSES}) as sink:
        text = hop.format(sink.port("sink"))
        assert outcome({"relayhost": text}).startswith(said)
    found = lint(tmp_path, f"relayhost = {text}\n", "RTE001")
    fatal = said.startswith("fatal: ")
    assert [item.severity.label for item in found] == (["error"] if fatal else [])
    if fatal and "takes no transport" not in found[0].message:
        assert said.removeprefix("fatal: ") in found[0].message


@pytest.mark.parametrize("hop", ["[127.0.0.1]", "127.0.0.1:25", "[127.0.0.1]:smtp"])
def test_port_25_of_this_host(hop: str, tmp_path: Path) -> None:
    assert "loops back to myself" in outcome({"relayhost": hop})
    main = f"inet_interfaces = 127.0.0.1\nrelayhost = {hop}\n"
    assert "loops back to myself" in lint(tmp_path, main, "RTE002")[0].message


@pytest.mark.parametrize("name", ["mx.example.com", "MX.example.com"])
def test_relayhost_is_myhostname(name: str, tmp_path: Path) -> None:
    with (
        pytest.raises(MasterDied, match="must not be identical"),
        running({"front": OPEN}, {"relayhost": name}),
    ):
        pass
    found = lint(tmp_path, f"relayhost = {name}\n", "RTE002")
    assert "no Postfix program will start" in found[0].message


def test_the_routing_table_leads_back(tmp_path: Path) -> None:
    routes = "inline:{ elsewhere.example=smtp:[127.0.0.1]:25 }"
    assert "loops back to myself" in outcome({"transport_maps": routes})
    main = f"inet_interfaces = 127.0.0.1\ntransport_maps = {routes}\n"
    (finding,) = lint(tmp_path, main, "RTE002")
    assert "loops back to myself" in finding.message


def test_another_port_of_this_host(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    again = f"127.0.0.1:{port} inet n - n - - smtpd\n  -o mynetworks=127.0.0.0/8\n"
    settings = {
        "relayhost": f"[127.0.0.1]:{port}",
        "mydestination": "",
        "default_transport": "smtp",
        "hopcount_limit": "6",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    with running({"front": OPEN}, settings, master_cf=again) as server:
        with server.connect("front") as client:
            assert client.send("user@elsewhere.example").code == 250
        server.wait_for("too many hops")
    master = f"{again}smtp unix - - n - - smtp\n"
    main = f"inet_interfaces = 127.0.0.1\nrelayhost = [127.0.0.1]:{port}\n"
    found = lint(tmp_path, main, "RTE002", master_cf=master)
    assert "until it has too many hops" in found[0].message


@pytest.mark.parametrize("excepted", [False, True])
def test_filtered_mail_is_filtered_again(excepted: bool, tmp_path: Path) -> None:
    """The "filter" is a Postfix of its own, which hands everything back over loopback."""
    filter_port, back_port = free_ports(2)
    exception = "  -o content_filter=\n" if excepted else ""
    back = (
        f"127.0.0.1:{back_port} inet n - n - - smtpd\n  -o mynetworks=127.0.0.0/8\n{exception}"
        "scan unix - - n - - smtp\n"
    )
    settings = {
        "content_filter": f"scan:[127.0.0.1]:{filter_port}",
        "mydestination": "",
        "hopcount_limit": "8",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    listening = f"127.0.0.1:{filter_port} inet n - n - - smtpd\n  -o mynetworks=127.0.0.0/8\n"
    filters = {
        "mydestination": "",
        "myhostname": "filter.example.com",
        "default_transport": "smtp",
        "relayhost": f"[127.0.0.1]:{back_port}",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    with (
        running({"unused": OPEN}, filters, master_cf=listening),
        running({"front": OPEN}, settings, master_cf=back) as server,
    ):
        with server.connect("front") as client:
            assert client.send("user@elsewhere.example").code == 250
        if excepted:
            server.wait_for(r"postfix/discard.*to=<user@elsewhere.example>.*status=sent")
        else:
            server.wait_for("hopcount exceeded")
    master = f"127.0.0.1:25025 inet n - n - - smtpd\n{back}"
    main = f"content_filter = scan:[127.0.0.1]:{filter_port}\n"
    assert bool(lint(tmp_path, main, "RTE003", master_cf=master)) == (not excepted)


LISTS = {
    "mydestination": "local.example",
    "local_transport": "local",
    "alias_maps": "",
    "smtpd_reject_unlisted_recipient": "yes",
}


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [
        ({"local_recipient_maps": ""}, True),
        ({"local_recipient_maps": "static:all"}, True),
        ({"local_recipient_maps": "unix:passwd.byname"}, False),
        (
            {
                "local_recipient_maps": "unix:passwd.byname",
                "smtpd_reject_unlisted_recipient": "no",
            },
            True,
        ),
    ],
)
def test_mail_for_unknown_users(settings: dict[str, str], accepted: bool, tmp_path: Path) -> None:
    chosen = {**LISTS, **settings}
    with running({"front": smtpd()}, chosen) as server:
        with server.connect("front") as client:
            code = client.send("no-such-user-here@local.example").code
        assert code == (250 if accepted else 550)
        if accepted:
            server.wait_for(r"status=bounced \(unknown user")
            server.wait_for(r"sender non-delivery notification")
    main = "".join(f"{name} = {value}\n" for name, value in chosen.items())
    assert bool(lint(tmp_path, main, "RTE004")) == accepted


def test_mailboxes_that_nobody_lists(tmp_path: Path) -> None:
    settings = {"virtual_mailbox_domains": "box.example", "virtual_transport": "smtp:[127.0.0.1]:1"}
    with running({"front": smtpd()}, settings) as server, server.connect("front") as client:
        assert client.mail_to("no-such-user@box.example").code == 250
    main = "virtual_mailbox_domains = box.example\nvirtual_transport = lmtp:unix:private/x\n"
    assert lint(tmp_path, main, "RTE004")


@pytest.mark.parametrize("listed", [False, True])
def test_relaying_for_unknown_users(listed: bool, tmp_path: Path) -> None:
    settings = {"mydestination": "", "relay_domains": "relay.example"}
    if listed:
        settings["relay_recipient_maps"] = "inline:{info@relay.example=yes}"
    with running({"front": smtpd()}, settings) as server, server.connect("front") as client:
        assert client.mail_to("no-such-user@relay.example").code == (550 if listed else 250)
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    assert bool(lint(tmp_path, main, "RTE005")) == (not listed)


@pytest.mark.parametrize(
    ("aliases", "code"),
    [
        ("a@local.example=b@local.example, b@local.example=a@local.example", 451),
        (
            "a@local.example=b@local.example, b@local.example=c@local.example, "
            "c@local.example=a@local.example",
            451,
        ),
        ("a@local.example=b@local.example, b@local.example=b@local.example", 250),
        (
            "{a@local.example=a@local.example, b@local.example}, "
            "{b@local.example=a@local.example, c@local.example}",
            250,
        ),
    ],
)
def test_aliases_that_lead_back(aliases: str, code: int, tmp_path: Path) -> None:
    settings = {"mydestination": "local.example", "virtual_alias_maps": f"inline:{{ {aliases} }}"}
    with running({"front": OPEN}, settings) as server, server.connect("front") as client:
        assert client.send("a@local.example").code == code
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    circles = [item for item in lint(tmp_path, main, "RTE006") if "lead back" in item.message]
    assert bool(circles) == (code == 451)


@pytest.mark.parametrize("parameter", ["canonical_maps", "recipient_canonical_maps"])
def test_canonical_addresses_that_lead_back_are_harmless(parameter: str, tmp_path: Path) -> None:
    pairs = "a@local.example=b@local.example, b@local.example=a@local.example"
    settings = {"mydestination": "local.example", parameter: f"inline:{{ {pairs} }}"}
    with running({"front": OPEN}, settings) as server, server.connect("front") as client:
        assert client.send("a@local.example").code == 250
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    assert not [item for item in lint(tmp_path, main, "RTE006") if "lead back" in item.message]


def test_everything_becomes_one_address(tmp_path: Path) -> None:
    settings = {"mydestination": "local.example", "canonical_maps": "static:me@local.example"}
    with running({"front": OPEN}, settings) as server:
        with server.connect("front") as client:
            client.send("user@elsewhere.example")
        server.wait_for(r"to=<me@local.example>, orig_to=<user@elsewhere.example>")
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    assert "those of other domains too" in lint(tmp_path, main, "RTE006")[0].message


@pytest.mark.parametrize(
    ("table", "transport", "found"),
    [
        ("*=discard:star", "star", "error"),
        (".=discard:dot", "local", "warning"),
        ("*=discard:star, local.example=discard:entry", "entry", None),
        ("*=:[other]", "[other]", None),
    ],
)
def test_transport_for_everything(
    table: str, transport: str, found: str | None, tmp_path: Path
) -> None:
    settings = {"mydestination": "local.example", "transport_maps": f"inline:{{ {table} }}"}
    with running({"front": OPEN}, {**settings, "local_transport": "discard:local"}) as server:
        with server.connect("front") as client:
            client.send("user@local.example")
        assert f"({transport})" in server.wait_for(r"to=<user@local.example>.*status=sent .*")
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    findings = lint(tmp_path, main, "RTE007")
    assert [item.severity.label for item in findings] == ([found] if found else [])


def test_discarded_mail_is_sent(tmp_path: Path) -> None:
    said = outcome({"default_transport": "discard:"}, r"status=sent .*")
    assert said.startswith("status=sent")
    assert lint(tmp_path, "default_transport = discard:\n", "RTE007")


@pytest.mark.parametrize(
    "settings", [{"disable_dns_lookups": "yes"}, {"smtp_dns_support_level": "disabled"}]
)
def test_no_mx_hosts_without_the_dns(settings: dict[str, str], tmp_path: Path) -> None:
    assert "unable to look up host elsewhere.example" in outcome(settings)
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    assert lint(tmp_path, main, "RTE009")


def test_addresses_stay_without_a_domain(tmp_path: Path) -> None:
    """The sender, who is written down as he is; recipients get a domain when they are resolved."""
    with running({"front": OPEN}, {"append_at_myorigin": "no"}) as server:
        with server.connect("front") as client:
            client.send("user@elsewhere.example", sender="somebody")
        server.wait_for("from=<somebody>, size")
    assert lint(tmp_path, "append_at_myorigin = no\n", "RTE010")[0].severity.label == "error"
