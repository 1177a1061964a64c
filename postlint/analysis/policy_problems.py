"""What smtp(8) refuses in a TLS policy, so that mail is deferred (smtp_tls_policy.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.analysis.nexthops import host_name_problem
from postlint.analysis.policies import level_of
from postlint.postfix.tls import policy_attributes, policy_levels
from postlint.postfix.versions import NEWEST_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import SourceText
    from postlint.syntax.table import Policy

BRACES_SINCE = "3.10"
_REPORTS = frozenset(
    {"policy_ttl", "policy_domain", "policy_string", "mx_host_pattern", "policy_failure"}
)
_MAY_BE_EMPTY = frozenset({"protocols", "exclude", "policy_string", "mx_host_pattern"})
_LAST_WINS = frozenset({"connection_reuse", "enable_rpk"})


def attribute_problems(policy: Policy, version: PostfixVersion) -> Iterator[tuple[SourceText, str]]:
    """The attributes that Postfix refuses, and why; the first problem is enough for it.

    Words that are no attribute at all are not among them.
    """
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
                why = f"is no attribute (braces are for Postfix {BRACES_SINCE})"
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
        elif name == "servername" and host_name_problem(value.text) is not None:
            yield value, f"servername={value.text} is no host name"
        elif name == "policy_ttl" and not (value.text.isascii() and value.text.isdigit()):
            yield value, f"policy_ttl={value.text} is no number of seconds"
        seen.add(name)
    if seen & _REPORTS and "policy_type" not in seen and policy.level is not None:
        given = min(seen & _REPORTS)
        yield policy.level, f"{given}= without policy_type="
