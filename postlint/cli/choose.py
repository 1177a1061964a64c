"""From options to rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.cli.errors import UsageError
from postlint.lint.registry import RegistryError, bundled_rules, with_plugins
from postlint.lint.selection import UnknownSelectorError, parse_selectors, select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postlint.lint.rule import Rule


def known_rules(plugins: Sequence[str] = ()) -> tuple[Rule, ...]:
    """All rules there are, those of plugins too; raises UsageError."""
    try:
        return with_plugins(plugins) if plugins else bundled_rules()
    except RegistryError as error:
        raise UsageError(str(error)) from error


def chosen_rules(
    rules: Sequence[Rule],
    chosen: Sequence[str] | None,
    ignored: Sequence[str] | None,
    extended: Sequence[str] | None,
) -> tuple[Rule, ...]:
    """The rules to run; raises UsageError for a selector that fits none."""
    if not chosen and not ignored and not extended:
        return select(rules)
    try:
        return select(
            rules,
            parse_selectors(chosen or (), rules),
            parse_selectors(ignored or (), rules),
            parse_selectors(extended or (), rules),
        )
    except UnknownSelectorError as error:
        raise UsageError(str(error)) from error
