"""Keeping secrets out of reports: every source line and message passes through here.

What is masked: values of keys that name a password (also behind a blank or colon, and as options
of commands), what ``inline:``, ``static:`` and other tables in main.cf hold for password maps or
for parameters of the user's own, passwords in URLs, personal keys in names of DNS lists, the
right-hand sides of password tables, and the bodies of private keys. When in doubt the text is
masked. ``postlint show`` alone prints what postconf(1) prints.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.lint.finding import Edit, Location
    from postlint.syntax.source import SourceFile

MASK = "********"
"""Stands for a secret of any length."""

_LONGEST_ENTRY = 1 << 20
"""A longer logical line of a file that mentions secrets is masked as a whole."""

_SHORTEST_SECRET = 4
_LONGEST_SECRET = 4096
"""Shorter ones are not looked for in messages, they would be found in any sentence; and longer
ones do not fit into one."""

_CUT = 8
"""So many first characters of a secret are masked where a message cuts it short."""

_SHORTEST_WORD = 6
_MOST_COLONS = 8
_PIECE = LazyPattern(r"[^\s{},=\"]++")

_MOST_LINES = 100
"""How many lines of a finding are searched for secrets that its message could repeat."""

_HINTS = (
    *("pass", "pw", "secret", "credential", "api", "token", "private key", "://", "_key"),
    *("static:", "inline:", "dq.spamhaus.net", "abusix"),
)
"""A file without any of these has nothing to mask; looking for them is cheap."""

_SECRET_WORD = LazyPattern(
    r"passw(?:or)?d|passphrase|bind_?pw|secret|credential|api_?key|(?:^|_|-)token$"
    r"|(?:^|_|db|sql|ldap)(?:pw|pwd|pass)$|(?:dqs|abusix|spamhaus|licen[cs]e|auth)_?key$"
)
_MAP_KEY = LazyPattern(r"(?:^|_)maps?$")
_HARMLESS_KEY = LazyPattern(r"_(?:files?|dir|directory|path|delimiter|attribute|query|scheme)$")
_SECRET_FILE = LazyPattern(r"passw(?:or)?d|secret|credential|sasl_auth", re.IGNORECASE)
_NEXT_ENTRY = LazyPattern(r"\n(?=[^\s#])")

# Possessive, bounded, or anchored at the start of a word: linear on any input.
_KEY = LazyPattern(r"(?<![\w.-])([\w.-]++)\s*+=[ \t]*+")
_TABLE = LazyPattern(r"\b(?:static:|inline:|(?:cidr|pcre|randmap|regexp):(?=\s*+\{))\s*+")
_STRAY_WORDS = LazyPattern(r"(?:[ \t]++(?![a-z][a-z0-9_]*+:|[-#$/{])[^\s,{}=]++(?![=,]))++")
"""What may be the rest of a password with blanks in it, for which there should be braces."""

_OWN_WORD = LazyPattern(r"([# \t]*+)([\w.-]++)(?:[ \t]++|(?=:)):?+[ \t]*+(?=[^\s:=])")
_OPTION = LazyPattern(r"(?<=[\s\"'])--?([A-Za-z][\w-]{0,64}+)[ \t]++(?=[^\s-])")
_LIST_KEY = LazyPattern(
    r"(?<![A-Za-z0-9])([A-Za-z0-9]{16,64}+)\.(?=(?:[a-z-]{1,32}\.){0,3}(?:dq\.spamhaus\.net|abusix\.zone))"
)
_WORD = LazyPattern(r"\S*+")
_LOGIN = LazyPattern(
    r"(?:^|[\s=,{])(?!(?:discard|error|inet|lmtp|local|relay|retry|smtps?|unix|virtual):)"
    r"[^\s:={},/]++:[^\s:={},/\[]"
)
_URL_PASSWORD = LazyPattern(r"://[^\s/:@]{0,256}+:([^\s@]{1,512}+)@")
_PRIVATE_KEY = LazyPattern(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----")
_PRIVATE_KEY_END = LazyPattern(r"-----END [A-Z0-9 ]{0,32}PRIVATE KEY-----")


def spans_in_line(source: SourceFile, number: int) -> list[Span]:
    """The parts of line ``number`` to mask, in file offsets, sorted and apart."""
    return _secrets_of(source).in_line(number)


def message(text: str, location: Location) -> str:
    """``text`` without the secrets of the entry that ``location`` is in, whole or cut short."""
    for secret in _secrets_at(location):
        start = text.find(secret[:_CUT])
        while start >= 0:
            end = start
            while end - start < len(secret) and text[end : end + 1] == secret[end - start]:
                end += 1
            text = f"{text[:start]}{MASK}{text[end:]}"
            start = text.find(secret[:_CUT], start + len(MASK))
    return anywhere(text)


def anywhere(text: str) -> str:
    """``text`` without what is a secret wherever it stands: keys of DNS lists, URLs' passwords."""
    for start, end in reversed(_merge(_told_by_form(text, 0))):
        text = f"{text[:start]}{MASK}{text[end:]}"
    return text


