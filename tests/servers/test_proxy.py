import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.servers.proxy import FaultProxy, Faults


@dataclass(frozen=True, kw_only=True)
class Shouting:
    """A server that answers each line in capitals."""

    port: int
    heard: asyncio.Queue[bytes]


@pytest.fixture
async def shouting() -> AsyncIterator[Shouting]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                heard.put_nowait(line)
                writer.write(line.upper())
        except OSError:
            pass
        finally:
            writer.close()

    heard: asyncio.Queue[bytes] = asyncio.Queue()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Shouting(port=server.sockets[0].getsockname()[1], heard=heard)


async def _ask(proxy: FaultProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello\n")
    return reader, writer


async def test_without_faults_bytes_pass(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port) as proxy:
        reader, writer = await _ask(proxy)
        assert await reader.readline() == b"HELLO\n"
        writer.close()
        assert proxy.connections == 1


async def test_a_cut_ends_the_answer_in_the_middle(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port, Faults(cut_after=3)) as proxy:
        reader, writer = await _ask(proxy)
        assert await reader.read() == b"HEL"
        writer.close()


async def test_a_reset_is_an_error_of_the_connection(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port, Faults(reset_after=0)) as proxy:
        reader, writer = await _ask(proxy)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_after_a_half_close_the_client_may_still_send(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port, Faults(half_close_after=5)) as proxy:
        reader, writer = await _ask(proxy)
        assert await reader.read() == b"HELLO"
        writer.write(b"again\n")
        assert [await shouting.heard.get(), await shouting.heard.get()] == [b"hello\n", b"again\n"]
        writer.close()


async def test_slow_bytes_all_arrive(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port, Faults(latency=0.001, slice=1, pause=0.001)) as proxy:
        reader, writer = await _ask(proxy)
        assert await reader.read(1) == b"H"
        assert await reader.readexactly(5) == b"ELLO\n"
        writer.close()


async def test_faults_chosen_later_hold_for_new_connections(shouting: Shouting) -> None:
    async with FaultProxy(shouting.port) as proxy:
        old_reader, old_writer = await _ask(proxy)
        assert await old_reader.readline() == b"HELLO\n"
        proxy.faults = Faults(cut_after=0)
        new_reader, new_writer = await _ask(proxy)
        assert await new_reader.read() == b""
        old_writer.write(b"still\n")
        assert await old_reader.readline() == b"STILL\n"
        old_writer.close()
        new_writer.close()
