"""Address lists (mynetworks and friends): what each pattern matches (match_list.c, match_ops.c).

Patterns are tried in their order and the first one that matches decides. A pattern that Postfix
can not read ends every lookup that reaches it, but only for clients of its address family; others
are no pattern at all to Postfix and match nobody without a word.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.analysis.match_list import match_list
from postlint.analysis.network_set import NetworkSet
from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.numbers import integer
from postlint.postfix import tables
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from postlint.analysis.match_list import Word
    from postlint.config.effective import Effective
    from postlint.config.files import Files
    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion

    Network: TypeAlias = IPv4Network | IPv6Network
    Address: TypeAlias = IPv4Address | IPv6Address

Kind: TypeAlias = Literal[
    "network",  # an address or a network
    "name",  # a client name or a parent domain
    "everyone",  # a table that has any key
    "table",  # type:table
    "file",  # /file that can not be read here
    "nobody",  # what Postfix passes over: no client is ever matched
    "error",  # the lookup fails here
    "fatal",  # the program does not start
    "unknown",
]

Decision: TypeAlias = Literal["match", "no match", "error"]

UNKNOWN_NAME: Final = "unknown"
"""What smtpd calls a client whose name it could not find or confirm."""

_V4: Final = frozenset("0123456789.")
_V6: Final = frozenset("0123456789.abcdef:")
_NAME: Final = LazyPattern(r"\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?\Z")
_LABEL_OF_LETTERS: Final = LazyPattern(r"[a-z]")
_PLACEHOLDER: Final = LazyPattern(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|\b[A-Z]{4,}[A-Z0-9]*\b")
_DOTTED: Final = LazyPattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}\Z")
_COLONS: Final = LazyPattern(r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){1,7}(?:/[0-9]{1,3})?\Z")

_SHARED: Final = "100.64.0.0/10"
"""What providers share among their customers (RFC 6598): neither private nor public."""


class Pattern(NamedTuple):
    """One item of an address list; ``element`` is it as written, with the ``!`` before it.

    ``family`` is 4 or 6 where only such clients are concerned, else 0. ``problem`` says what is
    wrong with the spelling and ``repaired`` what is probably meant; ``sure``: nothing else is.
    """

    element: Element
    kind: Kind
    negated: bool = False
    network: Network | None = None
    name: str = ""
    family: Literal[0, 4, 6] = 0
    problem: str = ""
    repaired: str | None = None
    sure: bool = False


class AddressList:
    """The patterns of a list, the contents of its files included.

    ``parents``: ``example.com`` stands for the names below it too; else ``.example.com`` does
    (parent_domain_matches_subdomains, which by default has the lists of clients).
    """

    __slots__ = ("parents", "patterns")

    def __init__(self, patterns: Iterable[Pattern], *, parents: bool = True) -> None:
        self.patterns = tuple(patterns)
        self.parents = parents

    @property
    def known(self) -> bool:
        """Whether it is certain what every pattern matches; names count as known."""
        return all(item.kind not in ("table", "file", "unknown") for item in self.patterns)

    def decide(self, address: str, name: str = UNKNOWN_NAME) -> Decision | None:
        """What a lookup of a client gives; None when that can not be known."""
        client = _client(address)
        for item in self.patterns:
            found = _matches(item, client, name.lower(), parents=self.parents)
            if found == "error" or found is None:
                return found
            if found == "match":
                return "no match" if item.negated else "match"
        return "no match"

    def trusted(self) -> Iterator[tuple[Pattern, Network]]:
        """The networks that the list takes in, without those that earlier patterns rule out.

        An earlier exclusion of only a part of a network leaves the network in.
        """
        excluded = NetworkSet()
        for item in self.patterns:
            if item.kind == "everyone":
                if not item.negated:
                    for network in _everything():
                        yield item, network
                return
            if item.network is None:
                continue
            if item.negated:
                excluded.add(item.network)
            elif not excluded.covers(item.network):
                yield item, item.network


@lru_cache(maxsize=256)
def _client(address: str) -> Address:
    from ipaddress import ip_address

    return ip_address(address)


@once
def addresses_of(instance: Instance, value: Effective) -> AddressList:
    """The address list that a parameter of an instance holds, read once."""
    return address_list(value, instance.version, instance.files)


def address_list(value: Effective, version: PostfixVersion, files: Files) -> AddressList:
    """Read the value of an address list parameter."""
    return AddressList(_pattern(word, version) for word in match_list(value, version, files))


def matches(pattern: Pattern, address: str) -> Decision | None:
    """What a pattern says of a client without a name, the ``!`` before it aside."""
    return _matches(pattern, _client(address), UNKNOWN_NAME, parents=True)


def is_outside(network: Network) -> bool:
    """Whether a network has addresses of the public Internet, anybody's."""
    # As is_global, which makes two networks for every question.
    if network.version == 4 and _covers(_make(_SHARED), network):
        return False
    return not network.is_private and not network.is_multicast


