import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError, NoPermissionError

from tests.servers.redis import Redis6, Redis7


async def _version(url: str) -> str:
    async with redis.asyncio.from_url(url) as client:
        return str((await client.info("server"))["redis_version"])


async def test_two_versions_answer_at_once(redis7: Redis7, redis6: Redis6) -> None:
    assert (await _version(redis7.url)).startswith("7.")
    assert (await _version(redis6.url)).startswith("6.2.")


@pytest.mark.parametrize("fixture", ["redis7", "redis6"])
async def test_the_limited_user_may_ping_but_not_ask_for_info_or_config(
    request: pytest.FixtureRequest, fixture: str
) -> None:
    server: Redis7 | Redis6 = request.getfixturevalue(fixture)
    async with redis.asyncio.from_url(server.limited_url) as client:
        assert await client.ping()
        with pytest.raises(NoPermissionError):
            await client.info()
        with pytest.raises(NoPermissionError):
            await client.config_get("maxmemory-policy")


async def test_a_password_and_settings_hold() -> None:
    with Redis7(password=True, settings={"maxmemory-policy": "allkeys-lru"}) as server:
        async with redis.asyncio.from_url(f"redis://127.0.0.1:{server.port}") as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.ping()
        async with redis.asyncio.from_url(server.url) as client:
            assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
