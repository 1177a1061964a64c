"""Parameters that lookup tables bring along: ``ldap:name`` and client files (postconf_dbms.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from postlint.config.limits import NESTING_LIMIT
from postlint.show.database_names import suffixes
from postlint.show.octets import octets, words
from postlint.show.reader import UnreadableError, Value
from postlint.syntax.braces import braced_words, extract_braced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from postlint.config.files import Files
    from postlint.show.engine import Engine
    from postlint.show.services import Service

_PATTERN_TYPES = ("regexp", "pcre")
_SHOWN = 20
"""Octets of the text after a comment that the warning quotes."""


class Databases:
    """Looks for tables in values and tells the names of their parameters."""

    def __init__(
        self,
        engine: Engine,
        files: Files,
        flag: Callable[[str, Service | None], None],
        *,
        order: Callable[[Iterable[str]], list[str]],
        warn_unused: bool,
    ) -> None:
        """``flag`` is told each name; ``order`` puts the names of a client file in order."""
        self._engine = engine
        self._version = engine.version
        self._warning = engine.messages.warning
        self._files = files
        self._flag = flag
        self._order = order
        self._warn_unused = warn_unused
        self._suffixes = suffixes(engine.version)
        self._adapters = ("proxy", "debug") if self._version >= (3, 11) else ("proxy",)
        self._visited: set[tuple[str, str]] = set()

    def find(self, text: str, scope: Service | None) -> None:
        """Look at an expanded value."""
        if ":" not in text and "#" not in text and "{" not in text:
            return
        self._find(text, scope, recurse=True)

    def _find(self, text: str, scope: Service | None, *, recurse: bool, depth: int = 0) -> None:
        if depth > NESTING_LIMIT:
            return
        version = self._version
        if version < (3, 0):
            for word in words(text):
                self._table(word, scope, recurse=recurse, depth=depth)
            return
        comment = (
            (lambda word, rest: self._comment(word, rest, scope)) if version >= (3, 8) else None
        )
        for word in braced_words(text, comment):
            if word[0] == "{" and version >= (3, 5):
                inside = self._inside(word, scope)
                if recurse:
                    self._find(inside, scope, recurse=recurse, depth=depth + 1)
            else:
                self._table(word, scope, recurse=recurse, depth=depth)

    def _table(self, word: str, scope: Service | None, *, recurse: bool, depth: int) -> None:
        kind, colon, name = word.partition(":")
        while colon and kind in self._adapters:
            kind, colon, name = name.partition(":")
        if not colon:
            return
        first = name[:1]
        if first == "/":
            if self._version >= (3, 3) and kind in self._suffixes:
                self._client_file(kind, name)
        elif first == "{" and self._version >= (3, 0):
            inside = self._inside(name, scope)
            opaque = self._version >= (3, 8) and kind in _PATTERN_TYPES
            self._find(inside, scope, recurse=recurse and not opaque, depth=depth + 1)
        elif first != ".":
            for suffix in self._suffixes.get(kind, ()):
                self._flag(f"{name}_{suffix}", scope)

    def _inside(self, text: str, scope: Service | None) -> str:
        inside, error = extract_braced(text)
        if error is not None:
            self._warning(f"{self._blame(scope)}: {error}")
        return inside

    def _blame(self, scope: Service | None) -> str:
        engine = self._engine
        if scope is None:
            return engine.main_path if self._version >= (3, 8) else "main.cf"
        path = engine.master_path if self._version >= (3, 8) else "master.cf"
        return f"{path}:{scope.name_space}"

    def _comment(self, word: str, rest: str, scope: Service | None) -> None:
        path = self._engine.main_path if scope is None else self._engine.master_path
        self._warning(
            f"{path}: #comment after other text is not allowed: {word} {rest[:_SHOWN]}..."
        )

    def _client_file(self, kind: str, name: str) -> None:
        """Warn about names in a client file that the client does not know."""
        if (kind, name) in self._visited:
            return
        self._visited.add((kind, name))
        path = self._files.locate(name)
        if path is None:
            return
        settings: dict[str, Value] = {}
        try:
            self._engine.reader.load(octets(str(path)), settings, shown=name)
        except UnreadableError as error:
            if error.number == errno.EISDIR:
                error = UnreadableError(None, "not a regular file")
            if error.number != errno.EACCES:
                self._warning(f'open "{kind}" configuration "{name}": {error}')
            return
        if self._warn_unused:
            known = self._suffixes[kind]
            for key in self._order(settings):
                if key not in known:
                    self._warning(f"{kind}:{name}: unused parameter: {key}={settings[key].text}")
