"""Keeping secrets out of reports: every source line and message passes through here.

What is masked: values of keys that name a password, the payload of ``inline:`` and ``static:``
tables of password maps, passwords in URLs, the right-hand sides of password tables, and the
bodies of private keys. When in doubt the text is masked.
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

_MOST_LINES = 100
"""How many lines of a finding are searched for secrets that its message could repeat."""

_HINTS = ("pass", "pw", "secret", "credential", "api", "_token", "private key", "://")
"""A file without any of these has nothing to mask; looking for them is cheap."""

_SECRET_WORD = LazyPattern(
    r"passw(?:or)?d|passphrase|bind_?pw|secret|credential|api_?key|(?:access|auth)_token"
    r"|^(?:pw|pass)$"
)
_MAP_KEY = LazyPattern(r"(?:^|_)maps?$")
_HARMLESS_KEY = LazyPattern(r"_(?:files?|dir|directory|path|delimiter|attribute|query|scheme)$")
_SECRET_FILE = LazyPattern(r"passw(?:or)?d|secret|credential|sasl_auth", re.IGNORECASE)
_NEXT_ENTRY = LazyPattern(r"\n(?=[^\s#])")

# Possessive, bounded, or anchored at the start of a word: linear on any input.
_KEY = LazyPattern(r"(?<![\w.-])([\w.-]++)\s*+=[ \t]*+")
_TABLE = LazyPattern(r"\b(?:static|inline):\s*+")
_WORD = LazyPattern(r"\S*+")
_URL_PASSWORD = LazyPattern(r"://[^\s/:@]{0,256}+:([^\s@]{1,512}+)@")
_PRIVATE_KEY = LazyPattern(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----")
_PRIVATE_KEY_END = LazyPattern(r"-----END [A-Z0-9 ]{0,32}PRIVATE KEY-----")


def spans_in_line(source: SourceFile, number: int) -> list[Span]:
    """The parts of line ``number`` to mask, in file offsets, sorted and apart."""
    return _secrets_of(source).in_line(number)


def message(text: str, location: Location) -> str:
    """``text`` without the secrets that stand on the lines of ``location``."""
    for secret in _secrets_at(location):
        text = text.replace(secret, MASK)
    return text


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
    """The secrets on the lines of a location, the longest first."""
    source = location.source
    first = location.start.line
    found = {
        source.text[start:end].strip()
        for line in range(first, min(location.end.line, first + _MOST_LINES) + 1)
        for start, end in spans_in_line(source, line)
        if end - start <= _LONGEST_SECRET
    }
    return sorted((text for text in found if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)


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
        key = match[1].lower().removeprefix("-o")
        if match.start() < done or not _SECRET_WORD.search(key) or _HARMLESS_KEY.search(key):
            continue
        value = match.end()
        if _MAP_KEY.search(key):
            if not searched:  # the first search finds the payloads of all further maps too
                searched = True
                yield from _table_payloads(text, value, offset)
            continue
        done = len(text) if match.start() == head else _value_end(text, match.start(), value)
        yield Span(offset + value, offset + done)
    for match in _URL_PASSWORD.finditer(text):
        yield Span(offset + match.start(1), offset + match.end(1))


def _table_payloads(text: str, start: int, offset: int) -> Iterator[Span]:
    table = _TABLE.search(text, start)
    while table:
        end = _word_or_braces(text, table.end())
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
