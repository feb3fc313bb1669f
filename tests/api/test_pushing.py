import asyncio
import gzip
import io
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from aiohttp import ClientResponse

from detector.api.bodies import Limits
from detector.api.keys import PUSHES
from detector.model.wire import observations_from
from tests.api.house import House, house

PUSH = "/api/v1/environments/staging/services/checkout/observations/ci"
CANARY = "canary-7f3a91"


def observation(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": "parity.observation/v1",
        "environment": "staging",
        "service": "checkout",
        "source": "ci",
        "observed_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sections": {
            "dependencies": {"basis": "running", "status": "complete", "facts": {"pkg:pypi/django": "5.2.8"}}
        },
    }
    return {key: value for key, value in (document | changes).items() if value is not ...}


async def push(
    here: House, document: Any = None, *, path: str = PUSH, who: str = "push", **more: Any
) -> ClientResponse:
    if "data" not in more:
        more["data"] = orjson.dumps(observation() if document is None else document)
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return await here.ask("PUT", path, who=who, headers=headers, **more)


async def told(response: ClientResponse) -> tuple[int, str, list[str]]:
    document = await response.json(content_type=None)
    pointers = [error["pointer"] for error in document.get("errors", [])]
    return response.status, document["type"].removeprefix("/problems/"), pointers


async def test_what_is_acknowledged_can_be_read(empty: House) -> None:
    response = await push(empty)
    document = await response.json()
    assert (response.status, document["changed"], document["snapshot"]) == (200, True, 1)
    assert response.headers["ETag"] == f'"{document["digest"]}"'
    history = await empty.json("/api/v1/services/checkout/items/pkg%3Apypi%2Fdjango/history")
    assert [row["value"] for row in history["items"]] == ["5.2.8"]


async def test_the_same_again_changes_nothing(empty: House) -> None:
    document = observation()
    first, again = [await (await push(empty, document)).json() for _ in range(2)]
    assert (again["changed"], again["snapshot"], again["digest"]) == (False, 1, first["digest"])
    assert again["replayed"] is True


async def test_an_unchanged_stream_is_told_by_its_digest_alone(empty: House) -> None:
    tag = (await push(empty)).headers["ETag"]
    unchanged = await empty.ask("PUT", PUSH, who="push", headers={"If-Match": tag})
    assert (unchanged.status, unchanged.headers["ETag"], await unchanged.read()) == (204, tag, b"")
    for other in ('"' + "0" * 32 + '"', "*", "nonsense", tag.strip('"')):
        response = await empty.ask("PUT", PUSH, who="push", headers={"If-Match": other})
        assert (await told(response))[:2] == (412, "precondition-failed"), other


async def test_what_takes_no_traffic_lands_in_a_stream_of_its_own(empty: House) -> None:
    live = await push(empty)
    idle = await push(empty, {**observation(), "traffic": "idle"})
    assert (live.status, idle.status) == (200, 200)
    streams = await empty.running.reading.store.streams()
    assert sorted(stream.traffic for stream in streams) == ["idle", "live"]
    for traffic, tag in (("live", live.headers["ETag"]), ("idle", idle.headers["ETag"])):
        path = f"{PUSH}?traffic={traffic}"
        unchanged = await empty.ask("PUT", path, who="push", headers={"If-Match": tag})
        assert unchanged.status == 204, traffic
    refused = await push(empty, {**observation(), "traffic": "idle"}, path=f"{PUSH}?traffic=canary")
    assert (await told(refused))[:2] == (422, "validation-failed")


async def test_a_digest_goes_without_a_body(empty: House) -> None:
    tag = (await push(empty)).headers["ETag"]
    response = await push(empty, headers={"If-Match": tag})
    assert (await told(response))[:2] == (400, "malformed-request")


async def test_a_stream_that_nobody_knows_has_no_digest(empty: House) -> None:
    response = await empty.ask("PUT", PUSH, who="push", headers={"If-Match": '"' + "0" * 32 + '"'})
    assert response.status == 412


