"""A real Postfix for tests: one master(8) on loopback with as many services as asked for.

    with running({"open": smtpd(smtpd_relay_restrictions="permit")}) as server:
        with server.connect("open") as client:
            assert client.mail_to("user@example.org").code == 250

Configuration, queue and log are private, nothing is delivered (every transport is discard(8)),
no resolver is asked for long, and whatever happens the processes end: the master gets a limit
of its own, every socket and every wait another. master(8) insists on being root.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import pytest

from tests.postfix_here import InstalledPostfix, make_old, require_postfix, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

TIME_LIMIT = 20.0
"""Seconds for a greeting, a reply or a line in the log."""

LIFE_LIMIT = 240
"""Seconds after which the master ends by itself."""

MAIN_CF = {
    "compatibility_level": "3.6",
    "myhostname": "mx.example.com",
    "mydestination": "example.com",
    "mynetworks": "192.0.2.0/24",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "maillog_file_prefixes": "/tmp, /var, /dev/stdout",
    "import_environment": "MAIL_CONFIG MAIL_LOGTAG TZ { RES_OPTIONS=timeout:1 attempts:1 }",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "default_transport": "discard:",
    "local_transport": "discard:",
    "relay_transport": "discard:",
    "virtual_transport": "discard:",
    "smtpd_peername_lookup": "no",
    "smtpd_banner": "$myhostname ready",
    "shutdown_delay": "0",
}
"""What the server runs with unless told otherwise: outside clients only, one local domain."""

INFRASTRUCTURE = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
postlog unix-dgram n - n - 1 postlogd
"""

_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace"),
)


_FIRST_PORT, _FIRST_OF_KERNEL = 10_000, 32_768
_SHARES = 4
"""Processes of one test run that may start servers at the same time."""


class ServiceLine(NamedTuple):
    """A listening service: the daemon, its -o settings, and other words of its command line."""

    program: str
    overrides: Mapping[str, str]
    arguments: str = ""
    limit: str = "-"


def smtpd(**overrides: str) -> ServiceLine:
    """An smtpd service with these ``-o`` settings."""
    return ServiceLine("smtpd", overrides)


class Reply(NamedTuple):
    """An SMTP reply: its code, and its lines without it."""

    code: int
    text: str


class MasterDied(Exception):
    """The master did not come up; the text is the fatal error it logged."""


class NoReply(Exception):
    """The server closed the connection or said nothing in time."""


