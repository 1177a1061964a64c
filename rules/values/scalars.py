"""VAL001 and VAL002: booleans and numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.analysis.readers import explicit_values
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.syntax.patterns import LazyPattern

from .common import bounds_of, refused_value, type_of, unclear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.instance import Instance
    from postlint.postfix.parameters import Bounds

_MEANS_YES = frozenset({"true", "on", "1", "y", "enable", "enabled", "t"})
_MEANS_NO = frozenset({"false", "off", "0", "n", "disable", "disabled", "f", "none", "never"})
_INTEGER = LazyPattern(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]+)\Z")
_SIZE = LazyPattern(r"([0-9]{1,12})[ \t]*([kmg])(?:i?b)?\Z", re.IGNORECASE)
_POWERS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LIMITS = {"int": (1 << 31) - 1, "nint": (1 << 31) - 1, "long": (1 << 63) - 1}
_LONGEST_NUMBER = 19


@rule("VAL001", severity=Severity.ERROR, tags=("CWE-1287",))
def bad_boolean(instance: Instance) -> Iterator[Finding]:
    """A boolean parameter is neither yes nor no.

    Why: Postfix takes the two words only, in any case. With true, on or 1 every program that
        reads the parameter ends with a fatal error when it starts.
    Fix: Write yes or no.
    Bad:
        disable_vrfy_command = true
    Good:
        disable_vrfy_command = yes
    References: postconf(5), src/global/mail_conf_bool.c
    """
    version = instance.version
    for item in explicit_values(instance):
        kind = type_of(item.setting.name, version)
        if kind not in ("bool", "nbool") or unclear(item) or item.value.yes is not None:
            continue
        finding = refused_value(item, instance, "is neither yes nor no")
        if finding is not None:
            finding.fix = _yes_or_no(item)
            yield finding


@rule("VAL002", severity=Severity.ERROR, tags=("CWE-1284", "CWE-1287"))
def bad_number(instance: Instance) -> Iterator[Finding]:
    """A numerical parameter is not a number, or out of its range.

    Why: Postfix takes decimal digits only: no K or M, no unit, nothing behind them. Programs that
        read the parameter end with a fatal error when they start.
    Fix: Write the number out, within the limits that the finding names.
    Bad:
        message_size_limit = 10M
    Good:
        message_size_limit = 10485760
    References: postconf(5), src/global/mail_conf_int.c, src/global/mail_conf_long.c
    """
    version = instance.version
    for item in explicit_values(instance):
        kind = type_of(item.setting.name, version)
        if kind not in _LIMITS or unclear(item):
            continue
        problem = _number_problem(item.value.text, kind, bounds_of(item.setting.name, version))
        finding = None if problem is None else refused_value(item, instance, problem)
        if finding is not None:
            finding.fix = _written_out(item)
            yield finding


def _number_problem(text: str, kind: str, bounds: Bounds) -> str | None:
    """What strtol(3) and the bounds of the parameter object to."""
    match = _INTEGER.match(text)
    if match is None:
        if not text:
            return "is empty, but must be a number"
        if _SIZE.match(text):
            return "is not a number: sizes take no unit"
        return "is not a number"
    limit = _LIMITS[kind]
    if len(match[2]) > _LONGEST_NUMBER or int(match[2]) > limit + (match[1] == "-"):
        return f"is too large: the limit is {limit}"
    value = -int(match[2]) if match[1] == "-" else int(match[2])
    low, high = bounds
    if low and value < low:
        return f"is too small: the minimum is {low}"
    if high and value > high:
        return f"is too large: the maximum is {high}"
    return None


def _yes_or_no(item: Explicit) -> Fix | None:
    word = item.setting.text.lower()
    answer = "yes" if word in _MEANS_YES else "no" if word in _MEANS_NO else None
    edit = None if answer is None else replace_value(item.setting, answer)
    return None if edit is None else Fix(f"write {answer}", (edit,), "safe")


def _written_out(item: Explicit) -> Fix | None:
    match = _SIZE.match(item.setting.text)
    if match is None:
        return None
    number = str(integer(match[1]) * _POWERS[match[2].lower()])
    edit = replace_value(item.setting, number)
    return None if edit is None else Fix(f"write {number}", (edit,), "safe")
