"""What the values of parameters look like, beyond the types that Postfix's tables declare.

For most parameters Postfix knows no more than "str"; the code that uses the value decides
whether it is a list of patterns, of tables, of restrictions, one host, a path or free text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.postfix import enums, parameters, restrictions, service_parameters

if TYPE_CHECKING:
    from postlint.postfix.versions import PostfixVersion

Shape: TypeAlias = Literal[
    "boolean",
    "number",
    "time",
    "words",  # names from a fixed set
    "restrictions",
    "patterns",  # match lists: names or networks, !pattern, /file, type:table
    "tables",  # type:table
    "list",  # items between commas and blanks, of any other kind
    "item",  # one word
    "path",
    "paths",
    "ciphers",  # OpenSSL cipher strings, ":" within
    "command",  # for a shell or execvp(3)
    "text",
    "unknown",
]

_NUMBERS = frozenset({"int", "nint", "long"})

PATTERN_LISTS = frozenset(
    {
        "authorized_flush_users",
        "authorized_mailq_users",
        "authorized_submit_users",
        "authorized_verp_clients",
        "debug_peer_list",
        "defer_transports",
        "fast_flush_domains",
        "lmtp_connection_cache_destinations",
        "lmtp_sasl_mechanism_filter",
        "mydestination",
        "mynetworks",
        "permit_mx_backup_networks",
        "qmqpd_authorized_clients",
        "relay_domains",
        "smtp_connection_cache_destinations",
        "smtp_sasl_mechanism_filter",
        "smtpd_authorized_verp_clients",
        "smtpd_authorized_xclient_hosts",
        "smtpd_authorized_xforward_hosts",
        "smtpd_client_connection_limit_exceptions",
        "smtpd_client_event_limit_exceptions",
        "smtpd_forbid_bare_newline_exclusions",
        "smtpd_log_access_permit_actions",
        "smtpd_sasl_exceptions_networks",
        "smtpd_sasl_mechanism_filter",
        "virtual_alias_domains",
        "virtual_mailbox_domains",
    }
)
"""Lists that match_list.c reads."""

ADDRESS_LISTS = frozenset(
    {
        "debug_peer_list",
        "mynetworks",
        "permit_mx_backup_networks",
        "qmqpd_authorized_clients",
        "smtpd_authorized_verp_clients",
        "smtpd_authorized_xclient_hosts",
        "smtpd_authorized_xforward_hosts",
        "smtpd_client_connection_limit_exceptions",
        "smtpd_client_event_limit_exceptions",
        "smtpd_forbid_bare_newline_exclusions",
        "smtpd_sasl_exceptions_networks",
    }
)
"""Pattern lists that match network addresses."""

_TABLES = frozenset(
    {
        "address_verify_map",
        "alias_database",
        "lmtp_sasl_auth_cache_name",
        "lmtp_tls_per_site",
        "lmtp_tls_session_cache_database",
        "postscreen_cache_map",
        "postscreen_dnsbl_reply_map",
        "relay_clientcerts",
        "smtp_sasl_auth_cache_name",
        "smtp_tls_per_site",
        "smtp_tls_session_cache_database",
        "smtpd_tls_session_cache_database",
        "tlsproxy_client_per_site",
        "tlsproxy_client_policy",
        "virtual_maps",
    }
)
_TABLE_SUFFIXES = ("_maps", "_checks", "_command_filter", "_delivery_status_filter")
_TABLE_FILTERS = ("_dns_reply_filter", "_reply_filter")
_NOT_TABLES = frozenset({"proxy_read_maps", "proxy_write_maps"})

_LISTS = frozenset(
    {
        "alternate_config_directories",
        "export_environment",
        "forward_path",
        "hash_queue_names",
        "import_environment",
        "inet_interfaces",
        "known_tcp_ports",
        "local_header_rewrite_clients",
        "maillog_file_prefixes",
        "maps_rbl_domains",
        "masquerade_domains",
        "masquerade_exceptions",
        "master_service_disable",
        "message_drop_headers",
        "milter_macro_defaults",
        "multi_instance_directories",
        "non_bdb_custom_mapping",
        "non_bdb_migration_allow_root_prefixes",
        "non_bdb_migration_allow_user_prefixes",
        "non_smtpd_milters",
        "postmulti_control_commands",
        "postmulti_start_commands",
        "postmulti_stop_commands",
        "postscreen_access_list",
        "postscreen_allowlist_interfaces",
        "postscreen_dnsbl_sites",
        "postscreen_forbidden_commands",
        "postscreen_whitelist_interfaces",
        "proxy_interfaces",
        "proxy_read_maps",
        "proxy_write_maps",
        "relayhost",
        "smtp_fallback_relay",
        "fallback_relay",
        "lmtp_fallback_relay",
        "smtpd_forbidden_commands",
        "smtpd_milters",
        "smtpd_noop_commands",
        "smtpd_restriction_classes",
        "use_srv_lookup",
    }
)
_LIST_SUFFIXES = ("_cert_match", "_exclude_ciphers", "_chain_files", "_macros", "_digests")

_TEXT = frozenset(
    {
        "command_expansion_filter",
        "default_rbl_reply",
        "execution_directory_expansion_filter",
        "forward_expansion_filter",
        "luser_relay",
        "mail_name",
        "message_reject_characters",
        "message_strip_characters",
        "milter_macro_v",
        "postscreen_expansion_filter",
        "postscreen_greet_banner",
        "postscreen_reject_footer",
        "smtpd_banner",
        "smtpd_expansion_filter",
        "smtpd_policy_service_default_action",
        "smtpd_policy_service_policy_context",
        "smtpd_reject_footer",
        "smtpd_sasl_local_domain",
        "stress",
        "undisclosed_recipients_header",
        "unverified_recipient_reject_reason",
        "unverified_sender_reject_reason",
    }
)

_COMMANDS = frozenset(
    {
        "debugger_command",
        "local_command_shell",
        "mailbox_command",
        "multi_instance_wrapper",
        "openssl_path",
    }
)

_PATHS = frozenset(
    {
        "bounce_template_file",
        "cyrus_sasl_config_path",
        "home_mailbox",
        "mail_spool_directory",
        "mailq_path",
        "newaliases_path",
        "sendmail_path",
        "tls_config_file",
        "tls_random_exchange_name",
        "virtual_mailbox_base",
    }
)
_PATH_SUFFIXES = ("_directory", "_CAfile", "_CApath", "_file", "_trust_anchor_file")


@lru_cache(maxsize=4096)
def guards(name: str) -> bool:
    """Whether a parameter decides about access, encryption or logins."""
    return name in ("mynetworks", "relay_domains") or (
        name.endswith("_restrictions") or "_tls_" in name or "_sasl_" in name
    )


@lru_cache(maxsize=4096)
def shape(name: str, version: PostfixVersion) -> Shape:
    """The shape of a parameter's values; "unknown" for names that are no parameters."""
    parameter = parameters.get(name)
    if parameter is None:
        matched = service_parameters.match_service_parameter(name)
        if matched is None:
            return "unknown"
        return "time" if matched[2].type == "time" else "number"
    kind = parameter.type_in(version)
    if enums.get(name, version) is not None and name != "compatibility_level":
        return _enumerated(name)
    if kind in ("bool", "nbool"):
        return "boolean"
    if kind in _NUMBERS:
        return "number"
    if kind == "time":
        return "time"
    return _text_shape(name)


def _enumerated(name: str) -> Shape:
    if name == "recipient_delimiter":
        return "text"
    if name in ("smtpd_tls_dh1024_param_file", "smtpd_tls_dh512_param_file", "tls_config_file"):
        return "path"
    return "words"


def _text_shape(name: str) -> Shape:
    found: Shape = "item"
    if name in restrictions.LISTS:
        found = "restrictions"
    elif name in PATTERN_LISTS:
        found = "patterns"
    elif name in _LISTS or name.endswith(_LIST_SUFFIXES):
        found = "list"
    elif name in _TEXT:
        found = "text"
    elif name in _COMMANDS:
        found = "command"
    elif name in _TABLES or name.endswith(_TABLE_SUFFIXES) or name.endswith(_TABLE_FILTERS):
        found = "tables"
    elif name in _PATHS or name.endswith(_PATH_SUFFIXES):
        found = "path"
    elif name.endswith("_cipherlist"):
        found = "ciphers"
    return found
