"""POL: keys of policy tables."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from postlint.analysis.nexthops import is_address
from postlint.analysis.policies import ENTRY_LIMIT, destination, policies_of
from postlint.lint.finding import Edit, Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix.services import inet_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.routes import Route
    from postlint.config.tables import PolicyTable
    from postlint.syntax.table import TableEntry

MANY_HOSTS = 500
"""Hosts of next hops whose other spellings are looked for."""

_NOT_BARE = r"[\[:]"
_NEVER = r"^(?:\*|\.[^ \t]*[\[:]|\[\.|(?:smtp|lmtp|relay):|[0-9.]+(?=[ \t\v\f\r\n]|\Z))"
_SMTPS = r":(?:465|smtps|submissions|ssmtp|urd)(?=[ \t\v\f\r\n]|\Z)"


@rule("POL003", severity=Severity.WARNING, security=5.9, tags=("CWE-636",))
def key_never_matches(table: PolicyTable) -> Iterator[Finding]:
    """A key of a policy table is spelled so that it is never looked up.

    Why: Postfix asks with the next hop as relayhost or the transport spell it, brackets and port
        included, and for mail that goes by MX records with the domain and its ".parents". A
        key in any other spelling counts for nobody, and mail goes with the level of main.cf.
    Fix: Write the next hop exactly as relayhost or transport_maps do; for subdomains
        ".example.com".
    Bad:
        relayhost = [mail.example.org]:587
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        mail.example.org  encrypt
    Good:
        relayhost = [mail.example.org]:587
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        [mail.example.org]:587  encrypt
    References: TLS_README, postconf(5) smtp_tls_policy_maps
    """
    policies = policies_of(table)
    for entry, _ in policies.with_key(_NEVER):
        why = _never(entry.key.text)
        if why is not None:
            yield _key_finding(table, entry, why)
    yield from _other_spellings(table)


def _other_spellings(table: PolicyTable) -> Iterator[Finding]:
    """Keys that name the host of a known next hop, but not as the next hop is spelled."""
    from postlint.analysis.routes import routes_of

    routes = routes_of(table.instance)
    found = [route for service in table.services for route in routes.of(service)]
    known: dict[str, dict[str, Route]] = {}
    for route in found:
        hop = route.hop
        if hop is not None and hop.element.known and hop.problem is None:
            known.setdefault(hop.host.lower(), {}).setdefault(hop.text.lower(), route)
    if not known or not routes.complete:
        return
    by_domain = any(route.hop is None for route in found)
    policies = policies_of(table)
    hosts = "|".join(map(re.escape, islice(known, MANY_HOSTS)))
    keys = rf"^(?:\[(?:{hosts})\](?::[^ \t]*)?|(?:{hosts})(?::[^ \t]*)?)(?=[ \t\v\f\r\n]|\Z)"
    entries = [entry for entry, _ in policies.with_key(keys)]
    spelled = {entry.key.text.lower() for entry in entries}
    for entry in entries:
        host, _, style = destination(entry.key.text)
        spellings = known.get(host, {})
        if spelled & set(spellings) or not spellings or (style == "host" and by_domain):
            continue
        route = next(iter(spellings.values()))
        text = route.hop.text if route.hop is not None else ""
        finding = _key_finding(table, entry, f"the next hop is spelled {text}")
        if route.location is not None:
            finding.related = (Related("the next hop", route.location),)
        if len(spellings) == 1:
            edit = Edit(entry.key.location, text)
            finding.fix = Fix("spell it as the next hop is", (edit,), "unsafe")
        yield finding


def _never(key: str) -> str | None:
    """Why no next hop can be spelled like this."""
    transport, colon, _ = key.partition(":")
    if colon and transport.lower() in ("smtp", "lmtp", "relay") and not key.startswith("["):
        return "a next hop has no transport before it"
    if key.startswith("*"):
        return f'there are no wildcards; for subdomains write "{key.lstrip("*")}"'
    if key.startswith((".[", "[.")) or (key.startswith(".") and ":" in key):
        return "the form for subdomains has no brackets and no port"
    if is_address(key) and ":" not in key:
        return f'an address stands in brackets: "[{key}]"'
    return None


def _key_finding(table: PolicyTable, entry: TableEntry, why: str) -> Finding:
    return Finding(
        entry.key.location,
        f"{entry.key.text} is never looked up: {why}",
        parameter=table.parameter,
    )


@rule("POL004", severity=Severity.WARNING)
def mixed_key_styles(table: PolicyTable) -> Iterator[Finding]:
    """A policy table has one host in several spellings.

    Why: Only the spelling that the routing uses is looked up: the bare domain for mail that goes
        by MX records, [host]:port for a relayhost or transport written so. The other line is dead
        or about another route, and when they differ the wrong one may be the one that counts.
    Fix: Keep the spelling of the next hop as relayhost and transport_maps have it.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com       may
        [example.com]:25  encrypt
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com   encrypt
        .example.com  encrypt
    References: postconf(5) smtp_tls_policy_maps, TLS_README
    """
    policies = policies_of(table)
    special = list(policies.with_key(_NOT_BARE, ("[", ":")))
    hosts = {destination(entry.key.text).host for entry, _ in special} - {""}
    if not hosts:
        return
    names = "|".join(map(re.escape, sorted(hosts)))
    bare = policies.with_key(rf"^(?:{names})(?=[ \t\v\f\r\n]|\Z)")
    first: dict[str, TableEntry] = {}
    reported: set[tuple[str, str]] = set()
    for entry, _ in (*bare, *special):
        host, _, style = destination(entry.key.text)
        known = first.setdefault(host, entry)
        if destination(known.key.text).style == style or (host, style) in reported:
            continue
        reported.add((host, style))
        same = known.value.text.split() == entry.value.text.split()
        yield Finding(
            entry.key.location,
            f"{host} stands here as {entry.key.text} and as {known.key.text}:"
            f" only the spelling of the next hop is looked up"
            + ("" if same else ", and the two differ"),
            severity=Severity.INFO if same else None,
            parameter=table.parameter,
            related=(Related("the other spelling", known.key.location),),
        )


@rule("POL005", severity=Severity.ERROR)
def duplicate_policy_key(table: PolicyTable) -> Iterator[Finding]:
    """A policy table has a key twice.

    Why: Postfix keeps the first line and drops the others with a warning while the table is
        made. What was added at the end to strengthen a policy does nothing.
    Fix: Keep one line for every destination. Case does not matter in keys.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  may
        example.com  encrypt
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt
    References: postmap(1), postconf(5) smtp_tls_policy_maps
    """
    reference = table.reference
    named = table.instance.tables_named(reference.type, reference.name)
    index = named[0].indexed if named else None
    if index is None:
        return
    found, number = index.duplicates(ENTRY_LIMIT)
    for duplicate in found:
        first, again = duplicate.first, duplicate.again
        line = first.key.location.start.line
        same = first.value.text.split() == again.value.text.split()
        yield Finding(
            again.key.location,
            f"{again.key.text} stands in line {line} already:"
            + (" this line says the same" if same else " that one counts, this line is dead")
            + (f" ({number} such lines)" if number > len(found) else ""),
            severity=Severity.INFO if same else None,
            parameter=table.parameter,
            related=(Related("the line that counts", first.key.location),),
        )


@rule("POL013", severity=Severity.ERROR)
def port465_in_policy(table: PolicyTable) -> Iterator[Finding]:
    """A policy is for port 465, and no client service speaks TLS from the first byte there.

    Why: A policy can not turn wrapper mode on. The client waits for a greeting, the server for
        the handshake, and mail stays in the queue.
    Fix: Make a service with -o smtp_tls_wrappermode=yes for that route (Postfix 3.0), or use the
        port 587.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        [mail.example.com]:465  encrypt
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        [mail.example.com]:587  encrypt
    References: TLS_README, postconf(5) smtp_tls_wrappermode
    """
    instance = table.instance
    if instance.version >= (3, 0):
        if not instance.whole_master_cf:
            return
        for service in instance.services_running("smtp", "lmtp"):
            if service[f"{service.program}_tls_wrappermode"].yes is not False:
                return
        consequence = "no client service has smtp_tls_wrappermode = yes: mail to it hangs"
    else:
        consequence = f"Postfix {instance.version} can not send to a port with TLS from the start"
    for entry, _ in policies_of(table).with_key(_SMTPS, (":",)):
        port = destination(entry.key.text).port
        if port is not None and inet_port(port) == 465:
            yield Finding(
                entry.key.location,
                f"{entry.key.text}: {consequence}",
                parameter=table.parameter,
            )
