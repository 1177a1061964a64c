"""Text that a template program or a script has yet to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.derived import once
from postlint.config.placeholders import placeholders
from postlint.syntax.main_cf import MissingEquals
from postlint.syntax.master_cf import BadFieldCount
from postlint.syntax.patterns import LazyPattern

if TYPE_CHECKING:
    from postlint.config.instance import Instance
    from postlint.syntax.lines import Entry

_MARKS = LazyPattern(
    r"(?<![$:{])\{\{[-\s]*[A-Za-z_.$(|\"']|(?<!\$)\{\{[-\s]*[A-Za-z_.$][^{}=,]*\}\}"
    r"|\{[%#]|<[%?]|[%?]>|[%#]\}|\A[^{]*\}\}\Z|%\{|@@|%%|%\s*(?:if|for|end|else|unless)\b"
)
_TEMPLATE_NAMES = (".j2", ".jinja", ".erb", ".epp", ".tmpl", ".tpl", ".template", ".mustache")
_SHELL_VARIABLE = LazyPattern(r"\$\{?[A-Z][A-Z0-9_]*\}?\Z")
_UNFILLED_WORD = LazyPattern(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")


def has_template_marks(text: str) -> bool:
    """Whether a line or value holds a piece of a template language."""
    return _may_have_marks(text) and _MARKS.search(text) is not None


def is_templated(entry: Entry) -> bool:
    """Whether a logical line holds a piece of a template language."""
    return _may_have_marks(entry.written) and has_template_marks(entry.line.text)


def _may_have_marks(text: str) -> bool:
    return "{" in text or "}" in text or "%" in text or "@@" in text or "<?" in text or "?>" in text


def is_template_line(text: str) -> bool:
    """Whether a line that is no setting is there for a program that fills in templates."""
    text = text.strip()
    if has_template_marks(text) or _SHELL_VARIABLE.match(text):
        return True
    return any(start == 0 for start, _ in placeholders(text))


@once
def has_control_lines(instance: Instance) -> bool:
    """Whether a template program decides which lines there are: what is missing may come then."""
    trees = [tree for tree in (instance.main_cf, instance.master_cf) if tree is not None]
    if any(tree.source.path.endswith(_TEMPLATE_NAMES) for tree in trees):
        return True  # what fills it in may add lines at its end as well
    return any(
        is_template_line(entry.line.text)
        for tree in trees
        for entry in tree.entries
        if isinstance(entry, (MissingEquals, BadFieldCount))
    )


def is_unfilled(word: str) -> bool:
    """Whether a word is a name in capitals, such as PH_MESSAGE_SIZE, to be replaced by sed(1)."""
    return "_" in word and word.isupper() and _UNFILLED_WORD.match(word) is not None
