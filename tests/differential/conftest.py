"""The figures of a long comparison, told at its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.differential.table_sources import compared

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many sources of tables were compared, where somebody asked for a number."""
    if "POSTLINT_TABLE_FILES" in os.environ and compared:
        for kind, number in sorted(compared.items()):
            terminalreporter.write_line(f"{number:7} {kind}")
        sources = sum(number for kind, number in compared.items() if not kind.startswith("("))
        terminalreporter.write_line(f"{sources:7} sources compared altogether")
