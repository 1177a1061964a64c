"""Whatever postlint fails on: one line, exit status 2, a traceback only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.cli.conftest import ERROR, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run


def fail(*_arguments: object, **_options: object) -> NoReturn:
    raise LookupError("hunter2\x1b[31m\nname")


def test_one_line(postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a/main.cf": ERROR})
    monkeypatch.setattr("postlint.cli.check.render", fail)
    run = postlint("check", "a")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("postlint: internal error: LookupError at test_internal_errors.py:")
    assert "hunter2" not in run.err  # the exception may quote the configuration
    assert run.err.count("\n") == 1
    assert run.err[:-1].isprintable()


def test_traceback_when_asked_for(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a/main.cf": ERROR})
    monkeypatch.setattr("postlint.cli.check.render", fail)
    monkeypatch.setenv("POSTLINT_TRACEBACK", "1")
    run = postlint("check", "a")
    assert run.status == 2
    assert run.err.startswith("Traceback (most recent call last):\n")


def test_an_instance_that_can_not_be_loaded_does_not_stop_the_others(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from postlint.cli import check

    load = check.load_instance

    def load_some(candidate, *arguments, **options):  # type: ignore[no-untyped-def]
        if candidate.folder.name == "a":
            raise RecursionError("too deep")
        return load(candidate, *arguments, **options)

    monkeypatch.setattr(check, "load_instance", load_some)
    write({"a/main.cf": ERROR, "b/main.cf": ERROR})
    run = postlint("check", "a", "b", "--select", "DUP")
    assert run.status == 2
    assert run.lines[0].startswith("b/main.cf:1:1: DUP001")
    assert run.err.startswith(
        "postlint: a/main.cf: could not be checked: RecursionError at test_internal_errors.py:"
    )
    assert run.err.count("\n") == 1


def test_interrupt(postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("postlint.cli.check.render", interrupt)
    write({"a/main.cf": ERROR})
    assert postlint("check", "a") == (130, "", "")
