"""Rules that are not bundled: installed plugins by name, Python files by path.

Loading one runs its code, so only names are taken from configuration files: an installed plugin
was installed by the user, while a file could come with what is checked.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from postlint.cli.errors import UsageError, did_you_mean
from postlint.config.boundary import is_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from postlint.cli.settings import Settings

ENTRY_POINTS = "postlint.rules"
"""The group of entry points under which an installed plugin names its module."""


def plugin_names(settings: Settings, given: Sequence[str] | None) -> tuple[str, ...]:
    """The plugins to load, each once; raises UsageError for a file that was not ``given``."""
    names: Iterable[str] = settings.get("plugins") or ()
    for name in names:
        if _is_file(name):
            raise settings.complaint("plugins", f'"{name}" is a file: name it with --plugin')
    return tuple(dict.fromkeys((*names, *(given or ()))))


def load_plugins(names: Iterable[str]) -> list[ModuleType]:
    """Run the plugins' modules; raises UsageError."""
    return [_load_file(name) if _is_file(name) else _load_installed(name) for name in names]


def _is_file(name: str) -> bool:
    return name.endswith(".py") or "/" in name


def _load_file(name: str) -> ModuleType:
    from importlib import util

    path = Path(name)
    if not is_regular(path):
        raise UsageError(f"--plugin {name}: no such file")
    module_name = f"postlint_plugin_{path.stem}"
    spec = util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--plugin {name}: not a Python file")
    module = util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"plugin {name} can not be loaded: {error!r}") from error
    return module


def _load_installed(name: str) -> ModuleType:
    from importlib.metadata import entry_points
    from types import ModuleType

    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in installed:
        hint = did_you_mean(name, installed) or "; a file is written with .py or a slash"
        raise UsageError(f'no plugin "{name}" is installed{hint}')
    try:
        module = installed[name].load()
    except (Exception, SystemExit) as error:
        raise UsageError(f"plugin {name} can not be loaded: {error!r}") from error
    if not isinstance(module, ModuleType):
        raise UsageError(f"plugin {name} can not be loaded: its entry point is not a module")
    return module
