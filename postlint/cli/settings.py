"""What holds for a run: the command line, else the configuration file, else the default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postlint.cli.errors import UsageError, did_you_mean
from postlint.lint.finding import Severity
from postlint.numbers import integer
from postlint.postfix.versions import PostfixVersion

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from postlint.cli.configuration import Configuration

_NEVER = "never"
_LEVELS = ("error", "warning", "info")
_MOST_JOBS = 256


class Settings:
    """Checked values; each raises UsageError that says where a wrong one was given."""

    def __init__(self, options: Namespace, configuration: Configuration) -> None:
        self._options = options
        self._configuration = configuration

    def get(self, key: str, default: Any = None) -> Any:
        given = self._given(key)
        if given is None:
            given = self._configuration.get(key)
        return default if given is None else given

    def flag(self, key: str) -> bool:
        return bool(self.get(key))

    def word(self, key: str, known: Iterable[str], default: str) -> str:
        """One of the known words."""
        word: str = self.get(key, default)
        words = list(known)
        if word not in words:
            listed = f"{', '.join(words[:-1])} or {words[-1]}"
            raise self.complaint(key, f'"{word}" is not {listed}{did_you_mean(word, words)}')
        return word

    def severity_at_least(self) -> Severity:
        return Severity.parse(self.word("severity-at-least", _LEVELS, "info"))

    def fail_on(self) -> Severity | None:
        """None for "never"."""
        word = self.word("fail-on", (*_LEVELS, _NEVER), "warning")
        return None if word == _NEVER else Severity.parse(word)

    def postfix_version(self) -> PostfixVersion | None:
        text = self.get("postfix-version")
        if text is None:
            return None
        try:
            return PostfixVersion.parse(text)
        except ValueError as error:
            raise self.complaint("postfix-version", str(error)) from error

    def root(self) -> Path | None:
        """The folder where absolute paths begin.

        In a configuration file it counts from that file's folder, and in one that was found
        beside what is checked it can not lead out of it.
        """
        text = self.get("root")
        if text is None:
            return None
        root = Path(text)
        file = self._configuration.path
        if self._given("root") is None and file is not None:
            folder = file.resolve().parent
            root = folder / text
            if self._configuration.found and not root.resolve().is_relative_to(folder):
                raise self.complaint("root", f'"{text}" leads out of {folder}: use --root')
        if not os.path.isdir(root):  # noqa: PTH112 -- that of pathlib raises PermissionError
            raise self.complaint("root", f"{root}: no such folder")
        return root

    def jobs(self) -> int:
        """How many processes; 0 stands for as many as there are processors."""
        text = str(self.get("jobs", "1"))
        if not text.isdecimal() or integer(text) > _MOST_JOBS:
            raise self.complaint("jobs", f'"{text}" is not a number from 0 to {_MOST_JOBS}')
        return integer(text) or os.cpu_count() or 1

    def complaint(self, key: str, text: str) -> UsageError:
        """An error that says where the value was given."""
        if self._given(key) is not None:
            return UsageError(f"--{key}: {text}")
        return UsageError(f"{self._configuration.path}: {key}: {text}")

    def _given(self, key: str) -> Any:
        return getattr(self._options, key.replace("-", "_"), None)
