"""README.md, CONTRIBUTING.md and docs/ say what is so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
import yaml

from postlint.cli.configuration import KEYS
from postlint.cli.main import COMMANDS, main
from postlint.lint.registry import bundled_rules
from postlint.postfix.versions import NEWEST_KNOWN, OLDEST_KNOWN
from postlint.version import VERSION
from tests.installed import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_is_what_the_tool_prints() -> None:
    assert tool("update_readme").updated(README) == README, "make readme"


def test_the_reference_is_what_the_rules_say() -> None:
    reference = tool("build_rule_reference")
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.reference(), "make docs"


def test_ci_runs_the_command_of_the_readme() -> None:
    (command,) = re.findall(r"^    (.*pytest.*)$", README, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == command


def test_shown_commands_exist() -> None:
    code = "\n".join(re.findall(r"^ {4}.*$|`[^`\n]+`", README + CONTRIBUTING, re.MULTILINE))
    shown = set(re.findall(r"(?<![-/.])\bpostlint ([a-z]+)\b(?!/)", code))
    assert shown
    assert shown <= set(COMMANDS)


def test_the_rule_of_the_walk_through_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    header = (
        "from __future__ import annotations\n"
        "from postlint.lint.finding import Finding, Severity\n"
        "from postlint.lint.rule import rule\n"
    )
    text = dedent(snippet).replace("OPS001", "ACME001").replace("left_on", "left_on_again")
    (tmp_path / "acme.py").write_text(header + text)
    options = ["--plugin", str(tmp_path / "acme.py"), "--select", "ACME", "--no-config"]
    for value, status in (("yes", 1), ("no", 0)):
        (tmp_path / "main.cf").write_text(f"soft_bounce = {value}\n")
        assert main(["check", str(tmp_path / "main.cf"), *options]) == status
    assert main(["rule", "ACME001", "--plugin", str(tmp_path / "acme.py")]) == 0
    assert "Senders try again" in capsys.readouterr().out


def test_shown_codes_exist() -> None:
    codes = {rule.code for rule in bundled_rules()}
    shown = set(re.findall(r"\b(?!ACME)[A-Z]{3,4}[0-9]{3}\b", README + CONTRIBUTING))
    assert shown <= codes


def test_shown_configuration_is_valid() -> None:
    import tomllib

    for text in re.findall(r"```toml\n(.*?)```", README, re.DOTALL):
        assert set(tomllib.loads(text)["tool"]["postlint"]) <= KEYS


def test_shown_yaml_is_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    pre_commit, github, gitlab = map(yaml.safe_load, blocks)
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = (step for step in github["steps"] if "postlint" in step["uses"])
    assert step["uses"].endswith(f"@v{VERSION}")
    assert set(step["with"]) <= set(action["inputs"])
    assert gitlab["postlint"]["script"]
    (repo,) = pre_commit["repos"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert repo["rev"] == f"v{VERSION}"
    assert [item["id"] for item in repo["hooks"]] == [hook["id"]]


def test_versions() -> None:
    assert f"Postfix {OLDEST_KNOWN} to {NEWEST_KNOWN}" in README


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)`?", README + CONTRIBUTING))
    assert named - {"it", "a", "an", "the"} <= targets


def test_scripts_are_sound() -> None:
    for name in ("run", "setup"):
        script = ROOT / ".ci" / name
        assert script.stat().st_mode & 0o111
        assert "set -euo pipefail" in script.read_text()
        subprocess.run(["bash", "-n", script], check=True, timeout=60)
