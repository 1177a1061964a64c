"""--jobs changes nothing but the time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postlint.lint import table_processes
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


TABLES = """\
smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/senders
smtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients
smtpd_helo_restrictions = check_helo_access inline:{ { example.com = REJCT } }
alias_maps = hash:/etc/postfix/aliases
header_checks = regexp:/etc/postfix/headers
smtp_sasl_password_maps = hash:/etc/postfix/passwords
virtual_alias_maps = ldap:/etc/postfix/ldap.cf hash:/etc/postfix/gone hash:/etc/postfix/out
smtp_tls_policy_maps = hash:/etc/postfix/tls_policy
"""

ASKS = """
from __future__ import annotations
import os
from multiprocessing import parent_process
from time import sleep
from postlint.lint.finding import Finding, Severity
from postlint.lint.rule import rule

@rule("ACME003", severity=Severity.INFO)
def asks(table: Table):
    "Ask for files that nobody else asks for."
    table.instance.files.read(f"/etc/postfix/{table.type}-link")
    table.instance.note("this was a plugin")
    for line in table.lines():
        yield Finding(table.locate(line), f"{len(line)} characters")
        break
    if table.type == "cidr":
        raise RuntimeError(line.text)
"""

DIES = ASKS.replace(
    "    for line",
    "    os._exit(3) if parent_process() is not None else sleep(0.2)\n    for line",
)


def several_tables(top: str = "one") -> None:
    """An instance with tables that processes can share, and mistakes in them."""
    write(
        {
            "main.cf": TABLES,
            "senders": "a@example.com REJCT\na@example.com OK\n example\n" * 30,
            "clients": "192.0.2.0/24 OK\n192.0.2.1 REJECT\n192.0.2.1/24 OK\nx\n",
            "aliases": "a: b\na: c\nd e\n",
            "headers": "/(/ REJECT\n/x/\n# postlint: ignore[TBL006] known\n/[/ OK\n",
            "passwords": "[relay.example.com] user:Geheim1\n[relay.example.com] u:Geheim2\n",
            "ldap.cf": "server_host = ldap.example.com\nquery_filter = (x=%s)\nbind_pw = Geheim3\n",
            "tls_policy": "example.com may\nexample.org might\n",
        },
        Path(top),
    )
    for name in ("hash-link", "out"):
        Path(top, name).symlink_to("/etc/hostname")


@pytest.fixture(name="shared")
def _shared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let processes share small tables, too; how many others are at work for each instance."""
    started: list[int] = []
    start = table_processes.TableProcesses.__init__

    def watched(self: table_processes.TableProcesses, *arguments: object) -> None:
        start(self, *arguments)  # type: ignore[arg-type]
        started.append(len(self._others))

    monkeypatch.setattr(table_processes, "WORTH_IT", 0)
    monkeypatch.setattr(table_processes.TableProcesses, "__init__", watched)
    return started


@pytest.mark.parametrize("format_name", ["text", "json", "sarif"])
def test_tables_of_one_instance(
    postlint: Callable[..., Run], shared: list[int], format_name: str
) -> None:
    several_tables()
    write({"asks.py": ASKS})
    arguments = ("check", "one", "--format", format_name, "--plugin", "asks.py")
    one = postlint(*arguments)
    assert shared == []
    assert one.err.count("failed on") == 1
    assert "this was a plugin" in one.err
    assert one.err.count("leads out") == 2
    assert "Geheim" not in one.out + one.err
    for code in ("TBL005", "TBL006", "TBL009", "POL008", "ACME003"):
        assert code in one.out
    for jobs in ("2", "3", "64"):
        assert postlint(*arguments, "--jobs", jobs) == one
    assert shared == [1, 2, 8]


def test_each_table_is_taken_once(postlint: Callable[..., Run], shared: list[int]) -> None:
    several_tables()
    write({"asks.py": ASKS})
    run = postlint("check", "one", "--plugin", "asks.py", "--select", "ACME003", "--jobs", "3")
    assert shared == [2]
    assert run.out.count("ACME003") == 8


def test_instances_and_their_tables(program: Callable[..., Run]) -> None:
    """More processes than instances: they share out the tables."""
    for top in ("a", "b"):
        several_tables(top)
        for name in ("senders", "more"):
            lines = [f"user{at}@example.com REJCT\n" for at in range(25_000)]
            write({f"{top}/{name}": "".join(lines)})
        write({f"{top}/main.cf": f"{TABLES}relocated_maps = hash:/etc/postfix/more\n"})
    one = program("check", "a", "b")
    assert program("check", "a", "b", "--jobs", "5") == one


def test_process_for_tables_that_dies(postlint: Callable[..., Run], shared: list[int]) -> None:
    several_tables()
    write({"dies.py": DIES})
    run = postlint("check", "one", "--plugin", "dies.py", "--jobs", "2")
    assert shared == [1]
    assert (run.status, run.out) == (2, "")
    assert run.err.endswith("postlint: error: a process of --jobs died\n")


def test_process_of_a_process_that_dies(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    several_tables("a")
    several_tables("b")
    dies = DIES.replace("parent_process() is not None", "parent_process().name != 'MainProcess'")
    write({"dies.py": dies})
    monkeypatch.setattr(table_processes, "WORTH_IT", 0)
    run = postlint("check", "a", "b", "--plugin", "dies.py", "--jobs", "4")
    assert (run.status, run.out) == (2, "")
    assert run.err.endswith("postlint: error: a process of --jobs died\n")


def test_small_tables_are_not_worth_a_process(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    several_tables()
    monkeypatch.setattr(table_processes, "TableProcesses", None)  # could not be called
    assert postlint("check", "one", "--jobs", "4") == postlint("check", "one")


def test_no_more_processes(
    postlint: Callable[..., Run], shared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one does what the others can not."""
    several_tables()
    one = postlint("check", "one")

    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.ForkProcess.start", refuse)
    assert postlint("check", "one", "--jobs", "3") == one
    assert shared == [0]
    monkeypatch.setattr("multiprocessing.context.BaseContext.Value", refuse)
    assert postlint("check", "one", "--jobs", "3") == one
    assert shared == [0]


def test_no_processes_for_instances(
    postlint: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a/main.cf": ERROR, "b/main.cf": ERROR})

    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.ForkProcess.start", refuse)
    run = postlint("check", "a", "b", "--jobs", "2")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("postlint: error: no processes can be started for --jobs: ")
    assert "temporarily unavailable" in run.err
