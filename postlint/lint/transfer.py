"""Results as bytes, for another process of the same run; rules travel as their codes."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import TYPE_CHECKING, Any

from postlint.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postlint.syntax.source import SourceFile


def dumps(value: object, sources: Sequence[SourceFile] = ()) -> bytes:
    """What ``loads`` turns back; sources that findings share are still shared then.

    ``sources``: those that the other process has, too, and which need not travel.
    """
    stream = BytesIO()
    _Pickler(stream, sources).dump(value)
    return stream.getvalue()


def loads(data: bytes, rules: Mapping[str, Rule], sources: Sequence[SourceFile] = ()) -> Any:
    """The value; only for bytes that a process of this run has made."""
    return _Unpickler(data, rules, sources).load()


class _Pickler(pickle.Pickler):
    def __init__(self, stream: BytesIO, sources: Sequence[SourceFile]) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(source): number for number, source in enumerate(sources)}

    def persistent_id(self, value: object) -> str | int | None:
        return value.code if isinstance(value, Rule) else self._numbers.get(id(value))


class _Unpickler(pickle.Unpickler):
    def __init__(
        self, data: bytes, rules: Mapping[str, Rule], sources: Sequence[SourceFile]
    ) -> None:
        super().__init__(BytesIO(data))
        self._rules = rules
        self._sources = sources

    def persistent_load(self, key: str | int) -> Rule | SourceFile:
        return self._rules[key] if isinstance(key, str) else self._sources[key]
