"""A progress bar for work that takes longer than people like to wait without a sign."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.progress import Progress

    Item = TypeVar("Item")

PATIENCE = 2.0
"""Seconds before a bar appears."""


class Bar:
    """How much of ``total`` is done, on standard error, which is a terminal.

    It appears when the work turns out to be long, and it is gone when the work ends.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._start = monotonic()
        self._shown: Progress | None = None

    def counting(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each of which is one of the total."""
        try:
            for item in items:
                yield item
                self._done += 1
                self.show(0)
        finally:
            if self._shown is not None:
                self._shown.stop()

    def show(self, part: float) -> None:
        """Some part of the next item is done, too."""
        if self._done >= self._total:
            return
        if self._shown is None:
            if monotonic() - self._start < PATIENCE:
                return
            self._shown = _progress(self._total)
        self._shown.update(self._shown.task_ids[0], completed=self._done + part)


def _progress(total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    columns = ("checking", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task("", total=total)
    progress.start()
    return progress
