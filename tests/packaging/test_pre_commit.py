"""The hook for pre-commit, tried with the real program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.installed import ROOT, copy_sources, environment

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 300
NO_PACKAGES = re.compile(r"No matching distribution|Could not find a version|Failed to establish")

FILES = {
    "main.cf": True,
    "etc/postfix/master.cf": True,
    "roles/mx/templates/main.cf.j2": True,
    "main.cf.erb": True,
    "postfix-main.cf": True,
    "postfix_master.cf.tmpl": True,
    "main-mx1.cf": True,
    "domain.cf": False,
    "main.cf.md": False,
    "main.cf.bak": False,
    "main.cfg": False,
    "dynamicmaps.cf": False,
    "main.cf/readme": False,
}


@pytest.fixture(name="hook")
def _hook() -> dict[str, Any]:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(hook)


@pytest.mark.parametrize("name", FILES)
def test_files_that_the_hook_takes(hook: dict[str, Any], name: str) -> None:
    assert bool(re.search(hook["files"], name)) is FILES[name]


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=SECONDS
    )


def commit_all(folder: Path) -> None:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "x")


def test_real_run(tmp_path: Path) -> None:
    copy_sources(tmp_path / "postlint")
    commit_all(tmp_path / "postlint")
    project = tmp_path / "project"
    (project / "etc").mkdir(parents=True)
    (project / "etc" / "main.cf").write_text("relayhost = a\nrelayhost = b\n")
    (project / "domain.cf").write_text("relayhost = a\nrelayhost = b\n")
    commit_all(project)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", "../postlint", "postlint", "--all-files"],
        cwd=project,
        capture_output=True,
        text=True,
        env={**environment(), "PRE_COMMIT_HOME": str(tmp_path / "cache")},
        timeout=SECONDS,
        check=False,
    )
    output = done.stdout + done.stderr
    if NO_PACKAGES.search(output) and not os.environ.get("CI"):
        pytest.skip("pre-commit can not install the hook's dependencies here")
    assert done.returncode == 1, output
    assert "etc/main.cf:1:1: DUP001 warning" in output
    assert "domain.cf" not in output
