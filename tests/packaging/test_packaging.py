"""What is built holds everything, works where it is installed, and nothing else is needed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from postlint.version import VERSION
from tests.installed import ROOT, Built, built, environment

if TYPE_CHECKING:
    from pathlib import Path

HOWTO = ROOT / "corpus" / "openbsd-tls-howto"
DATA = (".lark", ".json")
SECONDS = 60


@pytest.fixture(scope="module", name="built")
def _built() -> Built:
    return built()


def tree(top: Path, *suffixes: str) -> dict[str, bytes]:
    """The files below a folder by their relative paths."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in top.rglob("*")
        if path.suffix in suffixes
    }


def in_wheel(wheel: Path, package: str) -> dict[str, bytes]:
    """The files of a package in a wheel by their paths in it."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name.removeprefix(f"{package}/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith(f"{package}/")
        }


def test_wheel_has_every_rule(built: Built) -> None:
    assert in_wheel(built.wheel, "postlint_rules") == tree(ROOT / "rules", ".py")


def test_wheel_has_every_module_and_data_file(built: Built) -> None:
    packaged = in_wheel(built.wheel, "postlint")
    assert packaged == tree(ROOT / "postlint", ".py", ".typed", *DATA)
    for suffix in (*DATA, ".typed"):
        assert [name for name in packaged if name.endswith(suffix)]


def test_wheel_has_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops == {"postlint", "postlint_rules", f"postlint-{VERSION}.dist-info"}


def test_metadata(built: Built) -> None:
    info = f"postlint-{VERSION}.dist-info"
    with zipfile.ZipFile(built.wheel) as archive:
        metadata = message_from_bytes(archive.read(f"{info}/METADATA"))
        assert b"Apache License" in archive.read(f"{info}/licenses/LICENSE")
        scripts = archive.read(f"{info}/entry_points.txt").decode()
    assert "postlint = postlint.cli.main:program" in scripts
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    needed = [name for name in metadata.get_all("Requires-Dist", []) if "extra ==" not in name]
    assert [name.partition(">")[0] for name in sorted(needed)] == ["lark<2,", "pathspec", "rich"]


def test_sdist_has_what_the_tests_need(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("corpus", "tests", "tools", "rules", "postlint"):
        files = tree(ROOT / folder, ".py", ".cf", ".md", *DATA)
        assert {f"{folder}/{name}" for name in files if "_cache/" not in name} <= names
    assert {"LICENSE", "README.md", "Makefile", ".ci/run", "action.yml"} <= names


def check_howto(*python: str, cwd: Path, site: Path | None) -> str:
    """The report on the how-to case."""
    done = subprocess.run(
        [sys.executable, *python, "check", str(HOWTO), "--no-config"],
        cwd=cwd,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 1
    return done.stdout


def test_installed_and_uninstalled_say_the_same(built: Built, tmp_path: Path) -> None:
    installed = check_howto("-m", "postlint", cwd=tmp_path, site=built.site)
    assert "DUP001" in installed
    assert check_howto(str(built.site / "bin" / "postlint"), cwd=tmp_path, site=built.site) == (
        installed
    )
    uninstalled = check_howto("-m", "postlint", cwd=ROOT, site=None)
    assert uninstalled.replace("corpus/", f"{ROOT}/corpus/") == installed


def test_an_uninstalled_checkout_needs_no_installation(tmp_path: Path) -> None:
    """Not even with another postlint installed: the rules are those beside the package."""
    code = (
        "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f)];"
        f"sys.path.insert(0, {str(ROOT)!r});"
        "from postlint.lint.registry import bundled_rules; bundled_rules();"
        "print(sys.modules['postlint_rules'].__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.strip() == str(ROOT / "rules" / "__init__.py"), done.stderr


def test_installed_runs_from_its_own_files(built: Built, tmp_path: Path) -> None:
    code = "import postlint, postlint_rules; print(postlint.__file__, postlint_rules.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(built.site),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert all(name.startswith(str(built.site)) for name in done.stdout.split())
