"""When sources are due: each slot once, none twice, none lost to a long run or a sleeping machine."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from detector.jobs.schedule import JITTER, START_SPREAD, Schedule
from tests.jobs.sources import source

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(Random(7))


def test_every_source_first_runs_at_the_start_spread_over_a_moment(schedule: Schedule) -> None:
    schedule.replace([source(service=f"s{number}") for number in range(50)], now=NOW)
    assert not schedule.due(NOW - timedelta(microseconds=1))
    early = len(schedule.due(NOW + START_SPREAD / 2))
    assert 0 < early < 50
    assert early + len(schedule.due(NOW + START_SPREAD)) == 50


def test_a_source_is_due_again_after_its_interval_give_or_take_the_jitter(schedule: Schedule) -> None:
    schedule.replace([source(every=100)], now=NOW)
    (first,) = schedule.due(NOW + START_SPREAD)
    schedule.finished(first)
    assert not schedule.due(NOW + timedelta(seconds=100 * (1 - JITTER) - 1))
    assert schedule.due(NOW + timedelta(seconds=100 * (1 + JITTER) + 1)) == [first]


def test_jitter_does_not_add_up(schedule: Schedule) -> None:
    schedule.replace([source(every=100)], now=NOW)
    for turn in range(1000):
        found = schedule.due(NOW + timedelta(seconds=100 * turn + 100 * JITTER + 1))
        assert len(found) == 1, turn
        schedule.finished(found[0])


def test_a_source_that_still_runs_misses_its_slot_and_is_counted(schedule: Schedule) -> None:
    schedule.replace([source(every=10)], now=NOW)
    (running,) = schedule.due(NOW + START_SPREAD)
    assert schedule.due(NOW + timedelta(seconds=12)) == []
    assert schedule.missed == 1
    schedule.finished(running)
    assert schedule.due(NOW + timedelta(seconds=23)) == [running]


def test_slots_that_the_machine_slept_through_run_once(schedule: Schedule) -> None:
    schedule.replace([source(every=10)], now=NOW)
    (first,) = schedule.due(NOW + START_SPREAD)
    schedule.finished(first)
    later = NOW + timedelta(hours=8)
    assert schedule.due(later) == [first]
    schedule.finished(first)
    assert schedule.due(later + timedelta(seconds=1)) == []


def test_cron_is_kept_in_its_own_time_zone(schedule: Schedule) -> None:
    schedule.replace([source(every=None, cron="0 6 * * *")], now=NOW)
    assert not schedule.due(NOW + timedelta(hours=17, minutes=59))
    assert len(schedule.due(NOW + timedelta(hours=18))) == 1


def test_a_source_without_schedule_never_runs_by_itself(schedule: Schedule) -> None:
    schedule.replace([source(every=None)], now=NOW)
    assert not schedule.due(NOW + timedelta(days=400))


def test_a_new_configuration_keeps_the_slots_of_what_stays_and_drops_what_left(schedule: Schedule) -> None:
    stays, leaves, changes = source(service="a"), source(service="b"), source(service="c")
    schedule.replace([stays, leaves, changes], now=NOW)
    for each in schedule.due(NOW + START_SPREAD):
        schedule.finished(each)
    changed = source(service="c", every=3)
    schedule.replace([stays, changed], now=NOW + timedelta(seconds=2))
    # What changed begins anew, what stays waits for its own slot, what left is gone.
    assert schedule.due(NOW + timedelta(seconds=4)) == [changed]
    assert stays in schedule.due(NOW + timedelta(seconds=12))
    assert leaves not in schedule.sources
