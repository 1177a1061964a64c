"""Finding instances: from the paths of a command line to pairs of main.cf and master.cf."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.boundary import (
    Boundary,
    LeadsOutError,
    UnreadableFileError,
    is_regular,
    is_there,
    work_tree,
)
from postlint.config.files import display_path, is_installed, read_file
from postlint.config.gitignore import GitIgnore
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Kind: TypeAlias = Literal["main.cf", "master.cf"]

STANDARD_INPUT = "<stdin>"

SIZE_LIMIT = 64 << 20
"""Bytes of a main.cf or master.cf; real ones have some 30,000."""

LINE_LIMIT = 150_000
"""Lines of a main.cf or master.cf; real ones have some 700."""

_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", "venv", ".tox", "__pycache__"}
)
_TEMPLATE_SUFFIX = r"(?:\.(?:j2|jinja2?|erb|epp|tmpl|tpl|template|gotmpl|mustache|in|dist|sample))?"
_INSTANCE_FILE = LazyPattern(rf"(main|master)\.cf{_TEMPLATE_SUFFIX}\Z")
_BY_NAME = LazyPattern(r"(?:^|[^A-Za-z])(main|master)[^/]*\.cf")
_SERVICE_LINE = LazyPattern(
    r"^[^\s#][^ \t]*[ \t]+(?:inet|unix|fifo|pass|unix-dgram)[ \t]+[yn-][ \t]+[yn-][ \t]",
    re.MULTILINE,
)
_SETTING_LINE = LazyPattern(r"^[A-Za-z0-9_]+[ \t]*=", re.MULTILINE)


class Candidate:
    """The files of one instance before they are parsed.

    ``named`` are the paths that the user named; None when a folder was named and both count.
    """

    __slots__ = ("folder", "main_cf", "master_cf", "named", "top")

    def __init__(self, folder: Path | None, top: Boundary | None = None) -> None:
        self.folder = folder
        self.top = top
        """The folder that was searched."""
        self.main_cf: SourceFile | None = None
        self.master_cf: SourceFile | None = None
        self.named: set[str] | None = set()

    def release(self) -> None:
        """Forget the texts: what has been checked is not needed any more."""
        self.main_cf = self.master_cf = None


class Discovery:
    """Collects candidates; what can not be read goes to ``unreadable`` as (path, reason).

    Links out of a folder that is searched are not followed, except on the ``host`` itself: they
    could make a stranger's configuration show this machine's files. ``refused`` are such files
    that would only have been context.
    """

    def __init__(self, kind: Kind | None = None, *, host: bool = False) -> None:
        self.unreadable: list[tuple[str, str]] = []
        self.refused: list[tuple[str, str]] = []
        self._host = host
        self._kind: Kind | None = kind
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._texts: dict[str, str] = {}
        """Each text once: fleets consist of files that are the same."""

    def find(
        self, paths: Sequence[str], read_standard_input: Callable[[], bytes]
    ) -> list[Candidate]:
        """The instances that the paths name, in their order."""
        for name in paths:
            if name == "-":
                source = SourceFile.from_bytes(STANDARD_INPUT, read_standard_input())
                self._add(source, None, "", self._kind or kind_of_text(source.text))
                continue
            path = Path(name)
            try:
                mode = path.stat().st_mode
                self._refuse_way_out(path)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                self.unreadable.append((name, reason.lower()))
                continue
            except UnreadableFileError as error:
                self.unreadable.append((display_path(path), str(error)))
                continue
            if stat.S_ISDIR(mode):
                self._folder(path)
            else:
                self._file(path)
        self._texts.clear()
        return list(self._candidates.values())

    def _refuse_way_out(self, path: Path) -> None:
        """A link of a work tree must stay in it: who may change the tree may not choose the files.

        Raises LeadsOutError.
        """
        if self._follows_all(path):
            return
        tree = work_tree(path.parent)
        if is_there(tree / ".git"):
            try:
                Boundary(tree).resolve(path.absolute())
            except LeadsOutError as error:
                raise LeadsOutError(
                    "a link leads out of the work tree; name what it leads to if it is meant"
                ) from error

    def _folder(self, top: Path) -> None:
        found = False
        boundary = Boundary(top)
        for folder, names in walk(top, self._note_folder):
            for name in names:
                match = _INSTANCE_FILE.match(name)
                if match is None:
                    continue
                found = True
                source = self._read(folder / name, self._limit(folder, boundary))
                if source is not None:
                    kind: Kind = "main.cf" if match[1] == "main" else "master.cf"
                    self._add(source, folder, _stem(name), kind, whole=True, top=boundary)
        if not found and not any(path == display_path(top) for path, _ in self.unreadable):
            self.unreadable.append((display_path(top), "no main.cf or master.cf in this folder"))

    def _note_folder(self, folder: Path, reason: str, *, named: bool) -> None:
        (self.unreadable if named else self.refused).append((display_path(folder), reason))

    def _file(self, path: Path) -> None:
        source = self._read(path)
        if source is None:
            return
        kind = self._kind or kind_of_name(path.name) or kind_of_text(source.text)
        folder = path.parent
        candidate = self._add(source, folder, _stem(path.name), kind)
        sibling = folder / sibling_name(path.name, kind)
        missing = candidate.master_cf if kind == "main.cf" else candidate.main_cf
        if missing is None and sibling.name != path.name and is_regular(sibling):
            try:
                context = _read_limited(sibling, self._limit(folder, Boundary(folder)))
            except (UnreadableFileError, FileNotFoundError) as error:
                reason = str(error) if isinstance(error, UnreadableFileError) else "has vanished"
                self.refused.append((display_path(sibling), reason))
                return
            if kind == "main.cf":
                candidate.master_cf = context
            else:
                candidate.main_cf = context

    def _follows_all(self, path: Path) -> bool:
        return self._host or is_installed(path)

    def _limit(self, folder: Path, boundary: Boundary) -> Boundary | None:
        return None if self._follows_all(folder) else boundary

    def _read(self, path: Path, inside: Boundary | None = None) -> SourceFile | None:
        try:
            return _read_limited(path, inside)
        except FileNotFoundError:
            self.unreadable.append((display_path(path), "no such file or directory"))
        except LeadsOutError as error:
            reason = f"{error}; name the file itself if it is meant"
            self.unreadable.append((display_path(path), reason))
        except UnreadableFileError as error:
            self.unreadable.append((display_path(path), str(error)))
        return None

    def _add(
        self,
        source: SourceFile,
        folder: Path | None,
        stem: str,
        kind: Kind,
        *,
        whole: bool = False,
        top: Boundary | None = None,
    ) -> Candidate:
        key = ("" if folder is None else os.path.realpath(folder), stem)
        candidate = self._candidates.setdefault(key, Candidate(folder, top))
        source.text = self._texts.setdefault(source.text, source.text)
        if kind == "main.cf":
            candidate.main_cf = source
        else:
            candidate.master_cf = source
        if whole:
            candidate.named = None
        elif candidate.named is not None:
            candidate.named.add(source.path)
        return candidate


def _read_limited(path: Path, inside: Boundary | None) -> SourceFile:
    source = read_file(path, SIZE_LIMIT, inside)
    if source.text.count("\n") > LINE_LIMIT:
        raise UnreadableFileError(f"more than {LINE_LIMIT} lines, which no configuration has")
    return source


def kind_of_name(name: str) -> Kind | None:
    """What a file name says that the file is."""
    match = _BY_NAME.search(name)
    if match is None:
        return None
    return "main.cf" if match[1] == "main" else "master.cf"


def kind_of_text(text: str) -> Kind:
    """What the content looks like; main.cf unless services outnumber settings."""
    services = len(_SERVICE_LINE.findall(text))
    return "master.cf" if services and services >= len(_SETTING_LINE.findall(text)) else "main.cf"


def sibling_name(name: str, kind: Kind) -> str:
    """The name of the other file of an instance, in the same style."""
    return (
        name.replace("main", "master", 1)
        if kind == "main.cf"
        else name.replace("master", "main", 1)
    )


def _stem(name: str) -> str:
    return re.sub("main|master", "*", name, count=1)


def walk(
    top: Path, unreadable: Callable[..., None] = lambda *_, **__: None
) -> Iterator[tuple[Path, list[str]]]:
    """Folders and their file names below ``top``, sorted, what .gitignore names left out.

    Links to folders are not followed. ``unreadable`` gets folders that can not be listed, the
    reason, and whether it is the top itself (``named``).
    """
    ignore = GitIgnore(top)
    waiting = [top]
    while waiting:  # os.walk() of Python 3.11 calls itself
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            unreadable(folder, reason, named=folder == top)
            continue
        ignore.read(folder)
        waiting += sorted(
            (
                folder / name
                for name, is_folder in names.items()
                if is_folder
                and name not in _SKIPPED_FOLDERS
                and not ignore.matches(folder / name, is_folder=True)
            ),
            reverse=True,
        )
        yield (
            folder,
            sorted(
                name
                for name, is_folder in names.items()
                if not is_folder and not ignore.matches(folder / name)
            ),
        )
