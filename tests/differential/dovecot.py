"""A stand-in for Dovecot's authentication server, as far as smtpd(8) needs one."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MECHANISMS = {
    "PLAIN": "plaintext",
    "LOGIN": "plaintext",
    "CRAM-MD5": "dictionary\tactive",
    "ANONYMOUS": "anonymous",
}

USER = "user@example.com"
"""Everybody who logs in becomes this user."""


@contextmanager
def authentication(folder: Path, mechanisms: dict[str, str] | None = None) -> Iterator[Path]:
    """Serve on a socket in a folder until the block ends; its path."""
    offered = MECHANISMS if mechanisms is None else mechanisms
    greeting = "VERSION\t1\t1\n"
    greeting += "".join(f"MECH\t{name}\t{flags}\n" for name, flags in offered.items())
    greeting += "SPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"

    class Handler(socketserver.StreamRequestHandler):
        timeout = 60

        def handle(self) -> None:
            try:
                self.wfile.write(greeting.encode())
                for line in self.rfile:
                    words = line.decode().rstrip("\n").split("\t")
                    if words[0] == "AUTH":
                        self.wfile.write(f"OK\t{words[1]}\tuser={USER}\n".encode())
            except OSError:
                return

    path = folder / "auth"
    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        path.chmod(0o666)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join(5)
            path.unlink(missing_ok=True)
