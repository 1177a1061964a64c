"""The output of ``postconf -d`` for every known version, and what it can not know.

Source: ``postconf -d`` of each release with empty main.cf and master.cf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import parameters, service_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .versions import PostfixVersion

__all__ = ["BUILD_DEPENDENT", "HOST_DEPENDENT", "builtin_defaults", "defaults_text"]

HOST_DEPENDENT: Final[dict[str, str]] = {
    "mydomain": "the part of the host name after its first dot",
    "myhostname": "the name of the host, as gethostname() says",
    "mynetworks": "the addresses of the network interfaces and mynetworks_style",
    "process_id": "the process that asks",
    "process_name": "the program that asks",
    "service_name": "the master.cf service that asks",
}
"""Parameters whose default is found out on each host or by each process -> from what."""

_PATH: Final = "a path chosen at compile time"
_ACCOUNT: Final = "an account chosen at compile time"
_LOCKS: Final = "the locks that the platform has"
_SASL: Final = "the SASL types that are compiled in"
_OPENSSL: Final = "the OpenSSL version"
_DOCUMENTATION: Final = "a path chosen at installation"

BUILD_DEPENDENT: Final[dict[str, str]] = {
    "alias_database": "the default table type and alias file of the platform",
    "alias_maps": "the default table type; with NIS compiled in it ends in nis:mail.aliases",
    "command_directory": _PATH,
    "config_directory": _PATH,
    "daemon_directory": _PATH,
    "data_directory": _PATH,
    "default_cache_db_type": "the table types that are compiled in",
    "default_database_type": "the table types that are compiled in",
    "default_privs": _ACCOUNT,
    "html_directory": _DOCUMENTATION,
    "inet_protocols": "IPv6 support of the platform",
    "lmtp_sasl_type": _SASL,
    "mail_owner": _ACCOUNT,
    "mail_release_date": "the release",
    "mail_spool_directory": "a path of the platform",
    "mail_version": "the release",
    "mailbox_delivery_lock": _LOCKS,
    "maillog_file_prefixes": _PATH,
    "mailq_path": _PATH,
    "manpage_directory": _DOCUMENTATION,
    "meta_directory": _PATH,
    "newaliases_path": _PATH,
    "non_bdb_migration_allow_root_prefixes": _PATH,
    "openssl_path": "a path of the platform",
    "queue_directory": _PATH,
    "readme_directory": _DOCUMENTATION,
    "sample_directory": _PATH,
    "sendmail_path": _PATH,
    "setgid_group": _ACCOUNT,
    "shlib_directory": "whether shared libraries are built, and where",
    "smtp_sasl_type": _SASL,
    "smtp_tls_security_level": "TLS support (3.11+)",
    "smtpd_sasl_type": _SASL,
    "smtputf8_enable": "internationalized mail support (ICU)",
    "tls_eecdh_auto_curves": _OPENSSL,
    "tls_ffdhe_auto_groups": _OPENSSL,
    "tls_random_source": "a device of the platform",
    "virtual_mailbox_lock": _LOCKS,
}
"""Parameters whose default is chosen by platform, packager or compile options -> from what."""


def builtin_defaults(
    version: PostfixVersion, services: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """All (name, default) pairs in the order of ``postconf -d``: sorted by byte value.

    *services* are (service name, command) pairs of master.cf, which add service
    parameters.  Host-dependent values are those of a host "vm.localdomain".
    """
    pairs = service_parameters.names_for(services, version)
    for name in parameters.names(version):
        parameter = parameters.get(name)
        if parameter is not None and (default := parameter.default(version)) is not None:
            pairs[name] = default
    return sorted(pairs.items())


def defaults_text(version: PostfixVersion, services: Iterable[tuple[str, str]] = ()) -> str:
    """The standard output of ``postconf -d``.

    Before 2.9 an empty value leaves a blank behind the "=".
    """
    empty = " " if version < (2, 9) else ""
    return "".join(
        f"{name} = {value}\n" if value else f"{name} ={empty}\n"
        for name, value in builtin_defaults(version, services)
    )
