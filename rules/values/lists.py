"""VAL007: lists whose elements are separated by something that does not separate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.names import names_of
from postlint.analysis.readers import explicit_values
from postlint.analysis.shapes import Shape, shape
from postlint.analysis.templates import has_template_marks
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix import restrictions
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.effective import Element
    from postlint.config.instance import Instance

_LISTS: frozenset[Shape] = frozenset({"restrictions", "patterns", "tables", "words"})
_OTHER_LISTS = frozenset(
    {
        "inet_interfaces",
        "masquerade_domains",
        "non_smtpd_milters",
        "proxy_interfaces",
        "smtpd_milters",
        "smtpd_restriction_classes",
    }
)
_BRACKETS = LazyPattern(r"\[[^\]\s]*\]")
_PATTERN_TYPES = ("regexp:", "pcre:", "inline:", "static:", "randmap:")


@rule("VAL007", severity=Severity.ERROR, tags=("CWE-1286",))
def wrong_list_separator(instance: Instance) -> Iterator[Finding]:
    """The elements of a list are separated by a semicolon, a bar or a slash.

    Why: Only commas and white space separate. What stands on both sides of another character is
        one element, which matches nothing, or is an unknown restriction.
    Fix: Write commas.
    Bad:
        mynetworks = 127.0.0.0/8; 192.0.2.0/24
    Good:
        mynetworks = 127.0.0.0/8, 192.0.2.0/24
    References: postconf(5), src/util/argv_split.c
    """
    classes = names_of(instance).classes
    for item in explicit_values(instance):
        name = item.setting.name
        kind = shape(name, instance.version)
        if kind not in _LISTS and name not in _OTHER_LISTS and name not in classes:
            continue
        if has_template_marks(item.setting.text):
            continue
        for element in item.value.elements():
            separator = _separator(element, restriction=kind == "restrictions" or name in classes)
            if separator is None:
                continue
            location = element.location or item.value.value_location
            if location is not None:
                yield Finding(
                    location,
                    f'"{separator}" does not separate the elements of {name}, commas do: '
                    f'"{_shown(element.text)}" is one element',
                    parameter=name,
                    service=item.service_label,
                    fix=_commas(element, separator),
                )


def _separator(element: Element, *, restriction: bool) -> str | None:
    """The character that is meant to separate, if it certainly is."""
    text = element.text
    if not element.known or "{" in text or text.startswith(_PATTERN_TYPES):
        return None
    if text in (";", "|"):
        return text
    bare = _BRACKETS.sub("", text)
    for separator in (";", "|"):
        if separator in bare:
            return separator
    if restriction and "/" in bare and ":" not in bare:
        words = [word for word in bare.split("/") if word]
        if len(words) > 1 and all(restrictions.get(word) is not None for word in words):
            return "/"
    return None


def _commas(element: Element, separator: str) -> Fix | None:
    location = element.location
    if location is None or "[" in element.text:
        return None
    source = location.source
    text = source.text[location.span.start : location.span.end]
    if text != element.text:
        return None
    edits = []
    for at, character in enumerate(text):
        if character == separator:
            start = location.span.start + at
            edits.append(Edit(Location(source, Span(start, start + 1)), ","))
    return Fix('write "," for it', edits, "safe")


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
