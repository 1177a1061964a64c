"""Address classes: which domains are local, virtual alias, virtual mailbox and relay domains.

The lists are tried in that order (resolve.c). All but relay_domains match whole names; relay
domains may match their subdomains too (parent_domain_matches_subdomains).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from postlint.analysis.access_tables import access_table
from postlint.config.effective import Element
from postlint.postfix import tables
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.config.effective import Effective
    from postlint.config.files import Files
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
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

CLASSES: Final = (
    "mydestination",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
    "relay_domains",
)
"""The lists in the order in which Postfix looks a recipient's domain up."""

PARENTS: Final = "parent_domain_matches_subdomains"

TOO_MANY: Final = 200_000
"""Items that are looked at; the rest of a longer list is unknown."""

_FILE_DEPTH: Final = 8


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


class DomainList:
    """The items of one list, the contents of its files included."""

    __slots__ = ("_scope", "items", "parents", "value")

    def __init__(
        self,
        value: Effective,
        items: Iterable[Item],
        *,
        parents: bool | None,
        scope: Scope | None = None,
    ) -> None:
        """``parents``: whether an item stands for its subdomains too; None if not known.

        ``scope``: where the tables of the list are looked up; without one they are unknown.
        """
        self.value = value
        self.items = tuple(items)
        self.parents = parents
        self._scope = scope

    @property
    def known(self) -> bool:
        """Whether every item is a plain name."""
        return all(item.kind == "name" for item in self.items)

    def names(self) -> Iterator[Item]:
        """The plain names that the list takes in."""
        return (item for item in self.items if item.kind == "name" and not item.negated)

    def contains(self, domain: str) -> bool | None:
        """Whether a domain is in the list; None when that can not be known."""
        folded = domain.lower()
        for item in self.items:
            if item.kind == "everything":
                return not item.negated
            if item.kind == "table":
                answer = self._table_has(item, folded)
                if answer is None:
                    return None
                if answer is not False:
                    return not item.negated
                continue
            if item.kind != "name":
                return None
            found = item.name == folded
            if not found and self.parents is not False and folded.endswith(f".{item.name}"):
                if self.parents is None:
                    return None
                found = True
            if not found and self.parents is False and item.name.startswith("."):
                found = folded.endswith(item.name)
            if found:
                return not item.negated
        return False

    def entry_in_table(self, domain: str) -> Location | None:
        """Where a table of the list that can be read has a domain of its own accord."""
        for item in self.items:
            if item.kind == "table" and not item.negated:
                answer = self._table_has(item, domain.lower())
                if answer is None or isinstance(answer, bool):
                    continue
                return answer
        return None

    def _table_has(self, item: Item, domain: str) -> Location | bool | None:
        """Whether a table has a domain, and where if that can be told; None: not known."""
        if self._scope is None:
            return None
        table = access_table(
            self._scope, Element(item.element.text.lstrip("!"), item.element.location)
        )
        found = table.look_up(((domain, False),))
        if found.unknown or found.error:
            return None
        return False if found.value is None else found.location or True


def domain_list(value: Effective, version: PostfixVersion, files: Files) -> DomainList:
    """Read the value of a domain list that matches whole names."""
    return DomainList(value, _items(value, version, files), parents=False)


def address_class(parameter: str, instance: Instance) -> DomainList:
    """One of CLASSES; main.cf alone decides, overrides in master.cf do not count."""
    scope = instance.main
    value = scope[parameter]
    parents: bool | None = False
    if parameter == "relay_domains":
        parents = _matches_parents(parameter, scope)
    items = _items(value, scope.version, instance.files)
    tables_of = instance.services[0] if instance.services else None
    return DomainList(value, items, parents=parents, scope=tables_of)


def in_earlier_class(parameter: str, domain: str, instance: Instance) -> bool | None:
    """Whether a domain is in a class that is looked at before this one; None when unknown."""
    unknown = False
    for name in CLASSES[: CLASSES.index(parameter)]:
        answer = address_class(name, instance).contains(domain)
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _matches_parents(parameter: str, scope: Scope) -> bool | None:
    value = scope[PARENTS]
    if not value.known:
        return None
    return any(element.text.lower() == parameter for element in value.elements())


def _items(value: Effective, version: PostfixVersion, files: Files) -> Iterator[Item]:
    if value.problem is not None:
        yield Item(Element(value.text, value.value_location), "unknown")
        return
    elements = value.elements(braces=version >= (3, 0))
    found = _read(elements, version, files, negated=False, depth=0)
    yield from islice(found, TOO_MANY)
    if next(found, None) is not None:
        yield Item(Element(value.text, value.value_location), "unknown")


def _read(
    elements: Iterable[Element],
    version: PostfixVersion,
    files: Files,
    *,
    negated: bool,
    depth: int,
) -> Iterator[Item]:
    for element in elements:
        text = element.text
        if text.startswith("#") and version >= (3, 0):
            return  # the rest is taken for a comment, with a warning
        bare = text.lstrip("!")
        inverted = negated != bool((len(text) - len(bare)) % 2)
        if not element.known:
            yield Item(element, "unknown", negated=inverted)
        elif not bare:
            yield Item(element, "fatal")
        elif bare.startswith("/"):
            yield from _file(element, bare, version, files, negated=inverted, depth=depth)
        elif ":" in bare and not bare.startswith("["):
            kind = bare.partition(":")[0]
            everything = kind == "static" and tables.get(kind) is not None
            yield Item(element, "everything" if everything else "table", negated=inverted)
        else:
            yield Item(element, "name", bare.lower(), inverted)


def _file(
    element: Element,
    name: str,
    version: PostfixVersion,
    files: Files,
    *,
    negated: bool,
    depth: int,
) -> Iterator[Item]:
    from postlint.syntax.list_file import list_words

    source = files.read(name) if depth < _FILE_DEPTH else None
    if source is None:
        yield Item(element, "file", negated=negated)
        return
    words = list_words(source, braces=version >= (3, 0))
    items = (Element(word.text, word.location) for word in words)
    yield from _read(items, version, files, negated=negated, depth=depth + 1)