async def test_a_push_is_judged_soon(empty: House) -> None:
    for environment, version in (("staging", "5.2.8"), ("prod-eu", "4.2.26")):
        facts = {"main#product": "postgresql", "main#version": version}
        sections = {"backing_services": {"basis": "running", "status": "complete", "facts": facts}}
        document = observation(environment=environment, service="shop-db", sections=sections)
        path = f"/api/v1/environments/{environment}/services/shop-db/observations/ci"
        assert (await push(empty, document, path=path, who="admin")).status == 200
    await empty.running.watch.review(datetime.now(UTC))
    items = (await empty.json("/api/v1/drift"))["items"]
    assert [(drift["service"], drift["item"]) for drift in items] == [("shop-db", "main#version")]


async def test_an_unknown_environment_is_refused_and_an_unknown_service_is_not(empty: House) -> None:
    path = "/api/v1/environments/nowhere/services/checkout/observations/ci"
    response = await push(empty, observation(environment="nowhere"), path=path, who="admin")
    assert (await told(response))[:2] == (404, "not-found")
    path = "/api/v1/environments/staging/services/brand-new/observations/laptop"
    response = await push(empty, observation(service="brand-new", source="laptop"), path=path)
    assert response.status == 200
    assert "unconfigured" in (await response.json())["warnings"][0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"environment": "prod-eu"}, (403, "scope-mismatch", [])),  # not this token's
        ({"service": "search"}, (422, "validation-failed", ["/service"])),
        ({"source": "other"}, (422, "validation-failed", ["/source"])),
    ],
)
async def test_body_and_address_agree(empty: House, changes: dict[str, Any], expected: Any) -> None:
    assert await told(await push(empty, observation(**changes))) == expected


async def test_the_component_of_the_address_agrees_too(empty: House) -> None:
    document = observation(component="worker")
    assert (await push(empty, document)).status == 200  # the address names none
    assert (await push(empty, document, path=f"{PUSH}?component=worker")).status == 200
    response = await push(empty, document, path=f"{PUSH}?component=web")
    assert await told(response) == (422, "validation-failed", ["/component"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "malformed-json")),
        (b"", (400, "malformed-json")),
        (b"  \n", (400, "malformed-json")),
        (b"[" * 100_000, (400, "too-deep")),
        (b'{"a":' * 65 + b"1" + b"}" * 65, (400, "too-deep")),
        (b'{"observed_at": NaN}', (400, "malformed-json")),
        (b'{"a": Infinity}', (400, "malformed-json")),
        (b'{"a": 1e400}', (400, "malformed-json")),
        (b'{"environment":"dev","environment":"prod"}', (400, "duplicate-key")),
        (b'{"a": ' + b"1" * 5000 + b"}", (422, "out-of-range")),
        (b'{"a": 9223372036854775808}', (422, "out-of-range")),
        (b'{"a": "\\ud800"}', (422, "invalid-text")),
        (b'{"a": "\\u0000"}', (422, "invalid-text")),
        ('{"é": 1}'.encode("utf-16"), (400, "malformed-json")),
        ('{"é": 1}'.encode("latin-1"), (400, "malformed-json")),
        (b"[]", (422, "validation-failed")),
        (b'"text"', (422, "validation-failed")),
        (b"null", (422, "validation-failed")),
        (orjson.dumps([observation()]), (422, "validation-failed")),  # one stream, one observation
        (orjson.dumps(observation(enviroment="staging")), (422, "validation-failed")),
        (orjson.dumps(observation(environment=...)), (422, "validation-failed")),
        (orjson.dumps(observation(observed_at=True)), (422, "validation-failed")),
        (orjson.dumps(observation(schema="parity.observation/v999")), (422, "unsupported-schema")),
        (orjson.dumps(observation(schema=1)), (422, "unsupported-schema")),
    ],
)
async def test_a_body_that_is_no_observation_is_named(empty: House, body: bytes, expected: Any) -> None:
    response = await push(empty, data=body)
    assert (await told(response))[:2] == expected


