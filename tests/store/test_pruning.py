"""Retention: what is over for long goes, and whatever can still be asked is answered as before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from detector.errors import NotFoundError
from detector.model.records import ScoreMark, Stream
from detector.store import pruning
from detector.store.milestones import PRUNED
from detector.store.pruning import Pruned
from detector.store.store import Store, open_store
from tests.databases import NewUrl
from tests.store.seen import MONDAY, observed, packages
from tests.store.test_register import drift, happened, owed, settle, settlement
from tests.store.test_verifying import found

DAY = timedelta(days=1)
#: The last day of the story, and how long is kept.
TODAY = MONDAY + 99 * DAY
KEPT = 40 * DAY
LIMIT = TODAY - KEPT


async def see(
    store: Store, day: float, version: str, *, received_at: datetime | None = None, **more: Any
) -> None:
    seen = observed(day * 24 * 60, packages(2, version) | {"pkg:pypi/steady": "1"}, **more)
    await store.record(seen, received_at=received_at or MONDAY + day * DAY, scheduled=False)


async def grow(store: Store) -> None:
    """A hundred days: each a version of its own in production, and none in staging since the tenth."""
    for day in range(100):
        await see(store, day, str(day))
        if day < 10:
            await see(store, day, str(day), environment="staging")
    await store.flush()


async def prune(store: Store, *, now: datetime = TODAY, dry_run: bool = False) -> Pruned:
    return await store.prune(now=now, history=KEPT, messages=KEPT, dry_run=dry_run)


async def told(store: Store) -> Sequence[list[Stream]]:
    """Every state that must be told as before: now, at times since the limit, and as known then."""
    times = [LIMIT + number * 5 * DAY for number in range(9)]
    # Day 59 is the limit: its snapshot of production is the first whose state is whole.
    numbers = [("prod", number) for number in (61, 62, 80, 100)]
    return [
        await store.streams(),
        *[await store.streams(as_of=at) for at in times],
        *[await store.streams(snapshot=number) for number in numbers],
    ]


async def test_what_can_be_asked_is_answered_as_before(url: str) -> None:
    store = await open_store(url)
    await grow(store)
    before = await told(store)
    done = await prune(store)
    # Of two items and a hundred days, and of the ten days of staging; its last state is open for ever.
    assert done.rows["fact_past"] == 2 * 59 + 2 * 9 - 2 * _RING_NEEDS
    assert not done.more
    assert await told(store) == before
    assert (await store.milestone(PRUNED)).at == LIMIT  # type: ignore[union-attr]
    await store.close()
    assert [one for one in await found(url) if one.broken] == []
    assert await _latest(url) == {"prod": 100, "staging": 10}


#: The ring of staging reaches back over all of its ten days: what could still be reordered is needed.
_RING_NEEDS = 9


async def _latest(url: str) -> dict[str, int]:
    store = await open_store(url, read_only=True)
    newest = await store.latest_snapshots()
    await store.close()
    return {name: one.number for name, one in newest.items()}


async def test_of_what_is_gone_nothing_is_told_rather_than_a_half(store: Store) -> None:
    await grow(store)
    await prune(store)
    for asked in ({"as_of": LIMIT - timedelta(seconds=1)}, {"snapshot": ("prod", 30)}):
        with pytest.raises(NotFoundError):
            await store.streams(**asked)
    with pytest.raises(NotFoundError, match="is not kept any more"):
        await store.streams(as_of=MONDAY + 20 * DAY)
    # The snapshot that an open fact came with stays, to say so; the state of then is gone all the same.
    steady = await store.history(service="checkout", item="pkg:pypi/steady", limit=9, environment="prod")
    assert [(row[3].opened, row[3].snapshot) for row in steady] == [(MONDAY, 1)]
    with pytest.raises(NotFoundError, match="is not kept any more"):
        await store.streams(snapshot=("prod", 1))


async def test_a_run_drops_a_part_and_the_next_ones_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_AT_LEAST", 1)
    monkeypatch.setattr(pruning, "_BATCH", 4)
    await grow(store)
    first = await prune(store)
    # 5 % of 216 rows that are over.
    assert (first.rows["fact_past"], first.more) == (11, True)
    with pytest.raises(NotFoundError):
        await store.streams(as_of=LIMIT - DAY)
    runs = 1
    while (await prune(store)).rows:
        runs += 1
    assert runs > 5
    assert (await store.streams(as_of=LIMIT))[0].sections


async def test_a_dry_run_counts_and_drops_nothing(store: Store) -> None:
    await grow(store)
    would = await prune(store, dry_run=True)
    assert await store.milestone(PRUNED) is None
    assert (await store.streams(as_of=MONDAY + 20 * DAY))[0].sections
    done = await prune(store)
    assert done.rows["fact_past"] == would.rows["fact_past"]
    # Which facts a ring still needs, and with them their snapshots, is only known fact by fact.
    assert 0 <= would.rows["snapshot"] - done.rows["snapshot"] <= _RING_NEEDS
    assert (await prune(store)).rows == {}


async def test_where_nothing_is_due_history_stays_whole(store: Store) -> None:
    await see(store, 0, "1")
    await see(store, 90, "2")
    assert (await prune(store)).rows == {}
    assert await store.milestone(PRUNED) is None


async def test_a_store_that_saw_nothing_for_long_does_not_age(store: Store) -> None:
    """A clock a year ahead would else drop all; a machine that slept for one too."""
    for day in range(3):
        await see(store, day, str(day))
    done = await prune(store, now=TODAY + 365 * DAY)
    assert done.rows == {}
    assert done.history_before == MONDAY + 3 * DAY - KEPT


async def test_a_late_observation_meets_the_past_that_it_needs(new_sqlite_url: NewUrl) -> None:
    """Pruned or not, what comes late leads to the same history."""
    histories = []
    for pruned in (False, True):
        store = await open_store(new_sqlite_url())
        # Seen every third day: the ring reaches far behind the limit.
        for day in range(0, 100, 3):
            await see(store, day, str(day // 9))
        await store.flush()
        if pruned:
            assert (await prune(store)).rows == {}
        await see(store, 40, "late", received_at=TODAY)
        histories.append(
            await store.history(service="checkout", item="pkg:pypi/package-0", limit=99, environment="prod")
        )
        await store.close()
    assert histories[0] == histories[1]


async def test_of_the_register_what_is_over_goes_with_its_story(store: Store) -> None:
    old, new = MONDAY, TODAY - DAY
    await see(store, 0, "1")
    await see(store, 99, "2")
    rows = [
        drift("01", state="resolved", resolved_at=old),
        drift("02", state="resolved", resolved_at=new),
        drift("03", state="open", opened_at=old),
        drift("04", state="withdrawn", resolved_at=old),
    ]
    events = [(row.id, happened("opened")) for row in rows]
    alerts = [owed("A"), owed("B"), owed("C")]
    await settle(store, *rows, events=events, owed=alerts)
    await store.mark_delivered(["A"], receiver="ops", key="k", handle=None, closed=True, now=old)
    await store.mark_failed(["B"], error="no", next_try=None, now=old)
    for day in (0, 1, 2, 98):
        mark = ScoreMark(
            comparison="staging..prod",
            service="checkout",
            at=MONDAY + day * DAY,
            score=0.5 + day / 1000,
            critical=False,
            sections={},
        )
        await store.settle([settlement(mark=mark)])
    trend = await store.score_marks("staging..prod", since=LIMIT)
    done = await prune(store)
    assert done.rows == {"drift": 2, "score": 2, "outbox": 1, "message": 1}
    assert {row.id for row in await store.register()} == {"02", "03"}
    assert {one.owed for one in await store.deliveries()} == {"B"}
    assert await store.outbox_size() == 1
    assert await store.score_marks("staging..prod", since=LIMIT) == trend
