"""The collector `http` against an endpoint that answers in every way."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr, ValidationError

from collectors._http import parsed
from collectors.http import HttpCollector, HttpOptions, facts_from_document
from detector.collector import Collected
from detector.errors import UnseenError
from tests.collectors.lent import FINGERPRINTER, context

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What Spring Boot's actuator answers at /actuator/info.
ACTUATOR = {
    "git": {
        "branch": "main",
        "commit": {"id": "4f1d0a9", "time": "2026-11-22T09:00:00Z"},
        "remote.origin.url": "https://robot:canary@github.com/acme/checkout.git",
    },
    "build": {"version": "1.4.2", "number": 17},
    "modules": [{"version": "2"}],
    "env": {"STRIPE_SECRET_KEY": "******", "DEBUG": True, "GREETING": "canary greeting", "NOTHING": None},
}
PATHS: Any = {
    "release": {"image#tag": "build.version"},
    "codebase": {"repo#commit": "git.commit.id", "repo#url": "/git/remote.origin.url"},
}


def _facts(paths: Any, document: Any = ACTUATOR, **more: Any) -> dict[str, Any]:
    options = HttpOptions(url="http://a/", paths=paths, **more)
    return {
        name: dict(section.facts)
        for name, section in facts_from_document(document, options, FINGERPRINTER).items()
    }


def test_places_in_an_answer() -> None:
    assert _facts(PATHS) == {
        "release": {"image#tag": "1.4.2"},
        "codebase": {"repo#commit": "4f1d0a9", "repo#url": "github.com/acme/checkout"},
    }
    assert _facts({"release": {"release#id": "build.number", "image#tag": "modules.0.version"}}) == {
        "release": {"release#id": 17, "image#tag": "2"}
    }


@pytest.mark.parametrize(
    "path",
    [
        "git.commit",
        "modules",
        "build.none",
        "modules.1.version",
        "modules.x",
        "git.branch.x",
        "/git/remote",
        ".",
    ],
)
def test_a_place_that_is_not_there_is_unseen(path: str) -> None:
    options = HttpOptions(
        url="http://a/", paths={"release": {"image#tag": path, "release#id": "build.number"}}
    )
    section = facts_from_document(ACTUATOR, options, FINGERPRINTER)["release"]
    assert section.facts == {"release#id": 17}
    assert [(part.item, part.reason) for part in section.unseen] == [("image#tag", "not_in_view")]


def test_null_says_that_there_is_none() -> None:
    assert _facts({"release": {"image#tag": "tag"}}, {"tag": None}) == {"release": {"image#tag": None}}


def test_config_is_kept_as_shapes() -> None:
    keys = ("STRIPE_SECRET_KEY", "DEBUG", "GREETING", "NOTHING")
    config = _facts({"config": {key: f"env.{key}" for key in keys}}, compare=("DEBUG",))["config"]
    assert config["STRIPE_SECRET_KEY"] == {
        "type": "text",
        "source_class": "literal",
        "opaque": True,
    }  # masked
    assert "fingerprint" in config["DEBUG"]
    assert "NOTHING" not in config
    assert "canary" not in repr(config)


def test_a_masked_value_is_no_version() -> None:
    assert _facts({"release": {"image#tag": "v"}}, {"v": "******"}) == {"release": {}}


@pytest.mark.parametrize("body", [b"", b"<html>canary", b'{"a": 1', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(UnseenError, match="malformed") as caught:
        parsed(body)
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_options_say_what_is_wrong_without_a_value() -> None:
    for wrong in (
        {"url": "http://user:canary@h/", "paths": PATHS},
        {"url": "file:///canary", "paths": PATHS},
        {"url": "http://h/", "paths": {}},
        {"url": "http://h/", "paths": {"config": {"canary key": "a"}}},
        {"url": "http://h/", "paths": {"releases": {"image#tag": "canary"}}},
    ):
        with pytest.raises(ValidationError) as caught:
            HttpOptions.model_validate(wrong)
        assert "canary " not in str(caught.value)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as lent:
        yield lent


async def _collect(session: aiohttp.ClientSession, handler: Handler, **more: Any) -> Collected:
    app = web.Application()
    app.router.add_route("*", "/info", handler)
    async with TestServer(app) as server:
        options = HttpOptions(url=f"{server.make_url('/info')}?key=canary", paths=PATHS, **more)
        return await HttpCollector().collect(options, context(session=session))


async def test_it_sends_get_with_its_headers(session: aiohttp.ClientSession) -> None:
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response(ACTUATOR, content_type="application/vnd.spring-boot.actuator.v3+json")

    collected = await _collect(
        session, answer, authorization=SecretStr("Bearer canary"), headers={"X-Tenant": SecretStr("canary")}
    )
    (request,) = asked
    assert (request.method, request.headers["Authorization"], request.headers["X-Tenant"]) == (
        "GET",
        "Bearer canary",
        "canary",
    )
    assert collected.seen[0].sections["release"].facts == {"image#tag": "1.4.2"}
    assert "canary" not in repr(collected)


def _says(
    status: int, body: str = "canary", content_type: str = "application/json", **headers: str
) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type, headers=headers)

    return handler


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_says(401), "denied"),
        (_says(403), "denied"),
        (_says(302, Location="https://canary/login"), "denied"),
        (_says(404), "not_in_view"),
        (_says(500), "unreachable"),
        (_says(200, "<html>canary</html>", "text/html"), "malformed"),  # a login page
        (_says(200, "canary"), "malformed"),
        (_says(200, '{"other": "canary"}'), "malformed"),  # none of the places
    ],
)
async def test_answers_that_say_nothing(
    session: aiohttp.ClientSession, handler: Handler, reason: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        await _collect(session, handler, authorization=SecretStr("Bearer canary"))
    assert caught.value.reason == reason
    assert "canary" not in str(caught.value)


async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession) -> None:
    asked = 0

    async def elsewhere(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        raise web.HTTPFound("/info")

    with pytest.raises(UnseenError, match="redirect"):
        await _collect(session, elsewhere)
    assert asked == 1


async def test_a_body_without_end_is_cut(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors._http.MOST_BYTES", 1 << 20)

    async def large(request: web.Request) -> web.Response:
        return web.json_response({"a": "x" * (2 << 20)})

    with pytest.raises(UnseenError, match="too_large"):
        await _collect(session, large)


async def test_a_compressed_body_counts_as_what_it_becomes(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors._http.MOST_BYTES", 1 << 20)

    async def bomb(request: web.Request) -> web.Response:
        response = web.Response(text=json.dumps({"a": "x" * (4 << 20)}), content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    with pytest.raises(UnseenError, match="too_large"):
        await _collect(session, bomb)


async def test_nobody_answers_and_somebody_hangs(session: aiohttp.ClientSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/info?key=canary"
        options = HttpOptions(url=url, paths=PATHS)
        with pytest.raises(UnseenError, match="timeout"):
            await HttpCollector().collect(options, context(session=session))
    with pytest.raises(UnseenError, match="unreachable") as caught:
        await HttpCollector().collect(options, context(session=session))
    assert "canary" not in str(caught.value)
