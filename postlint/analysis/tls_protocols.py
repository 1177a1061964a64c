"""Protocol lists: which SSL and TLS versions a handshake can reach (tls_misc.c, OpenSSL).

``!NAME`` excludes, a plain ``NAME`` includes (one inclusion excludes all other versions that
this Postfix knows by name), ``>=NAME`` and ``<=NAME`` bound the range (3.6). What the OpenSSL
library lacks is never offered, whatever the list says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.postfix.tls import PROTOCOL_BOUNDS_SINCE, PROTOCOLS, protocol
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import SourceText

Kind: TypeAlias = Literal["include", "exclude", "floor", "ceiling"]

LEGACY = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
"""What nobody should speak any more: RFC 6176, RFC 7568, RFC 8996."""

BROKEN = ("SSLv2", "SSLv3")

_NUMBERS = {entry.name: entry.number for entry in PROTOCOLS}
_LOWEST = _NUMBERS["SSLv3"]
_HIGHEST = _NUMBERS["TLSv1.3"]
_WORD = LazyPattern(r"[^, \t\r\n:]+")
_HEXADECIMAL = LazyPattern(r"\+?(?:0[xX])?[0-9a-fA-F]+\Z")
_INT_MAX = 0x7FFFFFFF
_BOUNDS: dict[str, Kind] = {">=": "floor", "<=": "ceiling"}

_TAKES_OPENSSL_1_1 = (3, 0)
"""Older Postfix releases do not build with OpenSSL 1.1, which dropped SSLv3."""

_NEEDS_OPENSSL_1_1 = (3, 6)
_KNOWS_TLS_1_3 = (3, 4)


class Item(NamedTuple):
    """One word of a protocol list.

    ``names`` are the protocols it stands for; ``bound`` the number of a floor or ceiling. ``bad``
    tells that Postfix refuses the word and with it the whole list.
    """

    kind: Kind
    element: Element
    name: str
    bound: int = 0
    bad: bool = False

    @property
    def detached(self) -> bool:
        """Whether a blank parts ``>=`` from its protocol: it bounds nothing then."""
        return self.kind in ("floor", "ceiling") and not self.name


class Offered(NamedTuple):
    """What a handshake can reach, oldest first.

    ``certain`` with the libraries that this Postfix is built with, ``library`` besides only where
    an old library still has it.
    """

    certain: tuple[str, ...]
    library: tuple[str, ...]


class ProtocolList:
    """A protocol list as one version of Postfix reads it."""

    __slots__ = ("_offered", "items", "known", "version")

    def __init__(self, elements: Iterable[Element], version: PostfixVersion) -> None:
        words = tuple(elements)
        self.version = version
        self._offered: dict[str, Offered] = {}
        self.known = all(word.known for word in words)
        """Whether all of the list is known; else nothing follows from it."""
        self.items = tuple(_item(word, version) for word in words if word.known)

    @classmethod
    def of(cls, value: Effective, version: PostfixVersion) -> ProtocolList:
        """The list that a parameter holds."""
        found = cls(value.elements(braces=False, separators=":"), version)
        found.known = found.known and value.problem is None
        return found

    @classmethod
    def of_text(cls, text: SourceText, version: PostfixVersion) -> ProtocolList:
        """The list of a ``protocols=`` attribute."""
        return cls(
            (
                Element(match[0], text.cut(*match.span()).location)
                for match in _WORD.finditer(text.text)
            ),
            version,
        )

    @property
    def bad_items(self) -> tuple[Item, ...]:
        """The words for which Postfix refuses the list."""
        return tuple(item for item in self.items if item.bad)

    @property
    def valid(self) -> bool:
        """Whether Postfix takes the list; TLS is off otherwise."""
        return not self.bad_items

    @property
    def inclusions(self) -> tuple[Item, ...]:
        """The plain names, which switch everything else off.

        SSLv2 is none of them where the library has forgotten it: Postfix skips the word then.
        """
        skipped = "SSLv2" if self.version >= _TAKES_OPENSSL_1_1 else ""
        return tuple(item for item in self.items if item.kind == "include" and item.name != skipped)

    def allows(self, name: str) -> bool:
        """Whether the list leaves a protocol on, the library aside."""
        included = {item.name for item in self.inclusions}
        excluded = {item.name for item in self.items if item.kind == "exclude"}
        if name in excluded:
            return False
        if included and name not in included and protocol(name, self.version) is not None:
            return False
        number = _NUMBERS[name]
        if name == "SSLv2":  # never bounded: no library that knows bounds has it
            return True
        return self._bound("floor", _LOWEST) <= number <= self._bound("ceiling", _HIGHEST)

    def offered(self, side: Literal["server", "client"] = "server") -> Offered | None:
        """The versions that can be negotiated; None when part of the list is not known.

        A client can only offer a range without holes: OpenSSL leaves out all above a hole.
        """
        if not self.known:
            return None
        if side not in self._offered:
            self._offered[side] = self._negotiable(side)
        return self._offered[side]

    def _negotiable(self, side: Literal["server", "client"]) -> Offered:
        if not self.valid:
            return Offered((), ())
        every, old = library_protocols(self.version)
        certain = tuple(name for name in every if self.allows(name))
        if side == "client":
            certain = contiguous(certain, every)
        return Offered(certain, tuple(name for name in old if self.allows(name)))

    def _bound(self, kind: Kind, default: int) -> int:
        """The last bound counts; one that OpenSSL does not know is as good as none."""
        bounds = [item.bound for item in self.items if item.kind == kind]
        return bounds[-1] if bounds and _LOWEST <= bounds[-1] <= _HIGHEST else default


@once
def protocols_of(instance: Instance, value: Effective) -> ProtocolList:
    """The protocol list that a parameter of an instance holds, read once."""
    return ProtocolList.of(value, instance.version)


def library_protocols(version: PostfixVersion) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The protocols of the libraries that a Postfix is built with: of all, of old ones only.

    OpenSSL 1.0 has SSLv3, early releases SSLv2 too; as built since 1.1.0 it has neither.
    """
    modern: tuple[str, ...] = ("TLSv1", "TLSv1.1", "TLSv1.2")
    if version >= _KNOWS_TLS_1_3:
        modern = (*modern, "TLSv1.3")
    if version >= _NEEDS_OPENSSL_1_1:
        return modern, ()
    if version >= _TAKES_OPENSSL_1_1:
        return modern, ("SSLv3",)
    return ("SSLv3", *modern), ("SSLv2",)


