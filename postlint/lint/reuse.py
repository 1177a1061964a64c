"""Instances that are the same but for their folder: what one got, the others get too.

A fleet has thousands of them. The same are two instances whose main.cf and master.cf have the
same names and texts, and of which every other file that was asked for is the same too: it is
there in both with the same contents, or in neither. Only for instances that are judged by
their own folder; what a host has besides can not be compared.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeAlias

from postlint.config.files import TABLE_LIMIT, Files, display_path, is_installed
from postlint.lint.finding import Edit, Finding, Fix, Related, Suppression
from postlint.lint.result import InstanceSummary
from postlint.records import NamedTuple
from postlint.syntax.source import Location, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postlint.config.discovery import Candidate
    from postlint.config.instance import Instance
    from postlint.lint.runner import Outcome

    _Question: TypeAlias = tuple[str, str, str | None, str | None]

KEPT = 64
"""Different instances whose results are kept."""

SIZE_LIMIT = 1 << 22
"""Characters of the files of an instance whose results are kept."""

_SLOTS = ("rule", "_severity", "security_severity", "message", "parameter", "identity")


class _Known(NamedTuple):
    """A result. ``others``: what was there under the names that were asked for."""

    outcome: Outcome
    sources: dict[str, SourceFile]
    others: dict[str, bytes | None]


class Reuse:
    """The results of the last few different instances."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Question, _Known] = OrderedDict()
        self.hits = 0
        """How often a result was used again."""

    def find(self, candidate: Candidate) -> Outcome | None:
        """The result of an instance that is the same, as that of this one."""
        if not _is_alone(candidate) or candidate.folder is None:
            return None
        known = self._known.get(_question(candidate))
        if known is None:
            return None
        files = Files(candidate.folder, top=candidate.top)
        if _contents(files, known.others) != known.others or files.refused:
            return None
        self._known.move_to_end(_question(candidate))
        self.hits += 1
        return _moved(known, candidate, files)

    def keep(self, candidate: Candidate, instance: Instance, outcome: Outcome) -> None:
        """Remember a result, if others can use it."""
        files = instance.files
        if not _is_alone(candidate) or files.complete or outcome.notifications:
            return
        sources = dict(files.sources)
        for tree in (instance.main_cf, instance.master_cf):
            if tree is not None:
                sources[_name(tree.source)] = tree.source
        own = {source.path for source in sources.values()}
        if (
            sum(len(source.text) for source in sources.values()) > SIZE_LIMIT
            or any(path in text for text in _texts(outcome) for path in own)
            or any(place.path not in own for place in _places(outcome))
        ):
            return
        self._known[_question(candidate)] = _Known(
            outcome, sources, _contents(files, files.located)
        )
        while len(self._known) > KEPT:
            self._known.popitem(last=False)


def _is_alone(candidate: Candidate) -> bool:
    """Whether a folder was named, or one above it, and nothing but the folder counts."""
    folder = candidate.folder
    return folder is not None and candidate.named is None and not is_installed(folder)


def _question(candidate: Candidate) -> _Question:
    main, master = candidate.main_cf, candidate.master_cf
    return (
        _name(main),
        _name(master),
        None if main is None else main.text,
        None if master is None else master.text,
    )


def _name(source: SourceFile | None) -> str:
    return "" if source is None else source.path.rpartition("/")[2]


def _contents(files: Files, names: Iterable[str]) -> dict[str, bytes | None]:
    """A digest of each file that is there; None for the others."""
    found: dict[str, bytes | None] = dict.fromkeys(names)
    for name in found:
        data = files.data(name, TABLE_LIMIT)
        if data is not None:
            from hashlib import sha256  # slow to import, and most instances name no file here

            found[name] = sha256(data).digest()
    return found


def _texts(outcome: Outcome) -> Iterator[str]:
    """All that is said in words."""
    yield from outcome.notes
    for finding in (*outcome.findings, *outcome.suppressed):
        yield finding.message
        for related in finding.related:
            yield related.message
        if finding.fix is not None:
            yield finding.fix.message
            for edit in finding.fix.edits:
                yield edit.text


def _places(outcome: Outcome) -> Iterator[Location]:
    for finding in (*outcome.findings, *outcome.suppressed):
        yield finding.location
        for related in finding.related:
            yield related.location
        for _, location in finding.services:
            if location is not None:
                yield location
        for edit in finding.fix.edits if finding.fix is not None else ():
            yield edit.location
        if finding.suppression is not None:
            yield finding.suppression.location


def _moved(known: _Known, candidate: Candidate, files: Files) -> Outcome:
    """The result, told of the files of another folder."""
    assert candidate.folder is not None
    moved: dict[str, SourceFile] = {}
    for name, source in known.sources.items():
        path = files.path(name) if name.startswith("/") else candidate.folder / name
        assert path is not None
        moved[source.path] = source.renamed(display_path(path))
    old = known.outcome

    def place(location: Location) -> Location:
        return Location(moved[location.path], location.span)

    def finding(given: Finding) -> Finding:
        new = Finding.__new__(Finding)
        for name in _SLOTS:
            setattr(new, name, getattr(given, name))
        new.location = place(given.location)
        new.services = tuple((label, where and place(where)) for label, where in given.services)
        new.related = tuple(Related(item.message, place(item.location)) for item in given.related)
        fix = given.fix
        new.fix = fix and Fix(
            fix.message,
            [Edit(place(edit.location), edit.text) for edit in fix.edits],
            fix.applicability,
        )
        hidden = given.suppression
        new.suppression = hidden and Suppression(place(hidden.location), hidden.justification)
        return new

    main, master = (
        moved[path].path if path is not None else None
        for path in (old.instance.main_cf, old.instance.master_cf)
    )
    return old._replace(
        instance=InstanceSummary(
            display_path(candidate.folder), main, master, old.instance.postfix_version
        ),
        findings=[finding(item) for item in old.findings],
        suppressed=[finding(item) for item in old.suppressed],
        paths=frozenset(moved[path].path for path in old.paths),
    )
