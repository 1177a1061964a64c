"""smtpd restriction lists as smtpd carries them out (smtpd_check.c).

A list is read word by word: a restriction takes the word after it when it needs an argument,
whatever that word is; a word with ``:`` is a table; anything else is a restriction class or
unknown. Nothing here says what a list decides: that needs a client.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.derived import once
from postlint.config.effective import Element
from postlint.postfix import restrictions as known
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.config.scope import Scope
    from postlint.config.service import Service
    from postlint.postfix.restrictions import Restriction
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import Location

CLASSES = "smtpd_restriction_classes"
RELAY = "smtpd_relay_restrictions"
RECIPIENT = "smtpd_recipient_restrictions"
WARN_IF_REJECT = "warn_if_reject"

Kind: TypeAlias = Literal["restriction", "table", "class", "word", "unknown"]
"""``word``: nothing that smtpd knows; ``unknown``: not filled in, or not known before run time."""

Flaw: TypeAlias = Literal[
    "not in this version",  # a restriction of a later version, or one that never worked
    "removed",  # an old one that this version refuses
    "no argument",  # the list ends where the argument belongs
    "bad argument",  # the word after it can not be its argument
    "table without restriction",  # this list has no restriction for bare tables
    "unknown word",
]

Guard: TypeAlias = Literal["present", "missing", "unknown", "endless"]
"""Whether smtpd finds a restriction that stops relaying, without which it does not start.

