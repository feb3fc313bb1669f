"""Time between two environments: patience in its place, and alerts that wait where answers do not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from detector.engine.calendars import Calendar
from detector.engine.policy import Pair
from detector.model.records import Interval
from tests.builders import (
    NOW,
    PROD,
    STAGING,
    STAGING_TO_PROD,
    ago,
    compare,
    drifts,
    interval,
    only,
    section,
)

DJANGO = "pkg:pypi/django"


def packages(**versions: Any) -> Any:
    return {"dependencies": section({f"pkg:pypi/{name}": version for name, version in versions.items()})}


def lagging(right: str, now: Sequence[tuple[str, float]]) -> Any:
    """Return the verdict on django where staging got (version, days ago) and prod runs ``right``."""
    closed = [ago(days=days) for _, days in now[1:]]
    history: list[Interval] = [
        interval(version, ago(days=days), end)
        for (version, days), end in zip(now, [*closed, None], strict=True)
    ]
    place = ("main", "dependencies", DJANGO)
    return only(
        compare(packages(django=now[-1][0]), packages(django=right), histories={("staging", place): history}),
        DJANGO,
    )


def test_w17_a_lead_is_as_old_as_the_oldest_version_that_prod_lacks() -> None:
    """A bot moves django in staging every three days; prod is deployed each week."""
    weekly = [(f"5.2.{number}", 30 - 3 * number) for number in range(10)]
    # Prod has what staging had a week ago: no drift, though the two have differed for a month.
    assert lagging("5.2.7", weekly).verdict == "expected"
    # Prod stood still for three weeks: drift, though staging's newest is three days old.
    stuck = lagging("5.2.2", weekly)
    assert (stuck.verdict, stuck.since) == ("drift", ago(days=21))


FREEZE = Calendar(freeze=((date(2026, 11, 15), date(2026, 12, 2)),))


def test_w18_a_code_freeze_stops_the_clock_of_what_production_lacks() -> None:
    """Code freeze in production from 15 November to 2 December; django leads there since the 5th."""
    place = ("main", "dependencies", DJANGO)
    since = {("staging", place): [interval("5.2.8", ago(days=17))]}
    frozen = Pair(left=STAGING, right=replace(PROD, calendar=FREEZE))
    one = only(
        compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=frozen, histories=since), DJANGO
    )
    assert one.verdict == "expected"
    # Nine and a half days had gone when the freeze began; the rest runs from 3 December on.
    assert one.review_at is not None
    assert one.review_at.isoformat() == "2026-12-07T12:00:00+00:00"


def test_w18_without_the_calendar_every_lead_expires_in_the_freeze() -> None:
    place = ("main", "dependencies", DJANGO)
    since = {("staging", place): [interval("5.2.8", ago(days=17))]}
    found = compare(packages(django="5.2.8"), packages(django="5.2.7"), histories=since)
    assert drifts(found) == {DJANGO: "low"}
    # A freeze of staging excuses nobody from catching up in production.
    frozen = Pair(left=replace(STAGING, calendar=FREEZE), right=PROD)
    assert drifts(compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=frozen, histories=since))


def test_w19_the_first_look_is_an_answer() -> None:
    """A pipeline takes its first snapshot and asks at once: nothing was confirmed, and drift is drift."""
    found = compare(packages(django="4.2.26"), packages(django="5.2.8"), first=True)
    assert only(found, DJANGO).verdict == "drift"


@pytest.mark.parametrize(("days", "verdict"), [(9, "expected"), (10, "drift")])
def test_w23_automatic_minor_upgrades_reach_one_server_first(days: int, verdict: str) -> None:
    """RDS upgrades each instance in a window of its own; for some days two minors run side by side."""

    def server(version: str, *, managed: bool = True) -> Any:
        facts = {"main#product": "postgresql", "main#version": version}
        hints = {"main#version": {"managed": True, "auto_minor_upgrade": True}} if managed else {}
        return {"backing_services": section(facts, hints=hints)}

    place = ("main", "backing_services", "main#version")
    since = {("prod", place): [interval("16.4", ago(days=days))]}
    for left, right in (("16.3", "16.4"), ("16.4", "16.3")):  # either may be first
        found = compare(server(left), server(right), histories=since)
        assert only(found, "main#version").verdict == verdict
    # A server that is not managed has three days, and a major upgrade none.
    unmanaged = compare(server("16.3", managed=False), server("16.4", managed=False), histories=since)
    assert drifts(unmanaged) == {"main#version": "low"}
    assert drifts(compare(server("16.4"), server("17.1"), histories=since)) == {"main#version": "critical"}


def test_every_patience_says_when_it_ends() -> None:
    one = only(compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=STAGING_TO_PROD), DJANGO)
    assert one.review_at == NOW + timedelta(days=14)
