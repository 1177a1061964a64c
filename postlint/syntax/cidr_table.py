"""CIDR tables: ``network result`` with negation and if/endif (dict_cidr.c, cidr_match.c)."""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.syntax.source import SourceText

RuleKind: TypeAlias = Literal["match", "if", "endif"]

UNCLOSED = "IF has no matching ENDIF"

_KEYWORD = re.compile(r"(IF|ENDIF)(?![A-Za-z0-9])", re.IGNORECASE)
_NEGATION = re.compile(r"[! \t\n\v\f\r]*+")
_WORD = re.compile(r"[^ \t\n\v\f\r]*+")


class Network(NamedTuple):
    """A block of addresses. ``bits``: 32 for IPv4, 128 for IPv6."""

    bits: int
    address: int
    length: int

    def __str__(self) -> str:
        size = self.bits // 8
        text = inet_ntop(AF_INET6 if self.bits == 128 else AF_INET, self.address.to_bytes(size))
        return text if self.length == self.bits else f"{text}/{self.length}"

    def covers(self, other: Network) -> bool:
        """Whether every address of the other is one of this."""
        if self.bits != other.bits or self.length > other.length:
            return False
        shift = self.bits - self.length
        return self.address >> shift == other.address >> shift


class CidrRule(NamedTuple):
    """One logical line. ``problem``: what Postfix says of it; such a rule is skipped.

    Only of an ``if`` without ``endif`` (UNCLOSED) the condition counts.
    """

    line: SourceText
    kind: RuleKind
    negated: bool
    pattern: SourceText
    value: SourceText
    network: Network | None
    problem: str | None = None
    corrected: str | None = None
    """The network that Postfix suggests for one with host bits."""


class Shadow(NamedTuple):
    """A rule that is never reached, because an earlier one matches all its addresses."""

    rule: CidrRule
    cover: CidrRule


class NetworkError(ValueError):
    """An address pattern that cidr_match.c refuses; ``corrected`` is the network to use."""

    def __init__(self, message: str, corrected: str | None = None) -> None:
        super().__init__(message)
        self.corrected = corrected


def parse_network(pattern: str) -> Network:
    """An address pattern of a CIDR table; raises NetworkError with Postfix's words."""
    text = pattern
    mask: str | None
    if text.startswith("["):
        text, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise NetworkError(f"missing ']' character after \"[{text}\"")
        if rest and not rest.startswith("/"):
            raise NetworkError(f'garbage after "[{text}]"')
        if rest:
            mask = rest[1:]
        else:
            text, slash, mask = text.partition("/")
            mask = mask if slash else None
    else:
        text, slash, mask = text.partition("/")
        mask = mask if slash else None
    family, bits = (AF_INET6, 128) if ":" in text else (AF_INET, 32)
    if mask is None:
        address = _address(family, text)
        if address is None:
            raise NetworkError(f'bad address pattern: "{text}"')
        return Network(bits, address, bits)
    length = _c_integer(mask) if mask.isascii() and mask.isdigit() else None
    if length is None:
        raise NetworkError(f'bad mask value in "{text}/{mask}"')
    if length > bits:
        raise NetworkError(f'bad mask length in "{text}/{mask}"')
    address = _address(family, text)
    if address is None:
        raise NetworkError(f'bad network value in "{text}/{mask}"')
    network = Network(bits, address >> (bits - length) << (bits - length), length)
    if network.address != address:
        plain = inet_ntop(family, network.address.to_bytes(bits // 8))
        corrected = f"{plain}/{length}"
        raise NetworkError(
            f'non-null host address bits in "{text}/{mask}", '
            f'perhaps you should use "{corrected}" instead',
            corrected,
        )
    return network


def _address(family: int, text: str) -> int | None:
    try:
        return int.from_bytes(inet_pton(family, text))
    except (OSError, ValueError):
        return None


def _c_integer(digits: str) -> int:
    """atoi(3) of digits, with what it does to numbers that do not fit, in an unsigned char."""
    return min(int(digits[:30]), (1 << 63) - 1) & 0xFF


def read_cidr(lines: Iterable[SourceText]) -> Iterator[CidrRule]:
    """The rules of a CIDR table; the IFs without ENDIF come once more at the end, innermost first.

    ``lines``: the logical lines of a file, or the rules of an inline table.
    """
    open_ifs: list[CidrRule] = []
    for line in lines:
        rule = _rule(line, len(open_ifs))
        yield rule
        if rule.problem is None and rule.kind == "if":
            open_ifs.append(rule)
        elif rule.problem is None and rule.kind == "endif":
            open_ifs.pop()
    for rule in reversed(open_ifs):
        yield rule._replace(problem=UNCLOSED)


def _rule(line: SourceText, nesting: int) -> CidrRule:
    text = line.text
    end = text.find("\0")
    end = len(text) if end < 0 else end
    nothing = line.cut(end, end)
    keyword = _KEYWORD.match(text, 0, end)
    if keyword is not None and keyword[1].upper() == "ENDIF":
        problem = None
        if text[keyword.end() : end].strip(WHITE_SPACE):
            problem = "garbage after ENDIF"
        elif not nesting:
            problem = "ENDIF without IF"
        return CidrRule(line, "endif", False, nothing, nothing, None, problem)
    kind: RuleKind = "match" if keyword is None else "if"
    negation = _NEGATION.match(text, 0 if keyword is None else keyword.end(), end)
    start = negation.end() if negation is not None else 0
    negated = text.count("!", 0, start) % 2 == 1
    if keyword is None:
        word = _WORD.match(text, start, end)
        stop = word.end() if word is not None else start
        rest = text[stop:end].strip(WHITE_SPACE)
        at = text.index(rest, stop) if rest else end
        value = line.cut(at, at + len(rest)) if rest else nothing
    else:
        stop = start + len(text[start:end].rstrip(WHITE_SPACE))
        value = nothing
    pattern = line.cut(start, stop)
    if not pattern.text:
        return CidrRule(line, kind, negated, pattern, value, None, "no address pattern")
    try:
        network = parse_network(pattern.text)
    except NetworkError as error:
        return CidrRule(line, kind, negated, pattern, value, None, str(error), error.corrected)
    problem = "no lookup result" if kind == "match" and not value.text else None
    return CidrRule(line, kind, negated, pattern, value, network, problem)


def shadows(rules: Iterable[CidrRule]) -> Iterator[Shadow]:
    """Rules that are never reached, every pair looked at: for the few of a table in main.cf."""
    blocks: list[list[CidrRule]] = [[]]
    for rule in rules:
        if rule.problem is not None:
            continue
        if rule.kind == "if":
            blocks.append([])
        elif rule.kind == "endif":
            blocks.pop()
        elif rule.network is not None and not rule.negated:
            above = (seen for block in blocks for seen in block)
            cover = next((seen for seen in above if _covers(seen, rule.network)), None)
            if cover is not None:
                yield Shadow(rule, cover)
            else:
                blocks[-1].append(rule)


def _covers(rule: CidrRule, network: Network) -> bool:
    return rule.network is not None and rule.network.covers(network)
