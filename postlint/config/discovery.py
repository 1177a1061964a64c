"""Finding instances: from the paths of a command line to pairs of main.cf and master.cf."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from postlint.config.files import UnreadableFileError, display_path, is_installed, read_file
from postlint.config.gitignore import GitIgnore
from postlint.syntax.patterns import LazyPattern
from postlint.syntax.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Kind: TypeAlias = Literal["main.cf", "master.cf"]

STANDARD_INPUT = "<stdin>"

SIZE_LIMIT = 32 << 20
"""Bytes of a main.cf or master.cf; real ones have some 30,000."""

_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", "venv", ".tox", "__pycache__"}
)
_TEMPLATE_SUFFIX = r"(?:\.(?:j2|jinja2?|erb|epp|tmpl|tpl|template|gotmpl|mustache|in|dist|sample))?"
_INSTANCE_FILE = LazyPattern(rf"(main|master)\.cf{_TEMPLATE_SUFFIX}\Z")
_BY_NAME = LazyPattern(r"(?:^|[^A-Za-z])(main|master)[^/]*\.cf")
_LINK = "a link leads out of the folder"
_SERVICE_LINE = LazyPattern(
    r"^[^\s#][^ \t]*[ \t]+(?:inet|unix|fifo|pass|unix-dgram)[ \t]+[yn-][ \t]+[yn-][ \t]",
    re.MULTILINE,
)
_SETTING_LINE = LazyPattern(r"^[A-Za-z0-9_]+[ \t]*=", re.MULTILINE)


class Candidate:
    """The files of one instance before they are parsed.

    ``named`` are the paths that the user named; None when a folder was named and both count.
    """

    __slots__ = ("folder", "main_cf", "master_cf", "named")

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.main_cf: SourceFile | None = None
        self.master_cf: SourceFile | None = None
        self.named: set[str] | None = set()


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
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                self.unreadable.append((name, reason.lower()))
                continue
            if stat.S_ISDIR(mode):
                self._folder(path)
            else:
                self._file(path)
        return list(self._candidates.values())

    def _folder(self, top: Path) -> None:
        found = False
        for folder, names in walk(top):
            for name in names:
                match = _INSTANCE_FILE.match(name)
                if match is None:
                    continue
                found = True
                if self._leads_out(folder / name, top):
                    reason = f"{_LINK}; name the file itself if it is meant"
                    self.unreadable.append((display_path(folder / name), reason))
                    continue
                source = self._read(folder / name)
                if source is not None:
                    kind: Kind = "main.cf" if match[1] == "main" else "master.cf"
                    self._add(source, folder, _stem(name), kind, whole=True)
        if not found:
            self.unreadable.append((display_path(top), "no main.cf or master.cf in this folder"))

    def _file(self, path: Path) -> None:
        source = self._read(path)
        if source is None:
            return
        kind = self._kind or kind_of_name(path.name) or kind_of_text(source.text)
        folder = path.parent
        candidate = self._add(source, folder, _stem(path.name), kind)
        sibling = folder / sibling_name(path.name, kind)
        missing = candidate.master_cf if kind == "main.cf" else candidate.main_cf
        if missing is None and sibling.name != path.name and sibling.is_file():
            if self._leads_out(sibling, folder):
                self.refused.append((display_path(sibling), _LINK))
                return
            context = self._read(sibling)
            if context is not None and kind == "main.cf":
                candidate.master_cf = context
            elif context is not None:
                candidate.main_cf = context

    def _leads_out(self, path: Path, folder: Path) -> bool:
        if self._host or is_installed(folder):
            return False
        try:
            return not path.resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError):  # a loop: reading it says so
            return False

    def _read(self, path: Path) -> SourceFile | None:
        try:
            return read_file(path, SIZE_LIMIT)
        except FileNotFoundError:
            self.unreadable.append((display_path(path), "no such file or directory"))
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
    ) -> Candidate:
        key = ("" if folder is None else os.path.realpath(folder), stem)
        candidate = self._candidates.setdefault(key, Candidate(folder))
        if kind == "main.cf":
            candidate.main_cf = source
        else:
            candidate.master_cf = source
        if whole:
            candidate.named = None
        elif candidate.named is not None:
            candidate.named.add(source.path)
        return candidate


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


def walk(top: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders and their file names below ``top``, sorted, what .gitignore names left out."""
    ignore = GitIgnore(top)
    for name, folders, files in os.walk(top):
        folder = Path(name)
        ignore.read(folder)
        folders[:] = sorted(
            item
            for item in folders
            if item not in _SKIPPED_FOLDERS and not ignore.matches(folder / item, is_folder=True)
        )
        yield folder, sorted(item for item in files if not ignore.matches(folder / item))
