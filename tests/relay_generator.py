"""Restriction lists made up at random, and the sessions to try on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postlint.analysis.relay_session import Session

if TYPE_CHECKING:
    from random import Random

OWN = "example.com"
RELAYED = "relayed.example"
TRUSTED_CLIENT = "192.0.2.5"
OUTSIDE_CLIENTS = ("198.51.100.7", "203.0.113.9")
STRANGER = "185.199.108.153"
"""A client that no table names."""

PEERS = ("127.0.0.1", "127.0.0.2")
"""Where the tests connect from: one address that inet_interfaces has, and one that it has not."""

MAIN_CF = {
    "mynetworks": "192.0.2.0/24",
    "mydestination": OWN,
    "relay_domains": RELAYED,
    "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
    "proxy_read_maps": "proxy:texthash:$config_directory/clients",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "1000",
    "smtpd_hard_error_limit": "1000",
    "smtpd_junk_command_limit": "1000",
    "local_recipient_maps": "inline:{known=x}",
    "relay_recipient_maps": "",
    "virtual_mailbox_domains": "",
    "virtual_alias_domains": "",
    "virtual_alias_maps": "",
}

FILES = {
    "senders": "friend.example.net OK\nspam@bad.example.net REJECT\nbad.example.net 550 5.7.1 no\n"
    "digits@sender.example.net 550\n",
    "helos": "good.example.net RELAY\nbad.example.net 450 later\n",
    "recipients": "abuse@ OK\npostmaster@ permit\nexample.com DUNNO\n",
    "clients.cidr": "198.51.100.0/25 REJECT\n203.0.113.0/24 OK\n",
    "everybody.cidr": "0.0.0.0/0 OK\n",
    "some.cidr": "if 198.51.100.0/24\n198.51.100.7 OK\n!198.51.100.0/25 550\nendif\n"
    "if !0.0.0.0/1\n0.0.0.0/0 one\nendif\n203.0.113.9/24 OK\n",
    "senders.regexp": "/@friend\\.example\\.net$/ OK\n/^digits@/ 12345\n",
    "recipients.regexp": "/^abuse@/ OK\n/@elsewhere/ DUNNO\n",
    "helos.regexp": "/good/ OK\n/^bad/ REJECT\n",
    "case.regexp": "/^Good/i OK\n!/\\.example\\.net$/ 450 no\n",
    "senders.pcre": "if /@(?!bad)/\n/^(?:someone|nobody)@s/ OK\nendif\n/^(.*)@b/ REJECT $1\n",
    "helos.pcre": "!/^[a-z.]+$/i REJECT\n/^bad\\b/ 550\n/(/ OK\n/\\d/ OK\n",
    "recipients.pcre": "/^(?!postmaster)[^@]+@(?:[a-z-]+\\.)+org$/ OK\n/^known/ DUNNO\n",
    "networks": "!192.0.2.128/25 192.0.2.0/24\n",
    "clients": "198.51 OK\n203.0.113.9 REJECT\n192.0.2 two\n",
}
COMPILED = ("hash:senders", "lmdb:helos", "cdb:recipients", "hash:clients")

HELOS = (
    *("client.example.net", "good.example.net", "bad.example.net", "short", None),
    *("GOOD.Example.Net", "Bad.example.NET"),
)
SENDERS = (
    "someone@sender.example.net",
    "someone@friend.example.net",
    "spam@bad.example.net",
    "digits@sender.example.net",
    "nobody",
    "",
    "someone@203.0.113.9",
    "someone@[203.0.113.9]",
    "Someone@Friend.Example.NET",
)
FOREIGN = (
    "someone@partner.example",
    "someone@elsewhere.example.org",
    "abuse@elsewhere.example.org",
    "postmaster@elsewhere.example.org",
)
RECIPIENTS = (
    *FOREIGN,
    "x@a..b",
    f"known@{OWN}",
    f"unknown@{OWN}",
    f"user@sub.{RELAYED}",
    "postmaster",
)

VALUES = (
    *(
        "OK",
        "OK",
        "550",
        "RELAY",
        "DUNNO",
        "REJECT",
        "REJECT no",
        "DEFER",
        "550",
        "12",
        "450 later",
    ),
    *("554 5.7.1 no", "DEFER_IF_PERMIT", "DEFER_IF_REJECT", "WARN", "permit", "reject", "HOLD"),
    *("reject_unauth_destination", "permit_mynetworks reject", "warn_if_reject reject", "one"),
    *("permit_auth_destination reject", "nonsense", "FILTER x", "DISCARD", "hash:/none"),
    *("defer_if_permit", "REDIRECT nobody", "PREPEND nothing", "ok", "Reject"),
)
WORDS = (
    *("permit_mynetworks",) * 4,
    *("permit_sasl_authenticated",) * 3,
    *("reject_unauth_destination",) * 6,
    *("defer_unauth_destination", "permit_auth_destination", "permit", "reject", "defer"),
    *("permit_tls_clientcerts", "permit_tls_all_clientcerts"),
    *("permit_inet_interfaces", "permit_inet_interfaces"),
    "check_policy_service { unix:private/none, try_limit=1, timeout=1s }",
    *("reject_non_fqdn_sender", "reject_non_fqdn_recipient", "reject_non_fqdn_helo_hostname"),
    *("reject_invalid_helo_hostname", "reject_unlisted_recipient", "reject_unlisted_sender"),
    *("reject_unauth_pipelining", "reject_plaintext_session", "reject_multi_recipient_bounce"),
    *("reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname"),
    *("reject_unknown_client", "check_recipient_maps", "reject_sender_login_mismatch"),
    *("defer_if_permit", "defer_if_reject", "PERMIT_MYNETWORKS", "Reject_Unauth_Destination"),
    *("one", "two", "One", "sleep 0", "sleep", "nonsense", "check_sender_access"),
    *("warn_if_reject", "warn_if_reject", "warn_if_reject", "reject_rbl_client"),
    *("permit_dnswl_client", "permit_naked_ip_address", "check_relay_domains", "permit_mx_backup"),
)
CHECKS = ("client", "helo", "sender", "recipient", "client", "reverse_client_hostname")
FILE_TABLES = {
    "client": (
        *("cidr:{}/clients.cidr", "cidr:{}/everybody.cidr", "cidr:{}/some.cidr"),
        *("hash:{}/clients", "proxy:texthash:{}/clients", "hash:{}/nothing"),
        "cidr:{{ {{ 198.51.100.0/24 OK }}, {{ ::/0 REJECT }}, {{ 203.0.113.1/24 OK }} }}",
    ),
    "helo": (
        *("texthash:{}/helos", "regexp:{}/helos.regexp", "regexp:{}/case.regexp"),
        *("pcre:{}/helos.pcre", "lmdb:{}/helos"),
        "regexp:{{ {{ /^good/ OK }}, {{ !/e/ 450 }} }}",
    ),
    "sender": (
        *("texthash:{}/senders", "regexp:{}/senders.regexp", "hash:{}/senders"),
        *("pcre:{}/senders.pcre", "nonsense:x"),
        "pcre:{{ {{ /friend/ permit }}, {{ if /^some/ }}, {{ /bad|sender/ 12 }}, {{ endif }} }}",
    ),
    "recipient": (
        *("texthash:{}/recipients", "regexp:{}/recipients.regexp", "cdb:{}/recipients"),
        *("pcre:{}/recipients.pcre", "fail:x"),
    ),
}
KEYS = {
    "client": ("198.51.100", "203.0.113.9", "unknown", "192.0.2"),
    "helo": ("good.example.net", "example.net", "short", "bad.example.net"),
    "sender": ("friend.example.net", "digits@sender.example.net", "someone@", "<>", "example.net"),
    "recipient": (
        "abuse@",
        "partner.example",
        "elsewhere.example.org",
        "example.org",
        OWN,
        "known@example.com",
    ),
}


class Case(NamedTuple):
    """The overrides of one service."""

    overrides: dict[str, str]


def make_case(random: Random, *, modern: bool) -> Case:
    """Restriction lists for one service; ``modern``: for 3.6 and later."""
    overrides = {
        "smtpd_relay_restrictions": _relay_list(random),
        "smtpd_recipient_restrictions": _relay_list(random) if random.random() < 0.4 else "",
    }
    if random.random() < 0.06:
        overrides = _defaults(random, modern=modern)
    for name in ("client", "helo", "sender"):
        if random.random() < 0.3:
            overrides[f"smtpd_{name}_restrictions"] = _list(random, 3)
    for name in ("data", "end_of_data"):
        if random.random() < 0.12:
            overrides[f"smtpd_{name}_restrictions"] = _list(random, 2)
    overrides["smtpd_restriction_classes"] = "one, two"
    endless = random.random() < 0.1
    unwanted = ((), ()) if endless else (("one",), ("one", "two"))
    overrides["one"] = _list(random, 3, unwanted=unwanted[0]) or "permit_mynetworks"
    overrides["two"] = _list(random, 2, unwanted=unwanted[1]) or "reject_unauth_destination"
    if endless:
        overrides[random.choice(("one", "two"))] += random.choice((", two", ", one"))
    for name, chance, value in CHANCES:
        if random.random() < chance:
            overrides[name] = value
    if modern and random.random() < 0.2:
        overrides["smtpd_relay_before_recipient_restrictions"] = "no"
    return Case(overrides)


CHANCES = (
    ("smtpd_delay_reject", 0.1, "no"),
    ("smtpd_helo_required", 0.3, "yes"),
    ("soft_bounce", 0.05, "yes"),
    ("smtpd_reject_unlisted_recipient", 0.2, "no"),
    ("smtpd_reject_unlisted_sender", 0.1, "yes"),
    ("mynetworks", 0.04, "0.0.0.0/0, [::]/0"),
    ("mynetworks", 0.03, "10.0.0.1/8"),
    ("mynetworks", 0.02, "!192.0.2.0/25, 192.0.2.0/24"),
    ("mynetworks", 0.02, "/etc/postfix/networks"),
    ("mynetworks", 0.02, "2001:db8::/32, 192.0.2.0/24"),
    ("mynetworks", 0.02, "cidr:/etc/postfix/clients.cidr"),
    ("mynetworks", 0.01, "static:all"),
    ("relay_domains_reject_code", 0.03, "450"),
    ("access_map_reject_code", 0.03, "521"),
    ("relay_domains", 0.05, "static:all"),
    ("mydestination", 0.03, "elsewhere.example.org"),
    ("parent_domain_matches_subdomains", 0.1, ""),
    ("recipient_delimiter", 0.05, "+"),
    ("smtpd_null_access_lookup_key", 0.03, "someone@"),
    ("strict_rfc821_envelopes", 0.03, "yes"),
    ("smtpd_authorized_xclient_hosts", 0.02, "0.0.0.0/0"),
    ("smtpd_tls_security_level", 0.01, "verified"),
    ("smtpd_recipient_limit", 0.01, "many"),
    ("smtpd_helo_required", 0.01, "maybe"),
)
"""Other settings with their probabilities; of several for one parameter the last counts."""


def _defaults(random: Random, *, modern: bool) -> dict[str, str]:
    """A service with the default relay restrictions, which depend on the level."""
    level = random.choice(("0", "1", "2", "3.6", "9999") if modern else ("0", "1", "2"))
    found = {"compatibility_level": level}
    if random.random() < 0.5:
        found["smtpd_recipient_restrictions"] = _relay_list(random)
    return found


def make_sessions(random: Random, count: int) -> list[Session]:
    """Sessions of outside and of trusted clients."""
    return [
        Session(
            TRUSTED_CLIENT if random.random() < 0.15 else random.choice(OUTSIDE_CLIENTS),
            random.choice(HELOS),
            random.choice(SENDERS),
            random.choice(RECIPIENTS),
            peer=random.choice(PEERS),
        )
        for _ in range(count)
    ]


def outside_sessions(random: Random, count: int) -> list[Session]:
    """Sessions that would be relaying, of a client that no table names by its address."""
    return [
        Session(
            STRANGER,
            random.choice(HELOS),
            random.choice(SENDERS),
            random.choice(FOREIGN),
            peer=PEERS[1],
        )
        for _ in range(count)
    ]


def _relay_list(random: Random) -> str:
    """A list as people write them, with mistakes."""
    items = _items(random, random.randrange(4)) if random.random() < 0.8 else []
    if random.random() < 0.75:
        guard = random.choice(("reject_unauth_destination", "defer_unauth_destination", "reject"))
        items.insert(random.randrange(len(items) + 1), guard)
    if random.random() < 0.5:
        items.insert(0, "permit_mynetworks")
    if random.random() < 0.35:
        items.insert(0, _table(random))
    return ", ".join(item for item in items if item)


def _list(random: Random, most: int, *, unwanted: tuple[str, ...] = ()) -> str:
    return ", ".join(_items(random, most, unwanted=unwanted))


def _items(random: Random, most: int, *, unwanted: tuple[str, ...] = ()) -> list[str]:
    """``unwanted``: classes that would contain themselves."""
    items: list[str] = []
    for _ in range(random.randrange(most + 1)):
        item = _table(random) if random.random() < 0.4 else random.choice(WORDS)
        if item in unwanted or any(f"= {name} }}" in item for name in unwanted):
            continue
        if unwanted and ("static:one" in item or "some.cidr" in item or "/clients" in item):
            continue  # these answer with a class
        items.append(item)
    return items


def _table(random: Random) -> str:
    check = random.choice(CHECKS)
    kind = "client" if check == "reverse_client_hostname" else check
    number = random.random()
    if number < 0.25:
        value = random.choice(VALUES)
        table = f"static:{{ {value} }}" if " " in value else f"static:{value}"
    elif number < 0.5:
        table = random.choice(FILE_TABLES[kind]).format("/etc/postfix")
    else:
        pairs = ", ".join(
            f"{{ {random.choice(KEYS[kind])} = {random.choice(VALUES)} }}"
            for _ in range(random.randrange(1, 4))
        )
        table = f"inline:{{ {pairs} }}"
    bare = random.random() < 0.1
    return table if bare else f"check_{check}_access {table}"
