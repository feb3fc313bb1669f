"""Group commit: who waits for the writer shares a transaction, and nobody pays for another's fault."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError, StoreError
from detector.model.records import Recorded
from detector.store import writing
from detector.store.grouping import Group
from detector.store.memory import Known
from detector.store.rows import Rows
from detector.store.store import Store, open_store
from tests.store.seen import RECEIVED, minute, observed, packages


class Writer:
    """Doubles numbers. ``refused`` are those that it cannot write; it begins when it is let."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.refused: dict[int, BaseException] = {}
        self.closed: BaseException | None = None
        self.let = asyncio.Event()
        self.let.set()

    async def write(self, take: Callable[[], list[int]]) -> Sequence[int]:
        await self.let.wait()
        if self.closed is not None:
            raise self.closed
        works = take()
        self.transactions.append(works)
        for _ in range(5):
            await asyncio.sleep(0)
        for work in works:
            if work in self.refused:
                raise self.refused[work]
        return [work * 2 for work in works]


async def commit_all(writer: Writer, count: int) -> list[int | BaseException]:
    group = Group(writer.write)
    writer.let.clear()
    tasks = [asyncio.create_task(group.commit(number)) for number in range(count)]
    await asyncio.sleep(0)
    writer.let.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_works_that_wait_at_one_moment_share_a_transaction() -> None:
    writer = Writer()
    assert await commit_all(writer, 5) == [0, 2, 4, 6, 8]
    assert writer.transactions == [[0, 1, 2, 3, 4]]


async def test_a_transaction_takes_no_more_than_others_can_wait_for() -> None:
    writer = Writer()
    assert await commit_all(writer, 150) == [number * 2 for number in range(150)]
    assert [len(works) for works in writer.transactions] == [64, 64, 22]


async def test_one_that_comes_while_another_is_written_goes_with_the_next() -> None:
    writer = Writer()
    group = Group(writer.write)
    first = asyncio.create_task(group.commit(1))
    while not writer.transactions:
        await asyncio.sleep(0)
    assert list(await asyncio.gather(group.commit(2), group.commit(3), first)) == [4, 6, 2]
    assert writer.transactions == [[1], [2, 3]]


async def test_one_that_cannot_be_written_takes_no_other_down() -> None:
    writer = Writer()
    fault = StoreError("a row that is refused")
    writer.refused[2] = fault
    assert await commit_all(writer, 4) == [0, 2, fault, 6]
    assert writer.transactions == [[0, 1, 2, 3], [0], [1], [2], [3]]


async def test_a_defect_in_one_takes_no_other_down_either() -> None:
    writer = Writer()
    writer.refused[0] = TypeError("no JSON")
    first, *rest = await commit_all(writer, 3)
    assert isinstance(first, TypeError)
    assert rest == [2, 4]


@pytest.mark.parametrize("begun", [True, False])
async def test_where_the_store_is_busy_all_are_told_and_none_is_tried_alone(begun: bool) -> None:  # noqa: FBT001
    writer = Writer()
    busy = StoreBusyError("no space left")
    if begun:
        writer.refused[1] = busy
    else:
        writer.closed = busy
    assert await commit_all(writer, 3) == [busy] * 3
    assert writer.transactions == ([[0, 1, 2]] if begun else [])


# --- in the store -------------------------------------------------------------------------------------


async def gather(store: Store, count: int, version: str) -> list[Recorded | BaseException]:
    works = (
        store.record(
            observed(int(float(version)), packages(3, version), service=f"s{number}"),
            received_at=RECEIVED,
            scheduled=False,
        )
        for number in range(count)
    )
    return await asyncio.gather(*works, return_exceptions=True)


async def test_observations_of_many_streams_are_numbered_one_after_the_other(store: Store) -> None:
    for version in ("1", "2"):
        recorded = [one for one in await gather(store, 20, version) if isinstance(one, Recorded)]
        first = 1 + 20 * (int(version) - 1)
        assert sorted(one.snapshot for one in recorded) == list(range(first, first + 20))
        assert [one.seq for one in recorded] == [one.snapshot for one in recorded]
        assert all(one.changed for one in recorded)
    streams = await store.streams()
    assert all(dict(stream.sections["dependencies"].facts) == packages(3, "2") for stream in streams)
    assert [snapshot.number for snapshot in await store.snapshots("prod")] == list(range(40, 0, -1))


async def test_they_share_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    write = Rows.write

    async def counted(self: Rows, connection: AsyncConnection) -> None:
        together.append(len(self._snapshots))
        await write(self, connection)

    monkeypatch.setattr(Rows, "write", counted)
    await gather(store, 20, "1")
    assert sum(together) == 20
    assert len(together) < 5


async def test_the_store_keeps_the_others_of_a_transaction_that_one_spoiled(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(url)
    write_states = writing.write_states

    async def refusing(connection: AsyncConnection, streams: Sequence[Known]) -> None:
        await write_states(connection, streams)
        if any(known.id % 5 == 3 for known in streams):
            raise StoreError("a row that is refused")

    monkeypatch.setattr(writing, "write_states", refusing)
    found = await gather(store, 10, "1")
    monkeypatch.undo()
    refused = [number for number, one in enumerate(found) if isinstance(one, StoreError)]
    taken = [one for one in found if isinstance(one, Recorded)]
    assert refused
    assert len(taken) + len(refused) == 10
    assert sorted(one.snapshot for one in taken) == list(range(1, len(taken) + 1))
    assert len(await store.streams()) == len(taken)
    # They come again, and what was rolled back meant nothing.
    again = [one for one in await gather(store, 10, "1") if isinstance(one, Recorded)]
    assert sorted(number for number, one in enumerate(again) if one.changed) == refused
    await store.close()
    store = await open_store(url)
    assert {s.service: dict(s.sections["dependencies"].facts) for s in await store.streams()} == {
        f"s{number}": packages(3, "1") for number in range(10)
    }
    await store.close()


async def test_a_first_load_of_many_facts_is_there_whole_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way its rows take into the database."""
    facts = packages(1_000)

    async def refuse(*_: object) -> None:
        raise StoreBusyError("at the last statement")

    monkeypatch.setattr(writing, "write_states", refuse)
    with pytest.raises(StoreBusyError):
        await store.record(observed(0, facts), received_at=RECEIVED, scheduled=False)
    monkeypatch.undo()
    assert await store.streams() == []
    await store.record(observed(0, facts), received_at=RECEIVED, scheduled=False)
    less = dict(list(facts.items())[:400])
    await store.record(observed(1, less), received_at=RECEIVED, scheduled=False)
    await store.record(observed(2, facts), received_at=RECEIVED, scheduled=False)
    (stream,) = await store.streams()
    assert dict(stream.sections["dependencies"].facts) == facts
    (then,) = await store.streams(as_of=minute(1))
    assert dict(then.sections["dependencies"].facts) == less
