"""Rules from outside: files by --plugin, installed plugins by name, nothing else."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CLEAN, ERROR, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

PLUGIN = textwrap.dedent('''
    from __future__ import annotations

    from postlint.lint.finding import Finding, Severity
    from postlint.lint.rule import rule


    @rule("ACME001", severity=Severity.WARNING)
    def relayhost_is_not_ours(main_cf: MainCf):
        """A relayhost that is not one of ours.

        Why: Mail would leave by a host that nobody looks after.
        Fix: Name one of the two relays.
        Bad:
            relayhost = [relay.example.org]
        Good:
            relayhost = [relay.example.com]
        References: the handbook
        """
        for entry in main_cf.assignments:
            if entry.name.text == "relayhost":
                yield Finding(entry.value.location, "not ours", parameter="relayhost")
''')

CRASHING = textwrap.dedent('''
    from __future__ import annotations

    from postlint.lint.finding import Severity
    from postlint.lint.rule import rule


    @rule("ACME002", severity=Severity.ERROR)
    def crash_on_purpose(main_cf: MainCf):
        """Crash."""
        raise RuntimeError("on purpose")
''')


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution "acme" with a plugin of that name, and a broken one."""
    write(
        {
            "acme_rules.py": PLUGIN,
            "acme_broken.py": "1 / 0",
            "acme_object.py": "thing = 1",
            "acme-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n",
            "acme-1.0.dist-info/entry_points.txt": (
                "[postlint.rules]\nacme = acme_rules\nbroken = acme_broken\n"
                "object = acme_object:thing\ngone = acme_gone\n"
            ),
        },
        tmp_path / "site",
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


def test_file(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": CLEAN, "acme.py": PLUGIN})
    run = postlint("check", "a", "--plugin", "acme.py", "--select", "ACME")
    assert run.status == 1
    assert run.lines[0] == "a/main.cf:1:13: ACME001 warning not ours"
    assert postlint("check", "a", "--plugin", "./acme.py", "--select", "DUP").status == 0
    assert "ACME001" in postlint("rules", "--plugin", "acme.py").out
    assert "Name one of" in postlint("rule", "ACME001", "--plugin", "acme.py").out
    log = json.loads(
        postlint("check", "a", "--plugin", "acme.py", "--select", "ACME", "--format", "sarif").out
    )
    assert log["runs"][0]["results"][0]["ruleId"] == "ACME001"


def test_suppression_of_a_plugin_rule(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": f"# postlint: ignore[ACME001] ours\n{CLEAN}", "acme.py": PLUGIN})
    run = postlint("check", "a", "--plugin", "acme.py", "--select", "ACME,LNT")
    assert run.status == 0


def test_installed(postlint: Callable[..., Run], installed: None) -> None:
    write({"a/main.cf": CLEAN})
    assert postlint("check", "a", "--plugin", "acme", "--select", "ACME").status == 1
    write({"a/postlint.toml": 'plugins = ["acme"]\nselect = ["ACME"]\n'})
    assert postlint("check", "a").status == 1


def test_installed_plugins_are_not_loaded_unless_named(
    postlint: Callable[..., Run], installed: None
) -> None:
    assert "ACME" not in postlint("rules").out


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("acmee", 'no plugin "acmee" is installed; did you mean acme?'),
        ("broken", "plugin broken can not be loaded: ZeroDivisionError('division by zero')"),
        ("object", "plugin object can not be loaded: its entry point is not a module"),
        ("gone", "plugin gone can not be loaded: ModuleNotFoundError("),
    ],
)
def test_bad_installed_plugin(
    postlint: Callable[..., Run], installed: None, name: str, complaint: str
) -> None:
    write({"a/main.cf": CLEAN})
    run = postlint("check", "a", "--plugin", name)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"postlint: error: {complaint}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1 / 0", "can not be loaded: ZeroDivisionError('division by zero')"),
        ("raise SystemExit(0)", "can not be loaded: SystemExit(0)"),
        ("def f(", "can not be loaded: SyntaxError("),
        ("x = 1", "has no rules"),
        (PLUGIN.replace("ACME001", "DUP001"), "clashes with DUP001 duplicate-parameter"),
        (
            PLUGIN.replace("def relayhost_is_not_ours", "def duplicate_parameter"),
            "ACME001 duplicate-parameter clashes with DUP001 duplicate-parameter",
        ),
        (
            PLUGIN.replace("ACME001", "A1"),
            'can not be loaded: ValueError(\'"A1" is not a rule code',
        ),
        (PLUGIN.replace("MainCf", "Main"), "the first parameter of a rule is one of MainCf"),
    ],
    ids=["crash", "exit", "syntax", "empty", "code", "name", "malformed", "scope"],
)
def test_bad_file(postlint: Callable[..., Run], text: str, complaint: str) -> None:
    write({"a/main.cf": CLEAN, "acme.py": text})
    run = postlint("check", "a", "--plugin", "acme.py")
    assert (run.status, run.out) == (2, "")
    assert complaint in run.err
    assert run.err.count("\n") == 1


def test_a_found_configuration_can_not_run_code(program: Callable[..., Run]) -> None:
    """Neither by a path nor by a module or a distribution that lies beside it."""
    trap = "from pathlib import Path; Path('trapped').touch()"
    write(
        {
            "main.cf": CLEAN,
            "evil.py": trap,
            "lark.py": trap,
            "tomllib.py": trap,
            "pathspec/__init__.py": trap,
            ".gitignore": "x\n",
            ".git/HEAD": "",
            "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
            "evil-1.0.dist-info/entry_points.txt": "[postlint.rules]\nevil = evil\n",
        }
    )
    for name in ("evil", "evil.py", "./evil.py", str(Path("evil.py").absolute())):
        write({"postlint.toml": f'plugins = ["{name}"]\n'})
        run = program("check", ".")
        assert run.status == 2
        assert "evil" in run.err
        assert not Path("trapped").exists()
    Path("postlint.toml").unlink()
    assert program("check", ".").err == ""
    assert not Path("trapped").exists()


def test_crashing_rule_is_reported_and_the_others_go_on(postlint: Callable[..., Run]) -> None:
    write({"a/main.cf": ERROR, "b/main.cf": ERROR, "acme.py": CRASHING})
    options = ("--plugin", "acme.py", "--select", "ACME,DUP")
    run = postlint("check", "a", "b", *options)
    assert run.status == 2
    assert [line.split()[1] for line in run.lines if "DUP" in line] == ["DUP001", "DUP001"]
    first, second = run.err.splitlines()
    assert first.startswith("postlint: a: rule ACME002 failed on a: RuntimeError at acme.py:")
    assert first.endswith("at acme.py:11")
    assert second.startswith("postlint: b: rule ACME002 failed on b: ")
    log = json.loads(postlint("check", "a", "b", *options, "--format", "sarif").out)
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 2
    assert len(log["runs"][0]["results"]) == 2
