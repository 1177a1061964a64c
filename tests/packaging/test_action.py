"""The GitHub Action: well formed, safe against its inputs, and its steps run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.installed import ROOT, built, environment

SECONDS = 120
EXPRESSION = re.compile(r"\$\{\{\s*([a-z._-]+)\s*\}\}")
DUPLICATE = "relayhost = [a.example.com]\nrelayhost = [b.example.com]\n"


@pytest.fixture(name="action")
def _action() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "action.yml").read_text()))


def test_form(action: dict[str, Any]) -> None:
    assert {"name", "description", "inputs", "outputs", "runs"} <= action.keys()
    assert action["runs"]["using"] == "composite"
    assert set(action["inputs"]) == {"paths", "postfix-version", "fail-on", "args", "upload"}
    assert all(item["description"] and "default" in item for item in action["inputs"].values())
    for step in action["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "uses" in step or step["shell"] == "bash"


def test_expressions_stay_out_of_the_scripts(action: dict[str, Any]) -> None:
    """An input that a script contains could be a command; in an environment it is only a word."""
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_expressions_name_what_exists(action: dict[str, Any]) -> None:
    known = {f"inputs.{name}" for name in action["inputs"]} | {"github.action_path"}
    known |= {f"steps.check.outputs.{name}" for name in action["outputs"]}
    text = (ROOT / "action.yml").read_text()
    assert set(EXPRESSION.findall(text)) <= known
    assert text.count("${{") == len(EXPRESSION.findall(text)) + 1  # the condition of the upload


def test_upload(action: dict[str, Any]) -> None:
    (upload,) = (step for step in action["runs"]["steps"] if "uses" in step)
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@v")
    assert upload["with"]["sarif_file"] == "${{ steps.check.outputs.sarif-file }}"


class Job:
    """Runs the steps that are scripts, as a runner does, in ``folder``."""

    def __init__(self, action: dict[str, Any], folder: Path) -> None:
        self.steps = {step["name"]: step for step in action["runs"]["steps"]}
        self.values = {f"inputs.{name}": item["default"] for name, item in action["inputs"].items()}
        self.values["github.action_path"] = str(ROOT)
        self.workspace = folder / "workspace"
        self.temporary = folder / "temporary"
        self.output = folder / "output"
        for path in (self.workspace, self.temporary):
            path.mkdir()

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        step = self.steps[name]
        given = {
            key: EXPRESSION.sub(lambda match: self.values.get(match[1], ""), value)
            for key, value in step["env"].items()
        }
        self.output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={
                **environment(),
                **given,
                "RUNNER_TEMP": str(self.temporary),
                "GITHUB_OUTPUT": str(self.output),
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        for line in self.output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{key}"] = value
        return done

    def use_installed(self) -> None:
        """In place of the installation: the wheel that this test run has built."""
        script = self.temporary / "postlint" / "bin" / "postlint"
        script.parent.mkdir(parents=True)
        command = f'PYTHONPATH={built().site} exec {sys.executable} -P -m postlint "$@"'
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)


@pytest.fixture(name="job")
def _job(action: dict[str, Any], tmp_path: Path) -> Job:
    job = Job(action, tmp_path)
    job.use_installed()
    (job.workspace / "a b").mkdir()
    (job.workspace / "a b" / "main.cf").write_text(DUPLICATE)
    (job.workspace / "main.cf").write_text("relayhost = [a.example.com]\n")
    return job


def sarif(job: Job) -> dict[str, Any]:
    path = Path(job.values["steps.check.outputs.sarif-file"])
    return dict(json.loads(path.read_text())["runs"][0])


def test_findings(job: Job) -> None:
    job.values["inputs.args"] = "--select DUP --statistics"
    done = job.run("Check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a b/main.cf:1:1: DUP001 warning" in done.stdout
    assert job.values["steps.check.outputs.status"] == "1"
    (result,) = sarif(job)["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "a%20b/main.cf"
    assert job.run("Result").returncode == 1


def test_inputs(job: Job) -> None:
    job.values |= {
        "inputs.paths": "a b\n\nmain.cf\n",
        "inputs.postfix-version": "3.7",
        "inputs.fail-on": "error",
        "inputs.args": "--select DUP",
    }
    done = job.run("Check")
    assert (done.returncode, done.stderr) == (0, "")
    assert job.values["steps.check.outputs.status"] == "0"
    assert len(sarif(job)["results"]) == 1
    assert job.run("Result").returncode == 0


@pytest.mark.parametrize(
    "paths", ["--output=owned", "$(touch owned)", "`touch owned`", "x; touch owned"]
)
def test_paths_are_only_paths(job: Job, paths: str) -> None:
    job.values["inputs.paths"] = paths
    job.run("Check")
    assert job.values["steps.check.outputs.status"] == "2"
    assert not (job.workspace / "owned").exists()
    assert job.run("Result").returncode == 2


def test_wrong_usage_has_nothing_to_upload(job: Job) -> None:
    job.values["inputs.fail-on"] = "eror"
    done = job.run("Check")
    assert "did you mean error?" in done.stderr
    assert job.values["steps.check.outputs.status"] == "2"
    assert "steps.check.outputs.sarif-file" not in job.values


def test_installation(action: dict[str, Any], tmp_path: Path) -> None:
    job = Job(action, tmp_path)
    copy = tmp_path / "action"
    from tests.installed import copy_sources

    copy_sources(copy)
    job.values["github.action_path"] = str(copy)
    done = job.run("Install postlint")
    if done.returncode and "No matching distribution" in done.stderr and not os.environ.get("CI"):
        pytest.skip("pip can not install postlint's dependencies here")
    assert done.returncode == 0, done.stderr
    program = job.temporary / "postlint" / "bin" / "postlint"
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert version.stdout.startswith("postlint ")
    shutil.rmtree(job.temporary)
