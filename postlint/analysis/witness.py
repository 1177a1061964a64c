"""What a stranger could say to an smtpd service: candidates worth trying."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import access_table
from postlint.analysis.destinations import destinations_of
from postlint.analysis.relay_session import UNKNOWN_NAME, Session
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.access_tables import Entry
    from postlint.analysis.restrictions import RestrictionLists
    from postlint.config.service import Service

CLIENTS = {
    4: ("198.51.100.7", "93.184.215.14", "45.33.32.156", "139.162.11.5", "203.0.114.9"),
    6: ("2001:db8:ffff::7", "2a00:1450:4001::9", "2600:3c00::5", "2400:cb00::3"),
}
"""Addresses of nobody in particular, all over the Internet."""

HELO = "client.example.net"
CLIENT_NAME = "client.example.net"
SENDERS = ("someone@sender.example.net",)
LOCAL_PARTS = ("someone",)
FOREIGN_DOMAINS = ("elsewhere.example.org", "elsewhere.example.net", "somewhere-else.com")
OTHER_HELOS = ("other-client.org",)
OTHER_SENDERS = ("someone@other-sender.org",)
"""For tables that refuse the usual ones."""

CANDIDATES = 12
"""Keys of tables that are tried in each place."""

SESSIONS = 150
"""Sessions that are tried with one client."""

_WORD = LazyPattern(r"[A-Za-z0-9][A-Za-z0-9._-]+")
_LOCAL_WORDS = ("abuse", "postmaster", "admin", "root", "info", "hostmaster")


class Candidates(NamedTuple):
    """What to try, the most ordinary first."""

    names: tuple[str, ...]
    helos: tuple[str | None, ...]
    senders: tuple[str, ...]
    recipients: tuple[str, ...]

    def sessions(self) -> Iterator[Session]:
        """Every combination, those with the fewest oddities first; the client has no address."""
        places = (self.names, self.helos, self.senders, self.recipients)
        ranges = [range(len(place)) for place in places]
        ranked = sorted(product(*ranges), key=lambda at: (sum(map(bool, at)), sum(at)))
        for name, helo, sender, recipient in ranked[:SESSIONS]:
            yield Session(
                "",
                self.helos[helo],
                self.senders[sender],
                self.recipients[recipient],
                self.names[name],
                outsider=True,
            )


def clients(service: Service) -> Iterator[tuple[str, ...]]:
    """Addresses to try, for each IP version that the service can be reached by."""
    protocols = {element.text.lower() for element in service["inet_protocols"].elements()}
    if "ipv6" not in protocols or len(protocols) > 1:
        yield CLIENTS[4]
    if "ipv4" not in protocols or len(protocols) > 1:
        yield CLIENTS[6]


def candidates(service: Service, lists: RestrictionLists, domain: str) -> Candidates:
    """What to try on a service: ordinary words, and those that its tables let in.

    ``domain`` is somebody else's.
    """
    helos: list[str | None] = [HELO]
    senders = list(SENDERS)
    recipients = [f"{LOCAL_PARTS[0]}@{domain}"]
    named = False
    for restriction, entries in _tables(service, lists):
        if restriction == "check_helo_access":
            helos += [*OTHER_HELOS, *_helos(entries)]
        elif restriction == "check_sender_access":
            senders += [*OTHER_SENDERS, *_senders(entries)]
        elif restriction == "check_recipient_access":
            recipients += [
                f"{LOCAL_PARTS[0]}@{other}"
                for other in FOREIGN_DOMAINS
                if _is_elsewhere(service, f"x@{other}")
            ]
            found = _recipients(entries, domain)
            here = f"@{domain}"
            recipients += [
                address
                for address in found
                if address.endswith(here) or _is_elsewhere(service, address)
            ]
        elif restriction == "check_client_access":
            named = True
    if _uses(lists, "helo") or lists["smtpd_helo_restrictions"].items:
        helos.append(None)
    if _uses(lists, "sender"):
        senders.append("")
    if named or _uses(lists, "client_hostname"):
        names: tuple[str, ...] = (UNKNOWN_NAME, CLIENT_NAME)
    else:
        names = (UNKNOWN_NAME,)
    return Candidates(names, _unique(helos), _unique(senders), _unique(recipients))


def uses_client_tables(lists: RestrictionLists) -> bool:
    """Whether a table may tell one client address from another."""
    return _uses(lists, "check_client_access") or _uses(lists, "check_reverse_client")


def foreign_domain(service: Service) -> str | None:
    """A domain whose mail does not stay here; None where every domain's does."""
    destinations = destinations_of(service.instance)
    for domain in FOREIGN_DOMAINS:
        if destinations.address_class(f"x@{domain}") in (None, "default", "relay"):
            return domain
    return None


def _unique(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))  # type: ignore[arg-type]


def _tables(service: Service, lists: RestrictionLists) -> Iterator[tuple[str, list[Entry]]]:
    """The readable access tables, with the entries that do not just refuse."""
    for restrictions in lists:
        if restrictions.name == "smtpd_etrn_restrictions":
            continue
        for members in lists.with_classes(restrictions):
            for item in members.items:
                if item.restriction is None or item.argument is None or item.flaw is not None:
                    continue
                if item.restriction.argument != "table":
                    continue
                table = access_table(service.instance, item.argument)
                entries = [
                    entry
                    for entry in table.entries
                    if parse_access_result(entry.value, service.version).kind
                    in ("permit", "dunno", "list")
                ]
                yield item.restriction.name, entries[:CANDIDATES]


def _uses(lists: RestrictionLists, what: str) -> bool:
    return any(
        item.restriction is not None and what in item.restriction.name
        for restrictions in lists
        for members in lists.with_classes(restrictions)
        for item in members.items
    )


def _words(entry: Entry) -> list[str]:
    """Texts that a pattern may match."""
    text = entry.key.replace("\\.", ".").replace("\\-", "-").replace("\\@", "@")
    return [word.strip(".-") for word in _WORD.findall(text)]


def _helos(entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        if entry.is_pattern:
            for word in _words(entry):
                yield word
                yield f"mail.{word}"
        elif entry.key:
            yield entry.key.lstrip(".") if not entry.key.startswith(".") else f"mail{entry.key}"


def _senders(entries: list[Entry]) -> Iterator[str]:
    for entry in entries:
        if entry.is_pattern:
            for word in _words(entry):
                yield f"someone@{word}"
                yield f"{word}@sender.example.net"
                if "@" in entry.key:
                    yield word
        else:
            yield from _address_for(entry.key, "sender.example.net")


def _recipients(entries: list[Entry], domain: str) -> Iterator[str]:
    for entry in entries:
        if entry.is_pattern:
            for word in (*_words(entry), *_LOCAL_WORDS):
                if "@" not in word:
                    yield f"{word}@{domain}"
                if "." in word:
                    yield f"someone@{word}" if "@" not in word else word
        else:
            yield from _address_for(entry.key, domain)


def _is_elsewhere(service: Service, address: str) -> bool:
    """Whether mail for an address would certainly be passed on."""
    return destinations_of(service.instance).address_class(address) == "default"


def _address_for(key: str, domain: str) -> Iterator[str]:
    if key.endswith("@"):
        yield f"{key}{domain}"
    elif key.startswith("."):
        yield f"someone@host{key}"
    elif "@" in key:
        yield key.lower()
    elif key and key != "<>":
        yield f"someone@{key.lower()}"
