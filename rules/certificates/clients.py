"""CRT: certificates of the SMTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.tls import tls_of
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

_CERTIFICATES = ("cert_file", "eccert_file", "dcert_file", "chain_files")
_KEYS = {"cert_file": "key_file", "eccert_file": "eckey_file", "dcert_file": "dkey_file"}


@rule("CRT012", severity=Severity.WARNING)
def unneeded_client_certificate(instance: Instance) -> Iterator[Finding]:
    """The SMTP client shows a certificate to every server.

    Why: Servers hardly ever ask for one, and some fail when they get one that they do not like.
        The key has to be readable for the client, and if the file is missing TLS is off for all
        outgoing mail.
    Fix: Delete the setting. If one partner wants a certificate, give it to a transport of its own
        with -o in master.cf.
    Bad:
        smtp_tls_security_level = may
        smtp_tls_cert_file = /etc/ssl/client.pem
    Good:
        smtp_tls_security_level = may
    References: postconf(5) smtp_tls_cert_file, TLS_README
    """
    tls = tls_of(instance)
    for prefix in ("smtp", "lmtp"):
        clients = [client for client in tls.clients if client.prefix == prefix]
        if not any(client.level != "none" for client in clients) and all(
            tls.policies(client.service).empty for client in clients
        ):
            continue  # without TLS no certificate is shown
        for kind in _CERTIFICATES:
            value = instance.main[f"{prefix}_tls_{kind}"]
            if value.setting.origin == "main.cf" and value.empty is False:
                yield from _shown(instance, prefix, kind, value)


def _shown(instance: Instance, prefix: str, kind: str, value: Effective) -> Iterator[Finding]:
    location = value.value_location
    if location is None or value.location is None:
        return
    key = instance.main[f"{prefix}_tls_{_KEYS[kind]}"] if kind in _KEYS else None
    edits = [delete_lines(value.location)]
    related = []
    if key is not None and key.explicit and key.location is not None:
        edits.append(delete_lines(key.location))
        related.append(Related("its key", key.location))
    severity = None
    message = f"{value.name} shows a certificate to every server that mail goes to"
    relayhost = instance.main["relayhost"]
    if value.known and value.text == instance.main[f"smtpd_tls_{kind}"].text:
        severity = Severity.INFO
        message += ": that of this host's own server"
    elif relayhost.empty is not True:
        severity = Severity.INFO
        message += "; delete it unless the relay host asks for one"
    yield Finding(
        location,
        message,
        severity=severity,
        parameter=value.name,
        related=related,
        fix=Fix("delete certificate and key", edits, "unsafe"),
    )
