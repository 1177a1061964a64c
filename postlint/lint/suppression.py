"""Comments that hide findings: ``# postlint: ignore[CODE] reason`` and ``ignore-file[CODE]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postlint.lint.finding import Suppression
from postlint.lint.selection import Selector
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Location, Span
from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from postlint.lint.finding import Finding
    from postlint.lint.rule import Rule
    from postlint.syntax.source import SourceFile

_COMMENT = LazyPattern(
    r"^[ \t\v\f\r]*(#[ \t]*postlint:[ \t]*ignore(-file)?[ \t]*(?:\[([^\]\n]*)\])?[ \t]*([^\n]*))",
    re.MULTILINE,
)


class SuppressionComment:
    """One comment; ``scope`` is the span whose findings it hides, None for the whole file."""

    __slots__ = ("justification", "location", "scope", "selectors", "used", "words")

    def __init__(
        self,
        location: Location,
        words: Sequence[tuple[str, Location]],
        scope: Span | None,
        justification: str,
    ) -> None:
        self.location = location
        self.words = tuple(words)
        self.selectors = tuple((Selector(word), word) for word, _ in words)
        self.scope = scope
        self.justification = justification
        self.used: set[str] = set()
        """The words that have hidden a finding."""

    def hides(self, finding: Finding) -> bool:
        """Whether it hides a finding of its own file; notes the use."""
        if self.scope is not None:
            start = finding.location.span.start
            if not self.scope.start <= start < max(self.scope.end, self.scope.start + 1):
                return False
        hit = False
        for selector, word in self.selectors:
            if selector.matches(finding.rule):
                self.used.add(word)
                hit = True
        return hit


class Suppressions:
    """The suppression comments of the files of one instance."""

    __slots__ = ("comments", "known_rules", "run_rules")

    def __init__(
        self, sources: Iterable[SourceFile], known: Sequence[Rule], run: Sequence[Rule]
    ) -> None:
        """``known``: all rules there are; ``run``: those of this run."""
        self.comments = [comment for source in sources for comment in _comments(source)]
        self.known_rules = known
        self.run_rules = run

    def apply(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """Divide findings into those that stay and those that a comment hides."""
        stay: list[Finding] = []
        hidden: list[Finding] = []
        by_path: dict[str, list[SuppressionComment]] = {}
        for comment in self.comments:
            by_path.setdefault(comment.location.path, []).append(comment)
        for finding in findings:
            hiding = [
                comment
                for comment in by_path.get(finding.location.path, ())
                if comment.hides(finding)
            ]
            if hiding:
                finding.suppression = Suppression(hiding[0].location, hiding[0].justification)
                hidden.append(finding)
            else:
                stay.append(finding)
        return stay, hidden

    def unknown(self) -> Iterator[tuple[SuppressionComment, str, Location]]:
        """Words that name no rule, and comments that name nothing at all (word empty)."""
        for comment in self.comments:
            if not comment.words:
                yield comment, "", comment.location
            for word, location in comment.words:
                if not self._fits(word, self.known_rules):
                    yield comment, word, location

    def unused(self) -> Iterator[tuple[SuppressionComment, str, Location]]:
        """Words whose rules ran and found nothing there."""
        for comment in self.comments:
            for word, location in comment.words:
                if word not in comment.used and self._fits(word, self.run_rules):
                    yield comment, word, location

    @staticmethod
    def _fits(word: str, rules: Sequence[Rule]) -> bool:
        selector = Selector(word)
        return any(selector.matches(rule) for rule in rules)


def _comments(source: SourceFile) -> Iterator[SuppressionComment]:
    if "postlint:" not in source.text:
        return
    spans: list[Span] | None = None
    for match in _COMMENT.finditer(source.text):
        words = [
            (
                word[0],
                Location(source, Span(match.start(3) + word.start(), match.start(3) + word.end())),
            )
            for word in re.finditer(r"[^\s,]+", match[3] or "")
        ]
        scope = None
        if not match[2]:
            if spans is None:
                spans = [line.span for line in logical_lines(source)]
            at = match.start(1)
            end = len(source.text)
            scope = next((span for span in spans if span.end > at), Span(end, end))
        location = Location(source, Span(match.start(1), match.start(1) + len(match[1].rstrip())))
        yield SuppressionComment(location, words, scope, match[4].strip())
