"""Checking instances one by one or in several processes, with the same result."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from postlint.lint.calls import crash
from postlint.lint.errors import NoProcessesError, WorkerDiedError
from postlint.lint.result import Notification
from postlint.lint.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from postlint.config.discovery import Candidate
    from postlint.lint.reuse import Reuse
    from postlint.lint.rule import Rule
    from postlint.lint.runner import Outcome, Target

    Prepare: TypeAlias = Callable[[Candidate], Target]
    """Makes the instance to check; picklable where several processes are asked for."""


_TOGETHER = 32
"""Instances that a process takes at once, at most."""


def check_here(
    runner: Runner, prepare: Prepare, candidates: Iterable[Candidate], *, reuse: bool = False
) -> Iterator[Outcome | Notification]:
    """Check in this process; an instance that postlint fails on does not stop the others.

    ``reuse``: instances that are the same but for their folder may get the same result.
    """
    return _check_each(runner, prepare, candidates, _new_reuse() if reuse else None)


def _new_reuse() -> Reuse:
    from postlint.lint.reuse import Reuse  # for many instances only

    return Reuse()


def _check_each(
    runner: Runner, prepare: Prepare, candidates: Iterable[Candidate], reuse: Reuse | None
) -> Iterator[Outcome | Notification]:
    for candidate in candidates:
        try:
            outcome = _check(runner, prepare, candidate, reuse)
        except WorkerDiedError:
            raise
        except Exception as error:
            message = f"could not be checked: {crash(error)}"
            yield Notification("internal-error", message, path=_name(candidate))
        else:
            yield outcome
        candidate.release()


def _check(runner: Runner, prepare: Prepare, candidate: Candidate, reuse: Reuse | None) -> Outcome:
    outcome = None if reuse is None else reuse.find(candidate)
    if outcome is None:
        target = prepare(candidate)
        outcome = runner.check(target)
        if reuse is not None:
            reuse.keep(candidate, target.instance, outcome)
        target.instance.release()
    return outcome


def check_in_processes(
    load_rules: Callable[[], Sequence[Rule]],
    rules: Sequence[Rule],
    prepare: Prepare,
    candidates: Sequence[Candidate],
    jobs: int,
    *,
    reuse: bool = False,
) -> Iterator[Outcome | Notification]:
    """Check in ``jobs`` processes, which load all rules themselves; raises ProcessError.

    The outcomes come in the order of the candidates. Where there are fewer of them than ``jobs``,
    the processes share out tables with the others. ``reuse``: each process may take the
    results of instances that are the same.
    """
    import sys
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    from postlint.lint.transfer import loads

    method = "fork" if sys.platform == "linux" else None  # the quickest; no threads run here
    codes = frozenset(rule.code for rule in rules)
    known = {rule.code: rule for rule in load_rules()}
    processes = min(jobs, len(candidates))
    own = jobs // processes
    size = max(1, min(_TOGETHER, len(candidates) // (4 * processes)))
    parts = [candidates[at : at + size] for at in range(0, len(candidates), size)]
    try:
        with ProcessPoolExecutor(
            processes, get_context(method), _begin, (load_rules, codes, prepare, reuse, own)
        ) as pool:
            for data in pool.map(_work, parts):
                yield from loads(data, known)
    except BrokenProcessPool as error:
        raise WorkerDiedError from error
    except (OSError, ImportError, NotImplementedError) as error:
        raise NoProcessesError(error) from error


class _Worker:
    """What a process keeps between two instances."""

    runner: Runner
    prepare: Prepare
    reuse: Reuse | None


def _begin(
    load_rules: Callable[[], Sequence[Rule]],
    codes: frozenset[str],
    prepare: Prepare,
    reuse: bool,
    jobs: int,
) -> None:
    known = load_rules()
    _Worker.runner = Runner(known, [rule for rule in known if rule.code in codes], jobs)
    _Worker.prepare = staticmethod(prepare)
    _Worker.reuse = _new_reuse() if reuse else None


def _work(candidates: Sequence[Candidate]) -> bytes:
    from postlint.lint.transfer import dumps

    return dumps(list(_check_each(_Worker.runner, _Worker.prepare, candidates, _Worker.reuse)))


def _name(candidate: Candidate) -> str:
    source = candidate.main_cf or candidate.master_cf
    return "" if source is None else source.path