async def test_a_byte_order_mark_is_skipped(empty: House) -> None:
    assert (await push(empty, data=b"\xef\xbb\xbf" + orjson.dumps(observation()))).status == 200


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"KEY": {"type": "text", "value": CANARY}}, "plaintext-value-refused"),
        ({"KEY": CANARY}, "plaintext-value-refused"),
        ({"KEY": {"type": "text", "raw": CANARY}}, "plaintext-value-refused"),
        ({"MIIEpAIBAAKCAQEA7" + CANARY + "==": {"type": "text"}}, "suspicious-key-name"),
        ({"KEY": {"type": "text", "fingerprint": "k1:" + "A" * 32}}, "invalid-fingerprint"),
        ({"KEY": {"type": "text", "fingerprint": "5f0c" * 8}}, "invalid-fingerprint"),
    ],
)
async def test_a_value_of_config_is_refused_and_never_repeated(
    log: Callable[[], str], tmp_path: Path, config: dict[str, Any], code: str
) -> None:
    async with house(tmp_path) as here:
        section = {"basis": "running", "status": "complete", "facts": config}
        response = await push(here, observation(sections={"config": section}))
        document = await response.json(content_type=None)
        assert (response.status, document["errors"][0]["code"]) == (422, code)
        assert CANARY not in await response.text()
    told = log()
    assert "/observations/ci" in told
    assert CANARY not in told
    assert not any(CANARY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""]
)
async def test_only_json_is_read(empty: House, content_type: str) -> None:
    response = await push(empty, headers={"Content-Type": content_type})
    assert (await told(response))[:2] == (415, "unsupported-media-type")


async def test_a_body_may_be_compressed(empty: House) -> None:
    body = orjson.dumps(observation())
    for encoding, data in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
        response = await push(empty, data=data, headers={"Content-Encoding": encoding})
        assert response.status == 200, await response.text()


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("br", b"x", (415, "unsupported-encoding")),
        ("gzip, gzip", b"x", (415, "unsupported-encoding")),
        ("gzip", gzip.compress(b"{}" * 1000, mtime=0)[:-9], (400, "malformed-encoding")),
        ("gzip", b"no gzip", (400, "malformed-encoding")),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", (400, "malformed-encoding")),
        ("zstd", zstandard.compress(b"{}" * 100_000)[:-9], (400, "malformed-encoding")),
        ("zstd", b"no zstd", (400, "malformed-encoding")),
    ],
)
async def test_a_broken_encoding_is_told(empty: House, encoding: str, data: bytes, expected: Any) -> None:
    response = await push(empty, data=data, headers={"Content-Encoding": encoding})
    assert (await told(response))[:2] == expected


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[House]:
    """A Parity that takes bodies of one mebibyte, and waits half a second for them."""
    async with house(tmp_path, limits=Limits(body_bytes=2**20, body_seconds=0.5, pushes=1)) as here:
        yield here


async def test_too_large_a_body_is_refused_before_it_is_read(narrow: House) -> None:
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        body = b" " * (2**20 + 1)
        data: Any = _parts(body) if headers else io.BytesIO(body)
        response = await push(narrow, data=data)
        assert (await told(response))[:2] == (413, "payload-too-large")
        assert response.headers.get("Connection") == "close"


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65536):
        yield data[start : start + 65536]


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(64 * 2**20), mtime=0)),
        ("zstd", zstandard.compress(bytes(64 * 2**20))),
    ],
)
async def test_a_bomb_is_counted_while_it_grows(narrow: House, encoding: str, bomb: bytes) -> None:
    assert len(bomb) < 2**20
    response = await push(narrow, data=bomb, headers={"Content-Encoding": encoding})
    assert (await told(response))[:2] == (413, "payload-too-large")


