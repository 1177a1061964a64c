"""The table of valid parameter names: built in, named after services, defined by users."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from postlint.postfix import parameters
from postlint.postfix.service_parameters import (
    SERVICE_PARAMETERS,
    fixed_names,
    match_service_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postlint.postfix.versions import PostfixVersion

BUILTIN, SERVICE, USER = 1, 2, 4
ALL_CLASSES = BUILTIN | SERVICE | USER

CLASS_NAMES = {"builtin": BUILTIN, "service": SERVICE, "user": USER, "all": ALL_CLASSES}


class Node(NamedTuple):
    """What is known of one name.

    ``default`` is None for a name that a user defined, and for one whose default is computed.
    """

    classes: int
    default: str | None
    raw: bool = False
    legacy: bool = False
    readonly: bool = False

    def of(self, classes: int) -> Node:
        """The same in other classes."""
        return self._replace(classes=classes)


Table = dict[str, Node]

_Rows: TypeAlias = "tuple[tuple[str, str | None, bool, bool], ...]"
"""Of each parameter: name, default, whether it is raw, whether it is read-only."""


def builtin_names(version: PostfixVersion) -> Table:
    """A fresh table of the built-in names (postconf_builtin.c)."""
    return dict(_builtin_table(version, _builtin(version)))


@cache
def _builtin_table(version: PostfixVersion, rows: _Rows) -> Table:
    table: Table = {}
    for name, default, raw, readonly in rows:
        table[name] = Node(BUILTIN, default, raw=raw, readonly=readonly)
    for name in fixed_names(version):
        matched = match_service_parameter(name)
        if name not in table and matched is not None:
            table[name] = Node(BUILTIN, f"${matched[2].inherits}")
    if version >= (2, 10):
        for name in _legacy(version):
            table[name] = Node(0, "", legacy=True)
    return table


@cache
def _builtin(version: PostfixVersion) -> _Rows:
    rows = []
    for name in parameters.names(version):
        parameter = parameters.get(name)
        if parameter is None:
            continue
        computed = parameter.computed or name in ("process_id", "process_name")
        rows.append(
            (
                name,
                None if computed else parameter.default(version),
                parameter.type_in(version) == "raw",
                parameter.readonly and version >= (2, 10) and _readonly(name, version),
            )
        )
    return tuple(rows)


def _readonly(name: str, version: PostfixVersion) -> bool:
    """service_name was an ordinary parameter in 3.11."""
    return name != "service_name" or version.series != (3, 11)


@cache
def _legacy(version: PostfixVersion) -> tuple[str, ...]:
    found = []
    for name in parameters.all_names():
        parameter = parameters.get(name)
        if parameter is not None and parameter.legacy_in(version):
            found.append(name)
    return tuple(found)


def add_service_names(
    table: Table, services: Iterable[tuple[str, str]], version: PostfixVersion
) -> None:
    """Add the names that services of master.cf bring along (postconf_service.c)."""
    for service, command in services:
        for pattern in SERVICE_PARAMETERS.values():
            if command not in pattern.programs or not pattern.listed_in(version):
                continue
            node = table.get(service + pattern.suffix)
            if node is not None:
                table[service + pattern.suffix] = node.of(SERVICE)
            else:
                table[service + pattern.suffix] = Node(SERVICE, f"${pattern.inherits}")