def masked(location: Location) -> str:
    """The text of a location with its secrets masked."""
    source, (start, end) = location.source, location.span
    first = location.start.line
    parts = []
    for number in range(first, location.end.line + 1):
        for secret in spans_in_line(source, number):
            if start < secret.end and secret.start < end:
                parts += [source.text[start : max(start, secret.start)], MASK]
                start = max(start, min(end, secret.end))
    return "".join((*parts, source.text[start:end]))


def edit_has_secret(edit: Edit) -> bool:
    """Whether the text that the edit inserts is or contains a secret."""
    text = edit.text
    if not text.strip():
        return False
    return (
        edit.location.source.secret
        or _is_secret_table(edit.location.path)
        or _PRIVATE_KEY.search(text) is not None
        or bool(_merge(_value_spans(text, 0)))
        or any(secret in text for secret in _secrets_at(edit.location))
    )


def _secrets_at(location: Location) -> list[str]:
    """The secrets of the entries of a location, and their words; the longest first."""
    source = location.source
    found: set[str] = set()
    for line in _secrets_of(source).lines_around(location.start.line, location.end.line):
        for start, end in spans_in_line(source, line):
            if end - start <= _LONGEST_SECRET:
                found.update(_pieces(source.text[start:end].strip()))
    return sorted(found, key=len, reverse=True)


def _pieces(secret: str) -> Iterator[str]:
    """A secret, its words, and what stands behind their colons."""
    if len(secret) >= _SHORTEST_SECRET:
        yield secret
    for word in _PIECE.findall(secret):
        if len(word) >= _SHORTEST_WORD:
            yield word
        rest = word
        for _ in range(min(word.count(":"), _MOST_COLONS)):  # https://me:password@host
            rest = rest.partition(":")[2]
            for piece in (rest, rest.partition("@")[0]):
                if len(piece) >= _SHORTEST_SECRET:
                    yield piece


class _Secrets:
    """The secrets of one file, looked for entry by entry and only once."""

    __slots__ = ("_entries", "_hinted", "_lines", "_private_keys", "_source", "_starts", "_table")

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._table = source.secret or _is_secret_table(source.path)
        folded = source.text.lower()
        self._hinted = any(hint in folded for hint in _HINTS)
        self._private_keys = _merge(_private_key_spans(source.text)) if self._hinted else []
        self._starts: dict[int, int] = {}
        self._entries: dict[int, list[Span]] = {}
        self._lines: dict[int, list[Span]] = {}

    def in_line(self, number: int) -> list[Span]:
        if not (self._table or self._hinted):
            return []
        if number not in self._lines:
            self._lines[number] = self._find(number)
        return self._lines[number]

    def lines_around(self, first: int, last: int) -> range:
        """The lines of the entries that lines belong to, as far as they are looked at."""
        if not (self._table or self._hinted):
            return range(0)
        begin = first
        if not self._table:
            begin = self._source.position(self._entry_start(first)).line
        text, number = self._source.text, last + 1
        lines = self._source.line_count()
        while number <= lines and number - begin < _MOST_LINES:
            start = self._source.offset(number)
            if text[start : start + 1] not in (" ", "\t"):
                break
            number += 1
        return range(begin, min(number, begin + _MOST_LINES))

    def _find(self, number: int) -> list[Span]:
        text = self._source.text
        start = self._source.offset(number)
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        found = [*_within(self._private_keys, start, end)]
        if self._table:
            found += _table_line_spans(text[start:end], start)
        else:
            found += _within(self._entry(number), start, end)
        return _merge(found)

    def _entry(self, number: int) -> list[Span]:
        first = self._entry_start(number)
        if first not in self._entries:
            text = self._source.text
            following = _NEXT_ENTRY.search(text, first)
            end = following.start() if following else len(text)
            self._entries[first] = (
                [Span(first, end)]
                if end - first > _LONGEST_ENTRY
                else _merge(_value_spans(text[first:end], first))
            )
        return self._entries[first]

    def _entry_start(self, number: int) -> int:
        """Where the logical line with line ``number`` begins; a comment stands for itself."""
        text, offset = self._source.text, self._source.offset
        line = number
        start = offset(line)
        if text.startswith("#", start):
            return start
        while line > 1 and line not in self._starts and text[start : start + 1] in " \t\r\n#":
            line -= 1
            start = offset(line)
        # Findings come in order: the next one of a long entry walks back no further than here.
        self._starts[number] = start = self._starts.get(line, start)
        return start


@lru_cache(maxsize=16)
def _secrets_of(source: SourceFile) -> _Secrets:
    return _Secrets(source)


