"""Reminders before an acceptance ends: to its owner's conversation, a week and a day ahead, once each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from detector.jobs.remind import Remind, stage
from detector.model.records import Drift, Key
from detector.store.register import Settlement
from detector.store.store import Store, open_store
from tests.builders import NOW, acceptance

END = NOW + timedelta(days=30)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"R{next(numbers):025}"


def accepted_row(id: str, *, owner: str | None, by: str = "A1", by_cause: bool = False) -> Drift:
    return Drift(
        id=id,
        comparison="staging..prod",
        key=Key("shop", "main", "config", id),
        state="accepted",
        severity="high",
        owner=owner,
        opened_at=NOW,
        item={"accepted": {"id": by, "by_cause": by_cause}},
    )


async def stored(store: Store, *rows: Drift) -> None:
    await store.accept(acceptance(expires_at=END))
    await store.settle(
        [Settlement(comparison="staging..prod", service="shop", judged_through=1, drifts=rows)]
    )


@pytest.mark.parametrize(
    ("now", "made", "days"),
    [
        (END - timedelta(days=8), NOW, None),
        (END - timedelta(days=7), NOW, 7),
        (END - timedelta(days=2), NOW, 7),
        (END - timedelta(days=1), NOW, 1),
        # Made for three days: who makes it needs no reminder at once.
        (END - timedelta(days=3), END - timedelta(days=3), None),
        (END - timedelta(hours=5), END - timedelta(days=3), 1),
    ],
)
def test_the_stage_of_an_acceptance(now: datetime, made: datetime, days: int | None) -> None:
    assert stage(acceptance(created_at=made, expires_at=END), now) == days


async def test_each_owner_hears_once_a_week_and_once_a_day_before_the_end(store: Store) -> None:
    await stored(
        store,
        accepted_row("01", owner="team-a"),
        accepted_row("02", owner="team-a"),
        accepted_row("03", owner=None),
        accepted_row("04", owner="team-b", by_cause=True),
    )
    remind = Remind(store, ids())
    told = [await remind.run(END - timedelta(days=days)) for days in (8, 7, 6.9, 3, 1, 0.9)]
    assert told == [0, 2, 0, 0, 2, 0]
    owed = await store.lease_owed(now=END, until=END, limit=10)
    assert [(one.owner, one.event, one.drift_ids) for one, _ in owed][:2] == [
        ("shop", "reminder", ("03",)),
        ("team-a", "reminder", ("02", "01")),
    ]


async def test_no_restart_says_it_twice(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/parity.db"
    for told in (1, 0):
        store = await open_store(url)
        if told:
            await stored(store, accepted_row("01", owner="team-a"))
        assert await Remind(store, ids()).run(END - timedelta(days=6)) == told
        await store.close()
