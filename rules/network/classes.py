"""NET004 and NET005: domains in two address classes, and local names that are in none."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from postlint.analysis.domains import CLASSES, address_class
from postlint.analysis.nexthops import is_host_name
from postlint.analysis.roles import host_role
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Related, Severity
from postlint.lint.rule import rule
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postlint.analysis.domains import DomainList, Item
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.lint.finding import Location

_OUTCOMES = {
    "mydestination": "mail for it is local",
    "virtual_alias_domains": "addresses without an alias are refused, nothing is delivered",
    "virtual_mailbox_domains": "mail for it goes to virtual mailboxes",
}
_ALL_OF_MYDESTINATION = LazyPattern(
    r"\$(?:mydestination(?![A-Za-z0-9_])|\{mydestination\}|\(mydestination\))"
)
_TO_LOCALHOST = LazyPattern(r"@localhost(?:\.localdomain|\.\$\{?mydomain\}?)?(?![A-Za-z0-9.-])")


@rule("NET004", severity=Severity.ERROR, tags=("ADDRESS_CLASS_README",))
def domain_class_overlap(instance: Instance) -> Iterator[Finding]:
    """A domain is in two of the lists that decide where its mail goes.

    Why: Each domain belongs to one class: local, virtual alias, virtual mailbox or relay. Postfix
        takes the first list that has it, in this order, and warns in the log with every message.
        Mail for the domain is delivered or refused by other rules than the second list promises.
    Fix: Leave the domain in the list of the class that it belongs to.
    Bad:
        myhostname = mx.example.com
        mydestination = localhost, example.com
        virtual_alias_domains = example.com
    Good:
        myhostname = mx.example.com
        mydestination = localhost, example.com
        virtual_alias_domains = example.org
    References: ADDRESS_CLASS_README, src/trivial-rewrite/resolve.c
    """
    lists = {name: address_class(instance, name) for name in CLASSES}
    for first, second in combinations(CLASSES, 2):
        value = lists[second].value
        if second == "relay_domains" and not value.explicit:
            continue
        whole = _ALL_OF_MYDESTINATION.search(value.setting.text) is not None
        if whole and (first, second) == (CLASSES[0], CLASSES[-1]):
            yield from _relay_everything(lists[first], lists[second])
        else:
            yield from _in_both(lists[first], lists[second])


def _in_both(first: DomainList, second: DomainList) -> Iterator[Finding]:
    seen: set[str] = set()
    place_in_first, place_in_second = _places(first.value), _places(second.value)
    winners: dict[str, Item] = {}
    for item in first.names():
        winners.setdefault(item.name, item)
    for loser in second.names():
        if loser.name in seen or loser.is_local_name or not is_host_name(loser.name):
            continue
        if first.contains(loser.name) is not True:
            continue
        seen.add(loser.name)
        location = place_in_second(loser)
        if location is None:
            continue
        winner = winners.get(loser.name)
        place = None if winner is None else place_in_first(winner)
        yield _overlap(first, second, loser.name, location, place or first.value.value_location)
    for winner in first.names():
        if winner.name in seen or winner.is_local_name:
            continue
        entry = second.entry_in_table(winner.name)
        place = None if entry is None else place_in_first(winner)
        if entry is not None and place is not None:
            yield _overlap(first, second, winner.name, entry, place)


def _overlap(
    first: DomainList,
    second: DomainList,
    name: str,
    location: Location,
    other: Location | None,
) -> Finding:
    relayed = second.value.name == "relay_domains"
    severity = Severity.ERROR
    outcome = _OUTCOMES[first.value.name]
    if relayed and first.value.name == "mydestination":
        severity = Severity.WARNING
        outcome += ", only mail for its subdomains is relayed" if second.parents else ""
    return Finding(
        location,
        f'"{name}" is in {second.value.name} and in {first.value.name}: {outcome}',
        severity=severity,
        parameter=second.value.name,
        related=() if other is None else (Related(f"in {first.value.name}", other),),
    )


def _relay_everything(first: DomainList, second: DomainList) -> Iterator[Finding]:
    """relay_domains = $mydestination, which was the default before Postfix 3.0."""
    setting = second.value.setting
    location = second.value.value_location
    names = [item.name for item in first.names() if not item.is_local_name and "." in item.name]
    if location is None or second.parents is not True or not names:
        return
    alone = _ALL_OF_MYDESTINATION.fullmatch(setting.text) is not None
    edit = replace_value(setting, "") if alone else None
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    yield Finding(
        location,
        f"relay_domains has $mydestination: strangers may relay to the subdomains of {names[0]}"
        + more,
        severity=Severity.INFO,
        parameter="relay_domains",
        fix=None if edit is None else Fix("make relay_domains empty", (edit,), "unsafe"),
    )


def _places(value: Effective) -> Callable[[Item], Location | None]:
    """Tells an item's own place when it stands in the setting itself, else the setting's value."""
    whole = value.location

    def place(item: Item) -> Location | None:
        location = item.element.location
        if location is None or whole is None:
            return value.value_location
        if location.path != whole.path:
            return location  # in a file that the setting names
        inside = whole.span.start <= location.span.start and location.span.end <= whole.span.end
        return location if inside else value.value_location

    return place


@rule("NET005", severity=Severity.INFO)
def mydestination_missing_localhost(instance: Instance) -> Iterator[Finding]:
    """The host's local domains lack localhost.

    Why: Programs on the host address mail to root@localhost. Where localhost is no local domain
        Postfix looks for it in the DNS, and the mail bounces, goes to the relay host or comes
        back.
    Fix: Add localhost and localhost.$mydomain to mydestination.
    Bad:
        myhostname = mx.example.com
        mydestination = example.com
    Good:
        myhostname = mx.example.com
        mydestination = example.com, localhost.$mydomain, localhost
    References: postconf(5) mydestination, STANDARD_CONFIGURATION_README
    """
    found = address_class(instance, "mydestination")
    value = found.value
    location = value.value_location
    if location is None or not found.known or value.empty is not False:
        return
    if any(item.is_local_name for item in found.items) or host_role(instance) != "mx":
        return
    if any(
        address_class(instance, name).contains("localhost") is not False for name in CLASSES[1:]
    ):
        return
    user = _sends_to_localhost(instance)
    edit = replace_value(value.setting, f"{value.setting.text}, localhost.$mydomain, localhost")
    yield Finding(
        location,
        "mydestination lacks localhost: mail to root@localhost is not delivered here",
        severity=Severity.INFO if user is None else Severity.WARNING,
        parameter="mydestination",
        related=() if user is None else (Related("such mail is sent here", user),),
        fix=None if edit is None else Fix("add localhost", (edit,), "unsafe"),
    )


def _sends_to_localhost(instance: Instance) -> Location | None:
    for setting in instance.settings.values():
        if "@localhost" in setting.text and _TO_LOCALHOST.search(setting.text):
            return setting.value_location
    return None