``endless``: restriction classes contain each other and smtpd crashes while it looks.
"""


class Item(NamedTuple):
    """One restriction of a list.

    ``restriction`` is what smtpd carries out: for a bare table the one that the list stands for.
    ``warned_at``: the warn_if_reject that it stands behind. ``dead_after`` is the word that ends
    the list before this one is reached. ``certain`` is False when an unknown word before it may
    take this one as its argument.
    """

    element: Element
    kind: Kind
    restriction: Restriction | None = None
    argument: Element | None = None
    warned_at: Element | None = None
    flaw: Flaw | None = None
    dead_after: Element | None = None
    certain: bool = True

    @property
    def warned(self) -> bool:
        """Whether it stands behind warn_if_reject."""
        return self.warned_at is not None


class RestrictionList(NamedTuple):
    """A list, or a restriction class as part of one.

    ``bare_table`` is the restriction that a table without one stands for here.
    """

    name: str
    value: Effective
    items: tuple[Item, ...]
    bare_table: str | None


class Obstacle(NamedTuple):
    """A word that would stop relaying if it were looked at, and why it is not."""

    element: Element
    reason: str


class _Common:
    """What services have in common that have the same restriction classes."""

    __slots__ = ("classes", "known", "lists")

    def __init__(self, value: Effective) -> None:
        elements = value.elements(braces=False)
        self.classes = frozenset(element.text for element in elements if element.known)
        self.known = value.known
        self.lists: dict[tuple[Effective, str | None], RestrictionList] = {}
        """The lists that have been read, by their values and what bare tables stand for."""


class RestrictionLists:
    """The restriction lists of one smtpd service."""

    __slots__ = (
        "_all",
        "_common",
        "_expanded",
        "_read",
        "classes",
        "classes_known",
        "scope",
        "version",
    )

    def __init__(self, scope: Scope, common: _Common | None = None) -> None:
        self.scope = scope
        self.version: PostfixVersion = scope.version
        self._common = _Common(scope[CLASSES]) if common is None else common
        self.classes_known = self._common.known
        """Whether a word that is no restriction and no class here is none at all."""
        self.classes = self._common.classes
        self._all: tuple[RestrictionList, ...] | None = None
        self._read: dict[str, RestrictionList] = {}
        self._expanded: dict[tuple[str, str | None], RestrictionList] = {}

    def __iter__(self) -> Iterator[RestrictionList]:
        """The lists that this version has, in the order in which smtpd consults them."""
        if self._all is None:
            self._all = tuple(
                self[parameter]
                for parameter, facts in known.LISTS.items()
                if facts.exists_in(self.version)
            )
        return iter(self._all)

    def __getitem__(self, parameter: str) -> RestrictionList:
        """A list by its parameter."""
        found = self._read.get(parameter)
        if found is None:
            bare = known.LISTS[parameter].bare_table
            found = self._read[parameter] = self._list(parameter, bare)
        return found

    def members(self, item: Item, bare_table: str | None) -> RestrictionList:
        """What an item of kind ``class`` stands for in a list with that bare table."""
        key = (item.element.text, bare_table)
        found = self._expanded.get(key)
        if found is None:
            found = self._expanded[key] = self._list(item.element.text, bare_table)
        return found

    def items_of(
        self, text: str, location: Location | None, bare_table: str | None
    ) -> tuple[Item, ...]:
        """The restrictions in the right-hand side of an access table, all at its place."""
        braces = self.version.at_least(known.BRACES_SINCE)
        words = [
            Element(text[start:end], location) for start, end in split_list(text, braces=braces)
        ]
        return tuple(self._items(words, bare_table))

    def with_classes(self, start: RestrictionList) -> Iterator[RestrictionList]:
        """A list and every class in it, directly or through another, each once."""
        if not self.classes:
            yield start
            return
        seen = {start.name}
        waiting = [start]
        while waiting:
            current = waiting.pop(0)
            yield current
            for item in current.items:
                if item.kind == "class" and item.element.text not in seen:
                    seen.add(item.element.text)
                    waiting.append(self.members(item, current.bare_table))

    def circle(self, start: RestrictionList) -> Item | None:
        """The first restriction class in a list that holds itself, directly or through others."""
        for item in self._reached(start):
            inside = self.members(item, start.bare_table)
            if any(item.element.text == other.element.text for other in self._reached(inside)):
                return item
        return None

    def _reached(self, start: RestrictionList) -> Iterator[Item]:
        """The classes in a list and in each other that smtpd may get to, each once."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            current = waiting.pop(0)
            for item in current.items:
                name = item.element.text
                if item.kind == "class" and item.dead_after is None and name not in seen:
                    seen.add(name)
                    yield item
                    waiting.append(self.members(item, current.bare_table))

    def relay_guard(self) -> tuple[Guard, tuple[Obstacle, ...]]:
        """Whether smtpd finds what it insists on, and what it passes over (has_required())."""
        search = _GuardSearch(self)
        lists = [RECIPIENT]
        if known.LISTS[RELAY].exists_in(self.version):
            lists.append(RELAY)
        answer: Guard = "missing"
        for name in lists:
            found = search.look_in(self._words(self.scope[name]))
            if found in ("present", "endless"):
                return found, ()
            if found == "unknown":
                answer = found
        return answer, tuple(search.obstacles) if answer == "missing" else ()

    def words_of_class(self, name: str) -> tuple[Element, ...]:
        """The words of a restriction class."""
        return self._words(self.scope[name])

    def _words(self, value: Effective) -> tuple[Element, ...]:
        return value.elements(braces=self.version.at_least(known.BRACES_SINCE))

    def _list(self, name: str, bare_table: str | None) -> RestrictionList:
        value = self.scope[name]
        found = self._common.lists.get((value, bare_table))
        if found is None:
            items = tuple(self._items(self._words(value), bare_table))
            found = RestrictionList(name, value, items, bare_table)
            self._common.lists[value, bare_table] = found
        return found

    def _items(self, words: Sequence[Element], bare_table: str | None) -> Iterator[Item]:
        at = 0
        warned: Element | None = None
        doubtful = False
        dead_after: Element | None = None
        while at < len(words):
            element = words[at]
            at += 1
            if element.known and element.text.lower() == WARN_IF_REJECT and at < len(words):
                warned = element
                continue
            following = words[at] if at < len(words) else None
            item = self._item(element, following, bare_table)
            if item.argument is following and following is not None:
                at += 1
            certain = not (doubtful and item.kind == "word")
            yield item._replace(warned_at=warned, dead_after=dead_after, certain=certain)
            if dead_after is None and _ends_list(item, warned=warned is not None):
                dead_after = element
            doubtful = item.kind == "unknown"
            warned = None

    def _item(self, element: Element, following: Element | None, bare_table: str | None) -> Item:
        if ":" in element.text:
            restriction = known.get(bare_table) if bare_table else None
            flaw: Flaw | None = None if restriction else "table without restriction"
            return Item(element, "table", restriction, element, flaw=flaw)
        if not element.known:
            return Item(element, "unknown")
        restriction = known.get(element.text)
        if restriction is None:
            if element.text in self.classes:
                return Item(element, "class")
            return Item(element, "word", flaw="unknown word")
        if not restriction.exists_in(self.version):
            removed = restriction.removed_in
            gone = removed is not None and self.version.at_least(removed)
            if not gone and element.text in self.classes:
                return Item(element, "class")
            flaw = "removed" if gone else "not in this version"
            return Item(element, "restriction" if gone else "word", restriction, flaw=flaw)
        if restriction.argument == "none":
            return Item(element, "restriction", restriction)
        if following is None:
            return Item(element, "restriction", restriction, flaw="no argument")
        flaw = None if _fits(restriction, following) else "bad argument"
        return Item(element, "restriction", restriction, following, flaw=flaw)


