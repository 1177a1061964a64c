"""From options to rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.cli.errors import UsageError
from postlint.lint.registry import RegistryError, bundled_rules, with_plugins
from postlint.lint.selection import Selector, UnknownSelectorError, parse_selectors, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postlint.cli.settings import Settings
    from postlint.lint.rule import Rule

SELECTION = ("select", "ignore", "extend-select")


def known_rules(plugins: Iterable[str] = ()) -> tuple[Rule, ...]:
    """All rules there are, those of plugins too; raises UsageError."""
    try:
        if not plugins:
            return bundled_rules()
        from postlint.cli.plugins import load_plugins

        return with_plugins(load_plugins(plugins))
    except RegistryError as error:
        raise UsageError(str(error)) from error


def chosen_rules(known: Sequence[Rule], settings: Settings) -> tuple[Rule, ...]:
    """The rules to run; raises UsageError for a selector that fits none."""
    chosen, ignored, extended = (_selectors(key, known, settings) for key in SELECTION)
    return select(known, chosen, ignored, extended)


def _selectors(key: str, known: Sequence[Rule], settings: Settings) -> list[Selector]:
    try:
        return parse_selectors(settings.get(key) or (), known)
    except UnknownSelectorError as error:
        raise settings.complaint(key, str(error)) from error
