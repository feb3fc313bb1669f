"""The collector `redis` against real servers of two versions."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.redis import Answers, RedisCollector, RedisOptions, facts_from_answers
from detector.errors import UnseenError
from detector.model.facts import Section
from tests.collectors.lent import context
from tests.servers.redis import Redis6, Redis7


async def _section(url: str, **more: Any) -> Section:
    collected = await RedisCollector().collect(RedisOptions(url=SecretStr(url), **more), context("cache"))
    return collected.seen[0].sections["backing_services"]


async def test_two_versions_say_what_differs(redis7: Redis7, redis6: Redis6) -> None:
    newer, older = (await _section(redis7.url)).facts, (await _section(redis6.url)).facts
    assert newer["main#product"] == older["main#product"] == "redis"
    assert str(newer["main#version"]).startswith("7.")
    assert str(older["main#version"]).startswith("6.2")
    assert newer["main#setting/maxmemory-policy"] == "noeviction"
    assert newer["main#setting/appendonly"] is False
    assert newer["main#setting/databases"] == 16
    assert newer["main#tls"] is False
    assert not any("pass" in item for item in newer)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Redis7]:
    with Redis7(password=True, settings={"maxmemory-policy": "allkeys-lru"}) as server:
        yield server


async def test_a_password_opens_it(guarded: Redis7) -> None:
    section = await _section(guarded.url, **{"as": "cache"})
    assert section.facts["cache#setting/maxmemory-policy"] == "allkeys-lru"
    assert str(guarded.password) not in repr(section)


async def test_without_or_with_a_wrong_password_it_is_denied(guarded: Redis7) -> None:
    for url in (f"redis://127.0.0.1:{guarded.port}", f"redis://:canary@127.0.0.1:{guarded.port}"):
        with pytest.raises(UnseenError, match="denied") as caught:
            await _section(url)
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__


async def test_a_user_without_info_is_denied(guarded: Redis7) -> None:
    with pytest.raises(UnseenError, match=r"denied: .*\+info"):
        await _section(guarded.limited_url)


@pytest.fixture(scope="module")
def managed() -> Iterator[Redis7]:
    with Redis7(settings={"rename-command": 'CONFIG ""'}) as server:
        yield server


async def test_a_service_that_hides_config_says_its_version(managed: Redis7) -> None:
    section = await _section(managed.url)
    assert section.status == "partial"
    assert [(part.item, part.reason) for part in section.unseen] == [("main#setting/*", "denied")]
    assert str(section.facts["main#version"]).startswith("7.")


def test_valkey_is_a_product_of_its_own() -> None:
    # what Valkey 8 answers to INFO server
    server = {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.0.1"}
    facts = facts_from_answers(Answers(server=server)).facts
    assert facts == {"main#product": "valkey", "main#version": "8.0.1"}


def test_an_encrypted_connection_is_tls() -> None:
    answers = Answers(server={"redis_version": "7.2.4"}, encrypted=True, settings={"tls-port": "0"})
    assert facts_from_answers(answers).facts["main#tls"] is True


def test_an_odd_setting_or_version_is_not_copied() -> None:
    answers = Answers(
        server={"redis_version": "canary secret"}, settings={"requirepass": "canary", "timeout": "a b"}
    )
    assert facts_from_answers(answers).facts == {"main#product": "redis"}


async def test_nobody_answers_and_somebody_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = RedisOptions(url=SecretStr(f"redis://:canary@127.0.0.1:{silent.getsockname()[1]}"))
        with pytest.raises(UnseenError, match="timeout"):
            await RedisCollector().collect(options, context(seconds=0.1))
    with pytest.raises(UnseenError, match="unreachable"):
        await RedisCollector().collect(options, context())


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"HTTP/1.1 400 canary\r\n\r\n", {"malformed", "unreachable"}),
        (b"-LOADING canary\r\n" * 9, {"unreachable"}),
    ],
)
async def test_what_is_no_ready_redis_is_unseen(greeting: bytes, reason: set[str]) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UnseenError) as caught:
            await _section(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert caught.value.reason in reason
    assert "canary" not in str(caught.value)


async def test_an_address_of_another_kind_is_malformed() -> None:
    with pytest.raises(UnseenError, match="malformed"):
        await _section("mysql://u:canary@h")
