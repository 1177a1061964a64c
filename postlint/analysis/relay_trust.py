"""Who may relay through an smtpd service: its trusted networks and clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.access_results import parse_access_result
from postlint.analysis.access_tables import access_table
from postlint.analysis.destinations import destinations_of
from postlint.analysis.relay_dialogue import evaluate
from postlint.analysis.relay_session import Session
from postlint.analysis.relay_trials import Trials
from postlint.analysis.restrictions import RECIPIENT, RELAY
from postlint.postfix.restrictions import LISTS
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.restrictions import Item, RestrictionLists
    from postlint.config.service import Service

CLIENTS_NAMED = 50
"""Clients of tables that are named."""

LOOPBACK = {"127.0.0.0/8": "127.0.0.0", "::1/128": "::1"}
"""Networks, and the first address of each."""

XCLIENT = "smtpd_authorized_xclient_hosts"


class Trusted(NamedTuple):
    """Clients that may relay, in words, and the restriction that lets them."""

    clients: str
    restriction: str


def trusted_networks(
    service: Service, lists: RestrictionLists, usual: Session | None
) -> tuple[str, ...]:
    """The networks whose clients may relay.

    ``usual`` is a session of a stranger, for what else such a client says. Of a mynetworks that
    is not set only the loopback networks are certain.
    """
    used = any(item.restriction is not None for item in _items(lists, "permit_mynetworks"))
    if not used:
        return ()
    found = dict(LOOPBACK)
    if service["mynetworks"].explicit:
        networks = destinations_of(service.instance).networks(service).trusted()
        found = {str(network): str(network.network_address) for _, network in networks}
    if usual is None:
        return tuple(found)
    trials = Trials(service, lists, [usual])
    return tuple(name for name, first in found.items() if trials.of(first)[0] != "refused")


def trusted_clients(
    service: Service, lists: RestrictionLists, usual: Session | None
) -> tuple[Trusted, ...]:
    """Clients apart from mynetworks that may relay; ``usual`` as for the networks."""
    if usual is None:
        return ()
    found: list[Trusted] = []
    name = "permit_sasl_authenticated"
    if service["smtpd_sasl_auth_enable"].yes and any(_items(lists, name)):
        session = usual._replace(login=True)
        if evaluate(service, lists, session).relayed is not False:
            found.append(Trusted("whoever has logged in", name))
    for name, words in (
        ("permit_tls_clientcerts", "holders of a certificate in relay_clientcerts"),
        ("permit_tls_all_clientcerts", "holders of a certificate of a trusted authority"),
        ("permit_inet_interfaces", "this host"),
    ):
        if any(_items(lists, name)):
            found.append(Trusted(words, name))
    for item in _items(lists, "check_client_access"):
        found += _of_table(service, lists, usual, item)
    return tuple(dict.fromkeys(found))[:CLIENTS_NAMED]


def claimed_addresses(service: Service) -> Iterator[str]:
    """Addresses that a client who may use XCLIENT would claim, to be trusted."""
    yield "127.0.0.1"
    for _, network in destinations_of(service.instance).networks(service).trusted():
        yield str(network.network_address)


def may_use_xclient(service: Service, address: str) -> bool:
    """Whether a client certainly may."""
    return (
        service[XCLIENT].empty is False
        and destinations_of(service.instance).trusted(service, address, XCLIENT) is True
    )


def _of_table(
    service: Service, lists: RestrictionLists, usual: Session, item: Item
) -> Iterator[Trusted]:
    """The addresses and networks that a readable table of clients lets relay."""
    if item.argument is None or item.flaw is not None:
        return
    trials = Trials(service, lists, [usual])
    for entry in access_table(service.instance, item.argument).entries[:CLIENTS_NAMED]:
        if parse_access_result(entry.value, service.version).kind != "permit" or entry.negated:
            continue
        address = _address_in(entry.key)
        if address is not None and trials.of(address)[0] != "refused":
            yield Trusted(entry.key, f"check_client_access {item.argument.text}")


def _items(lists: RestrictionLists, name: str) -> Iterator[Item]:
    """The uses of a restriction where it can let somebody relay."""
    for parameter in (RELAY, RECIPIENT):
        if LISTS[parameter].exists_in(lists.version):
            for members in lists.with_classes(lists[parameter]):
                for item in members.items:
                    restriction = item.restriction
                    if restriction is None or item.dead_after is not None:
                        continue
                    if restriction.name == name:
                        yield item


def _address_in(key: str) -> str | None:
    """An address that a key of a table of clients stands for."""
    from ipaddress import ip_network

    text = key.strip("[]")
    parts = text.split(".")
    if 1 <= len(parts) < 4 and all(part.isascii() and part.isdigit() for part in parts):
        text = ".".join([*parts, *["1"] * (4 - len(parts))])  # 192.0.2 is a network
    try:
        return str(ip_network(text, strict=False)[0])
    except ValueError:
        return None
