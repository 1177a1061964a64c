"""MST and OPS rules against the master and the daemons of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint_files
from tests.postfix_here import initialize, postconf, require_postfix, write
from tests.postfix_server import MasterDied, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postfix


def refusal(line: str) -> str | None:
    """Why master refuses a line of master.cf; None if it runs."""
    try:
        with running({}, master_cf=f"{line}\n"):
            return None
    except MasterDied as error:
        return str(error)


def messages(folder: Path, main: str, master: str, select: str) -> list[str]:
    files = {"main.cf": main, "master.cf": master}
    version = str(require_postfix().version)
    return [item.message for item in lint_files(folder, files, version=version, select=select)]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("smtpss", True),
        ("127.0.0.1:SUBMISSION", True),
        ("10999x", True),
        ("127.0.0.1:10999", False),
        ("127.0.0.1:qmqp", None),
        ("127.0.0.1:submissions", None),
        ("127.0.0.1:99999", None),
    ],
)
def test_port_names(name: str, error: bool | None, tmp_path: Path) -> None:
    """``error`` None: the host may differ, master's answer is only to be of the right kind."""
    line = f"{name} inet n - n - - smtpd"
    reason = refusal(line)
    assert reason is None or "not supported for ai_socktype" in reason or "garbage" in reason
    found = messages(tmp_path, "", f"{line}\n", "MST015")
    if error is not None:
        assert bool(reason) is error
        assert any("master will not start" in text for text in found) is error


@pytest.mark.parametrize(
    "level",
    ["0", "2", "3", "3.6", "3.7.11", "03.06", "+3", "9999", "", "x", "-1", "3.", "3.6.1.2", "1 2"],
)
def test_compatibility_levels(level: str, tmp_path: Path) -> None:
    version = require_postfix().version
    if version < (3, 6):
        pytest.skip("levels had no dots before 3.6")
    main = f"compatibility_level = {level}\n"
    said = initialize(write(tmp_path, {"main.cf": main}))
    refused = any("malformed compatibility level" in text for text in said.messages)
    found = messages(tmp_path, main, "", "OPS006")
    assert any("no Postfix program will start" in text for text in found) is refused


def test_old_defaults_are_those_of_postconf(tmp_path: Path) -> None:
    filler = "".join(f"x{number} = y\n" for number in range(8))
    master = "25 inet n - n - - smtpd\n25 unix - - n - - smtp\n"
    (message,) = messages(tmp_path, filler, master, "OPS006")
    listed = [item.partition(" = ") for item in message.partition(": ")[2].split(", ")]
    assert len(listed) >= 3
    for name, _, value in listed:
        said = postconf(tmp_path, "-x", "-h", name).output.strip()
        expected = value.replace("(empty)", "")
        if expected.startswith("$"):
            expected = postconf(tmp_path, "-x", "-h", expected[1:]).output.strip()
        assert said == expected, name
