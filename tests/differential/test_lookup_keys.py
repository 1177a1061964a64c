"""Which keys Postfix asks of every kind of table, and that TBL008 calls no other one dead."""

from __future__ import annotations

import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.asked_keys import asking, mail_server
from tests.differential.tls_clients import make_certificate
from tests.linting import lint_files
from tests.postfix_server import require_master, running, smtpd

if TYPE_CHECKING:
    from collections.abc import Iterator
pytestmark = pytest.mark.postfix

MAPS = (
    *("canonical_maps", "sender_canonical_maps", "recipient_canonical_maps"),
    *("virtual_alias_maps", "relocated_maps", "transport_maps"),
    *("sender_bcc_maps", "recipient_bcc_maps"),
    *("sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps"),
    *("relay_recipient_maps", "local_recipient_maps", "virtual_mailbox_maps"),
    *("smtp_generic_maps", "smtp_sasl_password_maps"),
    *("mailbox_transport_maps", "fallback_transport_maps"),
    *("smtpd_discard_ehlo_keyword_address_maps", "smtp_discard_ehlo_keyword_address_maps"),
    *("smtpd_milter_maps", "header_checks", "smtpd_command_filter"),
)
LISTS = (
    *("mynetworks", "relay_domains", "mydestination", "virtual_alias_domains"),
    *("virtual_mailbox_domains", "smtpd_client_event_limit_exceptions", "fast_flush_domains"),
)
PLAIN = {
    "mydestination": "example.com",
    "relay_domains": "sub.relay.example",
    "virtual_alias_domains": "sub.alias.example",
    "virtual_mailbox_domains": "sub.box.example",
}
ACCESS = (
    *("check_client_access", "check_helo_access", "check_sender_access", "check_recipient_access"),
    *("check_reverse_client_hostname_access",),
)
SENDER = "joe+ext@sub.sender.example"
RECIPIENTS = (
    "joe+ext@example.com",
    "nobody@example.com",
    "joe+ext@sub.relay.example",
    "joe+ext@sub.alias.example",
    "joe+ext@sub.box.example",
    "joe+ext@sub.remote.example",
)

LATE = {
    "fallback_transport_maps": "joe",
    "fast_flush_domains": "remote.example",
    "smtp_discard_ehlo_keyword_address_maps": "127.0.0.1",
    "smtp_generic_maps": "@sub.remote.example",
    "smtp_sasl_password_maps": "@sub.sender.example",
}
"""Keys that are asked after the mail has been accepted."""


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, set[str]]]:
    """The keys that each parameter or restriction asked for, while mail of all kinds went by."""
    require_master()
    with asking() as asked, mail_server() as port:
        settings = {name: asked.table(name) for name in MAPS}
        settings |= {
            name: f"{asked.table(name)}, {PLAIN.get(name, '198.51.100.0/24')}" for name in LISTS
        }
        settings |= {
            "recipient_delimiter": "+",
            "local_transport": "local:",
            "virtual_transport": "virtual:",
            "virtual_mailbox_base": "/nonexistent",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "mail_spool_directory": "/nonexistent",
            "default_transport": f"smtp:[localhost]:{port}",
            "relay_transport": f"smtp:[localhost]:{port}",
            "smtp_sasl_auth_enable": "yes",
            "smtp_sasl_security_options": "",
            "smtp_sender_dependent_authentication": "yes",
            "smtp_host_lookup": "native",
            "inet_interfaces": "loopback-only",
            "smtpd_delay_reject": "yes",
        }
        access = ", ".join(f"{name} {asked.table(name)}" for name in ACCESS)
        services = {
            "in": smtpd(
                smtpd_relay_restrictions="permit_mynetworks, reject",
                smtpd_recipient_restrictions=f"{access}, permit_mynetworks, reject",
                smtpd_reject_unlisted_recipient="no",
                smtpd_authorized_xclient_hosts="127.0.0.1",
            ),
            "strict": smtpd(
                smtpd_relay_restrictions="permit_mynetworks, reject",
                smtpd_authorized_xclient_hosts="127.0.0.1",
            ),
        }
        files = {name: asked.client_file(name) for name in (*MAPS, *LISTS, *ACCESS)}
        with running(services, settings, files=files) as server:
            for recipient in RECIPIENTS:
                for service in services:
                    with server.connect(service) as client:
                        client.xclient("198.51.100.7", "host.client.example")
                        client.ehlo("sub.helo.example")
                        client.send(recipient, SENDER)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not all(
                key in asked.keys(name) for name, key in LATE.items()
            ):
                time.sleep(0.1)
        yield {name: asked.keys(name) for name in (*MAPS, *LISTS, *ACCESS)}


