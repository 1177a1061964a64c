"""TLS: session caches, and logging of STARTTLS offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.tls import explicit_values, tls_of
from postlint.config.tables import table_references
from postlint.lint.edits import delete_lines
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule

from .words import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance

_CACHES = tuple(f"{side}_tls_session_cache_database" for side in SIDES)
_USABLE = frozenset({"btree", "hash", "lmdb", "sdbm", "dbm", "internal"})
"""Types that can be updated and listed."""

_FATAL = frozenset({"cdb", "static"})
"""Types that can be opened and not be listed: tlsmgr dies of them."""


@rule("TLS030", severity=Severity.INFO)
def session_cache_obsolete(instance: Instance) -> Iterator[Finding]:
    """A TLS session cache is not needed, or can not work as it is set up.

    Why: Since Postfix 2.11 clients keep the session themselves, in a ticket that the server
        encrypts; a database on the server only costs. Clients do profit from a cache, but btree
        files need Berkeley DB, which systems drop. tlsmgr, which reads main.cf only, does not
        start when two caches share one file or a table can not be listed; smtpd with TLS then
        never greets.
    Fix: Delete smtpd_tls_session_cache_database. For the client take lmdb.
    Bad:
        smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache
    Good:
        smtp_tls_session_cache_database = lmdb:${data_directory}/smtp_scache
    References: postconf(5) smtpd_tls_session_cache_database, TLS_README, tlsmgr(8)
    """
    first: dict[str, Effective] = {}
    for service, value in explicit_values(instance, _CACHES):
        location = value.value_location
        if value.empty is not False or location is None:
            continue
        if service is not None and service.program != "tlsmgr":
            yield Finding(
                location,
                f"-o {value.name} has no effect: only tlsmgr opens the cache, as main.cf says",
                severity=Severity.WARNING,
                parameter=value.name,
                service=service.label,
            )
            continue
        text = value.text
        if value.known and text in first:
            other = first[text]
            yield Finding(
                location,
                f"{value.name} and {other.name} share one file: tlsmgr will not start,"
                " and smtpd with TLS waits for it",
                severity=Severity.ERROR,
                parameter=value.name,
                related=()
                if other.value_location is None
                else (Related("the other cache", other.value_location),),
            )
            continue
        first[text] = value
        yield from _cache(instance, value, location)


def _cache(instance: Instance, value: Effective, location: Location) -> Iterator[Finding]:
    references = list(table_references(value))
    kind = references[0].type if len(references) == 1 else ""
    if kind in _FATAL:
        yield Finding(
            location,
            f"{value.name}: {kind} tables can not be listed: tlsmgr will not start,"
            " and smtpd with TLS waits for it",
            severity=Severity.ERROR,
            parameter=value.name,
        )
    elif kind and kind not in _USABLE:
        yield Finding(
            location,
            f"{value.name}: {kind} tables can not be written: there is no cache",
            severity=Severity.WARNING,
            parameter=value.name,
        )
    elif value.name.startswith("smtpd_"):
        if instance.version >= (2, 11):
            yield Finding(
                location,
                f"{value.name} is not needed: clients keep session tickets since Postfix 2.11",
                parameter=value.name,
                fix=_delete(value),
            )
    elif kind in ("btree", "hash") and instance.version >= (3, 11):
        yield Finding(
            location,
            f"{value.name}: {kind} needs Berkeley DB, which systems drop; lmdb does the same",
            parameter=value.name,
        )


def _delete(value: Effective) -> Fix | None:
    if value.setting.origin != "main.cf" or value.location is None:
        return None
    return Fix("delete this line", (delete_lines(value.location),), "unsafe")


@rule("TLS031", severity=Severity.INFO)
def note_starttls_useless(instance: Instance) -> Iterator[Finding]:
    """smtp_tls_note_starttls_offer is on though TLS is tried everywhere.

    Why: The note in the log is about servers that offered STARTTLS while TLS was off for them.
        It helps to find candidates for TLS; with the level may or higher it never comes.
    Fix: Delete the setting.
    Bad:
        smtp_tls_security_level = may
        smtp_tls_note_starttls_offer = yes
    Good:
        smtp_tls_security_level = may
    References: postconf(5) smtp_tls_note_starttls_offer
    """
    tls = tls_of(instance)
    for prefix in ("smtp", "lmtp"):
        value = instance.main[f"{prefix}_tls_note_starttls_offer"]
        location = value.location
        if not value.explicit or not value.yes or location is None:
            continue
        clients = [client for client in tls.clients if client.prefix == prefix]
        summaries = [tls.policies(client.service) for client in clients]
        if (
            clients
            and all(client.on for client in clients)
            and all(item.complete and "none" not in item.levels for item in summaries)
        ):
            yield Finding(
                location,
                f"{value.name} has no effect: TLS is tried with every server",
                parameter=value.name,
                fix=Fix("delete this line", (delete_lines(location),), "safe"),
            )
