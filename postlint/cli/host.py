"""The Postfix that is installed on this host."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

from postlint.postfix.versions import PostfixVersion

_SECONDS = 10


def installed_version() -> PostfixVersion | None:
    """What the installed postconf(1) says; None without one, or for a version without facts."""
    answer = _postconf("-dh", "mail_version")
    try:
        return None if answer is None else PostfixVersion.parse(answer.strip())
    except ValueError:
        return None


@cache
def installed_table_types() -> frozenset[str] | None:
    """The types of lookup tables that the installed Postfix opens; None without a postconf(1)."""
    answer = _postconf("-m")
    return frozenset(answer.split()) if answer else None


def _postconf(*options: str) -> str | None:
    program = shutil.which("postconf", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [program, *options], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return answer.stdout
