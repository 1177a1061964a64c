"""What ends a run with one clear line on standard error and exit status 2."""

from __future__ import annotations

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_TROUBLE = 2


class UsageError(Exception):
    """Wrong usage; the text is what the user reads after ``postlint: ``."""
