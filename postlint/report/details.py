"""What several formats say about a finding, derived in one place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.report import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.lint.finding import Finding, Fix, Location, Related
    from postlint.lint.rule import Documentation, Rule

_LONGEST_MESSAGE = 2000
"""Characters; values that messages quote may be as long as a file."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"$])")


class RelatedPlace(NamedTuple):
    """Another place of a finding; ``service`` is set when it stands for a further service."""

    message: str
    location: Location
    service: str | None


def message(finding: Finding) -> str:
    """The finding's message, without secrets of the line it is about."""
    return _cut(redact.message(finding.message, finding.location))


def redacted(place: Related) -> str:
    """What a related place has to do with its finding, without secrets."""
    return _cut(redact.message(place.message, place.location))


def fix_message(finding: Finding, fix: Fix) -> str:
    """What a fix of the finding does, without secrets."""
    return _cut(redact.message(fix.message, finding.location))


def _cut(text: str) -> str:
    """The text, the middle of a very long one left out: the end says what follows from it."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    half = _LONGEST_MESSAGE // 2
    return f"{text[:half]} … {text[-half:]}"


def fingerprint(finding: Finding) -> str:
    """The identity in 32 hexadecimal digits; empty without one.

    Secrets are masked before: a hash of a short one tells it to whoever tries them all.
    """
    identity = finding.identity
    if identity is None:
        return ""
    from hashlib import sha256  # slow to import, and few reports print it

    masked = redact.masked(finding.location)
    if redact.MASK in masked:
        identity = identity._replace(text=" ".join(masked.split()))
    text = "\0".join((*identity[:-1], str(identity.number)))
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def related(finding: Finding) -> Iterator[RelatedPlace]:
    """The related places of a finding, then the services after the first."""
    for place in finding.related:
        yield RelatedPlace(redacted(place), place.location, None)
    for name, location in finding.services[1:]:
        yield RelatedPlace(f"also holds for {name}", location or finding.location, name)


def documentation(rule: Rule) -> Documentation | None:
    """The rule's documentation; None when it lacks a section, as that of a plugin may."""
    try:
        return rule.documentation
    except ValueError:
        return None


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence."""
    return _SENTENCE_END.split(text, maxsplit=1)[0]
