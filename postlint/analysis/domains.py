"""Address classes: which domains are local, virtual alias, virtual mailbox and relay domains.

The lists are tried in that order (resolve.c). All but relay_domains match whole names; relay
domains may match their subdomains too (parent_domain_matches_subdomains).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.analysis.access_tables import access_table
from postlint.analysis.match_list import match_list
from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.postfix import tables
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.analysis.access_tables import Found
    from postlint.analysis.match_list import Word
    from postlint.config.effective import Effective
    from postlint.config.files import Files
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.config.service import Service
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import Location

Kind: TypeAlias = Literal[
    "name",
    "table",  # type:table
    "everything",  # a table that has any key
    "file",  # /file that can not be read here
    "fatal",  # "!" with nothing behind it
    "unknown",
]

Match: TypeAlias = Literal["error"] | bool | None
"""Whether a list matches; None: not known; "error": the lookup fails and mail is deferred."""

CLASSES: Final = (
    "mydestination",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
    "relay_domains",
)
"""The lists in the order in which Postfix looks a recipient's domain up."""

PARENTS: Final = "parent_domain_matches_subdomains"


class Item(NamedTuple):
    """One item of a domain list; ``element`` is it as written, ``name`` folded."""

    element: Element
    kind: Kind
    name: str = ""
    negated: bool = False

    @property
    def is_local_name(self) -> bool:
        """Whether it can only be the host itself."""
        return self.name == "localhost" or self.name.startswith("localhost.")


MANY = 16
"""Items from which a list is not gone through for each domain."""

LONGEST_DOMAIN = 255
"""Characters of a domain that there can be (RFC 1035)."""


class DomainList:
    """The items of one list, the contents of its files included."""

    __slots__ = ("_index", "_instance", "_tables", "items", "parents", "value")

    def __init__(
        self,
        value: Effective,
        items: Iterable[Item],
        *,
        parents: bool | None,
        instance: Instance | None = None,
    ) -> None:
        """``parents``: whether an item stands for its subdomains too; None if not known.

        ``instance``: whose tables it may name; without one they are unknown.
        """
        self.value = value
        self.items = tuple(items)
        self.parents = parents
        self._instance = instance
        self._index: tuple[dict[str, int], list[int]] | None = None
        self._tables = tuple(item for item in self.items if item.kind == "table")

    @property
    def known(self) -> bool:
        """Whether every item is a plain name."""
        return all(item.kind == "name" for item in self.items)

    def names(self) -> Iterator[Item]:
        """The plain names that the list takes in."""
        return (item for item in self.items if item.kind == "name" and not item.negated)

    def match(self, domain: str) -> Match:
        """Whether a domain is in the list: the first item that fits decides (match_list.c)."""
        folded = domain.lower()
        for item in self._candidates(folded):
            answer = self._fits(item, folded)
            if answer is True:
                return not item.negated
            if answer is not False:  # what follows can not make it known
                return answer
        return False

    def contains(self, domain: str) -> bool | None:
        """The same for who does not care about failing lookups: they are not known."""
        answer = self.match(domain)
        return None if answer == "error" else answer

    def entry_in_table(self, domain: str) -> Location | None:
        """Where a table of the list that can be read has a domain of its own accord."""
        for item in self._tables:
            if not item.negated:
                found = self._look_up(item, domain.lower(), part=False)
                if found is not None and found.value is not None and found.location is not None:
                    return found.location
        return None

    def _candidates(self, domain: str) -> Iterable[Item]:
        """The items that may fit a domain, in their order; of many names those that end it."""
        if len(self.items) < MANY or len(domain) > LONGEST_DOMAIN:
            return self.items
        if self._index is None:
            self._index = {}, []
            for place, item in enumerate(self.items):
                if item.kind == "name":
                    self._index[0].setdefault(item.name, place)
                else:
                    self._index[1].append(place)
        names, others = self._index
        endings = {domain}
        for start, character in enumerate(domain):
            if character == ".":
                endings |= {domain[start:], domain[start + 1 :]}
        places = [*others, *(names[ending] for ending in endings if ending in names)]
        return [self.items[place] for place in sorted(places)]

    def _fits(self, item: Item, domain: str) -> Match:
        match item.kind:
            case "everything":
                return True
            case "table":
                return self._table_has(item, domain)
            case "name":
                return self._name_fits(item.name, domain)
            case _:
                return None

    def _name_fits(self, name: str, domain: str) -> bool | None:
        """match_hostname() and match_string() for a plain name."""
        if name == domain:
            return True
        if name.startswith("."):
            if self.parents is True or not domain.endswith(name):
                return False
            return True if self.parents is False else None
        if self.parents is not False and domain.endswith(f".{name}"):
            return self.parents
        return False

    def _table_has(self, item: Item, domain: str) -> Match:
        """Whether a table has a domain, or one above it where those count."""
        names = [domain]
        while self.parents is not False and "." in names[-1]:
            names.append(names[-1].partition(".")[2])
        for number, name in enumerate(names):
            found = self._look_up(item, name, part=number > 0)
            if found is None or found.unknown:
                return None
            if found.error:
                return "error"
            if found.value is not None:
                return True
        return False

    def _look_up(self, item: Item, domain: str, *, part: bool) -> Found | None:
        if self._instance is None:
            return None
        bare = Element(item.element.text.lstrip("!"), item.element.location)
        return access_table(self._instance, bare).look_up(((domain, part),))


@once
def address_class(instance: Instance, parameter: str) -> DomainList:
    """One of CLASSES; main.cf alone decides, overrides in master.cf do not count."""
    scope = instance.main
    value = scope[parameter]
    parents: bool | None = False
    if parameter == "relay_domains":
        parents = matches_parents(parameter, scope)
    items = _items(value, scope.version, instance.files)
    looked_up = instance if instance.services else None
    return DomainList(value, items, parents=parents, instance=looked_up)


def in_earlier_class(parameter: str, domain: str, instance: Instance) -> bool | None:
    """Whether a domain is in a class that is looked at before this one; None when unknown."""
    unknown = False
    for name in CLASSES[: CLASSES.index(parameter)]:
        answer = address_class(instance, name).contains(domain)
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


@once
def relay_domains_of(service: Service) -> DomainList:
    """relay_domains as smtpd itself looks names of clients up (check_relay_domains)."""
    value = service["relay_domains"]
    items = _items(value, service.version, service.instance.files)
    parents = matches_parents("relay_domains", service)
    return DomainList(value, items, parents=parents, instance=service.instance)


def matches_parents(parameter: str, scope: Scope) -> bool | None:
    """Whether ``example.com`` in a list or table of a parameter stands for its subdomains too."""
    value = scope[PARENTS]
    if not value.known:
        return None
    return any(element.text.lower() == parameter for element in value.elements())


def _items(value: Effective, version: PostfixVersion, files: Files) -> Iterator[Item]:
    for word in match_list(value, version, files):
        kind, name = _kind(word)
        yield Item(word.element, kind, name, word.negated)


def _kind(word: Word) -> tuple[Kind, str]:
    """What a word is, and the name that it may be."""
    if word.kind != "pattern":
        return word.kind, ""
    if not word.text:
        return "fatal", ""
    if ":" in word.text and not word.text.startswith("["):
        kind = word.text.partition(":")[0]
        everything = kind == "static" and tables.get(kind) is not None
        return "everything" if everything else "table", ""
    return "name", word.text.lower()
