"""What stands beside what is compared: listed with its environment, in no comparison."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detector.model.facts import Observation, Section
from tests.api.house import CONFIG, House, house, record
from tests.api.test_pushing import observation, push, told

DISCOVERY = """\
  - discover: {type: docker, label: parity.enable=true, environment: staging, ephemeral: ["pr-*"]}
"""


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    config = CONFIG.replace(
        "    owner: team-payments\n", "    owner: team-payments\n    aliases: [checkout-api]\n"
    )
    async with house(tmp_path, config=config + DISCOVERY) as found:
        yield found


async def see(here: House, service: str, tag: str, *, at: datetime | None = None, **more: object) -> None:
    at = at or datetime.now(UTC)
    seen = Observation(
        environment="staging",
        service=service,
        source="docker",
        observed_at=at,
        sections={"release": Section(basis="running", facts={"image#tag": tag})},
    )
    await here.running.reading.store.record(replace(seen, **more), received_at=at, scheduled=True)  # type: ignore[arg-type]


async def test_w26_what_takes_no_traffic_is_listed_and_not_compared(here: House) -> None:
    await record(here, "staging", "checkout", {"release": {"image#tag": "1.4.2"}})
    await record(here, "prod-eu", "checkout", {"release": {"image#tag": "1.4.2"}})
    await see(here, "checkout", "1.5.0", traffic="idle")
    (staging,) = [
        one for one in (await here.json("/api/v1/environments"))["items"] if one["name"] == "staging"
    ]
    (idle,) = staging["not_live"]
    assert {name: idle[name] for name in ("service", "traffic", "version", "source")} == {
        "service": "checkout",
        "traffic": "idle",
        "version": "1.5.0",
        "source": "docker",
    }
    service = await here.json("/api/v1/services/checkout")
    assert [len(one["not_live"]) for one in service["environments"]] == [0, 1, 0]
    compared = await here.json("/api/v1/diff?left=staging&right=prod-eu&service=checkout")
    assert compared["items"] == []
    page = await (await here.get("/environments/staging")).text()
    assert "Takes no traffic" in page
    assert "1.5.0" in page


async def test_w32_a_preview_is_listed_for_a_week_and_never_paired(here: House) -> None:
    """A namespace for every pull request, found by the discovery of staging."""
    now = datetime.now(UTC)
    await see(here, "pr-12", "a-branch")
    await see(here, "pr-7", "long-gone", at=now - timedelta(days=8))
    staging = (await here.json("/environments/staging.json"))["ephemeral"]
    assert [(one["service"], one["version"]) for one in staging] == [("pr-12", "a-branch")]
    matrix = await here.json("/api/v1/matrix")
    assert not any(row["service"].startswith("pr-") for row in matrix["rows"])
    compared = await here.json("/api/v1/diff?left=staging&right=prod-eu")
    assert compared["coverage"]["unmatched"] == []
    assert not any(one["service"].startswith("pr-") for one in (await here.json("/api/v1/services"))["items"])


async def test_w32_without_the_glob_every_preview_would_be_unmatched(here: House) -> None:
    await see(here, "review-12", "a-branch")
    compared = await here.json("/api/v1/diff?left=staging&right=prod-eu")
    assert [one["service"] for one in compared["coverage"]["unmatched"]] == ["review-12"]
    assert [one["service"] for one in (await here.json("/environments/staging.json"))["unmatched"]] == [
        "review-12"
    ]


async def test_a_push_under_another_name_is_kept_under_the_one_that_it_goes_by(here: House) -> None:
    path = "/api/v1/environments/staging/services/checkout-api/observations/ci"
    pushed = await push(here, observation(service="checkout-api"), path=path)
    assert pushed.status == 200
    assert (await pushed.json())["warnings"] == []
    assert await here.running.reading.store.services() == [("checkout", ("staging",))]
    again = await here.ask("PUT", path, who="push", headers={"If-Match": pushed.headers["ETag"]})
    assert again.status == 204
    other = await push(here, observation(service="checkout"), path=path)
    assert (await told(other))[:2] == (422, "validation-failed")


async def test_an_environment_that_nobody_named_is_none(here: House) -> None:
    assert (await here.get("/environments/nowhere.json")).status == 404
