"""--jobs changes nothing but the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ERROR, INFO, MASTER, WARNING, write
from tests.cli.test_plugins import CRASHING, PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

POLICY = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n"


def prepare() -> None:
    """Instances of all kinds; two of them share a table."""
    for number, text in enumerate([ERROR, WARNING, INFO, "=\n", ""] * 3):
        write({f"top/{number}/main.cf": text + POLICY, f"top/{number}/master.cf": MASTER})
    write(
        {
            "top/0/tls_policy": "# postlint: ignore[DUP001]\nexample.com may\nexample.org might\n",
            "top/0/main.cf.j2": POLICY,
            "top/1/main.cf": f"# postlint: ignore[DUP001] why not\n{WARNING}",
            "acme.py": PLUGIN,
            "crash.py": CRASHING,
        }
    )


@pytest.mark.parametrize("format_name", ["text", "json", "sarif"])
def test_same_result(program: Callable[..., Run], format_name: str) -> None:
    prepare()
    arguments = ("check", "top", "nowhere", "--format", format_name, "--statistics")
    plugins = ("--plugin", "acme.py", "--plugin", "crash.py")
    one = program(*arguments, *plugins)
    assert one.status == 2
    assert one.err.count("failed on") == 16
    for jobs in ("2", "0", "16"):
        assert program(*arguments, *plugins, "--jobs", jobs) == one


def test_status_is_the_same(program: Callable[..., Run]) -> None:
    prepare()
    assert program("check", "top", "--jobs", "2").status == 1
    assert program("check", "top", "--jobs", "2", "--fail-on", "never").status == 0


def test_process_that_dies(program: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "b/main.cf": ERROR})
    write({"acme.py": CRASHING.replace("raise RuntimeError", "import os; os._exit(3); int")})
    run = program("check", "a", "b", "--plugin", "acme.py", "--jobs", "2")
    assert (run.status, run.out) == (2, "")
    assert run.err.endswith("postlint: error: a process of --jobs died\n")
    assert "Traceback" not in run.err