class Client:
    """One SMTP connection."""

    def __init__(self, port: int, *, implicit_tls: bool = False, source: str = "127.0.0.1") -> None:
        """``source``: the loopback address to connect from."""
        self._socket = socket.create_connection(("127.0.0.1", port), TIME_LIMIT, (source, 0))
        self._buffer = b""
        if implicit_tls:
            self._wrap()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def greeting(self, limit: float = TIME_LIMIT) -> Reply:
        """What the server says first."""
        return self._reply(limit)

    def command(self, line: str, limit: float = TIME_LIMIT) -> Reply:
        """Send one line, take one reply."""
        self.send_only(line)
        return self._reply(limit)

    def send_only(self, line: str) -> None:
        """Send one line and wait for nothing."""
        try:
            self._socket.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise NoReply(str(error)) from error

    def ehlo(self, name: str = "client.example.net") -> frozenset[str]:
        """The extensions that the server offers, in capitals."""
        lines = self.command(f"EHLO {name}").text.splitlines()
        return frozenset(line.upper() for line in lines[1:])

    def xclient(self, address: str = "198.51.100.7", name: str = "[UNAVAILABLE]") -> Reply:
        """Speak as another client from now on (the server must let 127.0.0.1 do so)."""
        return self.command(f"XCLIENT ADDR={address} NAME={name}")

    def starttls(self) -> Reply:
        """Ask for TLS and take it if offered."""
        reply = self.command("STARTTLS")
        if reply.code == 220:
            self._wrap()
        return reply

    def mail_to(self, recipient: str, sender: str = "user@example.net") -> Reply:
        """The reply to RCPT TO, or the first refusal before it."""
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
            reply = self.command(line)
            if reply.code >= 400:
                return reply
        return reply

    def send(self, recipient: str, sender: str = "user@example.net", text: str = "") -> Reply:
        """Send a message; the reply to its end, or the first refusal before it."""
        reply = self.mail_to(recipient, sender)
        if reply.code < 400:
            reply = self.command("DATA")
        if reply.code < 400:
            reply = self.command(f"Subject: test\r\n{text}\r\n.")
        return reply

    def _wrap(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")  # whatever the server has
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        self._buffer = b""
        try:
            self._socket = context.wrap_socket(self._socket)
        except OSError:
            self._socket.close()
            raise

    def _reply(self, limit: float) -> Reply:
        deadline = time.monotonic() + limit
        lines: list[str] = []
        while True:
            while b"\r\n" not in self._buffer:
                self._socket.settimeout(max(deadline - time.monotonic(), 0.01))
                try:
                    data = self._socket.recv(4096)
                except OSError as error:
                    raise NoReply(str(error) or "time is up") from error
                if not data:
                    raise NoReply("the connection was closed")
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            text = line.decode("utf-8", "replace")
            lines.append(text[4:])
            if text[3:4] != "-":
                return Reply(int(text[:3]), "\n".join(lines))


class Server:
    """A running master with its services."""

    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        self.folder = folder
        self.queue = folder / "queue"
        self.log_file = folder / "log"
        self._ports = ports
        self._starts: dict[str, str | None] = {}

    def port(self, name: str) -> int:
        """The loopback port of a service."""
        return self._ports[name]

    def log(self, name: str | None = None) -> str:
        """What was logged so far, by all or by the processes of one service."""
        try:
            text = self.log_file.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        if name is None:
            return text
        marks = (f" {name}/", f"-{self.port(name)}/") if name in self._ports else (f" {name}/",)
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if any(mark in line for mark in marks))

    def wait_for(self, pattern: str, name: str | None = None, limit: float = TIME_LIMIT) -> str:
        """Wait until the log holds a pattern; its text."""
        found = _wait(lambda: re.search(pattern, self.log(name)), limit)
        if found is None:
            raise AssertionError(f"{pattern!r} was not logged:\n{self.log()}")
        return found[0]

    def fatal(self, name: str) -> str | None:
        """The first fatal error that processes of a service died of."""
        found = re.search(r"\]: (?:fatal|panic): (.*)", self.log(name))
        return None if found is None else found[1]

    def connect(self, name: str) -> Client:
        """A connection that has had its greeting and said EHLO."""
        client = Client(self.port(name))
        try:
            client.greeting()
            client.ehlo()
        except NoReply as error:
            client.close()
            raise NoReply(f"{name}: {error}\n{self.log(name)}") from error
        return client

    def start_of(self, name: str, limit: float = TIME_LIMIT) -> str | None:
        """Wake a service up: None when it greets, else the fatal error or signal it dies of.

        Asked once: master(8) holds back a service that died.
        """
        if name not in self._starts:
            self._starts[name] = self._start(name, limit)
        return self._starts[name]

    def _start(self, name: str, limit: float) -> str | None:
        killed = re.compile(r"warning: process \S+ pid [0-9]+ (killed by signal [0-9]+)")
        before = len(killed.findall(self.log()))
        with Client(self.port(name)) as client:
            deadline = time.monotonic() + limit
            while time.monotonic() < deadline:
                try:
                    client.greeting(0.2)
                    return None
                except NoReply:
                    crashes = killed.findall(self.log())[before:]
                    reason = self.fatal(name) or (crashes[0] if crashes else None)
                    if reason is not None:
                        return reason
        raise AssertionError(f"{name} neither greets nor dies:\n{self.log()}")


def require_master() -> InstalledPostfix:
    """The installed Postfix if its master can be run here; else skips (in CI: fails) the test."""
    postfix = require_postfix()
    reason = None
    if os.geteuid() != 0:
        reason = "master(8) can only be run by root"
    elif not postfix.version.at_least("3.4"):
        reason = f"Postfix {postfix.version} can not log to a file (3.4 can)"
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and this is CI")
        pytest.skip(reason)
    return postfix


