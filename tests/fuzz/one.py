"""One target under atheris: ``python -m tests.fuzz.one TARGET CORPUS [libFuzzer option]...``.

Crashes do not end the run: the first input for each place that fails is kept.
"""

from __future__ import annotations

import os
import sys
import traceback
from hashlib import sha256

import atheris

with atheris.instrument_imports(include=["postlint", "postlint_rules"]):
    from postlint.lint.registry import bundled_rules
    from tests.fuzz.seeds import FOUND
    from tests.fuzz.targets import TARGETS, Crash

    if sys.argv[1] in ("check", "suppression"):
        bundled_rules()


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    name = sys.argv[1]
    target = TARGETS[name]
    seen: set[str] = set()

    def once(data: bytes) -> None:
        try:
            target(data)
        except Exception as error:
            place = str(error) if isinstance(error, Crash) else _place(error)
            if place not in seen:
                seen.add(place)
                folder = FOUND / name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / sha256(data).hexdigest()[:12]).write_bytes(data)
                os.write(2, f"crash in {name}: {error!r} at {place}\n".encode("utf-8", "replace"))

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {frame.filename}:{frame.lineno}"


if __name__ == "__main__":
    main()
