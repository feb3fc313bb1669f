"""Deployments and the labels that name the states they led to, in either database."""

from dataclasses import replace
from datetime import timedelta

from detector.model.deployments import Deployment
from detector.store.store import Store
from tests.builders import NOW
from tests.store.seen import observed

SAID = Deployment(id="01", environment="prod", service="checkout", version="1.4.3", commit="abcdef0", at=NOW)
LATER = NOW + timedelta(minutes=5)


async def test_a_deployment_is_kept_as_it_was_announced(store: Store) -> None:
    assert await store.announce(SAID) == (SAID, True)
    assert await store.deployments() == [SAID]


async def test_what_is_said_again_is_the_same_deployment(store: Store) -> None:
    await store.announce(SAID)
    again = replace(SAID, id="02", at=LATER, commit=None)
    assert await store.announce(again) == (SAID, False)
    assert await store.deployments() == [SAID]


async def test_it_ends_once(store: Store) -> None:
    await store.announce(SAID)
    ended = replace(SAID, finished_at=LATER)
    assert await store.announce(replace(SAID, id="02", at=LATER, finished_at=LATER)) == (ended, False)
    much_later = LATER + timedelta(hours=1)
    repeated = replace(SAID, id="03", at=much_later, finished_at=much_later)
    assert await store.announce(repeated) == (ended, False)
    assert await store.deployments() == [ended]


async def test_another_version_commit_service_or_day_is_another_deployment(store: Store) -> None:
    others = [
        replace(SAID, id="02", version="1.4.4"),
        replace(SAID, id="03", commit="1234567"),
        replace(SAID, id="04", service="search"),
        replace(SAID, id="05", environment="staging"),
        replace(SAID, id="06", at=NOW + timedelta(hours=25)),
    ]
    for one in (SAID, *others):
        assert await store.announce(one) == (one, True)


async def test_a_finished_one_begins_anew(store: Store) -> None:
    await store.announce(replace(SAID, finished_at=LATER))
    anew = replace(SAID, id="02", at=NOW + timedelta(hours=1))
    assert await store.announce(anew) == (anew, True)


async def test_deployments_are_read_by_place_and_time_newest_first(store: Store) -> None:
    second = replace(SAID, id="02", service="search", at=LATER)
    third = replace(SAID, id="03", version="1.4.4", at=LATER + timedelta(minutes=5))
    for one in (SAID, second, third):
        await store.announce(one)
    assert [one.id for one in await store.deployments()] == ["03", "02", "01"]
    assert [one.id for one in await store.deployments("prod", "checkout")] == ["03", "01"]
    assert [one.id for one in await store.deployments("prod", since=LATER)] == ["03", "02"]
    assert await store.deployments("staging") == []


async def test_a_version_labels_the_newest_snapshot_of_its_environment(store: Store) -> None:
    await store.announce(SAID)
    assert await store.label("prod", "1.4.3") is None  # nothing was seen there yet
    for number in (1, 2):
        at = NOW + timedelta(minutes=number)
        await store.record(
            observed(number, {"pkg:pypi/django": f"5.2.{number}"}), received_at=at, scheduled=True
        )
    await store.announce(replace(SAID, at=LATER))
    assert await store.label("prod", "1.4.3") == 2
    assert [one.label for one in await store.snapshots("prod")] == ["1.4.3", None]
    await store.put_label("prod", "1.4.3", 1, LATER)
    assert await store.label("prod", "1.4.3") == 1
    assert await store.label("staging", "1.4.3") is None
