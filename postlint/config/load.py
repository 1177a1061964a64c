"""From candidate files to an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postlint.config.files import Files, display_path
from postlint.config.instance import Instance
from postlint.config.placeholders import placeholders
from postlint.syntax.main_cf import parse_main_cf
from postlint.syntax.master_cf import parse_master_cf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from postlint.config.discovery import Candidate
    from postlint.postfix.versions import PostfixVersion
    from postlint.syntax.source import SourceFile


def load_instance(
    candidate: Candidate,
    version: PostfixVersion | None = None,
    root: Path | None = None,
    *,
    host: bool = False,
) -> Instance:
    """Parse the files of a candidate; every text parses."""
    main, master = candidate.main_cf, candidate.master_cf
    if candidate.folder is not None:
        path = display_path(candidate.folder)
    else:
        path = main.path if main is not None else master.path if master is not None else ""
    return Instance(
        path,
        None if main is None else parse_main_cf(main),
        None if master is None else parse_master_cf(master, _unbroken(master)),
        Files(candidate.folder, root, host=host, top=candidate.top),
        version,
    )


def _unbroken(master: SourceFile) -> Callable[[str], Iterable[tuple[int, int]]] | None:
    """What makes one word of ``<%= @jail %>``; None where nothing like it is in a file."""
    text = master.text
    return (
        placeholders if any(" " in text[start:end] for start, end in placeholders(text)) else None
    )
