"""POL: levels and attributes that Postfix does not understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.policies import level_of, policies_of
from postlint.analysis.policy_problems import BRACES_SINCE, attribute_problems
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import policy_levels
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.tables import PolicyTable
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import Policy

_LISTS = frozenset({"protocols", "exclude"})


@rule("POL007", severity=Severity.ERROR)
def comma_in_attribute(table: PolicyTable) -> Iterator[Finding]:
    """A policy has a word that is no attribute, mostly because of a comma or blank in a list.

    Why: Commas and blanks part the attributes, so that "protocols=TLSv1.2,TLSv1.3" has a second
        attribute "TLSv1.3" without a value. Postfix defers all mail to the destination.
    Fix: Write ":" between the items of a list and no blanks around "=".
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt protocols=TLSv1.2,TLSv1.3
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt protocols=TLSv1.2:TLSv1.3
    References: postconf(5) smtp_tls_policy_maps, src/smtp/smtp_tls_policy.c
    """
    for entry, policy in policies_of(table).entries(_has_loose_words):
        before: tuple[str, SourceText] | None = None
        for attribute in policy.attributes:
            if attribute.value is not None:
                before = (attribute.name, attribute.text)
                continue
            text = attribute.text
            hint = ""
            if text.text.startswith("{"):
                hint = f" (braces are for Postfix {BRACES_SINCE})"
            elif before is not None and before[0] in _LISTS:
                hint = f' (write {before[0]}= with ":" between the items)'
            yield Finding(
                text.location,
                f'{entry.key.text}: "{text.text}" is no attribute{hint}; its mail is deferred',
                parameter=table.parameter,
                fix=_colon_fix(before, text),
            )
            before = (before[0], text) if before is not None else None


def _has_loose_words(policy: Policy) -> bool:
    if level_of(policy) == "none":
        return False
    return any(attribute.value is None for attribute in policy.attributes)


def _colon_fix(before: tuple[str, SourceText] | None, word: SourceText) -> Fix | None:
    """Put ":" in the place of a comma between two items of a list."""
    if before is None or before[0] not in _LISTS or word.text[:1] in "{=":
        return None
    first, second = before[1].location, word.location
    gap = first.source.text[first.span.end : second.span.start]
    if gap.strip(" \t") != ",":
        return None
    between = Location(first.source, Span(first.span.end, second.span.start))
    return Fix('write ":" for the comma', (Edit(between, ":"),), "safe")


@rule("POL008", severity=Severity.ERROR)
def bad_level(table: PolicyTable) -> Iterator[Finding]:
    """A policy begins with a word that is no security level.

    Why: Postfix defers all mail to the destination: "invalid security level".
    Fix: Begin with none, may, encrypt, dane, dane-only, fingerprint, verify or secure.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  must
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt
    References: postconf(5) smtp_tls_policy_maps
    """
    known = frozenset(policy_levels(table.instance.version))
    for entry, policy in policies_of(table).entries(lambda policy: level_of(policy) not in known):
        level = policy.level
        if level is None:
            continue
        why = "is no security level"
        if level.text.lower() in ("dane", "dane-only"):
            why = f"is not known to Postfix {table.instance.version} (2.11 knows it)"
        yield Finding(
            level.location,
            f'{entry.key.text}: "{level.text}" {why}; its mail is deferred',
            parameter=table.parameter,
        )


@rule("POL009", severity=Severity.ERROR)
def bad_attribute(table: PolicyTable) -> Iterator[Finding]:
    """A policy has an attribute that does not exist, not at this level, or not with this value.

    Why: Postfix takes no chances with security: anything that it does not understand makes it
        defer all mail to the destination.
    Fix: Correct the name or value. match= is for fingerprint, verify and secure, tafile= for
        verify and secure; later releases of Postfix know more attributes.
    Bad:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  encrypt match=mail.example.com
    Good:
        smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
        --- tls_policy
        example.com  secure match=mail.example.com
    References: postconf(5) smtp_tls_policy_maps, src/smtp/smtp_tls_policy.c
    """
    version = table.instance.version

    def wanted(policy: Policy) -> bool:
        return any(True for _ in attribute_problems(policy, version))

    for entry, policy in policies_of(table).entries(wanted):
        for text, problem in attribute_problems(policy, version):
            yield Finding(
                text.location,
                f"{entry.key.text}: {problem}; its mail is deferred",
                parameter=table.parameter,
            )
