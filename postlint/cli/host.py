"""The Postfix that is installed on this host."""

from __future__ import annotations

import shutil
import subprocess

from postlint.postfix.versions import PostfixVersion

_SECONDS = 10


def installed_version() -> PostfixVersion | None:
    """What the installed postconf(1) says; None without one, or for a version without facts."""
    program = shutil.which("postconf", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [program, "-dh", "mail_version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return PostfixVersion.parse(answer.stdout.strip())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
