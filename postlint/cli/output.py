"""Where reports go: standard output or a file that is replaced in one step."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postlint.cli.errors import UsageError


def use_color(when: str | None) -> bool:
    """Whether to colour standard output; raises UsageError for an unknown word."""
    match when or "auto":
        case "always":
            return True
        case "never":
            return False
        case "auto":
            return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        case other:
            raise UsageError(f'--color is auto, always or never, not "{other}"')


def write_output(text: str) -> None:
    """Print a report; what the terminal's encoding can not show is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def write_file(path: str, text: str) -> None:
    """Replace a file as a whole, or leave it as it was; raises UsageError."""
    import tempfile

    target = Path(path)
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        if target.exists() and not target.is_file():  # /dev/stdout and the like
            target.write_text(text, encoding="utf-8")
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{path}: the report can not be written: {reason}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
