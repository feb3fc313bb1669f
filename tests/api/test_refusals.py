"""What is refused, how it is told, and that nothing of what was sent comes back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.house import House, house

Log = Callable[[], str]
PUSH = "/api/v1/environments/staging/services/checkout/observations/ci"


async def problem(here: House, method: str, path: str, **more: Any) -> tuple[int, str]:
    response = await here.ask(method, path, **more)
    assert response.content_type == "application/problem+json", await response.text()
    document = await response.json(content_type=None)
    assert document["status"] == response.status
    assert document["instance"] == response.headers["X-Request-Id"]
    return response.status, document["type"].removeprefix("/problems/")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=-1", "/limit"),
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=1e9", "/limit"),
        ("limit=abc", "/limit"),
        ("limit=%D9%A3", "/limit"),  # an Arabic three: a digit, and none of ours
        ("limit=1&limit=2", "/limit"),
        ("sort=name", "/sort"),
        ("sort=name;drop`", "/sort"),
        ("state=oepn", "/state"),
        ("severity=urgent", "/severity"),
        ("service=a%20b", "/service"),
        ("service=..%2Fprod", "/service"),
        ("owner=", "/owner"),
        ("owner=a%00b", "/owner"),
        ("opened_before=2026-02-30T00:00:00Z", "/opened_before"),
        ("opened_before=2026-11-22T09:28:14", "/opened_before"),  # whose time?
        ("opened_before=0001-01-01T00:00:00Z", "/opened_before"),
        ("opened_before=9999-12-31T23:59:59-23:59", "/opened_before"),
        ("opened_before=2026-11-22T09:28:14%2B25:00", "/opened_before"),
    ],
)
async def test_a_parameter_that_means_nothing_is_named(empty: House, query: str, pointer: str) -> None:
    response = await empty.get(f"/api/v1/drift?{query}")
    document = await response.json(content_type=None)
    assert (response.status, document["type"]) == (422, "/problems/validation-failed")
    assert [error["pointer"].partition("/")[2].partition("/")[0] for error in document["errors"]] == [
        pointer[1:]
    ]


async def test_a_near_miss_is_told_what_was_meant(empty: House) -> None:
    response = await empty.get("/api/v1/drift?sevrity=high")
    assert "did you mean severity?" in (await response.json(content_type=None))["detail"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nowhere", (404, "not-found")),
        ("/api/v1/nowhere", (404, "not-found")),
        ("/api/v1/services/nobody", (404, "not-found")),
        ("/api/v1/services/nobody/items/x/history", (404, "not-found")),
        ("/api/v1/drift/01JD9W3Z6M6C3Y9S5V2H3R7K1A", (404, "not-found")),
        ("/api/v1/drift/x", (404, "not-found")),
        ("/api/v1/environments/nowhere/snapshots", (404, "not-found")),
        ("/api/v1/environments/staging/snapshots/1", (404, "not-found")),
        ("/api/v1/environments/staging/snapshots/0", (404, "not-found")),
        ("/api/v1/environments/staging/snapshots/%D9%A3", (404, "not-found")),
        ("/api/v1/environments/staging/snapshots/99999999999999999999", (404, "not-found")),
        ("/api/v1/environments/..%2f..%2fetc%2fpasswd/snapshots", (404, "not-found")),
        ("/api/v1/environments/%00/snapshots", (404, "not-found")),
        ("/api/v1/services/%ff", (404, "not-found")),
        ("/static/..%2f..%2f__init__.py", (404, "not-found")),
        ("/static/nothing.css", (404, "not-found")),
        ("/api/v1/diff?left=nowhere&right=staging", (404, "not-found")),
        ("/api/v1/diff?left=staging%2399&right=prod-eu", (404, "not-found")),
        ("/api/v1/diff?left=staging", (422, "validation-failed")),
        ("/api/v1/diff?left=.env&right=staging", (422, "validation-failed")),  # no file of the server
        ("/api/v1/diff?left=dotenv:/etc/passwd&right=staging", (422, "validation-failed")),
        ("/api/v1/diff?left=-&right=staging", (422, "validation-failed")),
        ("/api/v1/diff?left=%D1%80rod&right=staging", (422, "validation-failed")),  # a Cyrillic er
        ("/api/v1/diff?left=staging%20&right=staging", (422, "validation-failed")),
        ("/api/v1/drift?cursor=AAAA", (400, "invalid-cursor")),
        ("/api/v1/drift?cursor=%C3%A9", (400, "invalid-cursor")),
    ],
)
async def test_what_is_not_there_is_told_so(empty: House, path: str, expected: tuple[int, str]) -> None:
    assert await problem(empty, "GET", path) == expected


async def test_a_cursor_of_another_list_is_refused(seeded: House) -> None:
    cursor = (await seeded.json("/api/v1/services?limit=1"))["next_cursor"]
    for path in ("/api/v1/sources", "/api/v1/drift", "/api/v1/environments/staging/snapshots"):
        assert await problem(seeded, "GET", f"{path}?cursor={cursor}") == (400, "invalid-cursor")
    assert await problem(seeded, "GET", f"/api/v1/services?cursor={cursor}x") == (400, "invalid-cursor")


async def test_another_method_is_told_which_there_are(empty: House) -> None:
    response = await empty.ask("DELETE", "/api/v1/matrix")
    assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
    assert (await response.json(content_type=None))["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/api/v1/matrix", "image/png", 406),
        ("/api/v1/matrix", "text/csv", 406),
        ("/api/v1/diff?left=staging&right=prod-eu", "application/json;q=0", 406),
        ("/api/v1/matrix", "application/*", 200),
        ("/api/v1/matrix", "text/html,*/*;q=0.8", 200),
        ("/api/v1/matrix", "application/json;q=nan", 406),
        ("/", "application/pdf", 406),
    ],
)
async def test_what_cannot_be_given_is_not_given(empty: House, path: str, accept: str, status: int) -> None:
    assert (await empty.get(path, headers={"Accept": accept})).status == status


async def test_a_request_keeps_its_own_id_where_that_is_one(empty: House) -> None:
    assert (await empty.get("/livez", headers={"X-Request-Id": "a-1.b"})).headers["X-Request-Id"] == "a-1.b"
    made = (await empty.get("/livez", headers={"X-Request-Id": "<b>"})).headers["X-Request-Id"]
    assert len(made) == 20


async def test_a_defect_of_ours_tells_nothing_but_its_place(
    log: Log, empty: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError("canary-7f3a91")

    monkeypatch.setattr(empty.running.reading.store, "register", broken)
    response = await empty.get("/api/v1/drift")
    assert (response.status, response.content_type) == (500, "application/problem+json")
    told = log()
    assert "canary" not in await response.text() + told
    assert '"error": "ValueError"' in told
    assert "test_refusals.py:" in told


async def test_a_busy_store_asks_to_come_back(empty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.errors import StoreBusyError

    async def busy(*_: object, **__: object) -> None:
        raise StoreBusyError("parity.db is locked by another process: try again")

    monkeypatch.setattr(empty.running.reading.store, "register", busy)
    monkeypatch.setattr(empty.running.reading.store, "ready", busy)
    response = await empty.get("/api/v1/drift")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert (await empty.get("/readyz", who=None)).status == 503
    assert (await empty.get("/livez", who=None)).status == 200


async def test_what_stands_in_a_query_is_in_no_log(log: Log, empty: House) -> None:
    await empty.get("/api/v1/matrix?token=canary-7f3a91", who=None)
    await empty.get("/login?code=canary-7f3a91", who=None)
    told = log()
    assert "/api/v1/matrix" in told
    assert "canary" not in told


async def test_a_name_cannot_forge_a_line_of_the_log(log: Log, empty: House) -> None:
    await empty.get("/api/v1/services/x%0d%0alevel=info%20msg=forged%1b[2J")
    lines = [line for line in log().splitlines() if "forged" in line]
    assert len(lines) == 1
    assert orjson.loads(lines[0])["event"] == "answered"
    assert "\x1b" not in lines[0]


async def test_too_large_a_head_ends_the_connection(empty: House) -> None:
    for headers in ({"X-Long": "a" * 100_000}, {f"X-{number}": "a" for number in range(200)}):
        assert (await empty.get("/livez", headers=headers)).status in (400, 431)
    assert (await empty.get("/livez")).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n",
    ],
)
async def test_a_body_of_two_lengths_is_no_request(empty: House, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(empty.url.rpartition(":")[2]))
    writer.write(b"PUT " + PUSH.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + head)
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()


async def test_every_answer_carries_what_protects_a_browser(empty: House) -> None:
    for path in ("/", "/login", "/nowhere", "/livez", "/api/v1/matrix", "/static/parity.css", "/metrics"):
        for who in ("read", None):
            response = await empty.get(path, who=who)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "same-origin"
            assert "Server" not in response.headers or "aiohttp" not in response.headers["Server"], path


async def test_a_person_is_told_in_a_page(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        for path in ("/nowhere", "/services/nobody", "/drift?limit=0", "/diff/staging"):
            response = await here.get(path, headers=browser)
            assert response.content_type == "text/html", path
            assert response.status in (404, 422)
            assert response.headers["X-Request-Id"] in await response.text()
        signed_out = await here.get("/diff/staging..prod-eu?service=checkout", who=None, headers=browser)
        assert signed_out.headers["Location"] == "/login?next=/diff/staging..prod-eu%3Fservice%3Dcheckout"
