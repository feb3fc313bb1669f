"""Many digests at once: what nobody has to send again, and what a token may learn of it."""

import gzip
import io
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from detector.api.heartbeats import MOST
from tests.api.house import House
from tests.api.test_pushing import observation, push, told

BEATS = "/api/v1/heartbeats"


def stream(digest: str, **names: Any) -> dict[str, Any]:
    return {"environment": "staging", "service": "checkout", "source": "ci", "digest": digest, **names}


async def beat(here: House, *streams: Any, who: str = "push") -> dict[str, Any]:
    response = await here.ask("POST", BEATS, who=who, data=orjson.dumps({"streams": list(streams)}))
    assert response.status == 200, await response.text()
    document: dict[str, Any] = await response.json()
    return document


async def digest_of(here: House, service: str = "checkout", **changes: Any) -> str:
    path = f"/api/v1/environments/staging/services/{service}/observations/ci"
    response = await push(here, observation(service=service, **changes), path=path)
    digest: str = (await response.json())["digest"]
    return digest


async def test_each_digest_is_answered_by_its_position(empty: House) -> None:
    one, other = await digest_of(empty), await digest_of(empty, "search", component="worker")
    assert await beat(
        empty,
        stream(one),
        stream("0" * 32),  # another digest
        stream(one, service="brand-new"),
        stream(other, service="search"),  # of another component
        stream(other, service="search", component="worker"),
        stream(one, traffic="idle"),
        stream(""),
    ) == {"unchanged": 2, "send": [1, 2, 3, 5, 6], "forbidden": []}
    assert await beat(empty) == {"unchanged": 0, "send": [], "forbidden": []}


async def test_what_is_unchanged_was_seen_now(empty: House) -> None:
    digest = await digest_of(empty, observed_at="2026-11-01T00:00:00Z")
    before = datetime.now(UTC)
    await beat(empty, stream(digest))
    (seen,) = await empty.running.reading.store.streams()
    assert seen.last_seen >= before
    (source,) = await empty.running.reading.store.sources()
    assert source.last_run >= before


async def test_nothing_is_told_of_a_stream_that_the_token_may_not_push_to(empty: House) -> None:
    """Whether the digest is right, wrong, or of a stream that does not exist."""
    digest = await digest_of(empty)
    (before,) = await empty.running.reading.store.streams()
    known = [stream(digest), stream("0" * 32), stream(digest, service="nowhere")]
    beyond = [stream(digest, environment="nowhere"), stream(digest, environment="*", service="checkout")]
    assert await beat(empty, *known, *beyond, who="push-one") == {
        "unchanged": 0,
        "send": [],
        "forbidden": [0, 1, 2, 3, 4],
    }
    assert await beat(empty, stream(digest, environment="prod-eu"), who="push-one") == {
        "unchanged": 0,
        "send": [0],  # its own
        "forbidden": [],
    }
    (after,) = await empty.running.reading.store.streams()
    assert after.last_seen == before.last_seen


async def test_an_environment_that_nobody_configured_is_to_be_sent_and_refused_there(empty: House) -> None:
    assert (await beat(empty, stream("0" * 32, environment="nowhere"), who="admin"))["send"] == [0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "malformed-json", [""])),
        (b"[]", (422, "validation-failed", [""])),
        (b"{}", (422, "validation-failed", [""])),
        (b'{"streams": {}}', (422, "validation-failed", ["/streams"])),
        (b'{"streams": [], "more": 1}', (422, "validation-failed", [""])),
        (b'{"streams": [], "streams": []}', (400, "duplicate-key", [""])),
        (b'{"streams": [1]}', (422, "validation-failed", ["/streams/0"])),
        (
            orjson.dumps({"streams": [stream("0" * 32), stream("0" * 32, digets="x")]}),
            (422, "validation-failed", ["/streams/1/digets"]),
        ),
        (
            orjson.dumps({"streams": [stream("0" * 32, source=1)]}),
            (422, "validation-failed", ["/streams/0/source"]),
        ),
        (orjson.dumps({"streams": [{"service": "a"}]}), (422, "validation-failed", ["/streams/0/digest"])),
        (
            orjson.dumps({"streams": [stream("0" * 32, traffic="all")]}),
            (422, "validation-failed", ["/streams/0/traffic"]),
        ),
        (orjson.dumps({"streams": [0] * (MOST + 1)}), (413, "too-many-items", [])),
    ],
)
async def test_a_body_that_is_no_list_of_digests_is_named(empty: House, body: bytes, expected: Any) -> None:
    assert await told(await empty.ask("POST", BEATS, who="push", data=io.BytesIO(body))) == expected


async def test_more_than_fits_in_memory_is_refused_also_compressed(empty: House) -> None:
    body = gzip.compress(b'{"streams": [' + bytes(5_000_000) + b"]}")
    response = await empty.ask("POST", BEATS, who="push", data=body, headers={"Content-Encoding": "gzip"})
    assert await told(response) == (413, "payload-too-large", [])


async def test_the_log_holds_no_line_of_what_says_nothing_new(log: Any, empty: House) -> None:
    document = observation()
    await push(empty, document)
    digest = (await (await push(empty, document)).json())["digest"]
    await beat(empty, stream(digest))
    assert log().count("answered") == 1
