"""Comments that hide findings, as a user of the command line meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.conftest import MASTER, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

FIRST, SECOND = "relayhost = [a.example.com]\n", "relayhost = [b.example.com]\n"


def check(postlint: Callable[..., Run], text: str, *arguments: str) -> list[str]:
    """Line and code of the findings of DUP and LNT."""
    write({"a/main.cf": text})
    run = postlint("check", "a", "--select", "DUP", "--select", "LNT", *arguments)
    assert run.err == ""
    assert run.status == (1 if run.lines[0].startswith("a/") else 0)
    return [
        f"{line.split(':')[1]} {line.split()[1]}" for line in run.lines if line.startswith("a/")
    ]


def test_next_logical_line(postlint: Callable[..., Run]) -> None:
    assert check(postlint, FIRST + SECOND) == ["1 DUP001"]
    comment = "# postlint: ignore[DUP001] while we move\n"
    assert check(postlint, comment + FIRST + SECOND) == []
    assert check(postlint, comment + "\n# and so on\n" + FIRST + SECOND) == []
    assert check(postlint, "myhostname = x\n" + comment + FIRST + SECOND) == []


def test_by_name_by_family_and_several(postlint: Callable[..., Run]) -> None:
    for words in ("duplicate-parameter", "DUP", "DUP001, DUP", "dup001"):
        comment = f"#postlint:ignore[{words}]\n"
        assert check(postlint, comment + FIRST + SECOND) == []


def test_inside_a_value_of_several_lines(postlint: Callable[..., Run]) -> None:
    inside = "relayhost =\n  # postlint: ignore[DUP001] wanted\n  [a.example.com]\n"
    assert check(postlint, inside + SECOND) == []


def test_whole_file(postlint: Callable[..., Run]) -> None:
    third = "relayhost = [c.example.com]\n"
    comment = "# postlint: ignore-file[DUP001] generated\n"
    assert check(postlint, FIRST + SECOND + third) == ["1 DUP001", "2 DUP001"]
    assert check(postlint, comment + FIRST + SECOND + third) == []
    assert check(postlint, FIRST + SECOND + third + comment) == []


def test_unused_and_unknown(postlint: Callable[..., Run]) -> None:
    assert check(postlint, "# postlint: ignore[DUP001]\n" + FIRST) == ["1 LNT001"]
    assert check(postlint, "# postlint: ignore-file[DUP001]\n" + FIRST) == ["1 LNT001"]
    assert check(postlint, "# postlint: ignore[DUB001]\n" + FIRST) == ["1 LNT002"]
    assert check(postlint, "# postlint: ignore\n" + FIRST) == ["1 LNT002"]
    after = "# postlint: ignore[DUP001] too late\n"
    assert check(postlint, FIRST + after + SECOND) == ["1 DUP001", "2 LNT001"]


def test_a_rule_that_did_not_run_is_not_unused(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": "# postlint: ignore[DUP001]\n" + FIRST})
    assert postlint("check", "a", "--select", "LNT").status == 0


def test_suppressed_is_counted_and_listed(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": "# postlint: ignore[DUP001] for the move\n" + FIRST + SECOND})
    run = postlint("check", "a", "--select", "DUP", "--fail-on", "info")
    assert (run.status, run.out) == (0, "No problems found in 1 file (1 suppressed).\n")
    report = json.loads(postlint("check", "a", "--select", "DUP", "--format", "json").out)
    assert report["findings"] == []
    assert report["summary"]["suppressed"] == 1
    log = json.loads(postlint("check", "a", "--select", "DUP", "--format", "sarif").out)
    (result,) = log["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "for the move"


def test_in_master_cf_and_in_a_policy_table(postlint: Callable[..., Run]) -> None:
    service = "smtp inet n - n - - smtpd\n"
    write(
        {
            "a/main.cf": FIRST,
            "a/master.cf": f"# postlint: ignore[DUP003] why\n{service}{service}",
        }
    )
    assert postlint("check", "a", "--select", "DUP003", "--select", "LNT").status == 0
    write(
        {
            "a/main.cf": "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n",
            "a/master.cf": MASTER,
            "a/tls_policy": "# postlint: ignore[DUP001] not here\nexample.com may\n",
        }
    )
    run = postlint("check", "a", "--select", "LNT,DUP001")
    assert run.lines[0].startswith("a/tls_policy:1:")
