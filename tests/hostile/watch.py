"""A command line under an audit hook: ``python watch.py LOG postlint-argument…``.

Writes a JSON line for everything that opens a file, a socket or a process, or imports code from
a file (PEP 578). Run as a file, so that nothing of the tests is imported.
"""

from __future__ import annotations

import os
import sys

LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

EVENTS = (
    *("open", "os.listdir", "os.scandir", "import", "exec", "compile"),
    *("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork"),
    *("pty.", "ctypes.dlopen", "pickle.", "marshal.load", "code.__new__", "shutil.", "urllib."),
)


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(EVENTS):
        shown = [item if isinstance(item, str | int) else repr(item) for item in arguments[:2]]
        if event in ("exec", "compile"):  # code: the file that it comes from
            code = arguments[-1]
            shown = [str(getattr(code, "co_filename", code))]
        os.write(LOG, f"{event}\t{shown!r}\n".encode("utf-8", "backslashreplace"))


def main() -> None:
    del sys.argv[1]
    sys.argv[0] = "postlint"
    here = __file__.rpartition("/")[0]
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)]
    sys.addaudithook(hook)
    from postlint.cli.main import program

    program()


if __name__ == "__main__":
    main()
