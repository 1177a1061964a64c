"""The figures of a long comparison, told at its end."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.differential.table_sources import compared
from tests.differential.tls_clients import make_certificate
from tests.postfix_server import require_master

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many sources of tables were compared, where somebody asked for a number."""
    if "POSTLINT_TABLE_FILES" in os.environ and compared:
        for kind, number in sorted(compared.items()):
            terminalreporter.write_line(f"{number:7} {kind}")
        sources = sum(number for kind, number in compared.items() if not kind.startswith("("))
        terminalreporter.write_line(f"{sources:7} sources compared altogether")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every daemon may enter, with a key and a certificate in it."""
    require_master()
    with tempfile.TemporaryDirectory(prefix="pl-") as name:
        path = Path(name)
        path.chmod(0o755)
        make_certificate(path)
        yield path
