"""The data modules are what the generator makes of the facts."""

from __future__ import annotations

import marshal
import subprocess
import sys
import time
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


def test_data_modules_are_plain_literals_that_load_fast() -> None:
    for path in sorted(DATA.glob("*.py")):
        code = marshal.dumps(compile(path.read_text(encoding="utf-8"), str(path), "exec"))
        best = min(_seconds(code) for _ in range(5))
        assert best < 0.02, (
            f"{path.name} takes {best * 1000:.1f} ms"
        )  # about 0.5 ms; room for slow machines


def _seconds(code: bytes) -> float:
    start = time.perf_counter()
    exec(marshal.loads(code), {"__name__": "data"})
    return time.perf_counter() - start
