"""What keeps a run from having a result."""

from __future__ import annotations


class WorkerDiedError(Exception):
    """A process of ``--jobs`` was killed from outside, for its memory perhaps."""

    def __init__(self) -> None:
        super().__init__("a process of --jobs died")