async def test_a_body_that_drips_is_not_waited_for(narrow: House) -> None:
    stop = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await stop.wait()

    try:
        response = await push(narrow, data=drip())
        assert (await told(response))[:2] == (408, "request-timeout")
    finally:
        stop.set()


async def test_more_pushes_than_fit_are_told_to_wait(narrow: House) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        yield b"{"
        await stop.wait()

    first = asyncio.create_task(push(narrow, data=slow()))
    await begun.wait()

    while not narrow.app[PUSHES].locked():
        await asyncio.sleep(0)
    response = await push(narrow)
    assert (await told(response))[:2] == (429, "rate-limited")
    assert re.fullmatch("[0-9]+", response.headers["Retry-After"])
    stop.set()
    await first


async def test_too_many_facts_are_too_large(empty: House) -> None:
    facts = {f"pkg:pypi/p{number}": "1" for number in range(100_001)}
    sections = {"dependencies": {"basis": "running", "status": "complete", "facts": facts}}
    response = await push(empty, data=io.BytesIO(orjson.dumps(observation(sections=sections))))
    assert (await told(response))[:2] == (413, "too-many-items")


async def test_a_clock_that_is_ahead_is_told_of(empty: House) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=48)).strftime("%Y-%m-%dT%H:%M:%SZ")
    response = await push(empty, observation(observed_at=ahead))
    assert response.status == 200
    assert (await response.json())["warnings"][0].startswith("clock-skew")
    far = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await push(empty, observation(observed_at=far))).status == 422


async def test_what_comes_late_is_taken_and_told_so(empty: House) -> None:
    now = datetime.now(UTC)
    times = [(now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ") for minutes in (1, 30)]
    first = await (await push(empty, observation(observed_at=times[0]))).json()
    late = await (await push(empty, observation(observed_at=times[1]))).json()
    assert (first["late"], late["late"]) == (False, True)


async def test_a_great_loss_is_held_where_it_will_be_seen_again(empty: House) -> None:
    facts = {f"pkg:pypi/p{number}": "1" for number in range(20)}

    def said(facts: dict[str, str], seconds: int) -> dict[str, Any]:
        at = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        section = {"basis": "running", "status": "complete", "facts": facts}
        return observation(observed_at=at, sections={"dependencies": section})

    assert (await push(empty, said(facts, 30))).status == 200
    held = await push(empty, said({}, 20))
    assert (held.status, (await held.json())["held"]) == (202, True)
    taken = await push(empty, said({}, 10))
    assert (taken.status, (await taken.json())["held"]) == (200, False)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/environments/staging/services/a%20b/observations/ci", 422),
        ("/api/v1/environments/staging/services/..%2fprod/observations/ci", 422),
        ("/api/v1/environments/staging/services/checkout/observations/" + "a" * 300, 422),
        (f"{PUSH}?component=..", 422),
        (f"{PUSH}?componet=web", 422),
        ("/api/v1/environments/staging%20/services/checkout/observations/ci", 404),
        ("/api/v1/environments/%D1%80rod/services/checkout/observations/ci", 404),
    ],
)
async def test_an_address_has_names(empty: House, path: str, status: int) -> None:
    assert (await push(empty, path=path, who="admin")).status == status


def at(minute: int, **changes: Any) -> dict[str, Any]:
    return observation(**({"observed_at": f"2026-11-20T09:{minute:02}:00Z"} | changes))