def contiguous(on: tuple[str, ...], every: tuple[str, ...]) -> tuple[str, ...]:
    """The lowest stretch without holes; both from old to new (SSL_OP_NO_X of OpenSSL)."""
    start = next((at for at, name in enumerate(every) if name in on), len(every))
    stretch = []
    for name in every[start:]:
        if name not in on:
            break
        stretch.append(name)
    return tuple(stretch)


def missing(versions: Offered, version: PostfixVersion) -> tuple[str, ...]:
    """The current TLS versions that a peer can not get though this Postfix knows them."""
    return tuple(
        name
        for name in ("TLSv1.1", "TLSv1.2", "TLSv1.3")
        if name not in versions.certain
        and name in library_protocols(version)[0]
        and protocol(name, version) is not None
    )


def _item(word: Element, version: PostfixVersion) -> Item:
    text = word.text
    kind = _BOUNDS.get(text[:2])
    if kind is not None and version.at_least(PROTOCOL_BOUNDS_SINCE):
        name = text[2:]
        bound = _bound_number(name)
        return Item(kind, word, name, bound or 0, bound is None)
    if text.startswith("!"):
        found = protocol(text[1:], version)
        return Item("exclude", word, found.name if found else text[1:], 0, found is None)
    found = protocol(text, version)
    return Item("include", word, found.name if found else text, 0, found is None)


def _bound_number(name: str) -> int | None:
    """The version number of a floor or ceiling, 0 for no bound; None for what is refused."""
    if not name or name.lower() == "none":
        return 0
    for entry in PROTOCOLS[1:]:
        if entry.name.lower() == name.lower():
            return entry.number
    if not _HEXADECIMAL.match(name):
        return None
    number = int(name, 16)
    return number if number <= _INT_MAX else None
