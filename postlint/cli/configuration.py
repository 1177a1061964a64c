"""postlint's own configuration: pyproject.toml, postlint.toml or .postlint.toml."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postlint.cli.errors import UsageError, did_you_mean, reason
from postlint.config.boundary import (
    Boundary,
    LeadsOutError,
    UnreadableFileError,
    is_regular,
    read_regular,
    work_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FILE_NAMES = ("postlint.toml", ".postlint.toml", "pyproject.toml")

_MAY_SET = (
    rb"""^[ \t]*(?:\[[ \t]*["']?tool["']?[ \t]*(?:\]|\.[ \t]*["']?postlint)"""
    rb"""|["']?tool["']?[ \t]*[.=])"""
)
"""Where a pyproject.toml can begin to speak of postlint: the TOML parser is slow to import."""

_SIZE_LIMIT = 256 << 10
"""Bytes of a configuration file."""

_MOST_DOTS = 1000
"""Dots on a line of it: tomllib takes time by the square of the length of a dotted key."""

_LISTS = frozenset({"select", "ignore", "extend-select", "plugins"})
_WORDS = frozenset({"format", "severity-at-least", "fail-on", "postfix-version", "root", "color"})
_SWITCHES = frozenset({"statistics", "quiet"})
_NUMBERS = frozenset({"jobs"})
KEYS = _LISTS | _WORDS | _SWITCHES | _NUMBERS
"""The keys of a configuration file, spelt as the long options."""


class Configuration:
    """The settings of one file; ``path`` is None when there is none.

    ``found`` tells that the user did not name it: it may come from whoever wrote what is checked.
    """

    __slots__ = ("found", "path", "values")

    def __init__(
        self, values: Mapping[str, Any], path: Path | None = None, *, found: bool = True
    ) -> None:
        self.values = values
        self.path = path
        self.found = found

    def get(self, key: str) -> Any:
        """The value of a key, None when it is not set."""
        return self.values.get(key)


def find_configuration(paths: Iterable[str]) -> Configuration:
    """The file nearest above what all paths have in common; raises UsageError if it is broken."""
    absolute = [os.path.abspath("." if name == "-" else name) for name in paths]  # noqa: PTH100
    common = Path(os.path.commonpath(absolute))
    for folder in (common, *common.parents):
        for name in _FILE_NAMES:
            file = folder / name
            if is_regular(file):
                values = _load(file, Boundary(work_tree(folder)))
                if values is not None:
                    return Configuration(values, file)
    return Configuration({})


def read_configuration(path: str) -> Configuration:
    """The file that the user names; raises UsageError."""
    file = Path(path)
    try:
        if not file.exists():
            raise UsageError(f"{path}: no such configuration file")
        if not file.is_file():
            raise UsageError(f"{path}: the configuration is not a regular file")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error
    values = _load(file)
    if values is None:
        raise UsageError(f"{path}: there is no [tool.postlint] in it")
    return Configuration(values, file, found=False)


def _load(file: Path, inside: Boundary | None = None) -> dict[str, Any] | None:
    """None for a pyproject.toml that does not speak of postlint."""
    try:
        data = read_regular(file, _SIZE_LIMIT, inside)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: {reason(error)}") from error
    except LeadsOutError as error:
        raise UsageError(f"{file}: {error}: use --config if it is meant") from error
    except UnreadableFileError as error:
        raise UsageError(f"{file}: {error}") from error
    in_pyproject = file.name == "pyproject.toml"
    if in_pyproject and not re.search(_MAY_SET, data, re.MULTILINE):
        return None
    if any(line.count(b".") > _MOST_DOTS for line in data.splitlines()):
        raise UsageError(f"{file}: a line with more than {_MOST_DOTS} dots")
    import tomllib

    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: {error}") from error
    table: Any = document
    if in_pyproject:
        tools = document.get("tool", {})
        table = tools.get("postlint") if isinstance(tools, dict) else None
        if table is None:
            return None
        if not isinstance(table, dict):
            raise UsageError(f"{file}: tool.postlint is not a table")
    return {key: _checked(file, key, value) for key, value in table.items()}


def _checked(file: Path, key: str, value: object) -> object:
    if key not in KEYS:
        raise UsageError(f'{file}: unknown key "{key}"{did_you_mean(key, sorted(KEYS))}')
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
