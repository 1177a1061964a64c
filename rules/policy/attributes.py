"""POL: levels and attributes that Postfix does not understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.policies import level_of, policies_of
from postlint.lint.finding import Edit, Finding, Fix, Location, Severity
from postlint.lint.rule import rule
from postlint.postfix.tls import policy_attributes, policy_levels
from postlint.postfix.versions import NEWEST_KNOWN
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.tables import PolicyTable
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import Policy

_BRACES_SINCE = "3.10"
_REPORTS = frozenset(
    {"policy_ttl", "policy_domain", "policy_string", "mx_host_pattern", "policy_failure"}
)
_MAY_BE_EMPTY = frozenset({"protocols", "exclude", "policy_string", "mx_host_pattern"})
_LAST_WINS = frozenset({"connection_reuse", "enable_rpk"})
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
                hint = f" (braces are for Postfix {_BRACES_SINCE})"
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
        return any(True for _ in _problems(policy, version))

    for entry, policy in policies_of(table).entries(wanted):
        for text, problem in _problems(policy, version):
            yield Finding(
                text.location,
                f"{entry.key.text}: {problem}; its mail is deferred",
                parameter=table.parameter,
            )


def _problems(policy: Policy, version: PostfixVersion) -> Iterator[tuple[SourceText, str]]:
    """The attributes that Postfix refuses, and why; the first problem is enough for it."""
    level = level_of(policy)
    if level not in policy_levels(version) or level == "none":
        return
    known = policy_attributes(version)
    seen: set[str] = set()
    for attribute in policy.attributes:
        name, value = attribute.name, attribute.value
        if value is None:
            continue
        facts = known.get(name)
        if facts is None:
            later = policy_attributes(NEWEST_KNOWN).get(name)
            why = f"is for Postfix {later.first} and later" if later else "is no attribute"
            if name.startswith("{"):
                why = f"is no attribute (braces are for Postfix {_BRACES_SINCE})"
            yield attribute.text, f'"{name}" {why}'
            continue
        if facts.levels is not None and level not in facts.levels:
            yield attribute.text, f"{name}= has no place at level {level}"
        elif not value.text and name not in _MAY_BE_EMPTY:
            yield attribute.text, f"{name}= is empty"
        elif name in seen and not facts.repeatable and name not in _LAST_WINS:
            yield attribute.text, f"{name}= stands there twice"
        elif facts.choices and name != "ciphers" and value.text.lower() not in facts.choices:
            choices = " or ".join(sorted(facts.choices, reverse=True))
            yield value, f"{name}={value.text} is not {choices}"
        elif name == "policy_ttl" and not (value.text.isascii() and value.text.isdigit()):
            yield value, f"policy_ttl={value.text} is no number of seconds"
        seen.add(name)
    if seen & _REPORTS and "policy_type" not in seen and policy.level is not None:
        given = min(seen & _REPORTS)
        yield policy.level, f"{given}= without policy_type="
