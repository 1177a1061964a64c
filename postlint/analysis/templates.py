"""Text that a template program or a script has yet to fill in."""

from __future__ import annotations

import re

from postlint.config.placeholders import placeholders

_MARKS = re.compile(
    r"(?<![$:{])\{\{[-\s]*[A-Za-z_.$(|\"']|\{\{[-\s]*[A-Za-z_.$][^{}=,]*\}\}"
    r"|\{[%#]|<[%?]|[%?]>|[%#]\}|\A[^{]*\}\}\Z|%\{|@@|%%|%\s*(?:if|for|end|else|unless)\b"
)
_SHELL_VARIABLE = re.compile(r"\$\{?[A-Z][A-Z0-9_]*\}?\Z")
_UNFILLED_WORD = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")


def has_template_marks(text: str) -> bool:
    """Whether a line or value holds a piece of a template language."""
    return _MARKS.search(text) is not None


def is_template_line(text: str) -> bool:
    """Whether a line that is no setting is there for a program that fills in templates."""
    text = text.strip()
    if has_template_marks(text) or _SHELL_VARIABLE.match(text):
        return True
    return any(start == 0 for start, _ in placeholders(text))


def is_unfilled(word: str) -> bool:
    """Whether a word is a name in capitals, such as PH_MESSAGE_SIZE, to be replaced by sed(1)."""
    return _UNFILLED_WORD.match(word) is not None
