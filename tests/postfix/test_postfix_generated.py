"""The data modules are what the generator makes of the facts."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "postlint" / "postfix" / "data"


def test_generator_reproduces_the_shipped_modules(facts_dir: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            str(ROOT / "tools" / "generate_facts.py"),
            str(facts_dir),
            "--output",
            str(tmp_path),
        ],
        check=True,
        timeout=120,
    )
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.py")}
    shipped = {
        path.name: path.read_text(encoding="utf-8")
        for path in DATA.glob("*.py")
        if path.name != "__init__.py"
    }
    assert made.keys() == shipped.keys()
    for name, text in shipped.items():
        assert made[name] == text, f"{name}: run tools/generate_facts.py"


def test_data_modules_are_plain_literals() -> None:
    """Which load without any work: a module does no more than assign constants."""
    for path in sorted(DATA.glob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            match statement:
                case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                    called = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
                    assert all(_makes_a_set(node) for node in called), path.name
                case ast.Expr(value=ast.Constant()) | ast.ImportFrom():
                    pass
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    pass
                case _:
                    raise AssertionError(f"{path.name}: {ast.unparse(statement)[:100]}")


def _makes_a_set(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "frozenset"