def _is_secret_table(path: str) -> bool:
    # *.cf are key = value files, also when they are about passwords.
    name = path.rsplit("/", 1)[-1]
    return not name.endswith(".cf") and _SECRET_FILE.search(name) is not None


def _within(spans: list[Span], start: int, end: int) -> Iterator[Span]:
    """The parts of sorted ``spans`` between two offsets."""
    at = max(0, bisect_left(spans, Span(start, 0)) - 1)
    while at < len(spans) and spans[at].start < end:
        yield Span(max(start, spans[at].start), min(end, spans[at].end))
        at += 1


def _merge(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _private_key_spans(text: str) -> Iterator[Span]:
    begin = _PRIVATE_KEY.search(text)
    while begin:
        closing = _PRIVATE_KEY_END.search(text, begin.end())
        yield Span(begin.end(), closing.start() if closing else len(text))
        begin = _PRIVATE_KEY.search(text, closing.end()) if closing else None


def _table_line_spans(line: str, offset: int) -> Iterator[Span]:
    """``key secret``: all but the key; a continuation or a lone word may be the secret itself."""
    body = line.strip()
    comment = body.startswith("#")
    words = body.lstrip("# \t").split(None, 1)
    if not words or (comment and ":" not in body):
        return
    start = line.index(words[0])
    if len(words) > 1 and (comment or not line[0].isspace()):
        start = line.index(words[1], start + len(words[0]))
    yield Span(offset + start, offset + len(line.rstrip()))


def _value_spans(text: str, offset: int) -> Iterator[Span]:
    """Secrets in the text of an entry, which begins with its own key if it has one."""
    head = len(text) - len(text.lstrip("# \t\r\n"))
    done = 0
    searched = False
    for match in _KEY.finditer(text):
        key = match[1].lower().removeprefix("-o").lstrip("-")
        if match.start() < done:
            continue
        value = match.end()
        secret = _is_secret_key(key)
        if (secret and _MAP_KEY.search(key)) or (not secret and _is_own(key)):
            if not searched:  # the first search finds the payloads of all further maps too
                searched = True
                yield from _table_payloads(text, value, offset, all_of_them=secret)
            continue
        if not secret:
            continue
        done = len(text) if match.start() == head else _value_end(text, match.start(), value)
        yield Span(offset + value, offset + done)
    yield from _without_equals(text, offset)
    for option in _OPTION.finditer(text):
        if _is_secret_key(option[1].lower().replace("-", "_")):
            yield Span(offset + option.end(), offset + _word_or_braces(text, option.end()))
    yield from _told_by_form(text, offset)


def _without_equals(text: str, offset: int) -> Iterator[Span]:
    """``password secret``; in a comment only if nothing else is there."""
    own = _OWN_WORD.match(text)
    if own is None or not _is_secret_key(own[2].lower()) or _MAP_KEY.search(own[2].lower()):
        return
    if "#" not in own[1] or len(text[own.end() :].split()) == 1:
        yield Span(offset + own.end(), offset + len(text))


def _is_secret_key(key: str) -> bool:
    return _SECRET_WORD.search(key) is not None and not _HARMLESS_KEY.search(key)


def _is_own(key: str) -> bool:
    """Whether a parameter is one of the user's, which may hold anything."""
    from postlint.postfix import parameters

    return not parameters.is_known(key) and not key.startswith(("-", "smtpd_"))


def _told_by_form(text: str, offset: int) -> Iterator[Span]:
    """Secrets that can be told from what they look like."""
    for pattern, mark in ((_URL_PASSWORD, "://"), (_LIST_KEY, ".")):
        for match in pattern.finditer(text) if mark in text else ():
            yield Span(offset + match.start(1), offset + match.end(1))


def _table_payloads(
    text: str, start: int, offset: int, *, all_of_them: bool = True
) -> Iterator[Span]:
    """What tables in the text hold; unless ``all_of_them``, only those with ``login:password``."""
    table = _TABLE.search(text, start)
    while table:
        end = _word_or_braces(text, table.end())
        stray = _STRAY_WORDS.match(text, end) if text[end - 1] not in ",}" else None
        if stray is not None:
            end = stray.end()
        if all_of_them or _LOGIN.search(text[table.end() : end]):
            yield Span(offset + table.end(), offset + end)
        table = _TABLE.search(text, end)


def _value_end(text: str, key: int, value: int) -> int:
    """The end of a value that is not the entry's own."""
    line = text.rfind("\n", 0, key) + 1
    if not text[line:key].strip("# \t"):
        end = text.find("\n", value)
    elif text[line:key].rstrip().endswith("{"):
        end = text.find("}", value)
    else:
        return _word_or_braces(text, value)
    return len(text) if end < 0 else end


def _word_or_braces(text: str, start: int) -> int:
    """The end of the word or of the braces at ``start``."""
    if text[start : start + 1] != "{":
        match = _WORD.match(text, start)
        return match.end() if match else start
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at + 1
    return len(text)
