"""main.cf parameters: type, bounds, default and availability by version.

Sources: the CONFIG_*_TABLE entries of every program (src/*/*.c, src/global/
mail_params.c), evaluated for the latest patch release of each series, and
``postconf -d`` with empty main.cf and master.cf; src/global/mail_params.h of
every release for what patch releases changed.  Units: time bounds in seconds,
string bounds in bytes.
"""

from __future__ import annotations

from .data import parameters as _data
from .versions import SERIES, PostfixVersion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal

    ParameterType = Literal["str", "bool", "nbool", "int", "nint", "long", "time", "raw"]
    TimeUnit = Literal["s", "m", "h", "d", "w"]
    Bounds = tuple[int | None, int | None]

__all__ = [
    "Parameter",
    "all_names",
    "get",
    "is_known",
    "names",
]

_ROWS: Final[dict[str, tuple[Any, ...]]] = {row[0]: row for row in _data.ROWS}
_PARAMETERS: Final[dict[str, Parameter]] = {}
_NAMES: Final[dict[PostfixVersion, frozenset[str]]] = {}


def _at(history: tuple[Any, ...], index: int) -> Any:
    """The value that a flat history (series, value, …) has in a series, or None."""
    found = None
    for position in range(0, len(history), 2):
        if history[position] > index:
            break
        found = history[position + 1]
    return found


