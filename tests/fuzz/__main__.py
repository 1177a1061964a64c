"""``make fuzz``: every target for its share of FUZZ_SECONDS, guided by coverage (atheris).

    python -m tests.fuzz [SECONDS [TARGET...]]

Prints executions, time and crashes of each target. A crashing input is kept under
corpus/hostile/TARGET, where tests/fuzz/test_fuzz.py runs it from then on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.seeds import FOUND, ROOT, seeds, words
from tests.fuzz.targets import TARGETS

SECONDS = 600
SLOWEST = 120
"""Seconds of one input that count as a hang."""

_START = 900
"""Seconds that a start may take on a busy machine: everything that is imported is instrumented."""

_COUNT = re.compile(rb"stat::number_of_executed_units: +(\d+)")
_HEAVY = {"check": 6, "exposure": 2, "show": 2, "value": 2}
"""Targets that get more than one share of the time."""


def main() -> int:
    """Run the targets one after the other; 1 when something crashed."""
    if find_spec("atheris") is None:
        print("atheris is needed: pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    arguments = sys.argv[1:]
    seconds = float(arguments[0]) if arguments else SECONDS
    names = arguments[1:] or list(TARGETS)
    share = seconds / sum(_HEAVY.get(name, 1) for name in names)
    print(f"{'target':<14} {'executions':>10} {'seconds':>8} {'crashes':>8}")
    total = [0, 0.0, 0]
    for name in names:
        row = _run(name, max(2, share * _HEAVY.get(name, 1)))
        total = [sum(pair) for pair in zip(total, row, strict=True)]
        print(f"{name:<14} {row[0]:>10} {row[1]:>8.0f} {row[2]:>8}", flush=True)
    print(f"{'all':<14} {total[0]:>10} {total[1]:>8.0f} {total[2]:>8}")
    return 1 if total[2] else 0


def _run(name: str, seconds: float) -> tuple[int, float, int]:
    """(executions, seconds, crashes) of one target."""
    begin = time.monotonic()
    executions = crashes = 0
    before = _found(name)
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        corpus.mkdir()
        for number, text in enumerate(seeds(name)):
            (corpus / f"{number:05}").write_bytes(text)
        dictionary = Path(temporary) / "words"
        dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words()))
        while (left := seconds - (time.monotonic() - begin)) >= 1:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "tests.fuzz.one", name, str(corpus)),
                    *(f"-max_total_time={left:.0f}", f"-timeout={SLOWEST}", "-rss_limit_mb=2048"),
                    *("-print_final_stats=1", f"-dict={dictionary}", "-max_len=16384"),
                    f"-artifact_prefix={temporary}/stopped-",
                ],
                cwd=ROOT,
                capture_output=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                timeout=seconds + _START,
                check=False,
            )
            executions += sum(map(int, _COUNT.findall(done.stderr)))
            for stopped in Path(temporary).glob("stopped-*"):  # hangs, and what kills Python
                if "slow-unit" not in stopped.name:
                    _keep(name, stopped.read_bytes())
                stopped.unlink()
            if done.returncode == 0:
                break
            if not _COUNT.search(done.stderr):
                sys.stderr.write(done.stderr[-2000:].decode("utf-8", "replace"))
                crashes += 1
                break
    crashes += len(_found(name) - before)
    return executions, time.monotonic() - begin, crashes


def _found(name: str) -> set[str]:
    folder = FOUND / name
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def _keep(name: str, data: bytes) -> None:
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sha256(data).hexdigest()[:12]).write_bytes(data)


def _escaped(word: bytes) -> str:
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word
    )


if __name__ == "__main__":
    sys.exit(main())
