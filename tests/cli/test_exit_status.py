"""The table of exit statuses: which findings fail a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CLEAN, ERROR, INFO, WARNING, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

TEXTS = {"error": ERROR, "warning": WARNING, "info": INFO, "clean": CLEAN}

TABLE = {
    #            error warning info clean
    "error": (1, 0, 0, 0),
    "warning": (1, 1, 0, 0),
    "info": (1, 1, 1, 0),
    "never": (0, 0, 0, 0),
    None: (1, 1, 0, 0),
}
"""By --fail-on: the exit status for a configuration whose worst finding is …"""


@pytest.mark.parametrize("fail_on", TABLE)
def test_fail_on(postlint: Callable[..., Run], fail_on: str | None) -> None:
    option = ("--fail-on", fail_on) if fail_on else ()
    statuses = []
    for text in TEXTS.values():
        write({"a/main.cf": text})
        for format_name in ("text", "json", "sarif"):
            run = postlint("check", "a", "--select", "DUP", "--format", format_name, *option)
            assert run.err == ""
        statuses.append(run.status)
    assert tuple(statuses) == TABLE[fail_on]


@pytest.mark.parametrize("fail_on", ["error", "warning", "info", "never"])
def test_trouble_outranks_findings(postlint: Callable[..., Run], fail_on: str) -> None:
    write({"a/main.cf": ERROR})
    assert postlint("check", "a", "nowhere", "--fail-on", fail_on).status == 2


def test_severity_at_least_hides_and_what_is_hidden_does_not_fail(
    postlint: Callable[..., Run],
) -> None:
    shown = {}
    for worst, text in TEXTS.items():
        write({"a/main.cf": text})
        for level in ("error", "warning", "info"):
            run = postlint("check", "a", "--select", "DUP", "--severity-at-least", level)
            shown[worst, level] = ("DUP001" in run.out, run.status)
    assert shown == {
        ("error", "error"): (True, 1),
        ("error", "warning"): (True, 1),
        ("error", "info"): (True, 1),
        ("warning", "error"): (False, 0),
        ("warning", "warning"): (True, 1),
        ("warning", "info"): (True, 1),
        ("info", "error"): (False, 0),
        ("info", "warning"): (False, 0),
        ("info", "info"): (True, 0),
        ("clean", "error"): (False, 0),
        ("clean", "warning"): (False, 0),
        ("clean", "info"): (False, 0),
    }


def test_a_note_about_a_refused_file_does_not_fail(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n", "secret": "x y\n"})
    from pathlib import Path

    Path("a/tls_policy").symlink_to("../secret")
    run = postlint("check", "a", "--select", "DUP")
    assert run.status == 0
    assert run.err == "postlint: a/tls_policy: a link leads out of the instance\n"
