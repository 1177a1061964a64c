"""What can be told of the patterns of lookup tables, whatever the tables are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postlint.syntax.pattern import PatternToken
    from postlint.syntax.regexp_table import PatternRule, PatternText

_PERL_LETTERS = "dDhHvVRnrtfAzZQEKpPxu"


def perl_escape(rule: PatternRule) -> tuple[PatternText, PatternToken] | None:
    """An escape of a regexp table that means a class in Perl and a letter in POSIX."""
    for part in (rule.first, rule.second):
        if part is None or part.pattern is None or part.pattern.ordinary:
            continue
        for token in part.pattern.tokens:
            escaped = token.kind == "literal" and token.end - token.start == 2
            if escaped and token.text in _PERL_LETTERS:
                return part, token
    return None


def matches_everything(rule: PatternRule) -> bool:
    """Whether a rule matches any text that is asked."""
    part = rule.first
    if part is None or part.negated or part.pattern is None or part.pattern.ordinary:
        return False
    tokens = [token for token in part.pattern.tokens if token.kind not in ("ignored", "begin")]
    if not tokens:
        return True
    if tokens[-1].kind == "end":
        tokens.pop()
        if not tokens:  # ^$ matches nothing but the empty text
            return part.pattern.tokens[0].kind != "begin"
    kinds = [token.kind for token in tokens]
    return kinds == ["any", "repeat"] and tokens[1].text in ("*", "+", "*?", "+?")


def impossible_part(rule: PatternRule) -> PatternText | None:
    """The pattern of a rule that wants text where there is none, whatever it is matched with."""
    for part in (rule.first, rule.second):
        if part is not None and _is_impossible(part):
            return part
    return None


def _is_impossible(part: PatternText) -> bool:
    pattern = part.pattern
    if pattern is None or pattern.error is not None or pattern.ordinary or "m" in part.flags:
        return False
    if any(token.kind == "ignored" and "m" in token.text for token in pattern.tokens):
        return False
    alternatives = pattern.alternatives
    return bool(alternatives) and all(_never_matches(tokens) for tokens in alternatives)


def _never_matches(tokens: list[PatternToken]) -> bool:
    depth = 0
    wanted = ended = False
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        if token.kind in ("open", "close"):
            depth += 1 if token.kind == "open" else -1
        if depth or token.kind == "close":
            continue
        optional = (
            following is not None and following.kind == "repeat" and following.text[0] in "*?{"
        )
        if token.kind == "begin" and wanted:
            return True
        if token.kind == "end":
            ended = True
        elif token.kind in ("literal", "any", "set", "class") and not optional:
            if ended and token.text not in ("\n", "\r"):
                return True
            wanted = True
    return False
