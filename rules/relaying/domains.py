"""RLY: for whom relaying is permitted: wide lists, old permissions, routes in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_tables import access_table
from postlint.analysis.list_use import uses
from postlint.analysis.relay import explain, relay_verdict
from postlint.config.derived import once
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.access_tables import AccessTable
    from postlint.config.effective import Element
    from postlint.config.instance import Instance
    from postlint.config.service import Service

_PATTERNS = 1_000
"""Patterns of one table that are looked at."""

_DOMAIN = LazyPattern(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SUFFIXES = LazyPattern(
    r"(?:ac|co|gov|org)\.uk|(?:co|ne|or)\.jp|co\.(?:nz|za)|com\.(?:ar|au|br|cn|mx|tr)|(?:net|org)\.au"
)
_TOP_LEVEL = LazyPattern(
    r"arpa|asia|biz|cat|com|coop|edu|eu|gov|info|int|io|jobs|mil|mobi|museum|name|net|org|post|pro"
    r"|tel|travel|xxx|dev|app|cloud|online|site|shop|xyz|top|club"
    r"|at|au|be|bg|br|by|ca|ch|cl|cn|cz|de|dk|ee|es|fi|fr|gr|hk|hr|hu|ie|il|in|ir|is|it|jp|kr|lt|lu"
    r"|lv|me|mx|my|nl|no|nz|pe|ph|pk|pl|pt|ro|rs|ru|se|sg|si|sk|su|th|tr|tv|tw|ua|uk|us|uy|ve|vn|za"
)


@rule("RLY009", severity=Severity.ERROR, security=8.1, tags=("CWE-284", "ADDRESS_CLASS_README"))
def relay_domains_wide(instance: Instance) -> Iterator[Finding]:
    """relay_domains takes in domains that can not all be yours.

    Why: Whoever sends to a domain of relay_domains may relay. A top-level domain in it, a pattern
        that fits everything, or a table that has every key makes an open relay: the names below
        a listed domain count, too, unless parent_domain_matches_subdomains says otherwise.
    Fix: List the domains whose mail you pass on, one by one.
    Bad:
        relay_domains = com
    Good:
        relay_domains = example.com
    References: postconf(5) relay_domains, postconf(5) parent_domain_matches_subdomains
    """
    value = instance.main["relay_domains"]
    if not value.explicit or value.problem is not None:
        return
    parents = instance.main["parent_domain_matches_subdomains"]
    covers = "relay_domains" in {element.text.lower() for element in parents.elements()}
    texts = {element.text.lower() for element in value.elements()}
    for element in value.elements():
        wide = _wide(instance, element, parents_match=covers)
        if wide is not None and element.location is not None:
            severity, reason = wide
            yield Finding(
                element.location,
                f'"{element.text}" in relay_domains {reason}',
                severity=severity,
                parameter="relay_domains",
            )
        elif covers and element.text.startswith(".") and element.text.lower()[1:] in texts:
            if element.location is None:
                continue
            yield Finding(
                element.location,
                f'"{element.text}" in relay_domains does nothing: '
                f'"{element.text[1:]}" takes in what is below it',
                severity=Severity.INFO,
                parameter="relay_domains",
            )


def _wide(
    instance: Instance, element: Element, *, parents_match: bool
) -> tuple[Severity | None, str] | None:
    text = element.text.lower()
    if not element.known or text.startswith(("!", "/")):
        return None
    if ":" in text:
        table = access_table(instance, element)
        if table.kind == "static":
            return None, "has every domain: everybody may relay to everybody"
        tries = ("elsewhere.example.org", "somewhere-else.net", "xn--q7f.invalid")
        if table.entries and all(table.find(domain).value is not None for domain in tries):
            return None, "has every domain: everybody may relay to everybody"
        return _unanchored(table)
    if text == "*":
        return Severity.WARNING, "is no wildcard: it matches no domain at all"
    name = text.lstrip(".")
    dotted = text.startswith(".")
    if _SUFFIXES.fullmatch(name) or _TOP_LEVEL.fullmatch(name):
        if dotted == parents_match:
            return None
        return None, "takes in every domain below it: everybody may relay there"
    return None


def _unanchored(table: AccessTable) -> tuple[Severity | None, str] | None:
    """A pattern for a domain that also fits what somebody else puts behind or before it."""
    for entry in table.entries[:_PATTERNS]:
        for word in _DOMAIN.findall(entry.key.replace("\\.", ".")) if entry.is_pattern else ():
            for other in (f"{word}.elsewhere.example.org", f"not-{word}"):
                if not entry.negated and word != other and entry.matches(other):
                    return (
                        Severity.WARNING,
                        f'has "{entry.key}", which fits {other}, too: strangers may relay there',
                    )
    return None


@rule(
    "RLY010",
    programs=("smtpd",),
    severity=Severity.WARNING,
    security=5.3,
    tags=("DEPRECATION_README",),
)
def backup_mx_permit_mx_backup(service: Service) -> Iterator[Finding]:
    """permit_mx_backup lets the owner of any domain relay through this server.

    Why: It permits every domain whose MX records name this host, and anybody can write that into
        his own zone. The server then keeps and bounces mail for strangers. Postfix 3.9 calls it
        deprecated.
    Fix: List the domains in relay_domains and their addresses in relay_recipient_maps.
    Bad:
        smtpd_relay_restrictions = permit_mynetworks, permit_mx_backup, reject_unauth_destination
    Good:
        relay_domains = example.org
        relay_recipient_maps = hash:/etc/postfix/relay_recipients
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
    References: DEPRECATION_README, postconf(5) permit_mx_backup, ADDRESS_CLASS_README
    """
    networks = service["permit_mx_backup_networks"]
    for use in uses(service):
        if use.name != "permit_mx_backup" or use.item.dead_after is not None:
            continue
        location = use.location
        if location is None:
            continue
        opens = _opens(service)
        limit = (
            "for every domain whose MX records name this host"
            if networks.empty is not False
            else "for domains whose other mail servers are in permit_mx_backup_networks"
        )
        old = ", and Postfix calls it deprecated" if service.version >= (3, 9) else ""
        effect = f"lets strangers relay {limit}"
        if not opens:
            effect = "does nothing here, strangers are refused anyway"
        yield Finding(
            location,
            f"permit_mx_backup in {use.where} {effect}{old}",
            severity=None if opens else Severity.INFO,
            security_severity=None if opens else 2.0,
            parameter=use.start.name,
        )


@once
def _opens(service: Service) -> bool:
    """Whether mail to a domain that names this host as a backup is passed on for strangers."""
    session = relay_verdict(service).session
    if session is None:
        return True
    return explain(service, session._replace(mx_backup=True)).relayed is not False


@rule("RLY012", severity=Severity.WARNING, security=5.3, tags=("CWE-284",))
def source_route_hacks(instance: Instance) -> Iterator[Finding]:
    """Addresses that name a second destination are trusted.

    Why: With allow_untrusted_routing, mail to user%elsewhere@your-domain passes
        reject_unauth_destination. Where the mail goes next may be a host that takes the %, ! or @
        for a route: then you relay through it for strangers, and it is your server that did it.
    Fix: Leave allow_untrusted_routing at no.
    Bad:
        allow_untrusted_routing = yes
    Good:
        allow_untrusted_routing = no
    References: postconf(5) allow_untrusted_routing, postconf(5) swap_bangpath
    """
    value = instance.main["allow_untrusted_routing"]
    if not value.yes or value.value_location is None:
        return
    edit = replace_value(value.setting, "no")
    yield Finding(
        value.value_location,
        "allow_untrusted_routing = yes: recipients such as user%elsewhere@domain get past "
        "reject_unauth_destination",
        parameter=value.name,
        fix=None if edit is None else Fix("trust no routes", (edit,), "unsafe"),
    )
    for name in ("swap_bangpath", "allow_percent_hack"):
        hack = instance.main[name]
        if hack.explicit and hack.yes and hack.value_location is not None:
            yield Finding(
                hack.value_location,
                f"{name} = yes counts, because allow_untrusted_routing is on",
                severity=Severity.INFO,
                parameter=name,
            )
