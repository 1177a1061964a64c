"""Parameters with a fixed set of values, and conditions between parameters.

Sources: the NAME_CODE and NAME_MASK tables of the programs, named per entry;
what daemons of the newest version said to wrong values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from postlint.records import NamedTuple

from . import parameters
from .data import enums as _data

if TYPE_CHECKING:
    from .versions import PostfixVersion

__all__ = [
    "CROSS_CHECKS",
    "CrossCheck",
    "EnumKind",
    "EnumValue",
    "Enumeration",
    "all_enumerations",
    "get",
]

EnumKind = Literal["one", "list", "acl", "expr", "prefix", "chars", "level", "path"]
"""One value, a list (comma, blank, tab, CR, LF), or something freer: see ``patterns``."""

_HEXADECIMAL: Final = frozenset("0123456789abcdef")


class EnumValue(NamedTuple):
    """One allowed word."""

    text: str
    since: str
    """Series or releases as for PostfixVersion.has(); "2.6" also stands for earlier."""
    note: str


class Enumeration(NamedTuple):
    """The values of some parameters."""

    parameters: tuple[str, ...]
    kind: EnumKind
    known: tuple[EnumValue, ...]
    """Words of any version; see values()."""
    patterns: tuple[EnumValue, ...]
    """Descriptions of further values ("type:table", "/absolute/path")."""
    any_case: bool
    hexadecimal: bool
    """A bit mask 0xHEX is accepted too."""
    on_error: str
    """What the program says to a wrong value X, and what it then does."""
    source: str
    note: str

    @property
    def closed(self) -> bool:
        """Whether nothing but the words is allowed."""
        return not self.patterns and self.kind in ("one", "list")

    def values(self, version: PostfixVersion) -> tuple[str, ...]:
        """The allowed words in *version*; "" is the empty value."""
        return tuple(value.text for value in self.known if version.has(value.since))

    def accepts(self, word: str, version: PostfixVersion) -> bool:
        """Whether *word*, $-expanded and without any "!" or ">=", is allowed in *version*.

        Always true for words that could match one of ``patterns``.
        """
        if not self.closed:
            return True
        allowed = self.values(version)
        if self.any_case:
            word = word.lower()
            allowed = tuple(value.lower() for value in allowed)
        if word in allowed:
            return True
        digits = word.lower().removeprefix("0x")
        return (
            self.hexadecimal
            and digits != word.lower()
            and digits != ""
            and _HEXADECIMAL.issuperset(digits)
        )


class CrossCheck(NamedTuple):
    """A condition between parameters that a program checks when it starts."""

    condition: str
    on_error: str
    source: str
    note: str


CROSS_CHECKS: Final[tuple[CrossCheck, ...]] = tuple(CrossCheck(*row) for row in _data.CROSS_CHECKS)
"""For the newest version."""

_ALL: Final[tuple[Enumeration, ...]] = tuple(
    Enumeration(
        names,
        kind,
        tuple(EnumValue(*row) for row in known),
        tuple(EnumValue(*row) for row in patterns),
        *rest,
    )
    for names, kind, known, patterns, *rest in _data.ROWS
)
_MEASURED: Final = {"tlsproxy_client_security_level": 'fatal: Invalid TLS level "X"'}
"""What a real daemon (3.7) says to a wrong value, where the sources seem to say otherwise."""

_BY_NAME: Final[dict[str, Enumeration]] = {
    name: entry for entry in _ALL for name in entry.parameters
}
for _name, _said in _MEASURED.items():
    _BY_NAME[_name] = _BY_NAME[_name]._replace(on_error=_said)


@lru_cache(maxsize=4096)
def get(parameter: str, version: PostfixVersion) -> Enumeration | None:
    """The values of *parameter*; None if it takes others, or *version* lacks it.

    Also None where the parameter had another type then (*_tls_loglevel was a
    number before 2.9).
    """
    found = _BY_NAME.get(parameter)
    known = parameters.get(parameter)
    if found is None or known is None or not (known.exists_in(version) or known.legacy_in(version)):
        return None
    return found if found.patterns or found.values(version) else None


def all_enumerations() -> tuple[Enumeration, ...]:
    """Every enumeration of any version."""
    return _ALL