async def test_a_text_that_is_known_word_for_word_is_not_read_again(
    empty: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await (await push(empty, at(0))).json()
    monkeypatch.setattr("detector.api.pushing.observations_from", None)
    again = await push(empty, at(1))
    assert (again.status, again.headers["ETag"]) == (200, f'"{first["digest"]}"')
    document = await again.json()
    assert document == {**first, "changed": False}
    assert (await (await push(empty, at(1))).json())["replayed"] is True
    (stream,) = await empty.running.reading.store.streams()
    assert [seen.minute for seen in stream.seen_at] == [0, 1]


@pytest.mark.parametrize(
    "other",
    [
        at(2, component_kind="sidecar"),  # the facts are the same, the stream is not
        at(2, observed_at="2026-11-20"),
        at(2, sections={}),
        at(2, traffic="idle"),
    ],
)
async def test_any_other_text_is_read(
    empty: House, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    await push(empty, at(0))
    await push(empty, at(1, sections={"config": {"basis": "running", "status": "complete", "facts": {}}}))
    read: list[Any] = []

    def reading(document: Any, **more: Any) -> Any:
        read.append(document)
        return observations_from(document, **more)

    monkeypatch.setattr("detector.api.pushing.observations_from", reading)
    await push(empty, other)
    assert read


async def test_a_text_that_is_known_speaks_for_its_own_address_alone(empty: House) -> None:
    await push(empty, at(0))
    path = PUSH.replace("checkout", "search")
    assert (await told(await push(empty, at(1), path=path)))[:2] == (422, "validation-failed")
    refused = await push(empty, at(1), path=PUSH.replace("staging", "prod-eu"))
    assert (await told(refused))[:2] == (403, "scope-mismatch")


async def test_a_time_far_ahead_is_refused_and_a_wrong_clock_is_told_of_also_word_for_word(
    empty: House,
) -> None:
    now = datetime.now(UTC)
    for ahead in (timedelta(days=2), timedelta(days=2, minutes=1), timedelta(days=-2)):
        document = observation(observed_at=(now + ahead).isoformat())
        answer = await (await push(empty, document)).json()
        assert any("clock-skew" in warning for warning in answer["warnings"]) == (ahead > timedelta()), ahead
    (stream,) = await empty.running.reading.store.streams()
    assert stream.last_seen < now + timedelta(minutes=1)
    far = observation(observed_at=(now + timedelta(days=400)).isoformat())
    assert (await told(await push(empty, far)))[1:] == ("out-of-range", ["/observed_at"])


async def test_a_key_of_another_body_is_refused(empty: House) -> None:
    headers = {"Idempotency-Key": "run-1"}
    first = await push(empty, at(0), headers=headers)
    assert first.status == 200
    again = await (await push(empty, at(0), headers=headers)).json()
    assert (again["replayed"], again["snapshot"]) == (True, 1)
    assert await told(await push(empty, at(1), headers=headers)) == (422, "idempotency-key-reused", [])
    other = await push(empty, at(1), headers=headers, who="admin")  # a key is its owner's
    assert other.status == 200


async def test_a_key_of_a_push_that_failed_is_free(empty: House) -> None:
    headers = {"Idempotency-Key": "run-1"}
    assert (await push(empty, data=b"{", headers=headers)).status == 400
    assert (await push(empty, at(0), headers=headers)).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "\u00e9"])
async def test_a_key_is_visible_ascii(empty: House, key: str) -> None:
    refused = await push(empty, at(0), headers={"Idempotency-Key": key})
    assert (await told(refused))[:2] == (400, "invalid-idempotency-key")


async def test_fifty_of_one_push_at_one_time_make_one_snapshot(tmp_path: Path) -> None:
    async with house(tmp_path, limits=Limits(pushes=50)) as here:
        headers = {"Idempotency-Key": "run-1"}
        answers = await asyncio.gather(*(push(here, at(0), headers=headers) for _ in range(50)))
        documents = [await answer.json() for answer in answers]
        assert {answer.status for answer in answers} == {200}
        assert sum(document["changed"] for document in documents) == 1
        assert sum(document["replayed"] for document in documents) == 49
        assert {(document["snapshot"], document["digest"]) for document in documents} == {
            (1, documents[0]["digest"])
        }
        assert len(await here.running.reading.store.snapshots("staging")) == 1