class Parameter:
    """One main.cf parameter of any known version.

    Types are those of mail_conf_*.c: ``nbool`` and ``nint`` are bool and int with
    a textual default; ``raw`` is not $-expanded.
    """

    __slots__ = ("_bounds", "_default", "_first", "_last", "name", "type", "unit")

    name: str
    type: ParameterType
    """The type in the newest version that has the parameter; see type_in()."""
    unit: TimeUnit | None
    """The unit of a time without suffix."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        """*row* as in the generated table."""
        self.name, self.type, self.unit, low, high, self._first, self._last, self._default = row
        self._bounds: Bounds = (low, high)

    def __repr__(self) -> str:
        return f"<Parameter {self.name}>"

    def type_in(self, version: PostfixVersion) -> ParameterType:
        """The type in *version*."""
        return self._typed(version)[0]

    def bounds(self, version: PostfixVersion) -> Bounds:
        """Smallest and largest length (str, raw), value (int, nint, long) or time in seconds.

        None is "not checked"; so is 0, which the programs take as no bound.
        """
        _, low, high = self._typed(version)
        return (low, high)

    def _typed(self, version: PostfixVersion) -> tuple[ParameterType, int | None, int | None]:
        steps = _data.TYPES.get(self.name)
        typed: tuple[ParameterType, int | None, int | None] | None = steps and _at(
            steps, version.series_index
        )
        return typed or (self.type, *self._bounds)

    def exists_in(self, version: PostfixVersion) -> bool:
        """Whether it is built into *version* (``postconf -d`` lists it), patch release included."""
        index = version.series_index
        if (
            self._first is None
            or index < self._first
            or (self._last is not None and index > self._last)
        ):
            return False
        if version.patch is None:
            return True
        patches = _data.FIRST_PATCH.get(self.name)
        return patches is None or version.patch >= patches.get(index, 0)

    def legacy_in(self, version: PostfixVersion) -> bool:
        """Whether it is an old name that works only because a default mentions it.

        Postfix does not list such a name; postconf accepts it without "unused
        parameter", and $name expands to nothing unless somebody sets it.
        """
        since = _data.LEGACY.get(self.name)
        return since is not None and version.series_index >= since and not self.exists_in(version)

    def default(self, version: PostfixVersion) -> str | None:
        """The default as ``postconf -d`` prints it, $names unexpanded; None if *version* lacks it.

        A default that depends on the host or the build is that of a plain build:
        see ``computed`` and ``build_dependent``.
        """
        if not self.exists_in(version):
            return None
        if self.name == "mail_version" and (version.patch is not None or version.series == (2, 7)):
            return str(version)
        if version.patch is not None:
            from .data import parameter_history

            for series, patch, before in parameter_history.PATCH_DEFAULTS.get(self.name, ()):
                if series == version.series_index and version.patch < patch:
                    return before
        if isinstance(self._default, str):
            return self._default
        value: str = _at(self._default, version.series_index)
        return value

    def programs(self, version: PostfixVersion) -> frozenset[str]:
        """The programs that load it in *version*; {"*"} is every daemon and nearly every command.

        Exact for the newest version (measured in the binaries), reconstructed
        from the source directories for older ones.  Empty if *version* lacks it.
        """
        from .data import programs

        if not (self.exists_in(version) or self.legacy_in(version)):
            return frozenset()
        loads = programs.LOADS[self.name]
        number = loads if isinstance(loads, int) else _at(loads, version.series_index)
        return frozenset(programs.SETS[number] if number is not None else ())

    @property
    def used_by(self) -> frozenset[str]:
        """The programs whose code refers to it, in the newest version that has it.

        A subset of the programs that load it; features that were not compiled in
        (TLSRPT, LDAP, SQL, MongoDB, Cyrus SASL) may be missing.
        """
        from .data import programs

        number = programs.USED.get(self.name)
        if number is not None:
            return frozenset(programs.SETS[number])
        return self.programs(PostfixVersion(*SERIES[-1 if self._last is None else self._last]))

    @property
    def indirect(self) -> frozenset[str]:
        """Programs that see it only through the default of another parameter (newest version)."""
        from .data import programs

        number = programs.INDIRECT.get(self.name)
        return frozenset() if number is None else frozenset(programs.SETS[number])

    def default_history(self) -> tuple[tuple[str, str], ...]:
        """(series, default from then on) per change, oldest first, at the latest patch releases."""
        if self._first is None:
            return ()
        if isinstance(self._default, str):
            return ((_series_text(self._first), self._default),)
        flat = self._default
        return tuple((_series_text(flat[at]), flat[at + 1]) for at in range(0, len(flat), 2))

    @property
    def first_series(self) -> tuple[int, int]:
        """The oldest known series that has it, patch releases included."""
        return SERIES[self._first or 0]

    @property
    def introduced(self) -> str:
        """The releases that brought it: "2.10", or with backports "3.5.23, 3.6.13, 3.7.9"."""
        from .data import parameter_history

        known = parameter_history.INTRODUCED.get(self.name)
        return known or _series_text(self._first or 0)

    @property
    def last(self) -> str | None:
        """The last series that has it; None while the newest one does."""
        return None if self._last is None else _series_text(self._last)

    @property
    def removed(self) -> str | None:
        """The first series without it."""
        return None if self._last is None else _series_text(self._last + 1)

    @property
    def readonly(self) -> bool:
        """Postfix sets it itself (process_id, process_name, service_name)."""
        return self.name in _data.READONLY

    @property
    def computed(self) -> bool:
        """The default comes from the host (myhostname, mydomain, mynetworks)."""
        return self.name in _data.COMPUTED

    @property
    def build_dependent(self) -> bool:
        """The default depends on the host, the platform or compile options."""
        return self.name in _data.BUILD_DEPENDENT

    @property
    def build_note(self) -> str:
        """What the default depends on, in a few words; may be empty."""
        from .data import parameter_history

        return parameter_history.BUILD_NOTES.get(self.name, "")

    @property
    def service_class(self) -> bool:
        """Built in under a name that matches a service parameter pattern."""
        return self.name in _data.SERVICE_CLASS

    @property
    def legacy(self) -> bool:
        """Some version knows it only as an old name; see legacy_in()."""
        return self.name in _data.LEGACY

    @property
    def legacy_since(self) -> str | None:
        """The first measured series in which it is only an old name."""
        since = _data.LEGACY.get(self.name)
        return None if since is None else _series_text(since)

    @property
    def replacement(self) -> str | None:
        """The parameter that replaced a legacy name; for all others see ``obsolete``."""
        from .data import parameter_history

        return parameter_history.REPLACED.get(self.name)

    @property
    def invalid_default(self) -> str | None:
        """Why the default itself is refused by the programs that load it."""
        from .data import parameter_history

        return parameter_history.DEFAULT_INVALID.get(self.name)

    def compatibility(self, version: PostfixVersion) -> tuple[str, str, str] | None:
        """(level, default below it, default from it on) if compatibility_level decides.

        The two defaults are $-unexpanded texts; None for all other parameters.
        """
        text = self.default(version) or ""
        for operator in ("<level", "<"):
            start = "${{$compatibility_level} " + operator + " {"
            if text.startswith(start):
                level, _, branches = text[len(start) :].partition("} ? {")
                below, _, above = branches.removesuffix("}}").partition("} : {")
                return (level, below, above)
        return None


def _series_text(index: int) -> str:
    major, minor = SERIES[index]
    return f"{major}.{minor}"


def get(name: str) -> Parameter | None:
    """The parameter of that exact name, in whatever version it exists."""
    parameter = _PARAMETERS.get(name)
    if parameter is None:
        row = _ROWS.get(name)
        if row is None:
            return None
        parameter = _PARAMETERS[name] = Parameter(row)
    return parameter


def all_names() -> frozenset[str]:
    """Every parameter name of every known version, legacy names included."""
    return frozenset(_ROWS)


def names(version: PostfixVersion) -> frozenset[str]:
    """The built-in parameters of *version*, without service and user-defined ones."""
    known = _NAMES.get(version)
    if known is None:
        known = _NAMES[version] = frozenset(
            name
            for name in _ROWS
            if (parameter := get(name)) is not None and parameter.exists_in(version)
        )
    return known


def is_known(name: str, version: PostfixVersion | None = None) -> bool:
    """Whether *name* is built in or an accepted old name; without a version: in any version.

    Service parameters ("relay_destination_rate_delay") are a matter of
    master.cf: see ``service_parameters``.
    """
    parameter = get(name)
    if parameter is None or version is None:
        return parameter is not None
    return parameter.exists_in(version) or parameter.legacy_in(version)
