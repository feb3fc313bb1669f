"""The proxy before the Docker socket: real HAProxy, and a stand-in for the engine that notes what passes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from tests.servers.process import LOOPBACK, free_port, listens, required

CONFIG = Path(__file__).parents[2] / "deploy/socket-proxy/haproxy.cfg"
START_SECONDS = 10


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[list[str]]:
    """A stand-in for the engine on its Unix socket; the list is what reached it."""
    reached: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(f"{request.method} {request.raw_path}")
        return web.Response(text="OK")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "docker.sock")).start()
    yield reached
    await runner.cleanup()


@pytest.fixture
async def proxy(engine: list[str], tmp_path: Path) -> AsyncIterator[URL]:
    haproxy = required("haproxy", "HAProxy", "apt-get install haproxy")
    port = free_port()
    text = CONFIG.read_text().replace(":2375", f"{LOOPBACK}:{port}")
    config = tmp_path / "haproxy.cfg"
    config.write_text(text.replace("/var/run/docker.sock", str(tmp_path / "docker.sock")))
    process = await asyncio.create_subprocess_exec(haproxy, "-db", "-f", str(config))
    try:
        async with asyncio.timeout(START_SECONDS):
            while not listens(port):
                await asyncio.sleep(0.02)
        yield URL(f"http://{LOOPBACK}:{port}")
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    "path",
    [
        "/_ping",
        "/version",
        "/v1.41/info",
        "/v1.41/containers/json?all=1",
        "/v1.41/containers/3f2a/json",
        "/v1.41/containers/shop_web.1/top?ps_args=-o%20pid",
        "/v1.41/images/json",
        "/v1.41/images/sha256:3f2a/json",
        "/v1.41/images/acme/checkout:1.4.2/json",
        "/v1.41/containers/3f2a/changes",
        "/v1.41/containers/3f2a/export",
        "/v1.41/images/sha256:3f2a/get",
    ],
)
async def test_what_parity_reads_passes_unchanged(proxy: URL, engine: list[str], path: str) -> None:
    async with ClientSession() as session, session.get(URL(f"{proxy}{path}", encoded=True)) as response:
        assert response.status == 200
    assert engine == [f"GET {path}"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1.41/containers/3f2a/exec"),
        ("POST", "/v1.41/containers/json"),
        ("DELETE", "/v1.41/containers/3f2a/json"),
        ("PUT", "/v1.41/containers/3f2a/archive?path=/etc/os-release"),
        ("OPTIONS", "/_ping"),
        ("GET", "/v1.41/containers/3f2a/logs?stdout=1"),
        ("GET", "/v1.41/images/get?names=acme/checkout"),
        ("GET", "/v1.41/containers/3f2a/export/x"),
        ("GET", "/v1.41/containers/3f2a/attach/ws"),
        ("GET", "/v1.41/secrets"),
        ("GET", "/v1.41/events"),
        ("GET", "/v1.41/containers/3f2a/archive?path=/etc/os-release"),
        ("GET", "/v1.41/containers/3f2a/archive"),
        # a path that the engine would clean up after the proxy has judged it
        ("GET", "/v1.41/containers/../secrets/json"),
        ("GET", "/v1.41/images/../plugins/acme/json"),
        ("GET", "/v1.41/images/%2e%2e/containers/3f2a/json"),
        ("GET", "/_ping/../secrets"),
        ("GET", "//secrets"),
    ],
)
async def test_everything_else_is_refused(proxy: URL, engine: list[str], method: str, path: str) -> None:
    async with ClientSession() as session:
        request = session.request(method, URL(f"{proxy}{path}", encoded=True))
        async with request as response:
            assert response.status == 403
    assert engine == []


async def test_no_read_becomes_a_terminal(proxy: URL, engine: list[str]) -> None:
    headers = {"Upgrade": "tcp", "Connection": "Upgrade"}
    async with ClientSession() as session, session.get(proxy / "version", headers=headers) as response:
        assert response.status == 403
    assert engine == []
