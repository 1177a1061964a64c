"""Ending what hangs: a bound on processor time, far above what any machine needs for the work.

It tells a hang from work, not slow from fast: that is what the benchmarks are for.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SECONDS = 60.0
"""Processor time of this process; the time of others on the machine does not count."""


@contextmanager
def patience(seconds: float = SECONDS) -> Iterator[None]:
    """Fail what is still busy after so many seconds of processor time."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"still busy after {seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
