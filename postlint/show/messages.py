"""Messages on standard error and what has been printed so far, as Postfix loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.show.octets import ENCODING, printable

if TYPE_CHECKING:
    from typing import BinaryIO

PROGRAM = "postlint"

_BUFFER_SIZE = 4096
"""VSTREAM_BUFSIZE: a fatal error loses what is still in the output buffer."""


class FatalError(Exception):
    """What ends postconf with status 1; the text has no program name."""


class Messages:
    """Warnings, written as they come up."""

    __slots__ = ("_stream", "count")

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def warning(self, text: str) -> None:
        """Something that postconf goes on after."""
        self.count += 1
        self.write(f"warning: {text}")

    def fatal(self, error: FatalError) -> None:
        """The last message."""
        self.write(f"fatal: {error}")

    def write(self, text: str) -> None:
        """A line with the program's name."""
        self._stream.write(f"{PROGRAM}: {printable(text)}\n".encode(ENCODING))


class Output:
    """Standard output, in a buffer of Postfix's size."""

    __slots__ = ("_parts", "_size", "_stream")

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, text: str) -> None:
        """Octets to print."""
        data = text.encode(ENCODING)
        self._parts.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Print everything."""
        self._stream.write(b"".join(self._parts))
        self._stream.flush()
        self._parts.clear()
        self._size = 0

    def abandon(self) -> None:
        """Print what Postfix had already written when it stopped: full buffers only."""
        kept = max(self._size - 1, 0) // _BUFFER_SIZE * _BUFFER_SIZE
        data = b"".join(self._parts)[:kept]
        self._parts = [data]
        self.flush()
