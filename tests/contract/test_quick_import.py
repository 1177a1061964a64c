"""Modules that are imported with less ado are the modules that Python would import."""

from __future__ import annotations

import os
import py_compile
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING

import postlint.syntax
from postlint.quick_import import Finder

if TYPE_CHECKING:
    from pathlib import Path

NAME = "postlint.probe"


def value(folder: Path) -> object:
    """What the module in a folder says now."""
    spec = Finder.find_spec(NAME, [str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.__file__ == str(folder / "probe.py")
    return module.VALUE


def write(folder: Path, text: str, age: int) -> None:
    source = folder / "probe.py"
    source.write_text(f"VALUE = {text}\n")
    os.utime(source, (age, age))


def test_same_as_python_finds() -> None:
    path = postlint.syntax.__path__
    for name in ("postlint.syntax.source", "postlint.syntax.table"):
        ours, theirs = Finder.find_spec(name, path), PathFinder.find_spec(name, path)
        assert ours is not None
        assert theirs is not None
        for attribute in ("name", "origin", "cached", "parent", "has_location"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)
        assert ours.submodule_search_locations is None


def test_packages_and_others_are_left_to_python() -> None:
    assert Finder.find_spec("postlint.tables", postlint.syntax.__path__) is None
    assert Finder.find_spec("postlint.missing", postlint.syntax.__path__) is None
    assert Finder.find_spec("json.decoder", postlint.syntax.__path__) is None
    assert Finder.find_spec("postlint", None) is None


def test_bytecode_counts_only_for_its_source(tmp_path: Path) -> None:
    write(tmp_path, "1", 1_000_000_000)
    assert value(tmp_path) == 1  # without bytecode
    py_compile.compile(str(tmp_path / "probe.py"))
    assert value(tmp_path) == 1
    write(tmp_path, "2", 1_000_000_001)  # newer
    assert value(tmp_path) == 2
    py_compile.compile(str(tmp_path / "probe.py"))
    write(tmp_path, "33", 1_000_000_001)  # as old, and longer
    assert value(tmp_path) == 33


def test_bytecode_is_used(tmp_path: Path) -> None:
    write(tmp_path, "1", 1_000_000_000)
    py_compile.compile(str(tmp_path / "probe.py"))
    write(tmp_path, "2", 1_000_000_000)  # nothing tells that it is another source
    assert value(tmp_path) == 1


def test_broken_bytecode_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, "1", 1_000_000_000)
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    (cache / f"probe.{sys.implementation.cache_tag}.pyc").write_bytes(b"x" * 40)
    assert value(tmp_path) == 1
