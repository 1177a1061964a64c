"""What lookup tables are used for: the parameters that name them and the keys that are asked.

Sources: the callers of maps_create(), match_list_init() and dict_open() in src/*/, access(5),
transport(5), virtual(5), canonical(5), generic(5), relocated(5), aliases(5), postconf(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.postfix import restrictions
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.config.service import Service
    from postlint.syntax.source import Location

Purpose: TypeAlias = Literal[
    "client access",  # a host name, its parent domains; an address, its leading parts
    "name access",  # a host name and its parent domains
    "mail access",  # a mail address: whole, domain, parent domains, user@
    "server access",  # names and addresses of MX or name servers
    "login access",  # a login name
    "certificate access",  # fingerprints of client certificates
    "addresses",  # match list of client addresses and names
    "address",  # a client address, whole
    "domains",  # match list of domains, with parent domains
    "names",  # match list of words, whole
    "virtual alias",  # a recipient: user@domain, user, @domain; domain as a marker
    "mailbox",  # a recipient of virtual(8): user@domain, @domain
    "rewrite",  # canonical: an address: user@domain, user, @domain
    "generic",  # the same, in the SMTP client
    "recipients",  # who exists: user@domain, user, @domain
    "transport",  # a recipient: user@domain, domain, parent domains, *
    "relocated",
    "bcc",
    "sender route",  # a sender: user@domain, @domain; a relay or transport
    "login owners",  # a sender; the logins that may use it
    "aliases",  # local names, in the format of aliases(5)
    "users",  # local names
    "passwords",  # next hops, or senders; login:password
    "tls policy",  # next hops
    "server names",  # names of SNI; files with keys
    "checks",  # lines of messages: only patterns can match
    "filter",  # commands or replies: only patterns can match
    "reply",  # names of DNS lists, reply codes …
    "cache",  # written by Postfix itself
    "other",
]

PURPOSES: dict[str, Purpose] = {
    "address_verify_map": "cache",
    "address_verify_sender_dependent_default_transport_maps": "sender route",
    "address_verify_sender_dependent_relayhost_maps": "sender route",
    "address_verify_transport_maps": "transport",
    "alias_database": "aliases",
    "alias_maps": "aliases",
    "authorized_flush_users": "names",
    "authorized_mailq_users": "names",
    "authorized_submit_users": "names",
    "authorized_verp_clients": "addresses",
    "body_checks": "checks",
    "canonical_maps": "rewrite",
    "debug_peer_list": "addresses",
    "default_delivery_status_filter": "filter",
    "fallback_transport_maps": "users",
    "fast_flush_domains": "domains",
    "header_checks": "checks",
    "lmtp_body_checks": "checks",
    "lmtp_connection_cache_destinations": "names",
    "lmtp_delivery_status_filter": "filter",
    "lmtp_discard_lhlo_keyword_address_maps": "address",
    "lmtp_dns_reply_filter": "filter",
    "lmtp_generic_maps": "generic",
    "lmtp_header_checks": "checks",
    "lmtp_mime_header_checks": "checks",
    "lmtp_nested_header_checks": "checks",
    "lmtp_pix_workaround_maps": "address",
    "lmtp_reply_filter": "filter",
    "lmtp_sasl_auth_cache_name": "cache",
    "lmtp_sasl_mechanism_filter": "names",
    "lmtp_sasl_password_maps": "passwords",
    "lmtp_tls_loglevel_maps": "other",
    "lmtp_tls_per_site": "other",
    "lmtp_tls_policy_maps": "tls policy",
    "lmtp_tls_session_cache_database": "cache",
    "local_delivery_status_filter": "filter",
    "local_header_rewrite_clients": "address",
    "local_login_sender_maps": "other",
    "local_recipient_maps": "recipients",
    "mailbox_command_maps": "users",
    "mailbox_transport_maps": "users",
    "masquerade_exceptions": "names",
    "milter_header_checks": "checks",
    "mime_header_checks": "checks",
    "mydestination": "names",
    "mynetworks": "addresses",
    "nested_header_checks": "checks",
    "permit_mx_backup_networks": "addresses",
    "pipe_delivery_status_filter": "filter",
    "postscreen_cache_map": "cache",
    "postscreen_command_filter": "filter",
    "postscreen_discard_ehlo_keyword_address_maps": "address",
    "postscreen_dnsbl_reply_map": "reply",
    "postscreen_reject_footer_maps": "reply",
    "postscreen_tls_loglevel_maps": "other",
    "qmqpd_authorized_clients": "addresses",
    "rbl_reply_maps": "reply",
    "recipient_bcc_maps": "bcc",
    "recipient_canonical_maps": "rewrite",
    "relay_clientcerts": "certificate access",
    "relay_domains": "domains",
    "relay_recipient_maps": "recipients",
    "relocated_maps": "relocated",
    "sender_bcc_maps": "bcc",
    "sender_canonical_maps": "rewrite",
    "sender_dependent_default_transport_maps": "sender route",
    "sender_dependent_relayhost_maps": "sender route",
    "smtp_body_checks": "checks",
    "smtp_connection_cache_destinations": "names",
    "smtp_delivery_status_filter": "filter",
    "smtp_discard_ehlo_keyword_address_maps": "address",
    "smtp_dns_reply_filter": "filter",
    "smtp_generic_maps": "generic",
    "smtp_header_checks": "checks",
    "smtp_mime_header_checks": "checks",
    "smtp_nested_header_checks": "checks",
    "smtp_pix_workaround_maps": "address",
    "smtp_reply_filter": "filter",
    "smtp_sasl_auth_cache_name": "cache",
    "smtp_sasl_mechanism_filter": "names",
    "smtp_sasl_password_maps": "passwords",
    "smtp_tls_loglevel_maps": "other",
    "smtp_tls_per_site": "other",
    "smtp_tls_policy_maps": "tls policy",
    "smtp_tls_session_cache_database": "cache",
    "smtpd_authorized_verp_clients": "addresses",
    "smtpd_authorized_xclient_hosts": "addresses",
    "smtpd_authorized_xforward_hosts": "addresses",
    "smtpd_client_connection_limit_exceptions": "addresses",
    "smtpd_client_event_limit_exceptions": "addresses",
    "smtpd_command_filter": "filter",
    "smtpd_discard_ehlo_keyword_address_maps": "address",
    "smtpd_dns_reply_filter": "filter",
    "smtpd_forbid_bare_newline_exclusions": "addresses",
    "smtpd_log_access_permit_actions": "names",
    "smtpd_milter_maps": "address",
    "smtpd_reject_filter_maps": "filter",
    "smtpd_reject_footer_maps": "reply",
    "smtpd_sasl_exceptions_networks": "addresses",
    "smtpd_sasl_mechanism_filter": "names",
    "smtpd_sender_login_maps": "login owners",
    "smtpd_tls_loglevel_maps": "other",
    "smtpd_tls_session_cache_database": "cache",
    "tls_server_sni_maps": "server names",
    "tlsproxy_client_per_site": "other",
    "tlsproxy_client_policy_maps": "tls policy",
    "transport_maps": "transport",
    "virtual_alias_domains": "names",
    "virtual_alias_maps": "virtual alias",
    "virtual_delivery_status_filter": "filter",
    "virtual_gid_maps": "mailbox",
    "virtual_mailbox_domains": "names",
    "virtual_mailbox_maps": "mailbox",
    "virtual_maps": "virtual alias",
    "virtual_uid_maps": "mailbox",
}
"""Parameters whose words may be ``type:name``, besides the restriction lists."""

MATCH_LISTS = tuple(
    name for name, purpose in PURPOSES.items() if purpose in ("addresses", "domains", "names")
)
"""Parameters that are lists of patterns, in which ``/file`` stands for more of them."""

_DEFAULTS_THAT_COUNT = frozenset({"alias_database", "alias_maps", "virtual_alias_maps"})
"""Defaults that name a file, or an old parameter that does. Others repeat a parameter."""

ONLY_KEYS: frozenset[Purpose] = frozenset({"addresses", "domains", "names", "recipients"})
"""Purposes for which it only matters whether a key is there, not its value."""

TEXT_KEYS: frozenset[Purpose] = frozenset({"checks", "filter"})
"""Purposes whose keys are lines of text, so that only patterns match."""

ADDRESS_KEYS: frozenset[Purpose] = frozenset(
    {"client access", "server access", "name access", "addresses", "address", "names", "other"}
)
"""Purposes whose keys are, or may be, network addresses."""

_ACCESS: dict[str, Purpose] = {
    "check_ccert_access": "certificate access",
    "check_client_access": "client access",
    "check_etrn_access": "name access",
    "check_helo_access": "name access",
    "check_recipient_access": "mail access",
    "check_reverse_client_hostname_access": "client access",
    "check_sasl_access": "login access",
    "check_sender_access": "mail access",
}


class Word(NamedTuple):
    """A stretch of a value that may name a table. ``restriction``: what it is an argument of."""

    value: Effective
    start: int
    end: int
    purpose: Purpose
    restriction: str = ""

    @property
    def text(self) -> str:
        """The words, after macro expansion."""
        return self.value.text[self.start : self.end]

    @property
    def location(self) -> Location | None:
        """Where it stands; None when no one place holds it."""
        return self.value.locate(self.start, self.end)


def words_of(instance: Instance) -> Iterator[tuple[Word, Service | None]]:
    """Every word of a setting that may name a table, and the service whose override it is."""
    lists = [*restrictions.LISTS, "postscreen_access_list", *_classes(instance.main)]
    names = (*PURPOSES, *dict.fromkeys(lists))
    for value, service in values_of(instance, names, classes=True):
        for word in _words(value):
            yield word, service


def values_of(
    instance: Instance, names: Sequence[str], *, classes: bool = False
) -> Iterator[tuple[Effective, Service | None]]:
    """Values of parameters in main.cf, and in services that see others.

    ``classes``: also those of restriction classes that only a service has.
    """
    main = instance.main
    for name in names:
        if main.explicit(name) is not None or name in _DEFAULTS_THAT_COUNT:
            value = main.get(name)
            if value is not None:
                yield value, None
    settings = instance.settings.items()
    macros = {name: setting.text for name, setting in settings if "$" in setting.text}
    for service in instance.services:
        own = _own_settings(service)
        if own:
            more = _classes(service) if classes else ()
            for name in dict.fromkeys((*names, *more)):
                if name in own or (name in macros and _mentions(macros[name], own)):
                    value = service.get(name)
                    if value is not None:
                        yield value, service


def _classes(scope: Scope) -> list[str]:
    value = scope.get("smtpd_restriction_classes")
    if value is None:
        return []
    return [element.text for element in value.elements() if element.known]


def _own_settings(service: Service) -> frozenset[str]:
    entry = service.entry
    if entry is None:
        return frozenset()
    return frozenset(item.name.text for item in entry.overrides if item.name is not None)


def _mentions(text: str, names: frozenset[str]) -> bool:
    """Whether a value may be another one where some names are set to something else."""
    return any(mention in text for name in names for mention in (f"${name}", f"{{{name}"))


def _words(value: Effective) -> Iterator[Word]:
    from postlint.syntax.lists import split_list

    if ":" not in value.text:
        return
    purpose = PURPOSES.get(value.name)
    spans = list(split_list(value.text))
    if purpose is None:
        yield from _restriction_words(value, spans)
        return
    listed = purpose in ("addresses", "domains", "names")
    for start, end in spans:
        text = value.text[start:end]
        marks = len(text) - len(text.lstrip("!")) if listed else 0
        if listed and text[marks : marks + 1] in ("[", "/"):
            continue
        yield Word(value, start + marks, end, purpose)


def _restriction_words(value: Effective, spans: list[tuple[int, int]]) -> Iterator[Word]:
    facts = restrictions.LISTS.get(value.name)
    bare = facts.bare_table if facts is not None else None
    if value.name == "postscreen_access_list":
        bare = "address"
    expected: restrictions.Restriction | None = None
    for start, end in spans:
        text = value.text[start:end]
        before, expected = expected, None
        if before is not None and before.argument != "none":
            if before.argument == "table":
                yield Word(value, start, end, _access_purpose(before.name), before.name)
            elif before.argument == "restriction":
                expected = restrictions.get(text)
            continue
        if ":" not in text:
            expected = restrictions.get(text)
        elif bare == "address":
            yield Word(value, start, end, "address")
        elif bare is not None:
            yield Word(value, start, end, _access_purpose(bare), bare)


def _access_purpose(restriction: str) -> Purpose:
    known = _ACCESS.get(restriction)
    if known is not None:
        return known
    return (
        "server access"
        if restriction.endswith(("_a_access", "_mx_access", "_ns_access"))
        else ("other")
    )
