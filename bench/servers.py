"""Servers as processes on loopback, their CPU time, and connections that ask them as fast as they answer."""

import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.measuring import WrongResultError
from tests.e2e.service import Service
from tests.servers.process import LOOPBACK, ServerProcess, free_port, listens


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of all threads of a process, by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} is gone")


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
    config = folder / "parity.yml"
    config.write_text(
        f"version: 1\nserver:\n  listen: {LOOPBACK}:{port}\n  database_url: {database}\n  auth: token\n"
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
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head[9:12])
    if status != expected:
        raise WrongResultError(f"{status} instead of {expected}: {body[:200].decode(errors='replace')}")
    lower = head.lower()
    start = lower.find(b"content-length: ")
    length = int(lower[start + 16 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
    while len(body) < length:
        body += connection.recv(65536)
    return body
