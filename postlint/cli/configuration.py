"""postlint's own configuration: pyproject.toml, postlint.toml or .postlint.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postlint.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE_NAMES = ("postlint.toml", ".postlint.toml", "pyproject.toml")

_LISTS = frozenset({"select", "ignore", "extend-select", "plugins"})
_WORDS = frozenset({"format", "severity-at-least", "fail-on", "postfix-version", "root", "color"})
_SWITCHES = frozenset({"statistics", "quiet"})
_NUMBERS = frozenset({"jobs"})
KEYS = _LISTS | _WORDS | _SWITCHES | _NUMBERS
"""The keys of a configuration file, spelt as the long options."""


class Configuration:
    """The settings of one file; ``path`` is None when there is none."""

    __slots__ = ("path", "values")

    def __init__(self, values: Mapping[str, Any], path: Path | None = None) -> None:
        self.values = values
        self.path = path

    def get(self, key: str) -> Any:
        """The value of a key, None when it is not set."""
        return self.values.get(key)


def find_configuration(paths: Iterable[str]) -> Configuration:
    """The file nearest above what all paths have in common; raises UsageError if it is broken."""
    absolute = [Path.cwd() if name == "-" else Path(name).absolute() for name in paths]
    if not absolute:
        return Configuration({})
    common = Path(os.path.commonpath(absolute))
    for folder in (common, *common.parents):
        for name in _FILE_NAMES:
            file = folder / name
            if file.is_file():
                configuration = _load(file, required=name != "pyproject.toml")
                if configuration is not None:
                    return configuration
    return Configuration({})


def read_configuration(path: str) -> Configuration:
    """The file that the user names; raises UsageError."""
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"{path}: no such configuration file")
    configuration = _load(file, required=True)
    return configuration if configuration is not None else Configuration({}, file)


def _load(file: Path, *, required: bool) -> Configuration | None:
    """None for a pyproject.toml that does not speak of postlint."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {(error.strerror or str(error)).lower()}") from error
    in_pyproject = file.name == "pyproject.toml"
    if in_pyproject and b"postlint" not in data and not required:
        return None
    import tomllib

    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from error
    table = document
    if in_pyproject:
        table = document.get("tool", {}).get("postlint")
        if table is None:
            return None
    if not isinstance(table, dict):
        raise UsageError(f"{file}: [tool.postlint] is not a table")
    return Configuration({key: _checked(file, key, value) for key, value in table.items()}, file)


def _checked(file: Path, key: str, value: object) -> object:
    if key not in KEYS:
        from difflib import get_close_matches

        close = get_close_matches(key, KEYS, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f'{file}: unknown key "{key}"{hint}')
    if key in _LISTS:
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        expected = "a list of strings"
    elif key in _SWITCHES:
        good, expected = isinstance(value, bool), "true or false"
    elif key in _NUMBERS:
        good, expected = isinstance(value, int) and not isinstance(value, bool), "a number"
    else:
        good, expected = isinstance(value, str), "a string"
    if not good:
        raise UsageError(f'{file}: "{key}" must be {expected}')
    return value
