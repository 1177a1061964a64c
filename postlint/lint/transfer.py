"""Outcomes as bytes, for another process of the same run; rules travel as their codes."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import TYPE_CHECKING

from postlint.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postlint.lint.result import Notification
    from postlint.lint.runner import Outcome


def dumps(outcomes: Sequence[Outcome | Notification]) -> bytes:
    """What ``loads`` turns back; sources that findings share are still shared then."""
    stream = BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(outcomes)
    return stream.getvalue()


def loads(data: bytes, rules: Mapping[str, Rule]) -> Sequence[Outcome | Notification]:
    """The outcomes; only for bytes that a process of this run has made."""
    outcomes: Sequence[Outcome | Notification] = _Unpickler(data, rules).load()
    return outcomes


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> str | None:
        return value.code if isinstance(value, Rule) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, rules: Mapping[str, Rule]) -> None:
        super().__init__(BytesIO(data))
        self._rules = rules

    def persistent_load(self, code: str) -> Rule:
        return self._rules[code]
