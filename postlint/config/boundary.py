"""Opening files that strangers wrote: regular ones only, and none outside a folder.

What a path leads to is decided once, when it is opened: every component below the folder is
opened without following a link, so that a link that somebody puts there meanwhile is an error
and not a way out.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_MOST_LINKS = 40
"""Links in a path that Linux follows."""

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_SEARCH = getattr(os, "O_PATH", os.O_RDONLY)
_FOLDER = _SEARCH | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW


class UnreadableFileError(Exception):
    """A file that exists but can not or may not be read; the text says why."""


class LeadsOutError(UnreadableFileError):
    """A path, by links or by ``..``, to what lies outside the folder."""


class Boundary:
    """A folder that paths may not lead out of.

    ``image``: absolute links begin at the folder, as they do after chroot(2). ``inside``: another
    one that this one lies in; no component below that one may become a link later.
    """

    __slots__ = ("_anchor", "_image", "folder")

    def __init__(
        self, folder: Path, *, image: bool = False, inside: Boundary | None = None
    ) -> None:
        self.folder = os.path.realpath(folder)
        self._anchor = self.folder if inside is None else inside.folder
        self._image = image

    def holds(self, real: str) -> bool:
        """Whether a path without links lies in the folder, or is the folder."""
        return _is_below(real, self.folder)

    def resolve(self, path: Path) -> str:
        """The path without links; raises LeadsOutError or OSError.

        The last components need not exist.
        """
        if self._image:
            return self._resolve_in_image(path)
        real = os.path.realpath(path)
        if not _is_below(real, self.folder):
            raise LeadsOutError("a link leads out of the folder")
        return real

    def open(self, path: Path) -> int:
        """A descriptor of a regular file; raises UnreadableFileError or OSError."""
        real = self.resolve(path)
        if not _is_below(real, self._anchor):  # the folder itself has become a link
            raise LeadsOutError("a link leads out of the folder")
        *folders, name = os.path.relpath(real, self._anchor).split("/")
        parent = os.open(self._anchor, _FOLDER)
        try:
            for folder in folders:
                child = os.open(folder, _FOLDER, dir_fd=parent)
                os.close(parent)
                parent = child
            return _open_regular(name, parent)
        finally:
            os.close(parent)

    def _resolve_in_image(self, path: Path) -> str:
        """As the kernel would do it in a chroot: ``..`` of the root is the root."""
        waiting = os.path.relpath(path, self.folder).split("/")[::-1]
        found: list[str] = []
        links = 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del found[-1:]
                continue
            here = "/".join((self.folder, *found, part))
            try:
                target = os.readlink(here)  # noqa: PTH115
            except OSError:
                found.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), here)
            if target.startswith("/"):
                found.clear()
            waiting += target.split("/")[::-1]
        return "/".join((self.folder.rstrip("/"), *found))


def read_regular(path: Path, limit: int, inside: Boundary | None = None) -> bytes:
    """What a regular file of at most ``limit`` bytes holds.

    Raises UnreadableFileError or FileNotFoundError.
    """
    try:
        descriptor = _open_regular(str(path)) if inside is None else inside.open(path)
        try:
            return _read(descriptor, limit)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFileError((error.strerror or str(error)).lower()) from error
    except ValueError as error:  # a NUL byte in the path
        raise UnreadableFileError(str(error)) from error


def is_there(path: Path) -> bool:
    """Whether something can be seen at a path, be it a link to nothing."""
    return os.path.lexists(path)


def is_regular(path: Path) -> bool:
    """Whether a regular file can be seen at a path, links followed."""
    return os.path.isfile(path)  # noqa: PTH113 -- that of pathlib raises PermissionError


def work_tree(folder: Path) -> Path:
    """The work tree of git(1) that a folder is in; the folder itself where there is none."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 -- links in it count as they stand
    for parent in (absolute, *absolute.parents):
        if is_there(parent / ".git"):
            return parent
    return absolute


def _open_regular(name: str, parent: int | None = None) -> int:
    """Look before opening: to open a device or a FIFO has effects; and again, it may be another."""
    follow = parent is None
    _refuse_special(os.stat(name, dir_fd=parent, follow_symlinks=follow))
    descriptor = os.open(name, _READ | (0 if follow else os.O_NOFOLLOW), dir_fd=parent)
    try:
        _refuse_special(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_special(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFileError("not a regular file")


def _read(descriptor: int, limit: int) -> bytes:
    """The size that stat(2) tells is not to be trusted: files grow, those of /proc have none."""
    size = os.fstat(descriptor).st_size
    if size > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    wanted = max(size, 1)
    room = limit
    while chunk := os.read(descriptor, wanted):
        room -= len(chunk)
        if room < 0:
            raise _too_large(limit)
        chunks.append(chunk)
        wanted = _CHUNK
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> UnreadableFileError:
    size = f"{limit >> 20} MiB" if limit >> 20 else f"{limit >> 10} KiB"
    return UnreadableFileError(f"larger than {size}, which no configuration is")


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
