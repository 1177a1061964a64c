"""Whose mail and whose clients: match lists of networks and domains, and address classes.

The domains of an installation come from main.cf alone: trivial-rewrite(8) decides, and it does
not see what a service of master.cf overrides. Clients are judged by smtpd itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.analysis.access_tables import access_table
from postlint.analysis.domains import address_class, matches_parents, relay_domains_of
from postlint.analysis.host_names import is_host_name, is_ip_address
from postlint.analysis.networks import UNKNOWN_NAME, addresses_of, matches
from postlint.config.derived import once
from postlint.config.effective import UNKNOWN, Element
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.analysis.domains import Match
    from postlint.analysis.networks import AddressList
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.service import Service

AddressClass: TypeAlias = Literal["local", "alias", "mailbox", "relay", "default", "error"]

_CLASS_OF_LIST: Final[dict[AddressClass, str]] = {
    "local": "mydestination",
    "alias": "virtual_alias_domains",
    "mailbox": "virtual_mailbox_domains",
    "relay": "relay_domains",
}
"""The lists in the order of the lookup (resolve.c)."""

_LITERAL = LazyPattern(r"\[(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|ipv6:[0-9a-f:.]+)\]", re.IGNORECASE)


class Destinations:
    """The domains of one installation, and who its smtpd services trust."""

    __slots__ = ("_addresses", "_classes", "instance")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._classes: dict[str, AddressClass | None] = {}
        self._addresses: dict[str, bool] = {}

    # Clients

    def trusted(self, service: Service, address: str, parameter: str = "mynetworks") -> Match:
        """Whether a client without a name is in an address list of a service."""
        value = service[parameter]
        if parameter == "mynetworks" and not value.explicit:
            return _in_default_networks(service, address)
        return _is_in(self.instance, value, address)

    def networks(self, service: Service, parameter: str = "mynetworks") -> AddressList:
        """An address list of a service."""
        return addresses_of(self.instance, service[parameter])

    def relays_for(self, service: Service, name: str) -> bool:
        """Whether check_relay_domains permits a client by its name: smtpd itself looks it up."""
        return relay_domains_of(service).match(name) is True

    def foreign_address(self, address: str) -> bool:
        """Whether an address is certainly none of this host."""
        from ipaddress import ip_address

        try:
            parsed = ip_address(address)
        except ValueError:
            return True
        interfaces = self.instance.main["inet_interfaces"]
        named = any(address in element.text for element in interfaces.elements())
        return not (parsed.is_loopback or named)

    # Addresses

    def complete(self, address: str) -> str:
        """An address with the domain that Postfix appends to a bare name."""
        address = address.removesuffix("@")
        if "@" not in address:
            origin = self.instance.main["myorigin"]
            address = f"{address}@{origin.text if origin.known else UNKNOWN}"
        local, _, domain = address.rpartition("@")
        if domain.endswith(".") and not domain.endswith(".."):
            domain = domain[:-1]
        if "." not in domain and UNKNOWN not in domain and not domain.startswith("["):
            append = self.instance.main["append_dot_mydomain"].yes
            mydomain = self.instance.main["mydomain"].text
            if append:
                domain = f"{domain}.{mydomain}"
        return f"{local}@{domain}"

    def address_class(self, address: str) -> AddressClass | None:
        """The class of an address; None when it can not be known."""
        domain = self.complete(address).rpartition("@")[2].lower()
        if domain not in self._classes:
            self._classes[domain] = None if UNKNOWN in domain else self._class_of(domain)
        return self._classes[domain]

    def is_address(self, address: str) -> bool:
        """Whether trivial-rewrite takes an address: else smtpd answers 501 (resolve.c).

        What can not be known is taken for right.
        """
        if address not in self._addresses:
            self._addresses[address] = self._is_address(address)
        return self._addresses[address]

    def _is_address(self, address: str) -> bool:
        local, _, domain = self.complete(address).rpartition("@")
        if local.startswith("-") and not self.instance.main["allow_min_user"].yes:
            return False
        if UNKNOWN in domain or not domain.isascii():
            return True
        if domain.startswith("["):
            return _LITERAL.fullmatch(domain) is not None
        if is_host_name(domain):
            return True
        return is_ip_address(domain) and self.instance.main["resolve_numeric_domain"].yes is True

    def suspicious(self, address: str) -> bool:
        """Whether the local part names another destination, and that is not trusted."""
        local = self.complete(address).rpartition("@")[0]
        if not any(letter in local for letter in "@!%"):
            return False
        return self.instance.main["allow_untrusted_routing"].yes is not True

    def _class_of(self, domain: str) -> AddressClass | None:
        doubtful = False
        if domain.startswith("["):
            literal = domain.strip("[]").removeprefix("ipv6:")
            return "default" if self.foreign_address(literal) else None
        for name, parameter in _CLASS_OF_LIST.items():
            answer = address_class(self.instance, parameter).match(domain)
            if answer == "error":
                return "error"
            if answer is True:
                return None if doubtful else name
            doubtful = doubtful or answer is None
        return None if doubtful else "default"

    # Recipients that nobody has

    def unlisted_codes(self, service: Service, found: AddressClass | None) -> tuple[int, ...]:
        """The replies with which reject_unlisted_recipient may refuse an address of a class."""
        if "no_unknown_recipient_checks" in service["receive_override_options"].text:
            return ()
        if found == "error":
            return (451,)
        codes = []
        if found in ("default", None):
            transport = self.instance.main["default_transport"].text.partition(":")[0].strip()
            codes += {"error": [550], "retry": [450]}.get(transport, [])
        for name, maps, parameter in (
            ("local", "local_recipient_maps", "unknown_local_recipient_reject_code"),
            ("mailbox", "virtual_mailbox_maps", "unknown_virtual_mailbox_reject_code"),
            ("relay", "relay_recipient_maps", "unknown_relay_recipient_reject_code"),
        ):
            if found in (name, None) and service[maps].empty is not True:
                codes.append(service[parameter].integer or 550)
        if found in ("alias", None):
            codes.append(service["unknown_virtual_alias_reject_code"].integer or 550)
        return tuple(dict.fromkeys(codes))

    def access_parents(self, service: Service) -> bool | None:
        """Whether ``example.com`` in an access table stands for its subdomains too."""
        return matches_parents("smtpd_access_maps", service)


@once
def destinations_of(instance: Instance) -> Destinations:
    """The destinations of an instance, found out once."""
    return Destinations(instance)


def _in_default_networks(service: Service, address: str) -> Match:
    """mynetworks_style: loopback is always in it, the rest depends on the host."""
    from ipaddress import ip_address

    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if parsed.is_loopback:
        return True
    return False if service["mynetworks_style"].word() == "host" else None


@once
def _is_in(instance: Instance, value: Effective, address: str) -> Match:
    """Whether a client without a name is in an address list."""
    for pattern in addresses_of(instance, value).patterns:
        answer = (
            _client_in_table(instance, pattern.element, address)
            if pattern.kind == "table"
            else _DECISIONS[matches(pattern, address)]
        )
        if answer is not False:
            return not pattern.negated if answer is True else answer
    return False


_DECISIONS: dict[str | None, Match] = {
    "match": True,
    "no match": False,
    "error": "error",
    None: None,
}


def _client_in_table(instance: Instance, element: Element, address: str) -> Match:
    """match_hostname() and match_hostaddr() with a table: the whole name, the whole address."""
    bare = Element(element.text.lstrip("!"), element.location)
    found = access_table(instance, bare).look_up(((UNKNOWN_NAME, False), (address, False)))
    if found.error:
        return "error"
    return None if found.unknown else found.value is not None
