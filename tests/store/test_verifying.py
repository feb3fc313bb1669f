"""Verifying: what the service wrote is sound, and a row that cannot be true is found and named."""

from datetime import timedelta

from sqlalchemy import text

from detector.store.location import locate
from detector.store.schema import examined
from detector.store.store import Store, open_store
from detector.store.verifying import Check, checks
from tests.store.seen import RECEIVED, observed, packages, section
from tests.store.test_register import drift, happened, settle

#: What each statement breaks, and a word of the law that finds it.
BREAKS = [
    ("UPDATE value SET body = digest", "as it was stored"),
    ("UPDATE fact SET opened = opened - 600000000", "no two facts"),
    ("UPDATE fact SET opened_seq = 1", "no two facts"),
    ("UPDATE coverage SET opened = opened - 600000000", "no two coverages"),
    ("UPDATE fact_past SET closed = opened, closed_seq = opened_seq", "facts that hold stand apart"),
    ("DELETE FROM coverage", "a section that was looked at"),
    ("DELETE FROM snapshot WHERE number = 2", "came with a snapshot"),
    ("UPDATE snapshot SET number = 7 WHERE number = 3", "without a gap"),
    ("UPDATE stream_state SET changed_seq = 99", "ahead of the snapshots"),
    ("UPDATE drift SET state = 'resolved'", "state that its events led to"),
    ("UPDATE drift_event SET event = 'resolved'", "state that its events led to"),
    ("DELETE FROM drift_event", "state that its events led to"),
]


async def fill(store: Store) -> None:
    """Three snapshots of one stream, a late observation among them, and a drift."""
    for at, version in ((0, "1.0"), (20, "2.0"), (10, "1.5")):
        seen = observed(at, packages(3, version))
        await store.record(seen, received_at=RECEIVED, scheduled=False)
    partly = observed(30, sections={"dependencies": section(packages(3, "2.0"), status="partial")})
    await store.record(partly, received_at=RECEIVED + timedelta(minutes=1), scheduled=False)
    await settle(store, drift("01"), events=[("01", happened("opened"))])


async def found(url: str) -> list[Check]:
    location = locate(url)
    async with examined(location) as connection:
        return [one async for one in checks(connection, location)]


async def test_what_was_written_in_any_order_is_sound(url: str) -> None:
    store = await open_store(url)
    await fill(store)
    # Beside the owner: verifying only reads.
    assert [one for one in await found(url) if one.broken] == []
    await store.close()


async def test_a_row_that_cannot_be_true_is_found_and_named(url: str) -> None:
    store = await open_store(url)
    await fill(store)
    await store.close()
    location = locate(url)
    engine = location.inspector()
    for statement, law in BREAKS:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
            broken = [one async for one in checks(connection, location) if one.broken]
            await connection.rollback()
        assert any(law in one.law for one in broken), (statement, broken)
        assert all(one.example for one in broken)
    await engine.dispose()
    assert [one for one in await found(url) if one.broken] == []
