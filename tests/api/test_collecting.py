"""Looking now: what a run that somebody asked for tells of itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import CONFIG, House, house

SOURCES = """\
      dev: {type: dotenv, path: .env}
      staging: [{type: dotenv, path: .env, every: 1d}, {type: dotenv, name: other, path: gone.env, every: 1d}]
"""


@pytest.fixture
async def looking(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / ".env").write_text("A=1\n")
    before, _, after = CONFIG.partition("      dev: [{type: push, name: ci, every: 15m}]\n")
    rest = after.partition("\n")[2]
    async with house(tmp_path, config=f"{before}{SOURCES}{rest}") as here:
        yield here


async def asked(here: House, path: str, who: str = "admin") -> tuple[int, Any]:
    response = await here.ask("POST", f"/api/v1/environments/{path}", who=who)
    return response.status, await response.json()


async def ended(here: House, run: str) -> Any:
    await asyncio.gather(*here.running.watch._runs)
    found = await (await here.get(f"/api/v1/runs/{run}")).json()
    assert found["ended_at"] is not None
    return found


async def test_a_run_tells_what_became_of_each_source(looking: House) -> None:
    response = await looking.ask("POST", "/api/v1/environments/staging/collect", who="admin")
    begun = await response.json()
    assert (response.status, begun["waiting"]) == (202, 2)
    assert response.headers["Location"] == f"/api/v1/runs/{begun['id']}"
    run = await ended(looking, begun["id"])
    found = {source["source"]: source for source in run["sources"]}
    assert run["environment"] == "staging"
    assert (found["dotenv"]["result"], found["dotenv"]["changed"]) == ("ok", True)
    assert found["other"]["result"] == "unreachable"
    assert "gone.env does not exist" in found["other"]["detail"]
    _, again = await asked(looking, "staging/collect?service=checkout")
    assert not any(source["changed"] for source in (await ended(looking, again["id"]))["sources"])


async def test_what_the_schedule_runs_at_this_moment_is_run_after_that(looking: House) -> None:
    sources = looking.running.reading.settings.config.sources
    (dotenv,) = (one for one in sources if (one.environment, one.name) == ("dev", "dotenv"))
    assert looking.running.schedule.begin(dotenv)
    _, begun = await asked(looking, "dev/collect")
    waiting = await (await looking.get(f"/api/v1/runs/{begun['id']}")).json()
    assert (waiting["waiting"], waiting["ended_at"], waiting["sources"]) == (1, None, [])
    looking.running.schedule.finished(dotenv)
    assert (await ended(looking, begun["id"]))["sources"][0]["result"] == "ok"


async def test_what_cannot_be_recorded_ends_a_run_too(
    looking: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("sk_live_1")

    monkeypatch.setattr(looking.running.watch._collect, "run", broken)
    _, run = await asked(looking, "dev/collect")
    (source,) = (await ended(looking, run["id"]))["sources"]
    assert (source["result"], "sk_live" in source["detail"]) == ("not_recorded", False)


async def test_names_that_are_not_there_are_told(looking: House) -> None:
    assert (await asked(looking, "nowhere/collect"))[0] == 404
    status, problem = await asked(looking, "dev/collect?service=chekout")
    assert (status, "did you mean checkout" in problem["detail"]) == (404, True)
    status, problem = await asked(looking, "prod-eu/collect")  # it has sources that push alone
    assert (status, "no source to run" in problem["detail"]) == (422, True)
    assert (await looking.get("/api/v1/runs/77")).status == 404
    assert (await asked(looking, "dev/collect", who="read"))[0] == 403


async def test_a_run_of_long_ago_is_forgotten(looking: House) -> None:
    runs = [(await asked(looking, "dev/collect"))[1]["id"] for _ in range(101)]
    await ended(looking, runs[-1])
    assert (await looking.get(f"/api/v1/runs/{runs[0]}")).status == 404
