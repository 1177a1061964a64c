"""``postlint exposure``: what a stranger gets from every service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.cli.configuration import Configuration
from postlint.cli.errors import EXIT_OK, EXIT_TROUBLE, UsageError
from postlint.cli.output import is_terminal, use_color, width, write_output
from postlint.cli.paths import default_path
