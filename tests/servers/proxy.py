"""A TCP proxy on loopback whose faults a test chooses."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.servers.process import LOOPBACK

_CHUNK = 65536
#: No connection lives longer, whatever its faults: a slow one ends with its test.
LONGEST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """What goes wrong with the bytes on their way back to the client.

    The three `*_after` count bytes and end the answer there: `reset_after` with RST, `cut_after` with FIN on
    both ways, `half_close_after` with FIN to the client while it may go on sending. `latency` delays every
    read, in seconds; `slice` hands on so many bytes at once, with `pause` seconds between.
    """

    latency: float = 0.0
    reset_after: int | None = None
    cut_after: int | None = None
    half_close_after: int | None = None
    slice: int = _CHUNK
    pause: float = 0.0

    def limit(self) -> int | None:
        """Bytes that still reach the client."""
        limits = [self.reset_after, self.cut_after, self.half_close_after]
        return min((limit for limit in limits if limit is not None), default=None)


class FaultProxy:
    """A proxy to a loopback port; `faults` may be changed at any time and hold for new connections."""

    def __init__(self, target: int, faults: Faults | None = None) -> None:
        self.target = target
        self.faults = faults or Faults()
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port to connect to."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._connect(reader, writer, self.faults)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # either side went away, or the test is over
        finally:
            self._open.discard(task)
            writer.close()

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults
    ) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self.target)
        forward = asyncio.create_task(_copy(reader, upstream_writer))
        try:
            await _answer(upstream_reader, writer, faults)
            if faults.half_close_after is not None:
                await forward
        finally:
            forward.cancel()
            upstream_writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await forward


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults) -> None:
    """Hand on what the server says until it ends or a fault ends it."""
    left = faults.limit()
    while left is None or left > 0:
        data = await reader.read(faults.slice if left is None else min(faults.slice, left))
        if not data:
            writer.write_eof()
            return
        await asyncio.sleep(faults.latency)
        writer.write(data)
        await writer.drain()
        left = None if left is None else left - len(data)
        await asyncio.sleep(faults.pause)
    if faults.reset_after is not None:
        # A linger of zero seconds turns close into RST.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif faults.half_close_after is not None:
        writer.write_eof()
