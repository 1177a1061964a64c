"""The cheap NamedTuple does what typing's does, and is used on the path of every run."""

from __future__ import annotations

import copy
import pickle
import re
from typing import TYPE_CHECKING, Any
from typing import NamedTuple as Original

import pytest

from postlint.records import NamedTuple
from tests.installed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable


class Cheap(NamedTuple):
    """A point."""

    x: int
    y: int
    label: str = "none"
    """What it is called."""

    @property
    def total(self) -> int:
        return self.x + self.y

    def moved(self) -> Cheap:
        return self._replace(x=self.x + 1)


class Dear(Original):
    """A point."""

    x: int
    y: int
    label: str = "none"

    @property
    def total(self) -> int:
        return self.x + self.y

    def moved(self) -> Dear:
        return self._replace(x=self.x + 1)


USES: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda make: tuple(make(1, 2)),
    "keywords": lambda make: tuple(make(y=2, x=1, label="a")),
    "mixed": lambda make: tuple(make(1, label="a", y=2)),
    "equal": lambda make: make(1, 2) == (1, 2, "none") and make(1, 2) != make(1, 3),
    "hash": lambda make: hash(make(1, 2)) == hash((1, 2, "none")),
    "order": lambda make: make(1, 2) < make(2, 1),
    "names": lambda make: (make(1, 2).x, make(1, 2).y, make(1, 2).label),
    "property": lambda make: make(1, 2).total,
    "method": lambda make: tuple(make(1, 2).moved()),
    "unpacking": lambda make: [*make(1, 2)],
    "fields": lambda make: (make._fields, make.__match_args__, make._field_defaults),
    "dictionary": lambda make: make(1, 2)._asdict(),
    "text": lambda make: repr(make(1, 2)).partition("(")[2],
    "documentation": lambda make: make.__doc__,
    "pickle": lambda make: (lambda item: (item, type(item) is make))(
        pickle.loads(pickle.dumps(make(1, 2)))
    ),
    "copy": lambda make: type(copy.deepcopy(make(1, 2))) is make,
    "no dictionary of its own": lambda make: hasattr(make(1, 2), "__dict__"),
}


@pytest.mark.parametrize("use", USES)
def test_same_as_the_original(use: str) -> None:
    assert USES[use](Cheap) == USES[use](Dear)


def test_patterns() -> None:
    match Cheap(1, 2):
        case Cheap(1, y):
            assert y == 2
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda make: make(1),
        lambda make: make(1, 2, "a", 4),
        lambda make: make(1, x=2),
        lambda make: make(1, 2, z=3),
        lambda make: make(1, 2)._replace(z=3),
        lambda make: setattr(make(1, 2), "x", 3),
    ],
)
def test_same_refusals(wrong: Callable[[Any], Any]) -> None:
    for make in (Cheap, Dear):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            wrong(make)


def test_used_where_it_counts() -> None:
    """postlint.show is not on the path of a check."""
    typings = re.compile(r"^from typing import .*\bNamedTuple\b", re.MULTILINE)
    files = [*(ROOT / "postlint").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]
    guilty = [
        str(path.relative_to(ROOT))
        for path in files
        if "show" not in path.parts
        and path.name != "records.py"
        and typings.search(path.read_text())
    ]
    assert not guilty, "from postlint.records import NamedTuple"
