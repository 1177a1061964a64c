"""Next hops: where mail is sent, as relayhost, transports and tables spell it (host_port.c).

``[host]:port`` and ``host:port`` with either part but the host left out; without brackets the
SMTP client asks for the MX hosts of the name. A transport takes ``transport:nexthop``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postlint.config.effective import Element
from postlint.numbers import integer
from postlint.postfix.services import inet_port
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list

if TYPE_CHECKING:
    from postlint.config.effective import Effective

SMTP_PROGRAMS: Final = frozenset({"smtp", "lmtp"})
"""The daemons whose next hops are hosts; for others a next hop is any text."""

_HOST_LIMIT: Final = 255
_LABEL_LIMIT: Final = 63


class NextHop(NamedTuple):
    """A host as the SMTP client reads it. ``port`` is as written, "" without one.

    ``problem`` is what the client dies of ("... in server description").
    """

    element: Element
    host: str
    port: str
    bracketed: bool
    problem: str | None = None

    @property
    def text(self) -> str:
        """It as written."""
        return self.element.text

    @property
    def is_address(self) -> bool:
        """Whether the host is given as an address."""
        return is_address(self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether the host can only be this one, by its address or as ``localhost``."""
        host = self.host.lower()
        if self.is_address:
            return host == "::1" or host.startswith("127.")
        return host == "localhost" or host.startswith("localhost.")

    def port_number(self, default: int = 25) -> int | None:
        """The port; None for a service name that is not a usual one."""
        return inet_port(self.port) if self.port else default


class Destination(NamedTuple):
    """``transport:nexthop``; either may be empty. ``element`` is all of it."""

    element: Element
    transport: str
    nexthop: Element

    @property
    def known(self) -> bool:
        """Whether both parts are known."""
        return self.element.known


def next_hop(element: Element) -> NextHop:
    """Read one destination of the SMTP client."""
    text = element.text
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        is_ipv6 = inside.lower().startswith("ipv6:")
        host = inside[5:] if is_ipv6 else inside
        problem = None
        if not bracket:
            problem = 'missing "]"'
        elif rest and not rest.startswith(":"):
            problem = 'garbage after "]"'
        elif is_ipv6 and not (":" in host and is_address(host)):
            problem = "malformed IPv6 address"
        port = rest[1:]
        return NextHop(element, host, port, True, problem or _host_problem(host, port))
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    if not host:
        return NextHop(element, "", port, False, "missing host information")
    return NextHop(element, host, port, False, _host_problem(host, port))


def next_hops(value: Effective) -> tuple[NextHop, ...]:
    """The destinations of relayhost or smtp_fallback_relay, unknown ones included."""
    return tuple(next_hop(element) for element in value.elements(braces=False))


def destination(value: Effective) -> Destination | None:
    """Read a parameter of the form ``transport:nexthop``; None when it is empty."""
    text = value.text
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if start >= end:
        return None
    transport, colon, rest = text[start:end].partition(":")
    at = start + len(transport) + len(colon)
    return Destination(
        Element(text[start:end], value.locate(start, end)),
        transport,
        Element(rest, value.locate(at, end) if rest else None),
    )


def next_hops_of(target: Destination) -> tuple[NextHop, ...]:
    """The hosts that a destination names, when its transport is an SMTP client."""
    text = target.nexthop.text
    spans = list(split_list(text, braces=False))
    if len(spans) == 1 and spans[0] == (0, len(text)):
        return (next_hop(target.nexthop),)
    return tuple(next_hop(Element(text[start:end], None)) for start, end in spans)


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_host_name(text: str) -> bool:
    """What valid_utf8_hostname.c accepts, names that are not ASCII among it."""
    if text.isascii():
        return host_name_problem(text) is None
    return len(text) <= _HOST_LIMIT and all(text.split("."))


def host_name_problem(text: str) -> str | None:
    """Why valid_hostname.c refuses a name; None for a good one."""
    if not text:
        return "it is empty"
    strange = next((letter for letter in text if not _is_name_letter(letter)), None)
    labels = text.split(".")
    problem = None
    if strange is not None:
        problem = f"there is {'a blank' if strange.isspace() else repr(strange)} in it"
    elif not all(labels):
        problem = "a dot is too many"
    elif any(label.startswith("-") or label.endswith("-") for label in labels):
        problem = "a hyphen begins or ends a label"
    elif all(label.isdigit() for label in labels):
        problem = "it has digits only"
    elif len(text) > _HOST_LIMIT or any(len(label) > _LABEL_LIMIT for label in labels):
        problem = "it is too long"
    return problem


def _is_name_letter(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter in "._-")


def _host_problem(host: str, port: str) -> str | None:
    if not is_host_name(host) and not is_address(host):
        return "valid hostname or network address required"
    if port[:1].isdigit() and not (port.isascii() and port.isdigit()):
        return "garbage after numerical service"
    if port.isascii() and port.isdigit() and not 0 < integer(port) < 65536:
        return "bad network port"
    return None
