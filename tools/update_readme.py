"""Put the real output of the commands that README.md shows into it.

    python tools/update_readme.py [--check]

With --check nothing is written; the exit status tells whether the file is up to date.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
WIDTH = 92
BLOCK = re.compile(r"(```console\n\$ postlint ([^\n]*)\n).*?(```\n)", re.DOTALL)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def output(arguments: str) -> str:
    """What a terminal shows, without the colours."""
    done = subprocess.run(
        [sys.executable, "-m", "postlint", *arguments.split(), "--no-config", "--color", "always"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.stderr or done.returncode not in {0, 1}:
        raise SystemExit(done.stderr or f"exit status {done.returncode}")
    return COLOUR.sub("", done.stdout)


def updated(text: str) -> str:
    """The text with every block's output as it is now."""
    return BLOCK.sub(lambda block: block[1] + output(block[2]) + block[3], text)


def main() -> int:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description="update the output that README.md shows")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    check: bool = parser.parse_args().check
    text = README.read_text(encoding="utf-8")
    new = updated(text)
    if check:
        return int(new != text)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
