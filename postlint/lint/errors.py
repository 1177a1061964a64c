"""What keeps a run from having a result."""

from __future__ import annotations


class ProcessError(Exception):
    """The processes of ``--jobs`` do not do their work; the text says why."""


class WorkerDiedError(ProcessError):
    """One was killed from outside, for its memory perhaps."""

    def __init__(self) -> None:
        super().__init__("a process of --jobs died")

    def __reduce__(self) -> tuple[type[WorkerDiedError], tuple[()]]:
        """It may be that of a process which has processes itself."""
        return type(self), ()


class NoProcessesError(ProcessError):
    """None can be started, or they could share nothing."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(f"no processes can be started for --jobs: {reason}")