@contextmanager
def running(
    services: Mapping[str, ServiceLine],
    main_cf: Mapping[str, str] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    compiled: Iterable[str] = (),
    master_cf: str = "",
    infrastructure: str = INFRASTRUCTURE,
) -> Iterator[Server]:
    """Run a master until the block ends.

    ``services`` listen on loopback ports of their own and log under their names. ``main_cf``
    adds to MAIN_CF; a value of "-" takes a setting away. ``files`` are put beside main.cf,
    which ``$config_directory`` names; postmap(1) compiles those in ``compiled``, such as
    ``hash:name``. ``master_cf`` has more lines for master.cf, and
    ``infrastructure`` the services of a stock one. Raises MasterDied.
    """
    postfix = require_master()
    folder = Path(tempfile.mkdtemp(prefix="pl-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        # postlogd last: until its socket is there the master writes to the log file itself
        server = _prepare(folder, services, main_cf or {}, files or {}, master_cf, infrastructure)
        for table in compiled:
            kind, _, name = table.partition(":")
            run([postfix.postmap, "-c", folder, f"{kind}:{folder}/{name}"])
        command = [postfix.daemon_directory / "master", "-c", folder, "-d", "-e", str(LIFE_LIMIT)]
        service = server.queue / "public" / "postlog"  # for errors before main.cf is read
        environment = {"POSTLOG_SERVICE": str(service), "POSTLOG_HOSTNAME": "mx"}
        with (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
                env={**os.environ, **environment},
            )
        _wait_until_up(process, server)
        yield server
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(
    folder: Path,
    services: Mapping[str, ServiceLine],
    settings: Mapping[str, str],
    files: Mapping[str, str],
    master_cf: str,
    infrastructure: str,
) -> Server:
    folder.chmod(0o755)
    server = Server(folder, dict(zip(services, _free_ports(len(services)), strict=True)))
    said = run([require_postfix().postconf, "-d", "-h", "mail_owner", "setgid_group"])
    owner, group = said.output.split()
    _make_queue(folder, owner, group)
    paths = {
        "queue_directory": str(server.queue),
        "data_directory": str(folder / "data"),
        "maillog_file": str(server.log_file),
    }
    chosen = {**MAIN_CF, **paths, **settings}
    lines = [f"{name} = {value}\n" for name, value in chosen.items() if value != "-"]
    (folder / "main.cf").write_text("".join(lines), "utf-8")
    entries = [_entry(server.port(name), name, line) for name, line in services.items()]
    (folder / "master.cf").write_text("".join([*entries, master_cf, infrastructure]), "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    make_old(folder)
    return server


def _entry(port: int, name: str, line: ServiceLine) -> str:
    overrides = {"syslog_name": name, **line.overrides}
    text = f"127.0.0.1:{port} inet n - n - {line.limit} {line.program} {line.arguments}\n"
    return text + "".join(f"  -o {{ {key} = {value} }}\n" for key, value in overrides.items())


def _make_queue(folder: Path, owner: str, group: str) -> None:
    queue = folder / "queue"
    queue.mkdir()
    for name in _QUEUES:
        (queue / name).mkdir(mode=0o700)
        shutil.chown(queue / name, owner)
    (queue / "pid").mkdir(mode=0o755)
    for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
        (queue / name).mkdir()
        shutil.chown(queue / name, owner, group)
        (queue / name).chmod(mode)
    (folder / "data").mkdir(mode=0o700)
    shutil.chown(folder / "data", owner)


def _free_ports(count: int) -> list[int]:
    """Ports that no connection takes by chance before master(8) does.

    Those below the range that the kernel takes for connections (ip(7)), and for each process of
    pytest-xdist others.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    size = (_FIRST_OF_KERNEL - _FIRST_PORT) // _SHARES
    first = _FIRST_PORT + number * size
    candidates = random.sample(range(first, first + size), size)
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            item = socket.socket()
            try:
                item.bind(("127.0.0.1", candidates.pop()))
            except OSError:
                item.close()
            else:
                sockets.append(item)
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def _wait_until_up(process: subprocess.Popen[bytes], server: Server) -> None:
    fatal = re.compile(r"/master\[[0-9]+\]: (?:fatal|panic): (.*)\n")

    def state() -> str | None:
        if process.poll() is not None or fatal.search(server.log()):
            return "ended"
        return "up" if "daemon started" in server.log() else None

    if _wait(state, TIME_LIMIT) != "up":
        found = fatal.search(server.log())
        if found is not None:
            raise MasterDied(found[1])
        said = (server.folder / "stderr").read_text("utf-8", "replace")
        raise AssertionError(f"master does not run:\n{said}\n{server.log()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the master and, as its session is ours alone, everything that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue


def _wait(condition: Callable[[], T | None], limit: float) -> T | None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = condition()
        if found is not None:
            return found
        time.sleep(0.02)
    return condition()
