"""Template placeholders in configuration text: what a generator has not filled in yet.

Postfix has double braces of its own, ``inline:{{name=value}, …}`` and ``${{a} == {b}?…}``;
percent and at signs stand in addresses and patterns. Only what can be nothing else counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMS: tuple[tuple[str, LazyPattern], ...] = (
    (
        "{{",  # Jinja, Go, Mustache: {{ name }}; workflows: ${{ name }}
        LazyPattern(
            r"""
              (?<![\${])(?<!inline:)(?<!regexp:)(?<!pcre:)(?<!cidr:)(?<!unionmap:)(?<!pipemap:)
              (?<!randmap:) \{\{\{?[-~#/^&!>]?\s*(?=[A-Za-z_.$(|"'@])
              (?:[^{}\n]|\{[^{}\n]*+\})*+\}\}\}?
            | \$\{\{\s*[A-Za-z_.][^{}\n]*+\}\}
            """,
            re.VERBOSE,
        ),
    ),
    (
        "@",  # autoconf, sed: @NAME@
        LazyPattern(
            r"(?<![A-Za-z0-9@._+-])@@?[A-Z][A-Z0-9_]*[A-Z0-9]@@?(?![A-Za-z0-9.-])",
        ),
    ),
    (
        "%",  # %%NAME%%, %NAME%; Puppet: %{name}
        LazyPattern(
            r"%%[A-Za-z][A-Za-z0-9_]*%%"
            r"|(?<![A-Za-z0-9_%])%[A-Z][A-Z0-9_]{2,}%(?![A-Za-z0-9_%])"
            r"|%\{(?:hiera|lookup|facts|::)?[^{}\n]*+\}"
        ),
    ),
    ("__", LazyPattern(r"(?<![A-Za-z0-9])__[A-Z][A-Z0-9_]*?__(?![A-Za-z0-9_])")),
    (
        "<",  # <domain>
        LazyPattern(
            r"<(?=[^<>]*(?i:your|change|insert|enter|replace|domain|host|fqdn|server|user|name|pass"
            r"|address|mail|port|path|here|\bip\b))(?<!\?<)(?<!\?P<)[A-Za-z][A-Za-z0-9 ._-]*+>"
        ),
    ),
)
"""Without the mark before it a form is in no text."""

_ENCLOSED = (("{%", "%}"), ("{#", "#}"), ("<%", "%>"), ("<?php", "?>"), ("<?=", "?>"))
"""Jinja statements and comments, ERB, PHP: everything between the two marks."""

_SHELL_NAME = LazyPattern(r"[A-Z][A-Z0-9_]*\Z")


def placeholders(text: str) -> Sequence[tuple[int, int]]:
    """The (start, end) of every placeholder of a known template language, in their order."""
    if not may_have_placeholder(text):
        return ()
    found: list[tuple[int, int]] = []
    for mark, form in _FORMS:
        if mark in text:
            found += [match.span() for match in form.finditer(text)]
    if not found and "{%" not in text and "{#" not in text and "<" not in text:
        return ()
    for opening, closing in _ENCLOSED:
        start = text.find(opening)
        while start >= 0:
            end = text.find(closing, start + len(opening))
            if end < 0:
                break
            found.append((start, end + len(closing)))
            start = text.find(opening, end)
    last = 0
    outermost: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= last:
            outermost.append((start, end))
            last = end
    return outermost


def may_have_placeholder(text: str) -> bool:
    """Whether a text has any mark that all placeholders have; most have none."""
    return "{" in text or "@" in text or "%" in text or "<" in text or "__" in text


def has_placeholder(text: str) -> bool:
    """Whether any part of the text is a placeholder."""
    return bool(placeholders(text))


def is_shell_variable(name: str) -> bool:
    """Whether an undefined ``$NAME`` is one for envsubst(1): no Postfix name is in capitals."""
    return _SHELL_NAME.match(name) is not None