def test_server_names(tmp_path: Path) -> None:
    """The name that a client says by SNI, and its parent domains with their dot."""
    require_master()
    with tempfile.TemporaryDirectory(prefix="pl-") as name, asking() as asked:
        folder = Path(name)
        folder.chmod(0o755)
        settings = {
            "smtpd_tls_chain_files": make_certificate(folder),
            "tls_server_sni_maps": asked.table("names"),
        }
        services = {"tls": smtpd(smtpd_tls_wrappermode="yes", smtpd_tls_security_level="encrypt")}
        files = {"names": asked.client_file("names")}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        texts = {key: str(value) for key, value in settings.items()}
        with running(services, texts, files=files) as server:
            plain = socket.create_connection(("127.0.0.1", server.port("tls")), 10)
            with context.wrap_socket(plain, server_hostname="www.sub.example.com") as client:
                assert client.recv(100).startswith(b"220")
        keys = asked.keys("names")
    assert keys == {"www.sub.example.com", ".sub.example.com", ".example.com", ".com"}
    for key in keys:
        assert not dead("tls_server_sni_maps", [key], tmp_path)
    for key in ("*.example.com", "*", "*.sub.example.com"):
        assert dead("tls_server_sni_maps", [key], tmp_path) == {key}


MAIL_FORMS = (
    *("joe+ext@sub.{}", "joe@sub.{}", "@sub.{}", "joe@", "joe+ext@", "sub.{}", "{}", ".{}"),
    *("*@sub.{}", "*.{}", "*", ".sub.{}", "*@"),
)
HOST_FORMS = (
    *("host.client.example", "client.example", ".client.example", "*.client.example", "*"),
    *("joe@client.example", "198.51.100.7", "198.51.100", "198.51.100.", "198.51.100.*"),
    *("198.51.100.0/24", "198"),
)


def table_for(name: str) -> str:
    """A main.cf with a table for a parameter or restriction."""
    table = "texthash:/etc/postfix/t"
    if name in ACCESS:
        return f"smtpd_recipient_restrictions = {name} {table}\n"
    return f"{name} = {table}\n"


def dead(name: str, lines: list[str], folder: Path) -> set[str]:
    """Which keys of a table rules call useless."""
    text = "".join(f"{key} x:y\n" for key in lines)
    main = f"recipient_delimiter = +\n{MORE.get(name, '')}\n{table_for(name)}"
    files = {"main.cf": main, "t": text}
    found = set()
    for code in ("TBL004", "TBL008"):
        for finding in lint_files(folder, files, select=code):
            assert "more" not in finding.message
            if finding.location.path.endswith("/t"):
                found.add(lines[finding.location.start.line - 1])
    return found


DOMAINS = {
    "relay_recipient_maps": "relay.example",
    "virtual_mailbox_maps": "box.example",
    "sender_canonical_maps": "sender.example",
    "sender_bcc_maps": "sender.example",
    "check_sender_access": "sender.example",
    "check_helo_access": "helo.example",
    "smtp_sasl_password_maps": "sender.example",
}
NOT_SEEN = frozenset({"header_checks", "smtpd_command_filter"})  # lines, not keys
BARE = {"sub.{}": "may be a local user", "{}": "may be a local user"}
OTHERS = dict.fromkeys(("joe+ext@sub.{}", "joe@sub.{}", "@sub.{}"), "of another domain")
NOT_ASKED_NOW: dict[str, dict[str, str]] = {
    "local_recipient_maps": BARE | OTHERS,
    "mailbox_transport_maps": BARE,
    "fallback_transport_maps": BARE,
    "transport_maps": {"{}": "a domain of its own", ".sub.{}": "has subdomains of its own"},
    "mydestination": {"{}": "a domain of its own"},
    "virtual_alias_domains": {"{}": "a domain of its own"},
    "virtual_mailbox_domains": {"{}": "a domain of its own"},
    "smtp_sasl_password_maps": {"sub.{}": "a next hop", "{}": "a next hop"},
    "smtp_discard_ehlo_keyword_address_maps": {"198.51.100.7": "another server"},
    "smtpd_client_event_limit_exceptions": {"client.example": "a host of its own"},
}
"""Forms of keys that are not asked for this mail, but for other mail."""

BARE_USERS = frozenset(
    {
        *("canonical_maps", "sender_canonical_maps", "recipient_canonical_maps"),
        *("virtual_alias_maps", "relocated_maps", "sender_bcc_maps", "recipient_bcc_maps"),
        *("sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps"),
        "smtp_generic_maps",
    }
)
MORE = {
    "relay_recipient_maps": "relay_domains = relay.example",
    "virtual_mailbox_maps": "virtual_mailbox_domains = box.example",
}


@pytest.mark.parametrize("name", [*MAPS, *LISTS, *ACCESS])
def test_keys(name: str, keys: dict[str, set[str]], tmp_path: Path) -> None:
    """What is asked is not called dead, and what is not asked is."""
    asked = {key.lower() for key in keys[name]}
    if name in NOT_SEEN:
        return
    assert asked
    live = sorted(key for key in asked if key and not set(key) & set(' <>"\n'))
    for start in range(0, len(live), 3):  # of more than three rules may tell together
        assert dead(name, live[start : start + 3], tmp_path) == set()
    domain = DOMAINS.get(name, "remote.example")
    hosts = any(key[:3] in ("198", "127") for key in asked)
    excused = NOT_ASKED_NOW.get(name, BARE if name in BARE_USERS else {})
    for form in HOST_FORMS if hosts else MAIL_FORMS:
        key = form.format(domain)
        expected = key not in asked and form not in excused
        assert (dead(name, [key], tmp_path) == {key}) is expected, (form, sorted(asked))