def _fits(restriction: Restriction, argument: Element) -> bool:
    """Whether smtpd takes the word as the argument; any word is a domain to it."""
    if not argument.known:
        return True
    match restriction.argument:
        case "table" | "endpoint":
            return ":" in argument.text
        case "number":
            return argument.text.isascii() and argument.text.isdigit()
        case _:
            return True


def _ends_list(item: Item, *, warned: bool) -> bool:
    """Whether nothing behind an item is ever reached."""
    restriction = item.restriction
    if item.kind != "restriction" or restriction is None or item.flaw is not None:
        return False
    if restriction.name == "permit":
        return True
    return not warned and (restriction.stops or restriction.name == "check_relay_domains")


@once
def restriction_lists(service: Service) -> RestrictionLists:
    """The restriction lists of a service, read once."""
    return RestrictionLists(service, _common(service.instance, service[CLASSES]))


@once
def _common(instance: Instance, classes: Effective) -> _Common:  # noqa: ARG001
    return _Common(classes)


class _GuardSearch:
    """has_required(): words only, so that arguments count and classes match in exact case."""

    __slots__ = ("_guards", "_lists", "_missing", "obstacles")

    def __init__(self, lists: RestrictionLists) -> None:
        self._lists = lists
        self._guards = known.relay_guards(lists.version)
        self._missing: set[str] = set()
        self.obstacles: list[Obstacle] = []

    def look_in(self, words: Sequence[Element], opened: tuple[str, ...] = ()) -> Guard:
        """Look through a list; ``opened`` are the classes that it is part of."""
        if len(opened) > known.RECURSION_LIMIT:
            return "unknown"
        following = iter(words)
        for element in following:
            text = element.text.lower()
            if text == WARN_IF_REJECT:
                self._pass_over(islice(following, 1), "warn_if_reject only logs it")
            elif text == "permit":
                self._pass_over(following, f'"{element.text}" ends the list before it')
                return "missing"
            elif text in self._guards:
                return "present"
            else:
                answer = self._look_at(element, opened)
                if answer != "missing":
                    return answer
        return "missing"

    def _look_at(self, element: Element, opened: tuple[str, ...]) -> Guard:
        """What any other word contributes: a class all that is in it."""
        word = element.text
        if word in self._missing:
            return "missing"
        if word in opened:
            return "endless"
        if word in self._lists.classes:
            answer = self.look_in(self._lists.words_of_class(word), (*opened, word))
            if answer == "missing":
                self._missing.add(word)
            return answer
        if ":" in word or (element.known and (self._lists.classes_known or known.get(word))):
            return "missing"
        return "unknown"

    def _pass_over(self, words: Iterable[Element], reason: str) -> None:
        for element in words:
            if element.text.lower() in self._guards:
                self.obstacles.append(Obstacle(element, reason))


def suggestion(word: str, lists: RestrictionLists) -> tuple[str, bool] | None:
    """What a word that smtpd does not know was meant to be, and whether nothing else can be."""
    from postlint.analysis.names import edit_distance

    candidates: Mapping[str, str] = {
        **{name: name for name in known.names(lists.version)},
        **{name.lower(): name for name in lists.classes},
    }
    bare = word.strip("\"'`;.\\()[]<>").lower()
    if bare in candidates:
        return candidates[bare], True
    if not 4 <= len(bare) <= 80:
        return None
    limit = 2 if len(bare) >= 8 else 1
    near: list[tuple[int, str]] = []
    for name, spelled in candidates.items():
        distance = edit_distance(bare, name, limit)
        if distance is not None:
            near.append((distance, spelled))
    near.sort()
    if near:
        sure = near[0][0] == 1 and (len(near) == 1 or near[1][0] > 1)
        return near[0][1], sure
    longer = [name for name in candidates if name.startswith(bare) and len(bare) >= 8]
    return (candidates[longer[0]], False) if len(longer) == 1 else None
