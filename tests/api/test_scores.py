"""The score with its parts and its trend, as a client reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detector.model.facts import Section, Unseen
from tests.api.house import House, record

SCORE = "/api/v1/comparisons/staging..prod-eu/score"


async def test_the_parts_of_a_score_are_those_of_the_comparison(seeded: House) -> None:
    found = await seeded.json(SCORE)
    diff = await seeded.json("/api/v1/diff?left=staging&right=prod-eu")
    assert found["score"] == diff["summary"]["score"] == 0.3333
    assert found["held_at"] == 0.5  # a critical drift is open: more it could not be
    by_service = {one["service"]: one for one in found["services"]}
    assert by_service["shop-db"]["sections"] == [
        {
            "section": "backing_services",
            "score": 0.0,
            "costs": [
                {
                    "component": "main",
                    "item": "main#version",
                    "kind": "difference",
                    "severity": "critical",
                    "cost": 1,
                    "cause": None,
                    "drift_id": by_service["shop-db"]["sections"][0]["costs"][0]["drift_id"],
                }
            ],
        }
    ]
    means = [one["score"] for one in found["services"] if one["score"] is not None]
    assert sum(means) / len(means) == pytest.approx(found["score"], abs=1e-4)


async def test_the_trend_has_a_point_for_each_change_and_none_for_a_poll(seeded: House) -> None:
    before = (await seeded.json(SCORE))["trend"]
    assert before[-1]["score"] == 0.3333
    for _ in range(5):
        await seeded.settle()
    assert (await seeded.json(SCORE))["trend"] == before
    for environment, version in (("prod-eu", "16.3"), ("prod-eu", "16.3")):
        await record(
            seeded,
            environment,
            "shop-db",
            {"backing_services": {"main#product": "postgresql", "main#version": version}},
        )
    await seeded.settle()
    after = (await seeded.json(SCORE))["trend"]
    assert after[: len(before)] == before
    assert after[-1]["score"] > 0.5
    only = await seeded.json(f"{SCORE}?service=shop-db&since=1d")
    assert only["trend"][-1]["score"] == 1.0
    assert [one["service"] for one in only["services"]] == ["shop-db"]


async def test_a_dead_collector_never_raises_the_trend(seeded: House) -> None:
    """What is not seen any more costs what it cost; what was whole counts no more."""
    before = (await seeded.json(SCORE))["trend"][-1]["score"]
    at = datetime.now(UTC)
    for service, sections in (
        ("checkout", ("dependencies", "config", "release")),
        ("shop-db", ("backing_services",)),
    ):
        for environment in ("staging", "prod-eu"):
            at += timedelta(milliseconds=1)
            dead: dict[Any, Any] = {
                name: Section(
                    basis="running", status="failed", facts={}, unseen=(Unseen(item="*", reason="crashed"),)
                )
                for name in sections
            }
            await record(seeded, environment, service, dead, at=at)
            await seeded.settle()
            trend = (await seeded.json(SCORE))["trend"]
            assert trend[-1]["score"] is not None
            assert trend[-1]["score"] <= before + 1e-9
            before = trend[-1]["score"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/comparisons/staging/score", 404),
        ("/api/v1/comparisons/staging..moon/score", 404),
        (f"{SCORE}?since=soon", 422),
        (f"{SCORE}?since=1d&nonsense=1", 422),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(seeded: House, path: str, status: int) -> None:
    assert (await seeded.get(path)).status == status
