"""Template placeholders in configuration text: what a generator has not filled in yet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACEHOLDER = re.compile(
    r"""
      (?<![$:{])\{\{-?\s*[A-Za-z_.$(|"'][^{}\n]*\}\}          # Jinja, Go, Mustache: {{ name }}
    | \{%[^%\n]*(?:%(?!\})[^%\n]*)*%\}                         # Jinja: {% if %}
    | \{\#[^#\n]*\#\}                                          # Jinja: {# comment #}
    | <%[^%\n]*(?:%(?!>)[^%\n]*)*%>                            # ERB: <%= name %>
    | (?<![A-Za-z0-9@._+-])@@?[A-Z][A-Z0-9_]*[A-Z0-9]@@?(?![A-Za-z0-9.-])   # autoconf, sed: @NAME@
    | %%[A-Za-z][A-Za-z0-9_]*%%                                # %%NAME%%
    | (?<![A-Za-z0-9_%])%[A-Z][A-Z0-9_]{2,}%(?![A-Za-z0-9_%])  # %NAME%
    | (?<![A-Za-z0-9_])__[A-Z][A-Z0-9_]*?__(?![A-Za-z0-9_])    # __NAME__
    | <[A-Za-z][A-Za-z ._-]*>                                  # <your domain>
    """,
    re.VERBOSE,
)

_TRIGGERS = ("{{", "{%", "{#", "<%", "@", "%", "__", "<")

_SHELL_NAME = re.compile(r"[A-Z][A-Z0-9_]*\Z")


def placeholders(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of every placeholder of a known template language."""
    if any(trigger in text for trigger in _TRIGGERS):
        for match in _PLACEHOLDER.finditer(text):
            yield match.span()


def has_placeholder(text: str) -> bool:
    """Whether any part of the text is a placeholder."""
    return next(placeholders(text), None) is not None


def is_shell_variable(name: str) -> bool:
    """Whether an undefined ``$NAME`` is one for envsubst(1): no Postfix name is in capitals."""
    return _SHELL_NAME.match(name) is not None
