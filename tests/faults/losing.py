"""A proxy before PostgreSQL that lets a commit through and loses its answer, with the connection."""

import asyncio

from tests.servers.process import LOOPBACK
from tests.servers.proxy import FaultProxy, Faults

_CHUNK = 65536


class LosesAnswers(FaultProxy):
    """Counts the commits of whoever writes; `at` says whose answer is lost, counted from 1."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.commits = 0
        self.at: int | None = None
        self.lost = 0

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults
    ) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(LOOPBACK, self.target)
        lose = False

        async def ask() -> None:
            nonlocal lose
            reads = False
            while data := await reader.read(_CHUNK):
                reads = reads or b"REPEATABLE READ" in data
                if b"COMMIT;" in data and not reads:
                    self.commits += 1
                    lose = self.commits == self.at
                upstream_writer.write(data)
                await upstream_writer.drain()
            upstream_writer.write_eof()

        asking = asyncio.create_task(ask())
        try:
            while data := await upstream_reader.read(_CHUNK):
                if lose:
                    self.lost += 1
                    return  # the server has committed, and whoever asked for it will not know
                writer.write(data)
                await writer.drain()
        finally:
            asking.cancel()
            upstream_writer.close()
            await asyncio.gather(asking, return_exceptions=True)
