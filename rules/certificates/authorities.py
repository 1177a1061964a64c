"""CRT: certificate authorities, and certificates that clients are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.policies import level_of, policies_of
from postlint.analysis.tls import server_tls, tls_of
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.restrictions import LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.tls import ClientTls, ServerTls
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service
    from postlint.config.tables import PolicyTable
    from postlint.syntax.table import Policy

_PKIX = frozenset({"verify", "secure"})
_CCERT_WORDS = frozenset(
    {"permit_tls_clientcerts", "permit_tls_all_clientcerts", "check_ccert_access"}
)


@rule("CRT014", severity=Severity.INFO)
def cafile_purpose(instance: Instance) -> Iterator[Finding]:
    """A file of certificate authorities is set that nothing asks, or none where one is needed.

    Why: A server checks certificates of clients only when it asks for them, and a client those of
        servers only at the levels verify and secure. Below, the file changes a word in the log and
        a missing file switches TLS off. At verify and secure without any authority every server
        fails and mail is deferred.
    Fix: Delete smtpd_tls_CAfile unless it completes the certificate chain; delete smtp_tls_CAfile
        or raise the level. For verify and secure set it; tls_append_default_CA = yes only adds
        the authorities of the system to a file or folder, and does nothing by itself.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_CAfile = /etc/ssl/ca.pem
    Good:
        smtpd_tls_security_level = may
        smtpd_tls_CAfile = /etc/ssl/ca.pem
        smtpd_tls_ask_ccert = yes
    References: postconf(5) smtpd_tls_CAfile, postconf(5) smtp_tls_CAfile
    """
    if instance.whole:
        yield from _server(instance)
        for prefix in ("smtp", "lmtp"):
            yield from _client(instance, prefix)
    for client in tls_of(instance).clients:
        yield from _no_authority(client)
    for table in instance.policy_tables:
        yield from _policies_without_authority(table)


def _server(instance: Instance) -> Iterator[Finding]:
    value = instance.main["smtpd_tls_CAfile"]
    location = value.value_location
    if location is None or value.empty is not False:
        return
    servers = [server for server in tls_of(instance).smtpd if server.mode != "none"]
    if not servers or not all(_asks(server) is False for server in servers):
        return
    completes = _completes_chain(instance)
    if not completes:
        yield Finding(
            location,
            "smtpd_tls_CAfile checks nobody: clients are not asked for certificates"
            + (" (at most it completes the server's own chain)" if completes is None else ""),
            parameter=value.name,
            fix=_delete(value, " unless it completes the chain" if completes is None else ""),
        )


def _delete(value: Effective, unless: str = "") -> Fix | None:
    if value.location is None:
        return None
    return Fix(f"delete {value.name}{unless}", (delete_lines(value.location),), "unsafe")


def _completes_chain(instance: Instance) -> bool | None:
    """Whether some server needs the file for its own chain; None when nobody can know."""
    from postlint.analysis.certificate_chains import completes_chain
    from postlint.analysis.tls_identities import pairs_of

    answers = [
        completes_chain(identity.service, pair)
        for identity, pair in pairs_of(instance)
        if identity.is_server
    ]
    if not answers or None in answers:
        return True if True in answers else None
    return any(answers)


def _asks(server: ServerTls) -> bool | None:
    """Whether smtpd asks clients for certificates; to require them counts only with TLS."""
    ask = server.service["smtpd_tls_ask_ccert"].yes
    require = server.service["smtpd_tls_req_ccert"].yes
    if ask or (require and server.mandatory):
        return True
    if ask is None or server.mode is None:
        return None
    return False if require is False or not server.mandatory else None


def _client(instance: Instance, prefix: str) -> Iterator[Finding]:
    value = instance.main[f"{prefix}_tls_CAfile"]
    location = value.value_location
    if location is None or value.empty is not False:
        return
    tls = tls_of(instance)
    clients = [client for client in tls.clients if client.prefix == prefix]
    levels: set[str | None] = {client.level for client in clients}
    for client in clients:
        summary = tls.policies(client.service)
        levels.update(summary.levels if summary.complete else [None])
    if levels and None not in levels and levels.isdisjoint(_PKIX) and levels != {"none"}:
        yield Finding(
            location,
            f"{value.name} decides nothing at the levels in use:"
            ' the log says "Trusted" instead of "Untrusted"',
            parameter=value.name,
            fix=_delete(value),
        )


def _has_authority(service: Service) -> bool:
    """Whether a client knows any authority, or may.

    tls_append_default_CA counts only beside a file or folder (tls_certkey.c).
    """
    prefix = service.program
    names = (f"{prefix}_tls_CAfile", f"{prefix}_tls_CApath", f"{prefix}_tls_trust_anchor_file")
    return any(service[name].empty is not True for name in names)


def _no_authority(client: ClientTls) -> Iterator[Finding]:
    location = client.cause.value_location
    if client.level in _PKIX and location is not None and not _has_authority(client.service):
        yield Finding(
            location,
            f"level {client.level} without any certificate authority:"
            " no server can be verified and mail is deferred",
            severity=Severity.ERROR,
            parameter=client.cause.name,
            service=client.service.label,
        )


def _policies_without_authority(table: PolicyTable) -> Iterator[Finding]:
    if any(_has_authority(service) for service in table.services):
        return
    for entry, policy in policies_of(table).entries(_needs_authority):
        if policy.level is not None:
            yield Finding(
                policy.level.location,
                f"{entry.key.text}: level {level_of(policy)} without any certificate authority:"
                " its mail is deferred",
                severity=Severity.ERROR,
                parameter=table.parameter,
            )


def _needs_authority(policy: Policy) -> bool:
    anchored = any(attribute.name == "tafile" for attribute in policy.attributes)
    return level_of(policy) in _PKIX and not anchored


@rule("CRT015", programs=("smtpd",), severity=Severity.WARNING, tags=("CWE-295",))
def ccert_misuse(service: Service) -> Iterator[Finding]:
    """Certificates of clients are required or compared where clients are not asked for them.

    Why: smtpd_tls_req_ccert counts only where TLS is required; elsewhere Postfix warns and goes
        on. Restrictions that compare certificates never match when the server does not ask.
    Fix: Require TLS (level encrypt) on a port of its own for such clients, and set
        smtpd_tls_ask_ccert = yes.
    Bad:
        smtpd_tls_security_level = may
        smtpd_tls_req_ccert = yes
    Good:
        smtpd_tls_security_level = encrypt
        smtpd_tls_req_ccert = yes
    References: postconf(5) smtpd_tls_req_ccert, postconf(5) smtpd_tls_ask_ccert, TLS_README
    """
    server = server_tls(service)
    require = service["smtpd_tls_req_ccert"]
    if require.yes and server.mode == "may":
        location = require.value_location
        if location is not None:
            yield Finding(
                location,
                "smtpd_tls_req_ccert counts only where TLS is required; here it is optional",
                parameter=require.name,
                related=()
                if server.cause.value_location is None
                else (Related("TLS is optional", server.cause.value_location),),
            )
    if server.mode in (None, "fatal") or _asks(server) is not False:
        return
    for name in LISTS:
        for element in service[name].elements():
            if element.text.lower() in _CCERT_WORDS and element.location is not None:
                yield Finding(
                    element.location,
                    f"{element.text} never matches: smtpd_tls_ask_ccert = yes is missing",
                    parameter=name,
                )
