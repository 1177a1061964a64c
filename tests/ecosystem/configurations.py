"""The real configurations: where they are, and how each of them is checked.

They are not part of the project: they are read in the folder ``real-world`` of the one that the
environment variable POSTLINT_SHARED names, else of the folder ``shared`` beside the checkout.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from postlint.config.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postlint.config.discovery import Candidate, Kind

COLLECTION = (
    Path(os.environ.get("POSTLINT_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    / "real-world"
)

_TEMPLATE = re.compile(r"(?<![A-Za-z])(main|master)(?:_[0-9x.]+)?[._]?cf(?![A-Za-z])")


class Configuration(NamedTuple):
    """One of the collection; ``name`` is its kind and identifier: ``pairs/c0020``."""

    name: str
    candidates: list[Candidate]


def available() -> bool:
    """Whether the collection is there."""
    return COLLECTION.is_dir()


def configurations() -> Iterator[Configuration]:
    """Each configuration once, in order.

    A main.cf with a master.cf of its own is checked with it (``pairs``), any other file alone.
    Templates are those whose name tells which of the two files they make.
    """
    pairs = sorted(path for path in (COLLECTION / "pairs").iterdir() if path.is_dir())
    paired = {path.read_bytes() for folder in pairs for path in folder.glob("*.cf")}
    for folder in pairs:
        yield Configuration(f"pairs/{folder.name}", Discovery().find([str(folder)], bytes))
    for kind in ("main", "master"):
        for path in sorted((COLLECTION / kind).iterdir()):
            if path.read_bytes() not in paired:
                yield _single(path, "main.cf" if kind == "main" else "master.cf")
    for path in sorted((COLLECTION / "templates").iterdir()):
        kind_of = _kind_of_template(path.name)
        if kind_of is not None:
            yield _single(path, kind_of)


def _single(path: Path, kind: Kind) -> Configuration:
    name = f"{path.parent.name}/{path.name.partition('.')[0]}"
    return Configuration(name, Discovery(kind).find([str(path)], bytes))


def _kind_of_template(name: str) -> Kind | None:
    match = _TEMPLATE.search(name)
    if match is None:
        return None
    return "main.cf" if match[1] == "main" else "master.cf"