def _pattern(word: Word, version: PostfixVersion) -> Pattern:
    if word.kind != "pattern":
        return Pattern(word.element, word.kind, word.negated)
    found = _read(word.element, word.text, version)
    return found._replace(element=word.element, negated=word.negated)


def _read(element: Element, text: str, version: PostfixVersion) -> Pattern:
    if not text:
        return Pattern(element, "fatal", problem='no pattern after "!"')
    if _PLACEHOLDER.search(text) and ":" not in text:
        return Pattern(element, "unknown")  # a word in capitals that a script fills in
    folded = text.lower()
    if ":" in folded and not folded.startswith("["):
        return _table(element, text, version)
    if not _is_address_like(folded):
        return _other(element, folded)
    return _network(element, folded)


def _is_address_like(text: str) -> bool:
    """Whether match_hostaddr() reads the pattern as an address or a network."""
    if ":" not in text and "/" not in text:
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return _DOTTED.match(bare) is not None and bare.count(".") == 3
    return _V6.union("[]/").issuperset(text)


def _table(element: Element, text: str, version: PostfixVersion) -> Pattern:
    kind, _, name = text.partition(":")
    if tables.get(kind) is not None and name:
        if kind == "static":
            return Pattern(element, "everyone")
        return Pattern(element, "table")
    folded = text.lower()
    address, slash, length = folded.partition("/")
    host, _, port = folded.rpartition(":")
    problem, repaired, sure = "", None, False
    if _COLONS.match(folded) and _parses(address, version=6):
        problem = "an IPv6 address needs brackets"
        bracketed = f"[{address}]{slash}{length}"
        again = _network(element, bracketed)
        sure = again.kind == "network"
        repaired = bracketed if sure else again.repaired
    elif _COLONS.match(folded) and folded.count(":") > 1:
        problem = "this is no IPv6 address, and one needs brackets"
    elif port.isdigit() and _is_address_like(host) and _network(element, host).kind == "network":
        problem = "a client has no port"
        repaired = host
    fatal = (not kind or not name) and version < (3, 12)
    return Pattern(
        element,
        "fatal" if fatal or version < (2, 9) else "error",
        problem=problem,
        repaired=repaired,
        sure=sure,
    )


def _network(element: Element, text: str) -> Pattern:
    """cidr_match_parse(), and the comparison of plain addresses before it."""
    family: Literal[4, 6] = 6 if ":" in text else 4
    inside = text
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if not bracket:
            return _bad(element, family, "the closing bracket is missing")
        if rest and not rest.startswith("/"):
            return _bad(element, family, f'"{rest}" follows the bracket')
        inside += rest
    host, slash, length = inside.partition("/")
    if not slash:
        if not _parses(host, version=family):
            return _bad_host(element, text, host, family)
        return Pattern(element, "network", network=_make(host), family=family)
    if not (length.isascii() and length.isdigit()):
        if not _parses(length, version=4):
            return _bad(element, family, f'"{length}" is no prefix length')
        repaired = _from_netmask(host, length)
        sure = repaired is not None and repaired.startswith(f"{host}/")
        problem = "Postfix takes a prefix length, no netmask"
        return _bad(element, family, problem, repaired)._replace(sure=sure)
    if integer(length) > (128 if family == 6 else 32):
        return _bad(element, family, f"no address has {integer(length)} bits")
    if not _parses(host, version=family):
        return _bad_host(element, text, host, family, f"/{length}")
    network = _make(f"{host}/{integer(length)}")
    if network.network_address != _make(host).network_address:
        return _bad(
            element,
            family,
            f"there are address bits behind the first {integer(length)}",
            _spelled(network, bracketed=text.startswith("[")),
        )
    return Pattern(element, "network", network=network, family=family)


