"""What becomes of an observation, and what it costs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError
from detector.model.canonical import observation_digest
from detector.model.facts import Observation, Section, failed_section
from detector.model.records import Recorded, Stream
from detector.store import ring
from detector.store.memory import StreamKey
from detector.store.store import Store, open_store
from tests.store.seen import RECEIVED, minute, observed, packages, section, unseen


@contextmanager
def statements() -> Iterator[list[tuple[str, int]]]:
    """Every statement that runs meanwhile, with the number of its rows."""
    seen: list[tuple[str, int]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *context: Any) -> None:
        many = context[-1]
        seen.append((statement, len(parameters) if many else 1))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def record(store: Store, observation: Observation, *, scheduled: bool = True) -> Recorded:
    return await store.record(observation, received_at=RECEIVED, scheduled=scheduled)


async def only(store: Store) -> Stream:
    (stream,) = await store.streams()
    return stream


def dependencies(stream: Stream) -> dict[str, Any]:
    return dict(stream.sections["dependencies"].facts)


# --- unchanged costs nearly nothing -----------------------------------------------------------------


async def test_an_unchanged_observation_touches_no_database(store: Store) -> None:
    await record(store, observed(0, packages(100)))
    with statements() as seen:
        again = await record(store, observed(1, packages(100)))
    assert seen == []
    assert (again.changed, again.snapshot, again.seq) == (False, 1, 1)


async def test_a_flush_rewrites_one_row_for_each_stream_that_was_seen_again(store: Store) -> None:
    for service in ("a", "b", "c"):
        await record(store, observed(0, packages(50), service=service))
    for at in (1, 2, 3):
        await record(store, observed(at, packages(50), service="a"))
        await record(store, observed(at, packages(50), service="b"))
    with statements() as seen:
        assert await store.flush() == 2
        assert await store.flush() == 0
    writes = [(text.split()[0], rows) for text, rows in seen if not text.startswith("BEGIN")]
    assert writes == [("UPDATE", 2)]


async def test_what_is_not_yet_flushed_can_be_read(store: Store) -> None:
    await record(store, observed(0, packages(1)))
    await record(store, observed(5, packages(1)))
    assert (await only(store)).last_seen == minute(5)


async def test_a_changed_fact_writes_only_its_delta(store: Store) -> None:
    await record(store, observed(0, packages(500)))
    with statements() as seen:
        await record(store, observed(1, packages(500) | {"pkg:pypi/package-7": "2.0"}))
    facts = [(text.split()[0], rows) for text, rows in seen if " fact" in text]
    assert facts == [("INSERT", 1), ("UPDATE", 1)], "one row closed, one row opened"


async def test_a_source_that_only_ran_again_waits_for_the_flush(store: Store) -> None:
    with statements() as seen:
        for at in range(20):
            await store.record_run("prod", "a", "docker", at=minute(at), result="ok", detail="", duration=0.1)
    assert seen == []
    with statements() as seen:
        await store.flush()
    assert [text.partition(" INTO")[0] for text, _ in seen if not text.startswith("BEGIN")] == ["INSERT"]


async def test_the_digest_alone_says_again_what_was_seen(store: Store) -> None:
    known = await record(store, observed(0, packages(3)))
    names = StreamKey("prod", "checkout", "main", "docker", "live")
    times: Any = {"observed_at": minute(1), "received_at": RECEIVED, "scheduled": False}
    again = await store.record_again(names, digest=known.digest, **times)
    assert again is not None
    assert not again.changed
    assert (await only(store)).seen_at == (minute(0), minute(1))
    for digest, stream in ((known.digest, names._replace(source="other")), ("0" * 32, names)):
        assert await store.record_again(stream, digest=digest, **times) is None


async def test_the_order_of_a_set_is_no_change(store: Store) -> None:
    await record(store, observed(0, {"pkg:pypi/a": ["1.0", "2.0"]}))
    assert not (await record(store, observed(1, {"pkg:pypi/a": ["2.0", "1.0"]}))).changed


# --- what changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (1, True),  # types are kept
        ("true", True),
        (None, ""),
        ("1.0", ["1.0"]),
        ({"a": 1}, {"a": 2}),
    ],
)
async def test_every_other_value_is_a_change(store: Store, before: Any, after: Any) -> None:
    await record(store, observed(0, {"pkg:pypi/a": before}))
    assert (await record(store, observed(1, {"pkg:pypi/a": after}))).changed
    found = dependencies(await only(store))["pkg:pypi/a"]
    assert (found, type(found)) == (after, type(after))


async def test_hints_and_coverage_come_back_as_they_were_said(store: Store) -> None:
    said = section(
        {"pkg:pypi/a": "1", "pkg:pypi/b": None},
        hints={"pkg:pypi/a": {"scope": ["dev"], "direct": True}},
        covers=("pkg:pypi/*",),
        sees=("literal",),
        unseen=unseen("pkg:pypi/c"),
        reads={"STRIPE_KEY": [{"at": "billing/hooks.py:14", "default": False}]},
    )
    recorded = await record(store, observed(0, sections={"dependencies": said}))
    stream = await only(store)
    assert stream.sections == {"dependencies": said}
    assert stream.digest == recorded.digest == observation_digest({"dependencies": said})


async def test_numbers_count_commits_of_one_environment(store: Store) -> None:
    numbers = [
        (await record(store, observed(0, packages(1), environment=environment, service=service))).snapshot
        for environment, service in [("prod", "a"), ("dev", "a"), ("prod", "b"), ("dev", "b"), ("dev", "c")]
    ]
    assert numbers == [1, 1, 2, 2, 3]
    assert await store.changed_seqs() == {
        ("prod", "a"): 1,
        ("dev", "a"): 2,
        ("prod", "b"): 3,
        ("dev", "b"): 4,
        ("dev", "c"): 5,
    }
    assert await store.services() == [("a", ("dev", "prod")), ("b", ("dev", "prod")), ("c", ("dev",))]


async def test_what_takes_no_traffic_is_a_stream_beside_the_live_one(store: Store) -> None:
    live = await record(store, observed(0, packages(1)))
    idle = await record(store, observed(1, packages(1, "2.0"), traffic="idle"))
    assert (live.changed, idle.changed) == (True, True)
    found = {stream.traffic: dict(stream.sections["dependencies"].facts) for stream in await store.streams()}
    assert found == {"live": packages(1), "idle": packages(1, "2.0")}
    # Each goes on alone: neither is late for the other, and a digest speaks for one of them.
    assert not (await record(store, observed(0.5, packages(1), traffic="canary"))).late
    again: Any = {"digest": idle.digest, "observed_at": minute(2), "received_at": RECEIVED, "scheduled": True}
    names = StreamKey("prod", "checkout", "main", "docker", "live")
    assert await store.record_again(names, **again) is None
    assert await store.record_again(names._replace(traffic="idle"), **again) is not None


async def test_what_takes_no_traffic_has_no_part_in_history(store: Store) -> None:
    await record(store, observed(0, packages(1)))
    await record(store, observed(1, packages(1, "2.0"), traffic="idle"))
    (item,) = packages(1)
    rows = await store.history(service="checkout", item=item, limit=9)
    assert [interval.value for *_, interval in rows] == ["1.0"]
    key = ("checkout", "main", "dependencies", item)
    assert [one.value for one in (await store.values_of("prod", [key]))[key]] == ["1.0"]


async def test_an_empty_first_observation_is_a_snapshot(store: Store) -> None:
    assert (await record(store, observed(0, {}))).snapshot == 1
    assert (await only(store)).sections["dependencies"].facts == {}


# --- unknown is not absent ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (section({"pkg:pypi/package-0": "1.0"}), 1),
        (section({"pkg:pypi/package-0": "1.0"}, status="partial"), 9),
        (failed_section("running", "timeout", "no answer within 30 s"), 9),
        (section({"pkg:pypi/package-0": "1.0"}, unseen=unseen("pkg:pypi/*")), 9),
        (section({"pkg:pypi/package-0": "1.0"}, unseen=unseen("pkg:pypi/package-3")), 2),
        (section({}, covers=("pkg:deb/*",)), 9),  # it could not have proved their absence
        (None, 9),  # the section was left out: nothing is said of it
    ],
)
async def test_only_what_was_looked_at_can_be_gone(store: Store, now: Section | None, left: int) -> None:
    await record(store, observed(0, packages(9)))
    sections: Any = (
        {"dependencies": now} if now is not None else {"config": section({"A": {"type": "empty"}})}
    )
    await record(store, observed(1, sections=sections))
    stream = await only(store)
    assert len(dependencies(stream)) == left
    assert stream.sections["dependencies"].status == (now.status if now else "complete")


FAILED = failed_section("running", "unreachable", "not up yet")
A_KEY = section({"A": {"type": "empty"}})


@pytest.mark.parametrize(
    ("before", "left"),
    [
        ([FAILED], None),  # nothing was ever seen of it
        ([A_KEY, FAILED], "failed"),  # what was seen is still the last that is known
        ([A_KEY, section({}), FAILED], None),
        ([section({})], "complete"),  # that there is nothing was seen
        ([FAILED, section({})], "complete"),
        ([section({}, status="partial")], "partial"),
    ],
)
async def test_a_section_left_out_stays_unless_only_its_failure_is_known(
    store: Store, before: list[Section], left: str | None
) -> None:
    for at, config in enumerate(before):
        await record(store, observed(at, sections={"dependencies": section(packages(1)), "config": config}))
    recorded = await record(store, observed(9, packages(1)))
    assert recorded.changed == (left is None)
    sections = (await only(store)).sections
    assert (sections["config"].status if "config" in sections else None) == left
    (then,) = await store.streams(as_of=minute(len(before) - 1))
    assert then.sections["config"].status == before[-1].status


async def test_a_failure_is_forgotten_across_a_restart_and_in_any_order(url: str) -> None:
    store = await open_store(url)
    await record(store, observed(0, sections={"config": FAILED, "dependencies": FAILED}))
    await store.close()
    store = await open_store(url)
    await record(store, observed(2, packages(1)))
    assert set((await only(store)).sections) == {"dependencies"}
    # A late observation saw it after all: it was not only a failure that was left out.
    await record(store, observed(1, sections={"config": A_KEY}))
    sections = (await only(store)).sections
    assert {name: found.status for name, found in sections.items()} == {
        "config": "complete",
        "dependencies": "complete",
    }
    await store.close()


# --- a great loss is held -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (10, 4, 6),
        (10, 5, 0),  # half is not more than half
        (9, 0, 0),  # too few to be suspicious
        (12, 0, 12),
    ],
)
async def test_a_section_that_loses_more_than_half_is_held(
    store: Store, before: int, after: int, held: int
) -> None:
    await record(store, observed(0, packages(before)))
    recorded = await record(store, observed(1, packages(after)))
    stream = await only(store)
    assert recorded.held == bool(held)
    assert len(stream.held.get("dependencies", ())) == held
    assert len(dependencies(stream)) == after + held, "what is held is still there"


async def test_a_second_observation_with_the_same_digest_ends_the_wait(store: Store) -> None:
    await record(store, observed(0, packages(20)))
    assert (await record(store, observed(1, packages(2)))).held
    confirmed = await record(store, observed(2, packages(2)))
    assert (confirmed.held, confirmed.changed) == (False, True)
    stream = await only(store)
    assert (len(dependencies(stream)), dict(stream.held)) == (2, {})
    assert (await store.snapshots("prod"))[0].removed == 18


async def test_a_loss_that_was_a_mistake_leaves_no_trace(store: Store) -> None:
    await record(store, observed(0, packages(20)))
    await record(store, observed(1, packages(2)))
    await record(store, observed(2, packages(20)))
    assert dict((await only(store)).held) == {}
    found = await store.history(service="checkout", item="pkg:pypi/package-9", limit=10)
    assert [(entry.opened, entry.closed) for *_, entry in found] == [(minute(0), None)]


async def test_what_is_held_survives_a_restart(url: str) -> None:
    store = await open_store(url)
    await record(store, observed(-2, packages(20)))
    await record(store, observed(-1, sections={"dependencies": section(packages(19), status="partial")}))
    await record(store, observed(0, packages(20)))
    await record(store, observed(1, packages(2)))
    await store.close()
    store = await open_store(url)
    assert len((await only(store)).held["dependencies"]) == 18
    assert not (await record(store, observed(2, packages(2)))).held
    assert len(dependencies(await only(store))) == 2
    await store.close()


async def test_what_is_held_waits_on_while_its_section_is_left_out(store: Store) -> None:
    await record(store, observed(0, packages(20)))
    await record(store, observed(1, packages(2)))
    await record(store, observed(2, sections={"config": section({"A": {"type": "empty"}})}))
    assert len((await only(store)).held["dependencies"]) == 18


async def test_a_push_without_schedule_is_taken_at_once(store: Store) -> None:
    await record(store, observed(0, packages(20)), scheduled=False)
    assert not (await record(store, observed(1, packages(1)), scheduled=False)).held
    assert len(dependencies(await only(store))) == 1


# --- order of arrival ---------------------------------------------------------------------------------


async def test_the_same_observation_twice_is_a_replay(store: Store) -> None:
    first = await record(store, observed(0, packages(2)))
    await record(store, observed(0, packages(2), service="other"))
    again = await record(store, observed(0, packages(2)))
    assert (again.replayed, again.changed, again.snapshot) == (True, False, first.snapshot)


async def test_fifty_equal_pushes_at_once_are_one_snapshot(store: Store) -> None:
    answers = await asyncio.gather(*(record(store, observed(0, packages(20))) for _ in range(50)))
    assert sum(answer.changed for answer in answers) == 1
    assert {answer.snapshot for answer in answers} == {1}
    assert len(await store.snapshots("prod")) == 1


async def test_a_late_observation_takes_its_place_and_says_so(store: Store) -> None:
    await record(store, observed(0, {"pkg:pypi/a": "1"}))
    await record(store, observed(10, {"pkg:pypi/a": "3"}))
    late = await record(store, observed(5, {"pkg:pypi/a": "2"}))
    assert (late.late, late.changed, late.snapshot) == (True, True, 3)
    assert dependencies(await only(store)) == {"pkg:pypi/a": "3"}
    found = await store.history(service="checkout", item="pkg:pypi/a", limit=10)
    assert [(entry.value, entry.opened, entry.closed) for *_, entry in found] == [
        ("3", minute(10), None),
        ("2", minute(5), minute(10)),
        ("1", minute(0), minute(5)),
    ]
    newest = (await store.snapshots("prod"))[0]
    assert (newest.backdated, newest.at) == (True, minute(5))


async def test_what_is_older_than_the_ring_is_only_counted(store: Store) -> None:
    for at in range(10, 50):
        await record(store, observed(at, {"pkg:pypi/a": "1"}))
    late = await record(store, observed(12, {"pkg:pypi/a": "stolen"}))
    assert (late.late, late.changed, late.snapshot) == (True, False, 1)
    assert len(await store.history(service="checkout", item="pkg:pypi/a", limit=10)) == 1


async def test_a_clock_that_runs_ahead_cannot_overtake_ours(store: Store) -> None:
    """Order is by the earlier of what the source says and when we heard it."""
    ahead = observed(100_000, {"pkg:pypi/a": "1"})
    await store.record(ahead, received_at=minute(1), scheduled=True)
    await store.record(observed(2, {"pkg:pypi/a": "2"}), received_at=minute(2), scheduled=True)
    stream = await only(store)
    assert stream.seen_at == (minute(1), minute(2))
    assert dependencies(stream) == {"pkg:pypi/a": "2"}


async def test_of_two_at_one_time_the_greater_digest_stands_and_the_past_stays(store: Store) -> None:
    facts: list[dict[str, Any]] = [{"pkg:pypi/a": version} for version in ("2", "3")]
    low, high = sorted(
        facts, key=lambda one: observation_digest({"dependencies": Section(basis="running", facts=one)})
    )
    await record(store, observed(0, {"pkg:pypi/a": "1"}))
    await record(store, observed(1, low))
    assert (await record(store, observed(1, high))).changed
    assert not (await record(store, observed(1, low))).changed
    assert dependencies(await only(store)) == high
    (before,) = await store.streams(as_of=minute(0.5))
    assert dependencies(before) == {"pkg:pypi/a": "1"}
    assert [
        entry.opened for *_, entry in await store.history(service="checkout", item="pkg:pypi/a", limit=9)
    ] == [
        minute(1),
        minute(0),
    ]


async def test_a_late_observation_leaves_a_confirmed_loss_confirmed(store: Store) -> None:
    for at, size in ((0, 20), (2, 2), (3, 2)):
        await record(store, observed(at, packages(size)))
    await record(store, observed(1, packages(20, "2.0")))
    stream = await only(store)
    assert (len(dependencies(stream)), dict(stream.held)) == (2, {})
    (waiting,) = await store.streams(as_of=minute(2))
    assert len(dependencies(waiting)) == 20


async def test_what_a_partial_observation_did_not_say_is_remembered_and_named(store: Store) -> None:
    await record(store, observed(0, {"pkg:pypi/a": "1", "pkg:pypi/b": "1"}))
    partial = section({"pkg:pypi/a": "2"}, status="partial", unseen=unseen("pkg:pypi/b"))
    await record(store, observed(1, sections={"dependencies": partial}))
    stream = await only(store)
    assert dependencies(stream) == {"pkg:pypi/a": "2", "pkg:pypi/b": "1"}
    assert stream.carried == {"dependencies": frozenset({"pkg:pypi/b"})}
    await record(store, observed(2, {"pkg:pypi/a": "2", "pkg:pypi/b": "1"}))
    assert (await only(store)).carried == {}


async def test_what_a_partial_observation_did_not_say_is_known_as_long_as_the_ring(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "RING", 3)
    partial: Any = {"dependencies": section(packages(1), status="partial")}
    await record(store, observed(0, packages(3)))
    for at in (1, 2, 3):
        await record(store, observed(at, sections={**partial}))
    await record(store, observed(4, packages(3)))
    await record(store, observed(2.5, packages(3, "9")))
    (then,) = await store.streams(as_of=minute(3))
    assert dependencies(then) == packages(3, "9") | packages(1), "at 3 only one of them was said"


# --- together -----------------------------------------------------------------------------------------


async def test_streams_are_recorded_side_by_side(store: Store) -> None:
    """Interned names and values are shared by streams that are written at the same moment."""
    await asyncio.gather(
        *(
            record(store, observed(at, packages(30, f"1.{at}"), service=f"s{n}"))
            for n in range(8)
            for at in (0, 1, 2)
        )
    )
    streams = await store.streams()
    assert [dependencies(stream) for stream in streams] == [packages(30, "1.2")] * 8
    assert len(await store.snapshots("prod")) == (await store.latest_snapshots())["prod"].number


async def test_a_caller_that_leaves_does_not_take_the_commit_with_it(store: Store) -> None:
    task = asyncio.create_task(record(store, observed(0, packages(50))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = await record(store, observed(0, packages(50)))
    assert (again.replayed, again.snapshot) == (True, 1)


async def test_a_commit_whose_answer_was_lost_is_not_made_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(store, observed(0, packages(1)))
    write = store._database.write

    @asynccontextmanager
    async def silent(**moves: Any) -> AsyncIterator[AsyncConnection]:
        async with write(**moves) as connection:
            yield connection
        raise StoreBusyError("no answer")

    monkeypatch.setattr(store._database, "write", silent)
    with pytest.raises(StoreBusyError):
        await record(store, observed(1, packages(2)))
    monkeypatch.undo()
    again = await record(store, observed(1, packages(2)))
    assert (again.replayed, again.snapshot) == (True, 2)
    assert again.changed, "nobody has judged it"
    assert not (await record(store, observed(1, packages(2)))).changed
    assert (await record(store, observed(2, packages(3)))).snapshot == 3
    assert len(dependencies(await only(store))) == 3


@pytest.mark.parametrize("steps", [1, 3, 6, 12])
async def test_readers_that_leave_take_no_connection_with_them(store: Store, steps: int) -> None:
    await record(store, observed(0, packages(5)))
    for _ in range(9):
        task = asyncio.create_task(store.streams())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert len(dependencies(await only(store))) == 5
