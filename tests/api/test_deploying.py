"""Deployments that a pipeline announces: who may, what is refused, and what an announcement holds."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, record
from tests.cli.conftest import as_process

PATH = "/api/v1/deployments"
SAID = {"environment": "prod-eu", "service": "checkout", "version": "1.4.3", "commit": "0123abc"}


async def announce(here: House, who: str | None = "write", **changed: Any) -> tuple[int, Any]:
    body = {name: value for name, value in {**SAID, **changed}.items() if value is not ...}
    response = await here.ask("POST", PATH, who=who, json=body)
    return response.status, await response.json(content_type=None)


async def test_a_deployment_is_announced_once_and_finished_once(empty: House) -> None:
    status, first = await announce(empty)
    assert (status, first["version"], first["actor"], first["finished_at"]) == (201, "1.4.3", "write", None)
    assert (await announce(empty))[0] == 200
    status, ended = await announce(empty, finished=True, actor="ada@shop.example")
    assert (status, ended["id"], ended["actor"]) == (200, first["id"], "write")
    assert ended["finished_at"] is not None
    assert (await announce(empty, finished=True))[1] == ended


async def test_a_service_that_nobody_knows_is_kept_with_a_warning(empty: House, tmp_path: Path) -> None:
    """The first deployment of a service may well be announced before anything was seen of it."""
    assert (await announce(empty))[1]["warnings"] == []
    status, kept = await announce(empty, service="chekout")
    assert (status, kept["service"]) == (201, "chekout")
    [warning] = kept["warnings"]
    assert warning.startswith("no service chekout (did you mean checkout?); ")
    words = ("--env", "prod-eu", "--service", "chekout", "--version", "1.4.4", "--server", empty.url)
    environ = {"PARITY_TOKEN": empty.tokens["write"]}
    done = await asyncio.to_thread(as_process, "deploy", *words, cwd=tmp_path, **environ)
    assert (done.code, done.out, done.err.splitlines()[0]) == (0, "", f"warning: {warning}")


@pytest.mark.parametrize(
    ("who", "changed", "status"),
    [
        ("write", {}, 201),
        ("admin", {}, 201),
        ("push-one", {}, 201),  # push:prod-eu/checkout
        ("push-one", {"service": "search"}, 403),
        ("push", {}, 403),  # push:staging
        ("push", {"environment": "staging"}, 201),
        ("read", {}, 403),
        ("expired", {}, 401),
        (None, {}, 401),
    ],
)
async def test_who_may_push_there_or_write_drift_may_announce(
    empty: House, who: str | None, changed: dict[str, Any], status: int
) -> None:
    assert (await announce(empty, who, **changed))[0] == status


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"version": ...}, 422, "/version"),
        ({"version": ""}, 422, "/version"),
        ({"version": "feature/x"}, 422, "/version"),  # it would be no label
        ({"version": "{1.day.ago}"}, 422, "/version"),
        ({"version": 1.4}, 422, "/version"),
        ({"version": "1" * 129}, 422, "/version"),
        ({"environment": None}, 422, "/environment"),
        ({"service": "../search"}, 422, "/service"),
        ({"commit": "main"}, 422, "/commit"),
        ({"actor": "a\u0000b"}, 422, "/actor"),
        ({"finished": "yes"}, 422, "/finished"),
        ({"verison": "1"}, 422, "/verison"),
        ({"environment": "prod-us"}, 404, None),
    ],
)
async def test_what_is_no_deployment_is_refused_by_its_field(
    empty: House, changed: dict[str, Any], status: int, pointer: str | None
) -> None:
    answered, problem = await announce(empty, **changed)
    assert answered == status
    assert [error["pointer"] for error in problem.get("errors", [])] == ([pointer] if pointer else [])
    assert await empty.running.reading.store.deployments() == []


@pytest.mark.parametrize("body", [b"", b"[]", b'"1.4.3"', b"{", b'{"version": "1", "version": "2"}'])
async def test_a_body_that_is_no_object_is_refused(empty: House, body: bytes) -> None:
    response = await empty.ask("POST", PATH, who="write", data=body)
    assert response.status in (400, 422)


async def test_an_announced_deployment_is_seen_in_every_answer(seeded: House) -> None:
    await announce(seeded)
    await record(
        seeded,
        "prod-eu",
        "checkout",
        {"dependencies": {"pkg:pypi/django": "5.2.9", "pkg:pypi/urllib3": "2.5.0"}},
    )
    diff = await seeded.json("/api/v1/diff?left=staging&right=prod-eu&service=checkout")
    (django,) = [item for item in diff["items"] if item["item"] == "pkg:pypi/django"]
    assert (django["verdict"], django["pending"]) == ("drift", "rollout")
    assert django["pending_because"].startswith("prod-eu is rolling out 1.4.3 since ")
    matrix = await seeded.json("/api/v1/matrix")
    (row,) = [row for row in matrix["rows"] if row["service"] == "checkout"]
    assert row["comparisons"]["staging..prod-eu"]["pending_because"] == django["pending_because"]
    page = await seeded.get("/diff/staging..prod-eu", headers={"Accept": "text/html"})
    assert django["pending_because"] in await page.text()
    labelled = await seeded.json("/api/v1/diff?left=prod-eu@1.4.3&right=prod-eu&service=checkout")
    assert labelled["left"]["expression"] == "prod-eu@1.4.3"
