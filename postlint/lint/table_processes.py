"""The tables of one instance, shared out among processes.

They are forked when the texts of the tables have been read, so that every process has the same
ones and none has to send them. Each process, this one too, takes the next table that nobody has
taken, the largest first; only what the rules say of it comes back.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from postlint.lint.calls import call, inputs, joined
from postlint.lint.errors import WorkerDiedError
from postlint.lint.sources import sources_of
from postlint.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
    from multiprocessing.sharedctypes import Synchronized

    from postlint.config.instance import Instance
    from postlint.lint.calls import Said
    from postlint.lint.rule import Rule, Scope
    from postlint.syntax.source import SourceFile

WORTH_IT = 1 << 20
"""Characters of all tables but the largest from which processes save more than they cost."""

_SCOPES: tuple[Scope, ...] = ("table", "policy_table")


class _Table(NamedTuple):
    """What the rules of a scope are called with, and its number among those."""

    scope: Scope
    number: int
    value: object
    size: int


class _Answer(NamedTuple):
    """What the rules, by their numbers, said of a table."""

    scope: Scope
    number: int
    said: dict[int, Said]


class _Share(NamedTuple):
    """What another process did, and what it learnt of the instance."""

    answers: list[_Answer]
    located: tuple[str, ...]
    refused: list[tuple[str, str]]
    notes: list[str]


class TableProcesses:
    """Processes at work on the tables of an instance; ``said`` waits for them."""

    def __init__(
        self, instance: Instance, rules: Sequence[Rule], tables: Sequence[_Table], number: int
    ) -> None:
        """``number``: processes in all, this one included.

        Raises OSError or ImportError where processes can share nothing.
        """
        from multiprocessing import get_context

        self._instance = instance
        self._rules = rules
        self._tables = sorted(tables, key=lambda table: -table.size)
        self._sources = sources_of(instance)
        context = get_context("fork")
        self._next: Synchronized[int] = context.Value("i", 0)
        self._others: list[tuple[ForkProcess, Connection]] = []
        for _ in range(min(number, len(tables)) - 1):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=self._answer, args=(theirs,), daemon=True)
            try:
                process.start()
            except OSError:  # there may be no more processes: the others do it
                break
            theirs.close()  # nobody but the process has it open now, so that its end is seen
            self._others.append((process, ours))

    def takes(self, rule: Rule) -> bool:
        """Whether a rule is called here, for one table at a time."""
        return rule.scope in _SCOPES

    @property
    def part(self) -> float:
        """The part of the tables that somebody has taken."""
        return min(1.0, self._next.value / len(self._tables))

    def said(self, watch: Callable[[], None]) -> dict[int, Said]:
        """What the rules, by their numbers, say of all tables; this process works on them, too.

        ``watch`` is called after each table that it takes. Raises WorkerDiedError.
        """
        from postlint.lint.transfer import loads

        answers: list[_Answer] = []
        for answer in self._work():
            answers.append(answer)
            watch()
        known = {rule.code: rule for rule in self._rules}
        for process, stream in self._others:
            try:
                data = stream.recv_bytes()
            except (EOFError, OSError) as error:
                raise WorkerDiedError from error
            process.join()
            share: _Share = loads(data, known, self._sources)
            answers += share.answers
            self._instance.files.learn(share.located, share.refused)
            for note in share.notes:
                self._instance.note(note)
        answers.sort(key=lambda answer: answer.number)
        parts: dict[int, list[Said]] = {}
        for answer in answers:
            for number, said in answer.said.items():
                parts.setdefault(number, []).append(said)
        return {number: joined(said) for number, said in parts.items()}

    def _work(self) -> Iterator[_Answer]:
        while True:
            with self._next.get_lock():
                at = self._next.value
                self._next.value = at + 1
            if at >= len(self._tables):
                return
            scope, number, value, _ = self._tables[at]
            said = {
                at: call(rule, (value,))
                for at, rule in enumerate(self._rules)
                if rule.scope == scope
            }
            yield _Answer(scope, number, said)

    def _answer(self, stream: Connection) -> None:
        """All that another process does."""
        from postlint.lint.transfer import dumps

        try:
            answers = list(self._work())
            files = self._instance.files
            share = _Share(answers, files.located, files.refused, self._instance.notes)
            stream.send_bytes(dumps(share, self._sources))
        except BaseException:  # what happened is nothing to print: it may quote a secret
            os._exit(1)


def share_tables(instance: Instance, rules: Sequence[Rule], number: int) -> TableProcesses | None:
    """Set ``number`` processes to work on the tables; None where that saves no time.

    Only on Linux: elsewhere it is not safe to fork, or not possible.
    """
    if number < 2 or sys.platform != "linux":
        return None
    if not any(rule.scope == "table" for rule in rules):
        return None  # no rule looks at all tables
    tables = [
        _Table(scope, at, value, _size(value))
        for scope in _SCOPES
        for at, value in enumerate(inputs(scope, instance))
    ]
    sizes = [table.size for table in tables]
    if sum(sizes) - max(sizes, default=0) < WORTH_IT:
        return None
    try:
        return TableProcesses(instance, rules, tables, number)
    except (OSError, ImportError):  # no semaphores, as in some containers
        return None


def _size(value: object) -> int:
    """Characters of a table in a file; what stands in main.cf itself is short."""
    source: SourceFile | None = getattr(value, "source", None)
    return 0 if source is None else len(source.text)
