"""A memcached that answers nothing and remembers what it was asked (memcache_table(5)).

Of all tables that ask somebody else it alone is asked for parts of addresses, as indexed ones are.
"""

from __future__ import annotations

import socketserver
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30


class Asked:
    """The keys by the names of the tables."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._keys: dict[str, set[str]] = defaultdict(set)

    def table(self, name: str) -> str:
        """What a setting says to ask here; see client_file()."""
        return f"memcache:$config_directory/{name}"

    def client_file(self, name: str) -> str:
        """The contents of the file of that name beside main.cf."""
        return f"memcache = inet:127.0.0.1:{self._port}\nkey_format = {name}!%s\nmax_try = 1\n"

    def note(self, name: str, key: str) -> None:
        with self._lock:
            self._keys[name].add(key)

    def keys(self, name: str) -> set[str]:
        with self._lock:
            return set(self._keys[name])


class _Handler(socketserver.StreamRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        for line in self.rfile:
            name, _, key = line.decode().removeprefix("get ").strip("\r\n").partition("!")
            server.asked.note(name, key)
            self.wfile.write(b"END\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    asked: Asked


@contextmanager
def asking() -> Iterator[Asked]:
    """Run the server until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.asked = Asked(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.asked
        finally:
            server.shutdown()
            thread.join(SECONDS)


class _Mailer(socketserver.StreamRequestHandler):
    """An SMTP server that wants a login and refuses it."""

    timeout = SECONDS

    def handle(self) -> None:
        self.wfile.write(b"220 sink.example.net ESMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.wfile.write(b"250-sink.example.net\r\n250 AUTH PLAIN LOGIN\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"450 4.7.1 not now\r\n")


@contextmanager
def mail_server() -> Iterator[int]:
    """Run a server that offers AUTH until the block ends; its port."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailer)
    server.daemon_threads = True
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(SECONDS)
