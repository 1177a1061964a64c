"""CRT: who may read private keys."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from postlint.analysis.tls import explicit_values
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postlint.analysis.tls_identities import NamedFile
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

_PREFIXES = ("smtpd_tls_", "smtp_tls_", "lmtp_tls_", "tlsproxy_tls_", "tlsproxy_client_")
_KINDS = ("key", "eckey", "dkey", "cert", "eccert", "dcert")
_KEY_GROUPS = frozenset({"root", "ssl-cert"})
"""Groups that are there for keys."""


@rule("CRT005", severity=Severity.ERROR, security=7.1, tags=("CWE-732", "CIS"))
def key_too_permissive(instance: Instance) -> Iterator[Finding]:
    """A private key can be read by others than root.

    Why: Who has the key can pretend to be this server, and read what was sent to it with old
        ciphers. Daemons read their keys as root before they give up that right, so that nobody
        else has to. A file with certificates is as secret as the key in it. Only checked with
        --host or --root.
    Fix: chmod 0600, owner root. Leave certificates that others need in a file of their own.
    Bad:
        smtpd_tls_chain_files = /etc/postfix/chain.pem
    Good:
        smtpd_tls_cert_file = /etc/postfix/cert.pem
    References: postconf(5) smtpd_tls_key_file, TLS_README, CWE-732
    """
    if not instance.files.complete:
        return
    names = [f"{prefix}{kind}_file" for prefix in _PREFIXES for kind in _KINDS]
    names += [f"{prefix}chain_files" for prefix in _PREFIXES]
    for service, value in explicit_values(instance, names):
        for named in _files(value):
            problem = _problem(instance, named)
            if problem is not None and named.location is not None:
                message, severity = problem
                yield Finding(
                    named.location,
                    f"the private key in {named.path} can be read by {message}",
                    severity=severity,
                    parameter=value.name,
                    service=None if service is None else service.label,
                )


def _files(value: Effective) -> list[NamedFile]:
    from postlint.analysis.tls_identities import chain_files, named_file

    if value.name.endswith("_chain_files"):
        return chain_files(value) or []
    named = named_file(value)
    return [] if named is None else [named]


def _problem(instance: Instance, named: NamedFile) -> tuple[str, Severity | None] | None:
    """Who else may read it, and how bad that is; None for a file without a key in the clear."""
    path = instance.files.locate(named.path)
    try:
        status = None if path is None else path.stat()
    except (OSError, ValueError):
        return None
    if path is None or status is None or not stat.S_ISREG(status.st_mode):
        return None
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IROTH:
        if _has_key(instance, named) and instance.files.open_to_all(path):
            return f"every user (mode {mode:04o})", None
    elif mode & stat.S_IRGRP and instance.files.host and not _has_access_list(path):
        group = _group(status.st_gid)
        if group not in _KEY_GROUPS and _has_key(instance, named) is not False:
            return f"the group {group} (mode {mode:04o})", Severity.INFO
    return None


def _has_key(instance: Instance, named: NamedFile) -> bool | None:
    """Whether there is a key in the clear in a file; what may not be read is what its name says."""
    from postlint.analysis.certificates import store_of

    file = store_of(instance).file(named.path)
    if file is None:
        return None if "key_file" in named.parameter else False
    return file.has(lambda item: item.is_key and not item.block.encrypted)


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _has_access_list(path: Path) -> bool:
    """Whether an access control list says more than the mode, whose group bits are its mask."""
    import os

    if not hasattr(os, "listxattr"):
        return False
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:
        return False
