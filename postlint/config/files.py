"""Which files may be read, and where a path of the configuration lies on this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from postlint.config.boundary import Boundary, LeadsOutError, UnreadableFileError, read_regular
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIG_DIRECTORY = "/etc/postfix"
"""Where Postfix expects the files of an instance, unless config_directory says else."""

TABLE_LIMIT = 512 << 20
"""Bytes of a lookup table; ten million lines have some 300 MiB."""


def is_installed(folder: Path) -> bool:
    """Whether a folder is that of the Postfix on this host, or lies in it."""
    return Path(os.path.abspath(folder)).is_relative_to(CONFIG_DIRECTORY)  # noqa: PTH100


def display_path(path: Path) -> str:
    """The name of a file in reports: relative to the working directory where it lies below it."""
    here = Path.cwd()
    absolute = path if path.is_absolute() else here / path
    try:
        return absolute.relative_to(here).as_posix()
    except ValueError:
        return absolute.as_posix()


def read_file(path: Path, limit: int = TABLE_LIMIT, inside: Boundary | None = None) -> SourceFile:
    """Read a regular file of at most ``limit`` bytes.

    Raises UnreadableFileError or FileNotFoundError.
    """
    return SourceFile.from_bytes(display_path(path), read_regular(path, limit, inside))


class Files:
    """Finds and reads the files that an instance's settings name.

    Without ``host`` nothing outside the instance folder (or ``root``) is opened, links that
    lead out of it included.
    """

    __slots__ = ("_folder", "_image", "_inside", "_places", "_root", "_sources", "host", "refused")

    def __init__(
        self,
        folder: Path | None,
        root: Path | None = None,
        *,
        host: bool = False,
        top: Boundary | None = None,
    ) -> None:
        """``top``: the folder that the instance was found in."""
        self._folder = folder
        self._root = root
        self.host = host
        self._sources: dict[str, SourceFile | None] = {}
        self._places: dict[str, tuple[Path | None, Boundary | None]] = {}
        self.refused: list[tuple[str, str]] = []
        """(path, reason) of files that settings name and that may not be read."""
        self._image = None if root is None or host else Boundary(root, image=True)
        self._inside: Boundary | None = None
        if folder is not None and not host:
            own = Boundary(folder, inside=top)
            in_image = self._image is not None and self._image.holds(own.folder)
            self._inside = self._image if in_image else own

    @property
    def complete(self) -> bool:
        """Whether all files of the host are here, so that one that is not there is missing."""
        return self.host or self._root is not None

    def locate(self, name: str) -> Path | None:
        """Where a path of the configuration lies here; None when it may not be looked at."""
        path, boundary = self._place(name)
        if path is None or boundary is None:
            return path
        try:
            real = boundary.resolve(path)
        except (OSError, ValueError, UnreadableFileError) as error:
            self._refuse(path, error)
            return None
        return path if os.path.realpath(path) == real else Path(real)

    def is_missing(self, name: str) -> bool:
        """Whether there is certainly no regular file; False where nobody can tell."""
        path = self.locate(name) if self.complete else None
        if path is None:
            return False
        try:
            return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 -- errors tell apart
        except (FileNotFoundError, NotADirectoryError):
            return True
        except (OSError, ValueError):
            return False

    def read(self, name: str) -> SourceFile | None:
        """The file that a setting names; None when it is not there or may not be read."""
        if name not in self._sources:
            self._sources[name] = self._read(name)
        return self._sources[name]

    def path(self, name: str) -> Path | None:
        """Where a path of the configuration lies here, links not followed."""
        return self._place(name)[0]

    @property
    def located(self) -> tuple[str, ...]:
        """Every path of the configuration that somebody has asked for."""
        return tuple(self._places)

    @property
    def sources(self) -> dict[str, SourceFile]:
        """The files that have been read, by their paths in the configuration."""
        return {name: source for name, source in self._sources.items() if source is not None}

    def opened(self, name: str) -> SourceFile | None:
        """The file, if it has been read."""
        return self._sources.get(name)

    def _read(self, name: str) -> SourceFile | None:
        path, boundary = self._place(name)
        if path is None:
            return None
        try:
            return read_file(path, TABLE_LIMIT, boundary)
        except FileNotFoundError:
            return None
        except UnreadableFileError as error:
            self._refuse(path, error)
            return None

    def data(self, name: str, limit: int) -> bytes | None:
        """The bytes of a file that a setting names, which are not kept.

        None when it is not there or may not be read. That this user may not read a private key
        is as it should be, and nothing to talk about.
        """
        path, boundary = self._place(name)
        if path is None:
            return None
        try:
            return read_regular(path, limit, boundary)
        except FileNotFoundError:
            return None
        except UnreadableFileError as error:
            if not isinstance(error.__cause__, PermissionError):
                self._refuse(path, error)
            return None

    def learn(self, located: Iterable[str], refused: Iterable[tuple[str, str]]) -> None:
        """Take over what the files of the same instance in another process were asked."""
        for name in located:
            self._place(name)
        self.refused += [item for item in refused if item not in self.refused]

    def open_to_all(self, path: Path) -> bool:
        """Whether every user of the host may search the folders that a file really lies in.

        That of the instance must be open to all for Postfix's commands, and so must those above.
        """
        try:
            real = path.resolve()
            known = [top.resolve() for top in (self._folder, self._root) if top is not None]
            for parent in real.parents:
                if parent in known:
                    return True
                if not parent.stat().st_mode & stat.S_IXOTH:
                    return False
        except (OSError, RuntimeError):
            return False
        return True

    def _place(self, name: str) -> tuple[Path | None, Boundary | None]:
        """A path and what it may not lead out of; no path for what may not be looked at."""
        if name not in self._places:
            self._places[name] = self._work_out(name)
        return self._places[name]

    def _work_out(self, name: str) -> tuple[Path | None, Boundary | None]:
        path = PurePosixPath(name)
        if not path.is_absolute() or "\0" in name:
            return None, None
        if self._folder is not None and path.is_relative_to(CONFIG_DIRECTORY):
            return self._folder / path.relative_to(CONFIG_DIRECTORY), self._inside
        if self._root is not None:
            return self._root / path.relative_to(path.anchor), self._image
        return (Path(name), None) if self.host else (None, None)

    def _refuse(self, path: Path, error: Exception) -> None:
        reason = str(error)
        if isinstance(error, OSError):
            reason = (error.strerror or reason).lower()
        if isinstance(error, LeadsOutError):
            reason = "a link leads out of the instance"
        refused = (display_path(path), reason)
        if refused not in self.refused:
            self.refused.append(refused)
