"""VAL003 and VAL004: times with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.readers import explicit_values
from postlint.lint.edits import replace_value
from postlint.lint.finding import Finding, Fix, Severity
from postlint.lint.rule import rule
from postlint.numbers import integer
from postlint.postfix import parameters, service_parameters
from postlint.records import NamedTuple
from postlint.syntax.patterns import LazyPattern

from .common import bounds_of, origin, refused_value, shown, type_of, unclear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.analysis.readers import Explicit
    from postlint.config.instance import Instance
    from postlint.postfix.parameters import Bounds
    from postlint.postfix.versions import PostfixVersion

_NUMBER = LazyPattern(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]+)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNIT_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_LARGEST = (1 << 31) - 1
_WORDS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "wks", "week", "weeks"),
}
_MEANINGS = {word: unit for unit, words in _WORDS.items() for word in words}
_DECIMAL = LazyPattern(r"([0-9]{1,6})\.([0-9]{1,3})[ \t]*([a-zA-Z]*)\Z")
_APART = LazyPattern(r"([0-9]+)[ \t]+([a-zA-Z]+)\Z")
_ANY_UNIT = LazyPattern(r"([0-9]+)([a-zA-Z]+)\Z")
_QUEUE_LIFETIMES = frozenset({"bounce_queue_lifetime", "maximal_queue_lifetime"})
_LONG_LIFE_DAYS = 40


class _Time(NamedTuple):
    """A time as conv_time(3) reads it; ``problem`` is why it does not."""

    number: int
    unit: str
    rest: str
    problem: str | None = None


@rule("VAL003", severity=Severity.ERROR, tags=("CWE-1284",))
def misread_time_unit(instance: Instance) -> Iterator[Finding]:
    """A time has a unit that Postfix reads as another one.

    Why: Of the text behind the number only the first letter counts: s, m, h, d or w. One month
        is a minute, ten milliseconds are ten minutes, and 1h30m is an hour. Nothing is logged.
    Fix: Write a whole number and one of the five letters.
    Bad:
        maximal_queue_lifetime = 1month
    Good:
        maximal_queue_lifetime = 30d
    References: postconf(5), src/global/conv_time.c
    """
    if instance.version < (3, 1):
        return
    for item in explicit_values(instance):
        if type_of(item.setting.name, instance.version) != "time" or unclear(item):
            continue
        time = _read(item.value.text, _unit(item.setting.name, instance.version))
        if time.problem is not None or not time.rest:
            continue
        if _out_of_range(time, bounds_of(item.setting.name, instance.version)) is not None:
            continue  # VAL004
        finding = _misread(item, time)
        if finding is not None:
            yield finding


@rule("VAL004", severity=Severity.ERROR, tags=("CWE-1284", "CWE-1287"))
def bad_time(instance: Instance) -> Iterator[Finding]:
    """A time is one that Postfix does not accept.

    Why: A time is a whole number with one of the letters s, m, h, d and w right behind it, or
        without a letter in the unit of the parameter. With anything else, or outside the limits,
        the programs that read it end with a fatal error when they start.
    Fix: Write it without blanks, fractions and signs.
    Bad:
        smtpd_timeout = 1.5h
    Good:
        smtpd_timeout = 90m
    References: postconf(5), src/global/conv_time.c, src/global/mail_conf_time.c
    """
    version = instance.version
    for item in explicit_values(instance):
        name = item.setting.name
        if type_of(name, version) != "time" or unclear(item):
            continue
        unit = _unit(name, version)
        time = _read(item.value.text, unit)
        problem = time.problem or _out_of_range(time, bounds_of(name, version))
        if problem is None and time.rest and version < (3, 1):
            problem = "has more than one letter behind the number"
        if problem is not None:
            finding = refused_value(item, instance, problem)
            if finding is not None:
                finding.fix = _corrected(item)
                yield finding
        elif name in _QUEUE_LIFETIMES and _forgotten_unit(item.value.text, time, unit):
            yield _many_days(item, time)


def _unit(name: str, version: PostfixVersion) -> str:
    del version  # the same in all known versions
    parameter = parameters.get(name)
    if parameter is not None:
        return parameter.unit or "s"
    matched = service_parameters.match_service_parameter(name)
    return (matched[2].unit if matched is not None else None) or "s"


def _read(text: str, default_unit: str) -> _Time:
    match = _NUMBER.match(text)
    if match is None:
        number, sign, rest = 0, "", text
    elif len(match[2]) > 10:
        return _Time(0, "s", "", "is too long a time")
    else:
        number, sign, rest = integer(match[2]), match[1], text[match.end() :]
    if not text:
        return _Time(0, "s", "", "is empty, but must be a time")
    unit = rest[:1] or default_unit
    if sign == "-" and number:
        return _Time(0, unit, "", "is negative")
    if unit not in _SECONDS:
        return _Time(number, unit, rest, _unit_problem(rest))
    limit = _LARGEST if unit == "s" else _LARGEST // _SECONDS[unit] - 1
    if number > limit:
        unit_name = _UNIT_NAMES[unit]
        return _Time(number, unit, "", f"is too long a time: {number} {unit_name}s")
    return _Time(number, unit, rest[1:])


def _unit_problem(rest: str) -> str:
    if rest[:1] in (" ", "\t"):
        return "is no time: no blank may stand before the unit"
    if rest[:1] in (".", ","):
        return "is no time: it must be a whole number"
    if rest[:1].lower() in _SECONDS:
        return f'is no time: the unit must be a small letter, "{rest[:1].lower()}"'
    return "is no time: the units are s, m, h, d and w"


def _out_of_range(time: _Time, bounds: Bounds) -> str | None:
    seconds = time.number * _SECONDS.get(time.unit, 1)
    low, high = bounds
    if low and seconds < low and time.rest and not time.number:
        return "has no number"
    if low and seconds < low:
        return f"is too short: the minimum is {low}s"
    if high and seconds > high:
        return f"is too long: the maximum is {high}s"
    return None


def _in_words(time: _Time) -> str:
    plural = "" if time.number == 1 else "s"
    return f"{time.number} {_UNIT_NAMES[time.unit]}{plural}"


def _misread(item: Explicit, time: _Time) -> Finding | None:
    name, text = item.setting.name, item.value.text
    location = item.value.value_location
    if location is None:
        return None
    word = (time.unit + time.rest).strip()
    meant = _MEANINGS.get(word.lower())
    starts_with_number = text.lstrip(" \t+")[:1].isdigit()
    severity = None
    fix = None
    if meant == time.unit and starts_with_number:
        severity = Severity.INFO
        message = f'only the first letter of "{word}" counts'
        edit = replace_value(item.setting, f"{time.number}{time.unit}")
        if edit is not None and item.setting.text == text:
            fix = Fix(f"write {time.number}{time.unit}", (edit,), "safe")
    elif starts_with_number:
        message = f"means {_in_words(time)}: only the first letter of the unit counts"
    else:
        message = f"means {_in_words(time)}: there is no number before the unit"
    return Finding(
        location,
        f"{name} = {shown(text)} {message}" if severity is None else f"{name} = {text}: {message}",
        severity=severity,
        parameter=name,
        service=item.service_label,
        related=origin(item.value),
        fix=fix,
    )


def _forgotten_unit(text: str, time: _Time, unit: str) -> bool:
    return unit == "d" and text.strip(" \t+").isdigit() and time.number > _LONG_LIFE_DAYS


def _many_days(item: Explicit, time: _Time) -> Finding:
    location = item.value.value_location
    assert location is not None
    return Finding(
        location,
        f"{item.setting.name} = {item.value.text} is {time.number} days: "
        "without a unit it counts days",
        severity=Severity.WARNING,
        parameter=item.setting.name,
        service=item.service_label,
        related=origin(item.value),
    )


def _corrected(item: Explicit) -> Fix | None:
    """The same time as Postfix wants it, where there is no doubt about it."""
    text = item.setting.text
    answer: str | None = None
    apart = _APART.match(text) or _ANY_UNIT.match(text)
    decimal = _DECIMAL.match(text)
    if apart is not None and apart[2].lower() in _MEANINGS:
        answer = apart[1] + _MEANINGS[apart[2].lower()]
    elif decimal is not None and decimal[3].lower() in _MEANINGS:
        scale = 10 ** len(decimal[2])
        amount = integer(decimal[1] + decimal[2]) * _SECONDS[_MEANINGS[decimal[3].lower()]]
        answer = _exact(amount // scale) if amount % scale == 0 else None
    edit = None if answer is None else replace_value(item.setting, answer)
    return None if edit is None else Fix(f"write {answer}", (edit,), "safe")


def _exact(seconds: int) -> str:
    for unit in ("w", "d", "h", "m"):
        if seconds % _SECONDS[unit] == 0 and seconds:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"
