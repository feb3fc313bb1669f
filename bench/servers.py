"""Servers as processes on loopback, their CPU time, and connections that ask them as fast as they answer."""

import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.measuring import WrongResultError
from tests.e2e.service import Service
from tests.servers.process import LOOPBACK, ServerProcess, free_port, listens

#: Everything is awaited so long.
PATIENCE: Final = 1_200.0
#: A service is quiet when it takes less than this share of a core for a second.
_QUIET: Final = 0.1


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of all threads of a process, by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def cpu_with_children(pid: int) -> float:
    """Return the CPU seconds of a process and all its children, also of those that ended."""
    ended = _stat(pid)[13:15]  # of children that were waited for, in ticks (proc_pid_stat(5))
    living = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    total = cpu_of(pid) + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
    for child in living:
        try:
            if int(_stat(child)[1]) == pid:
                total += cpu_of(child)
        except OSError:
            continue  # it ended meanwhile
    return total


def _stat(pid: int) -> list[str]:
    """Return what stands behind the name of a process, which may hold anything: state, parent and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} is gone")


def await_quiet(pid: int) -> None:
    """Wait until what the start left to do is done."""
    deadline = time.monotonic() + PATIENCE
    before = cpu_of(pid)
    while time.monotonic() < deadline:
        time.sleep(1)
        now = cpu_of(pid)
        if now - before < _QUIET:
            return
        before = now
    raise TimeoutError(f"the service was still at work after {PATIENCE:g} s")


class Hello(ServerProcess):
    """The bare rival: its handler returns a constant."""

    name = "hello"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    def _command(self) -> Sequence[str]:
        return [sys.executable, str(Path(__file__).with_name("hello.py")), str(self.port)]

    def _ready(self) -> bool:
        return listens(self.port)


def parity(folder: Path, environments: Sequence[str], *, database: str = "sqlite:///parity.db") -> Service:
    """Return a service, not yet started, that takes pushes with a token and polls nothing."""
    port = free_port()
    tiers = {"dev": "development", "staging": "staging", "prod": "production"}
    names = ", ".join(f"{{name: {name}, tier: {tiers[name]}}}" for name in environments)
    config, address = folder / "parity.yml", folder / "database-url"
    # That of a server has a password in it, which no configuration may hold.
    address.touch(mode=0o600)
    address.write_text(database)
    config.write_text(
        f"version: 1\nserver:\n  listen: {LOOPBACK}:{port}\n  database_url_file: {address}\n  auth: token\n"
        f"  data_dir: {folder}\nenvironments: [{names}]\nservices: []\n"
    )
    return Service(config, port)


class Connections:
    """Some connections that stay open, each with one request under way at a time."""

    def __init__(self, port: int, count: int, *, token: str | None = None) -> None:
        self._sockets = [socket.create_connection((LOOPBACK, port)) for _ in range(count)]
        for connection in self._sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for connection in self._sockets:
            connection.close()

    def request(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return a request as it goes over the wire."""
        named = {"Host": LOOPBACK, "Content-Length": str(len(body)), **(headers or {})}
        if not body:
            del named["Content-Length"]
        if self._token is not None:
            named["Authorization"] = f"Bearer {self._token}"
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def ask(self, requests: Sequence[bytes], expected: int) -> list[bytes]:
        """Send one request on each connection, then read all answers. Raises WrongResultError."""
        for connection, request in zip(self._sockets, requests, strict=False):
            connection.sendall(request)
        return [_answer(connection, expected) for connection, _ in zip(self._sockets, requests, strict=False)]


def _answer(connection: socket.socket, expected: int) -> bytes:
    data = _more(connection)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not body.endswith(b"0\r\n\r\n"):
            body += _more(connection)
        body = _dechunked(body)
    start = lower.find(b"content-length: ")
    length = int(lower[start + 16 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
    while len(body) < length:
        body += _more(connection)
    status = int(head[9:12])
    if status != expected:
        raise WrongResultError(f"{status} instead of {expected}: {body[:200].decode(errors='replace')}")
    return body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed a connection before it had answered")
    return data


def _dechunked(sent: bytes) -> bytes:
    """Return a body that was sent in chunks (RFC 9112, 7.1)."""
    body = b""
    while True:
        size, _, sent = sent.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body
        body, sent = body + sent[:length], sent[length + 2 :]
