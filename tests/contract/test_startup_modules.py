"""What a plain run may import: every module costs time at every start."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.installed import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

HOWTO = ROOT / "corpus" / "openbsd-tls-howto"
SECONDS = 60

ALLOWED = {
    *("argparse", "gettext", "locale"),
    *("pathlib", "fnmatch", "glob", "ipaddress", "ntpath", "nturl2path", "urllib"),
    *("re", "enum", "functools", "collections", "copyreg", "keyword", "operator", "reprlib"),
    *("typing", "annotationlib", "contextlib", "types", "abc"),
    *("importlib", "warnings", "bisect", "errno", "gc", "itertools", "zlib"),
    *("os", "genericpath", "posixpath", "stat"),
    *("postlint", "postlint_rules"),
}
"""Top-level modules of a text check beside those of a bare interpreter."""

KNOWN_TO_BE_SLOW = {
    "concurrent.futures",
    "difflib",
    "importlib.metadata",
    "importlib.resources",
    "inspect",
    "json",
    "lark",
    "logging",
    "multiprocessing",
    "packaging",
    "pathspec",
    "rich",
    "subprocess",
    "dataclasses",
    "hashlib",
    "pickle",
    "shutil",
    "tempfile",
    "tomllib",
}

LISTING = "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)"


def modules(code: str) -> set[str]:
    """The modules that are loaded after some code, in a bare interpreter."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys\nsys.path[:0] = {sys.path!r}\n{code}\n{LISTING}"],
        cwd=ROOT.parent,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return set(done.stderr.split())


def after_main(arguments: Sequence[object]) -> set[str]:
    """The modules that a command line loads."""
    words = json.dumps([str(word) for word in arguments])
    loaded = modules(f"from postlint.cli.main import main\nmain({words})")
    return loaded - modules("pass")


@pytest.fixture(scope="module", name="loaded")
def _loaded() -> set[str]:
    return after_main(["check", HOWTO, "--isolated"])


def test_nothing_else_is_imported(loaded: set[str]) -> None:
    tops = {name.partition(".")[0] for name in loaded}
    assert {name for name in tops if not name.startswith("_")} <= ALLOWED


def test_nothing_slow_is_imported(loaded: set[str]) -> None:
    assert not loaded & KNOWN_TO_BE_SLOW


def test_other_reports_and_commands_are_not_imported(loaded: set[str]) -> None:
    ours = {name for name in loaded if name.startswith("postlint.")}
    assert "postlint.report.text" in ours
    commands = {"arguments", "check", "choose", "configuration", "errors", "main", "output"}
    commands |= {"paths", "plugins", "settings"}
    assert {name for name in ours if name.startswith("postlint.cli.")} <= {
        f"postlint.cli.{name}" for name in commands
    }
    for name in ("json", "sarif", "terminal", "excerpt"):
        assert f"postlint.report.{name}" not in ours
    assert not {name for name in ours if name.startswith("postlint.show")}


def test_files_of_this_project_above_the_case_cost_nothing() -> None:
    """pyproject.toml does not set anything for postlint, .gitignore does not name the case."""
    assert not after_main(["check", HOWTO]) & KNOWN_TO_BE_SLOW


def test_json_needs_no_more_than_json() -> None:
    loaded = after_main(["check", HOWTO, "--format", "json"])
    assert loaded & KNOWN_TO_BE_SLOW == {"json", "hashlib"}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"]])
def test_help_does_not_need_the_parser_tables(arguments: list[str]) -> None:
    words = json.dumps(arguments)
    code = f"from postlint.cli.main import main\ntry: main({words})\nexcept SystemExit: pass"
    loaded = modules(code)
    assert "lark" not in loaded
    assert "rich" not in loaded