def _bad(
    element: Element, family: Literal[4, 6], problem: str, repaired: str | None = None
) -> Pattern:
    return Pattern(element, "error", family=family, problem=problem, repaired=repaired)


def _bad_host(
    element: Element, text: str, host: str, family: Literal[4, 6], length: str = ""
) -> Pattern:
    if family == 4 and not length:
        return Pattern(element, "nobody", family=4, problem=f'"{text}" is no address')
    if family == 4 and _DOTTED.match(host) and host.count(".") < 3:
        repaired = _network_or_none(host + ".0" * (3 - host.count(".")) + length)
        return _bad(element, family, "all four bytes of the address must be given", repaired)
    return _bad(element, family, f'"{host}" is no IPv{family} address')


def _other(element: Element, text: str) -> Pattern:
    """What match_hostaddr() passes over: a client name, or nothing at all."""
    if _NAME.match(text) and _LABEL_OF_LETTERS.search(text):
        return Pattern(element, "name", name=text)
    problem = "no client has this name or address"
    repaired = _network_or_none(text.strip(";,\"'()"))
    if _V4.issuperset(text):
        problem = "this is only a part of an address"
        repaired = _network_or_none(_filled_up(text.strip(".")))
    elif re.match(r"[0-9.]+\*[0-9.*]*\Z", text):
        problem = "Postfix has no wildcards for addresses"
        if re.fullmatch(r"[0-9.]+(?:\.\*)+", text):
            repaired = _network_or_none(_filled_up(text.rstrip(".*")))
    elif re.match(r"[0-9.]+-[0-9.]+\Z", text):
        problem = "Postfix has no ranges of addresses"
    return Pattern(element, "nobody", problem=problem, repaired=repaired)


def _filled_up(text: str) -> str:
    """The network of the first bytes of an IPv4 address."""
    missing = 3 - text.count(".")
    return f"{text}{'.0' * missing}/{32 - 8 * missing}"


def _network_or_none(text: str) -> str | None:
    """The text if it is a network."""
    readable = _is_address_like(text) and (":" not in text or text.startswith("["))
    element = Element(text, None)
    return text if readable and _network(element, text).kind == "network" else None


def _matches(item: Pattern, client: Address, name: str, *, parents: bool) -> Decision | None:
    match item.kind:
        case "network":
            network = item.network
            same = network is not None and client.version == network.version
            return "match" if same and client in network else "no match"  # type: ignore[operator]
        case "name":
            below = name.endswith(f".{item.name}" if parents else item.name)
            below = below and (parents or item.name.startswith("."))
            return "match" if below or name == item.name else "no match"
        case "everyone":
            return "match"
        case "nobody":
            return "no match"
        case "error":
            return "error" if item.family in (0, client.version) else "no match"
        case "fatal":
            return "error"
        case _:
            return None


def _everything() -> tuple[Network, Network]:
    return _make("0.0.0.0/0"), _make("::/0")


def _covers(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _spelled(network: Network, *, bracketed: bool) -> str:
    text = str(network.network_address)
    return f"[{text}]/{network.prefixlen}" if bracketed else f"{text}/{network.prefixlen}"


def _from_netmask(host: str, mask: str) -> str | None:
    if not _parses(mask, version=4) or not _parses(host, version=4):
        return None
    bits = f"{int(_make(mask).network_address):032b}"
    length = bits.count("1")
    if bits != "1" * length + "0" * (32 - length):
        return None
    return _spelled(_make(f"{host}/{length}"), bracketed=False)


@lru_cache(maxsize=1024)
def _make(text: str) -> Network:
    import ipaddress

    return ipaddress.ip_network(text, strict=False)


def _parses(text: str, *, version: Literal[4, 6]) -> bool:
    """Whether inet_pton(3) reads an address."""
    import ipaddress

    read = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    try:
        read(text)
    except ValueError:
        return False
    return True
