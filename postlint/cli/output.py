"""Where reports go: standard output or a file that is replaced in one step."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.cli.errors import UsageError, reason

if TYPE_CHECKING:
    from typing import BinaryIO

STANDARD_OUTPUT = "-"


def width(default: int = 80) -> int:
    """How many columns the terminal has; shutil has this too, but is slow to import."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or default
    except OSError:
        return default


def use_color(when: str) -> bool:
    """Whether to colour standard output: "always", "never" or, for "auto", as it can take it."""
    if when == "auto":
        return is_terminal() and not os.environ.get("NO_COLOR")
    return when == "always"


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def write_output(text: str) -> None:
    """Print a report; raises UsageError, but not when the reader has had enough.

    What the terminal's encoding can not show is escaped.
    """
    stream = sys.stdout
    if stream is None:
        raise UsageError("the report can not be written: standard output is closed")
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:  # head(1), say; the exit status still tells what was found
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise UsageError(f"the report can not be written: {reason(error)}") from error


class VisibleStream:
    """Bytes for a terminal: what is neither printable nor a line end is escaped."""

    __slots__ = ("_stream",)

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        from postlint.report.escape import visible

        text = data.decode("utf-8", "surrogateescape")
        shown = "\n".join(map(visible, text.split("\n")))
        self._stream.write(shown.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        self._stream.flush()


def write_file(path: str, text: str) -> None:
    """Replace a file as a whole, or leave it as it was; raises UsageError."""
    import tempfile

    try:
        target = Path(path).resolve()  # a link stays a link
        if target.exists() and not target.is_file():  # /dev/stdout and the like
            target.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(prefix=".postlint-", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path}: the report can not be written: {reason(error)}") from error
    except ValueError as error:  # a NUL byte in the path
        raise UsageError(f"{path}: the report can not be written: {error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
