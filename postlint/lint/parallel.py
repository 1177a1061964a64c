"""Checking instances one by one or in several processes, with the same result."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from postlint.lint.result import Notification
from postlint.lint.runner import Runner, crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from postlint.config.discovery import Candidate
    from postlint.lint.rule import Rule
    from postlint.lint.runner import Outcome, Target

    Prepare: TypeAlias = Callable[[Candidate], Target]
    """Makes the instance to check; picklable where several processes are asked for."""


class WorkerDiedError(Exception):
    """A process was killed from outside, for its memory perhaps."""


def check_here(
    runner: Runner, prepare: Prepare, candidates: Sequence[Candidate]
) -> Iterator[Outcome | Notification]:
    """Check in this process; an instance that postlint fails on does not stop the others."""
    for candidate in candidates:
        try:
            outcome: Outcome | Notification = runner.check(prepare(candidate))
        except Exception as error:
            path = _name(candidate)
            message = f"could not be checked: {crash(error)}"
            outcome = Notification("internal-error", message, path=path)
        yield outcome


def check_in_processes(
    load_rules: Callable[[], Sequence[Rule]],
    rules: Sequence[Rule],
    prepare: Prepare,
    candidates: Sequence[Candidate],
    jobs: int,
) -> Iterator[Outcome | Notification]:
    """Check in ``jobs`` processes, which load all rules themselves; raises WorkerDiedError.

    The outcomes come in the order of the candidates.
    """
    import sys
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    from postlint.lint.transfer import loads

    method = "fork" if sys.platform == "linux" else None  # the quickest; no threads run here
    codes = frozenset(rule.code for rule in rules)
    known = {rule.code: rule for rule in load_rules()}
    try:
        with ProcessPoolExecutor(
            jobs, get_context(method), _begin, (load_rules, codes, prepare)
        ) as pool:
            for data in pool.map(_work, candidates):
                yield loads(data, known)
    except BrokenProcessPool as error:
        raise WorkerDiedError("a process of --jobs died") from error


class _Worker:
    """What a process keeps between two instances."""

    runner: Runner
    prepare: Prepare


def _begin(
    load_rules: Callable[[], Sequence[Rule]], codes: frozenset[str], prepare: Prepare
) -> None:
    known = load_rules()
    _Worker.runner = Runner(known, [rule for rule in known if rule.code in codes])
    _Worker.prepare = staticmethod(prepare)


def _work(candidate: Candidate) -> bytes:
    from postlint.lint.transfer import dumps

    return dumps(next(check_here(_Worker.runner, _Worker.prepare, (candidate,))))


def _name(candidate: Candidate) -> str:
    source = candidate.main_cf or candidate.master_cf
    return "" if source is None else source.path
