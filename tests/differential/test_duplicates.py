"""Which entries of master.cf are one service to master(8), and which can not be bound together."""

from __future__ import annotations

from pathlib import Path

import pytest

from postlint.lint.finding import Severity
from tests.linting import lint_files
from tests.postfix_server import MasterDied, running

pytestmark = pytest.mark.postfix


def two_listeners() -> bool:
    """Whether two sockets listen on 127.0.0.1:10469 (Linux; elsewhere master says it)."""
    with Path("/proc/net/tcp").open(encoding="ascii") as table:
        lines = [line.split() for line in table]
    listening = [words for words in lines if words[1:2] == ["0100007F:28E5"] and words[3] == "0A"]
    return len(listening) > 1


ENTRIES = (
    ("10465 inet n - n - - smtpd", "10465 inet n - n - - smtpd -o biff=no", "duplicate"),
    ("submission inet n - n - - smtpd", "587 inet n - n - - smtpd", "duplicate"),
    ("[127.0.0.1]:10467 inet n - n - - smtpd", "127.0.0.1:10467 inet n - n - - smtpd", "duplicate"),
    ("x unix - - n - - discard", "x unix - - n - - error", "duplicate"),
    ("x unix - - n - - discard", "x unix y - n - - discard", "duplicate"),
    ("x unix - - n - - discard", "x unix n - n - - discard", None),
    ("x unix - - n - - discard", "X unix - - n - - discard", None),
    ("10468 inet n - n - - smtpd", "10468 unix - - n - - discard", None),
    ("10469 inet n - n - - smtpd", "127.0.0.1:10469 inet n - n - - smtpd", "shared"),
    ("127.0.0.2:10470 inet n - n - - smtpd", "127.0.0.1:10470 inet n - n - - smtpd", None),
)


@pytest.mark.parametrize(("one", "other", "clash"), ENTRIES)
def test_services(one: str, other: str, clash: str | None, tmp_path: Path) -> None:
    master_cf = f"{one}\n{other}\n"
    said = None
    try:
        with running({}, master_cf=master_cf) as server:
            if "duplicate master.cf entry" in server.log():
                said = "duplicate"
            elif two_listeners():
                said = "shared"
    except MasterDied as error:
        said = "shared" if "in use" in str(error) else str(error)
    assert said == clash
    files = {"main.cf": "inet_interfaces = 127.0.0.1\n", "master.cf": master_cf}
    found = lint_files(tmp_path, files, select="DUP003")
    assert bool(found) == (clash is not None)
    assert all(item.severity >= Severity.WARNING for item in found)
