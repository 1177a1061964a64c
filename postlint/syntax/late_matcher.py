"""Searching for many patterns, of which few can match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.syntax.ordinary_rules import needle
from postlint.syntax.pattern_match import is_searchable, matcher

if TYPE_CHECKING:
    from postlint.syntax.pattern import Dialect
    from postlint.syntax.pattern_match import Budget, Matcher
    from postlint.syntax.regexp_table import PatternText


class LateMatcher:
    """Searches texts for the pattern of a rule, which is compiled when a text may match it."""

    __slots__ = ("_budget", "_compiled", "_dialect", "_matcher", "_needle", "_part")

    def __init__(self, part: PatternText, dialect: Dialect, budget: Budget) -> None:
        """``budget``: what its searches may take, together with those of others."""
        self._part = part
        self._dialect: Dialect = dialect
        self._budget = budget
        self._needle: str | None = None
        self._matcher: Matcher | None = None
        self._compiled = False

    def search(self, text: str) -> bool | None:
        """Whether the pattern is found in the text; None where that can not be told."""
        pattern = self._part.pattern
        if pattern is None or not is_searchable(text):
            return None
        if not self._compiled:
            if self._needle is None:
                self._needle = needle(self._part.text.text) if pattern.ordinary else ""
            if self._needle not in text.lower():
                return False
            self._compiled = True
            self._matcher = matcher(
                pattern,
                self._dialect,
                ignore_case=self._part.folds_case(),
                flags=self._part.flags,
                budget=self._budget,
            )
        return None if self._matcher is None else self._matcher.search(text)
