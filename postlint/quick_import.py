"""Importing the modules of this package with less ado.

A run imports some two hundred of them. For each Python lists folders, tries four suffixes and
asks twice how old a file is, which is a tenth of a short run. Here a module is looked for where
it must be, and its bytecode is used if it fits, exactly as Python decides that; for whatever is
not as expected, Python does all of it as always.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from marshal import loads
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

_PACKAGES = ("postlint.", "postlint_rules.")
_HEADER = 16
"""Bytes before the code in a .pyc file: magic number, flags, time and size of the source."""


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, cached: str, stamp: bytes) -> None:
        super().__init__(name, path)
        self._cached = cached
        self._stamp = stamp

    def get_code(self, fullname: str) -> CodeType | None:
        """The code in the .pyc file, if it was made from this very source."""
        try:
            with open(self._cached, "rb", 0) as file:  # noqa: PTH123 - a path of text is quicker
                data = file.read()
        except OSError:
            return super().get_code(fullname)
        if data[:_HEADER] != self._stamp:
            return super().get_code(fullname)
        code: CodeType = loads(memoryview(data)[_HEADER:])  # noqa: S302 - as Python itself does
        return code


class Finder:
    """Finds modules of this package beside their package; everything else it leaves to others."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What to load for a module; None for a package and for what is not there."""
        if path is None or len(path) != 1 or not name.startswith(_PACKAGES):
            return None
        tail = name.rpartition(".")[2]
        origin = f"{path[0]}/{tail}.py"
        try:
            status = os.stat(origin)  # noqa: PTH116 - as above
        except OSError:
            return None
        cached = f"{path[0]}/__pycache__/{tail}.{sys.implementation.cache_tag}.pyc"
        stamp = b"".join(
            (
                MAGIC_NUMBER,
                bytes(4),
                (int(status.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little"),
                (status.st_size & 0xFFFFFFFF).to_bytes(4, "little"),
            )
        )
        loader = _Loader(name, origin, cached, stamp)
        spec = ModuleSpec(name, loader, origin=origin)
        spec.has_location = True
        spec.cached = cached
        return spec


def install() -> None:
    """Look here first, where bytecode has its usual names."""
    if sys.flags.optimize or sys.pycache_prefix is not None or os.sep != "/":
        return
    if sys.implementation.cache_tag is not None:
        sys.meta_path.insert(0, Finder)
