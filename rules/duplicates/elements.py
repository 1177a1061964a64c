"""DUP004 and DUP005: list elements that are there already, and defaults that are repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import explicit_settings, names_of
from postlint.analysis.shapes import Shape, shape
from postlint.analysis.templates import has_template_marks
from postlint.analysis.versions import interval_of
from postlint.lint.edits import delete_element, delete_lines
from postlint.lint.finding import Finding, Fix, Location, Related, Severity
from postlint.lint.rule import rule
from postlint.postfix import parameters, restrictions
from postlint.records import NamedTuple
from postlint.syntax.lists import split_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.versions import Interval
    from postlint.config.instance import Instance
    from postlint.config.settings import Setting

_LISTS: frozenset[Shape] = frozenset({"words", "patterns", "tables", "restrictions"})
_OTHER_LISTS = frozenset(
    {
        "export_environment",
        "import_environment",
        "inet_interfaces",
        "masquerade_domains",
        "non_smtpd_milters",
        "postscreen_access_list",
        "postscreen_dnsbl_sites",
        "proxy_interfaces",
        "proxy_read_maps",
        "smtpd_milters",
        "smtpd_restriction_classes",
    }
)
_REPEATABLE = frozenset({"sleep"})
_EXPLICIT_ON_PURPOSE = frozenset(
    {
        "append_dot_mydomain",
        "compatibility_level",
        "inet_interfaces",
        "inet_protocols",
        "mynetworks",
        "smtpd_relay_restrictions",
        "smtputf8_enable",
    }
)
"""Parameters that documentation advises to set whatever their default is."""


class _Item(NamedTuple):
    """An item of a list, or a restriction with its argument."""

    key: str
    start: int
    end: int


@rule("DUP004", severity=Severity.INFO, tags=("CWE-694",))
def duplicate_list_element(instance: Instance) -> Iterator[Finding]:
    """A list holds the same element twice.

    Why: The first of the two decides; the other one never does anything, and whoever deletes or
        changes the first will wonder.
    Fix: Delete the second.
    Bad:
        mydestination = example.com, example.org, example.com
    Good:
        mydestination = example.com, example.org
    References: postconf(5)
    """
    names = names_of(instance)
    for service, setting in explicit_settings(instance):
        name = setting.name
        kind = shape(name, instance.version)
        restriction = kind == "restrictions" or name in names.classes
        if not restriction and kind not in _LISTS and name not in _OTHER_LISTS:
            continue
        if setting.value is None or has_template_marks(setting.text):
            continue
        items = _restrictions(setting) if restriction else _items(setting)
        first: dict[str, _Item] = {}
        for item in items:
            if item.key.startswith("#"):
                break  # SYN004
            known = first.setdefault(item.key, item)
            if known is item:
                continue
            location = setting.value.cut(item.start, item.end).location
            earlier = setting.value.cut(known.start, known.end).location
            text = setting.text[item.start : item.end]
            shown = text if len(text) <= 60 else f"{text[:59]}…"
            whole = "\n" not in location.source.text[location.span.start : location.span.end]
            fix = None
            if whole:
                fix = Fix("delete the second one", (delete_element(location),), "safe")
            yield Finding(
                location,
                f'"{shown}" stands twice in {name}',
                parameter=name,
                service=None if service is None else service.label,
                related=(Related("it is here already", earlier),),
                fix=fix,
            )


@rule("DUP005", severity=Severity.INFO, opt_in=True)
def redundant_default(instance: Instance) -> Iterator[Finding]:
    """A line of main.cf sets a parameter to its default.

    Why: It changes nothing now. When Postfix improves the default, the line keeps the old one.
    Fix: Delete the line.
    Bad (Postfix 3.9):
        smtpd_tls_ciphers = medium
    Good (Postfix 3.9):
        smtpd_tls_ciphers = high
    References: postconf(1) -d, postconf(5)
    """
    interval = interval_of(instance)
    overridden = {
        override.name.text
        for service in instance.services
        if service.entry is not None
        for override in service.entry.overrides
        if override.name is not None
    }
    for name, setting in instance.settings.items():
        if name in _EXPLICIT_ON_PURPOSE or name in overridden or setting.location is None:
            continue
        if _is_default(setting, interval):
            newest = interval.newest
            default = setting.text or "empty"
            text = f"{name}: {default} is the default of Postfix {newest}"
            if interval.oldest != newest:
                text = (
                    f"{name}: {default} is the default of every version from {interval.oldest} on"
                )
            edits = (delete_lines(setting.location),)
            fix = Fix("delete the line", edits, "safe" if instance.pinned else "unsafe")
            place = Location(setting.location.source, setting.location.span)
            yield Finding(place, text, parameter=name, fix=fix)


def _items(setting: Setting) -> Iterator[_Item]:
    for start, end in split_list(setting.text):
        text = setting.text[start:end]
        # Names of tables and files are what they are; domains and keywords ignore case.
        exact = ":" in text or "/" in text or "{" in text or "$" in text
        yield _Item(text if exact else text.lower(), start, end)


def _restrictions(setting: Setting) -> Iterator[_Item]:
    """Restrictions together with their arguments, and with warn_if_reject before them."""
    words = list(split_list(setting.text))
    at = 0
    while at < len(words):
        start, end = words[at]
        keys = [setting.text[start:end].lower()]
        found = restrictions.get(keys[-1])
        at += 1
        while found is not None and found.argument != "none" and at < len(words):
            modifies = found.argument == "restriction"
            end = words[at][1]
            text = setting.text[words[at][0] : end]
            at += 1
            keys.append(text.lower() if modifies else text)
            found = restrictions.get(text) if modifies else None
        if keys[0] not in _REPEATABLE:
            yield _Item(" ".join(keys), start, end)


def _is_default(setting: Setting, interval: Interval) -> bool:
    """Whether the text is the default in all versions that the configuration can be for."""
    parameter = parameters.get(setting.name)
    if parameter is None or parameter.computed or parameter.build_dependent or parameter.readonly:
        return False
    boolean = parameter.type in ("bool", "nbool")
    for version in interval.versions:
        default = parameter.default(version)
        if default is None or parameter.compatibility(version) is not None:
            return False
        same = setting.text == default or (boolean and setting.text.lower() == default)
        if not same:
            return False
    return True
