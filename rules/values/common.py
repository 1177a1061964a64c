"""What the rules about values share: types, and findings about values that are refused."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.analysis.readers import refusal
from postlint.analysis.templates import has_template_marks, is_unfilled
from postlint.lint.finding import Finding, Location, Related, Severity
from postlint.postfix import enums, parameters, service_parameters
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.analysis.readers import Explicit
    from postlint.config.effective import Effective
    from postlint.config.instance import Instance
    from postlint.postfix.parameters import Bounds, ParameterType
    from postlint.postfix.versions import PostfixVersion

_SAID_ELSEWHERE = LazyPattern(r"\A[\"'%@<]|[\"']\Z|(?:\A|[ \t])#")


def unclear(item: Explicit) -> bool:
    """Whether a value can not be known, or another rule says what is wrong with it.

    Quotes are SYN006, comments behind the value SYN004; %, @ and < begin placeholders.
    """
    value = item.value
    if not value.known or is_unfilled(value.text) or has_template_marks(item.setting.text):
        return True
    return _SAID_ELSEWHERE.search(value.text) is not None


@lru_cache(maxsize=4096)
def type_of(name: str, version: PostfixVersion) -> ParameterType | None:
    """The type in a version; None for a name that it lacks, and for words of a fixed set."""
    parameter = parameters.get(name)
    if parameter is not None:
        if not (parameter.exists_in(version) or parameter.legacy_in(version)):
            return None
        return None if enums.get(name, version) is not None else parameter.type_in(version)
    matched = service_parameters.match_service_parameter(name)
    return None if matched is None else matched[2].type


def bounds_of(name: str, version: PostfixVersion) -> Bounds:
    parameter = parameters.get(name)
    if parameter is not None:
        return parameter.bounds(version)
    matched = service_parameters.match_service_parameter(name)
    return (None, None) if matched is None else matched[2].bounds(version)


def refused_value(item: Explicit, instance: Instance, problem: str) -> Finding | None:
    """The finding for a value that a program refuses; None when nothing reads it."""
    name = item.setting.name
    location = item.value.value_location
    consequence = refusal(name, instance, item.service)
    if consequence is None or location is None:
        return None
    text = item.value.text
    said = f"{name} = {shown(text)}" if text else name
    return Finding(
        location,
        f"{said} {problem}; {consequence.text}",
        severity=None if consequence.certain else Severity.WARNING,
        parameter=name,
        service=item.service_label,
        related=origin(item.value),
    )


def origin(value: Effective) -> tuple[Related, ...]:
    """Where the text of a value comes from that the setting only mentions."""
    place: Location | None = None
    if value.text and value.text != value.setting.text:
        place = value.locate(0, len(value.text))
    return () if place is None else (Related("the value comes from here", place),)


def shown(text: str) -> str:
    """A value for a message, cut where it is long."""
    return text if len(text) <= 40 else f"{text[:39]}…"
