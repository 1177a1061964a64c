"""Settings of database clients: ``name = value`` files of ldap, mysql, pgsql, sqlite and others.

They are read as main.cf is (cfg_parser.c, dict_load_fp()), but ``$name`` is not expanded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.records import NamedTuple
from postlint.syntax.lines import WHITE_SPACE
from postlint.syntax.table import logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.syntax.source import SourceFile, SourceText

NO_EQUALS = "missing '=' after attribute name"
NO_NAME = "missing attribute name"


class ClientSetting(NamedTuple):
    """One logical line. ``problem``: why every program that opens the table dies."""

    line: SourceText
    name: SourceText
    value: SourceText
    problem: str | None = None


class ClientFile:
    """The settings of a client file; of several with the same name the last one counts."""

    __slots__ = ("_last", "settings", "source")

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.settings = tuple(read_client(source))
        self._last = {setting.name.text: setting for setting in self.settings}

    def get(self, name: str) -> ClientSetting | None:
        """The setting that counts."""
        return self._last.get(name)

    def text(self, name: str, default: str = "") -> str:
        """The value that counts, or the default."""
        setting = self._last.get(name)
        return default if setting is None else setting.value.text


def read_client(source: SourceFile) -> Iterator[ClientSetting]:
    """The lines of a client file."""
    for logical in logical_lines(source):
        text = logical.text
        nul = text.find("\0")  # a C string ends there
        line = logical if nul < 0 else logical.cut(0, nul)
        name, equals, rest = line.text.partition("=")
        key = line.cut(0, len(name))
        key = key.strip(WHITE_SPACE) if key.text else key
        nothing = line.cut(len(line.text), len(line.text))
        if not key.text:
            yield ClientSetting(line, key, nothing, NO_NAME)
            continue
        if not equals or any(blank in key.text for blank in WHITE_SPACE):
            yield ClientSetting(line, key, nothing, NO_EQUALS)
            continue
        value = line.cut(len(line.text) - len(rest), len(line.text))
        yield ClientSetting(line, key, value.strip(WHITE_SPACE) if value.text else value)
