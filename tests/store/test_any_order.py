"""Order of arrival: whatever it is, the end is the same, and the same as starting over would give."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.model.facts import Observation, Section
from detector.model.records import Stream
from detector.model.words import SectionName
from detector.store import ring as ring_module
from detector.store.store import Store, open_store
from tests.databases import NewUrl
from tests.proof import examples
from tests.store.obvious import ObviousStream, State, state_of
from tests.store.seen import MONDAY, RECEIVED, minute, observed, unseen

Arriving = list[tuple[Observation, bool]]

NAMES = [f"pkg:{kind}/{number}" for kind in ("pypi", "deb") for number in range(6)]


@st.composite
def sections(draw: st.DrawFn) -> dict[SectionName, Section]:
    found: dict[SectionName, Section] = {}
    names: tuple[SectionName, ...] = ("dependencies", "config")
    for name in names:
        if name == "config" and draw(st.booleans()):
            continue  # left out: nothing is said of it
        items = draw(st.sampled_from([NAMES, NAMES[:11], NAMES[:4], NAMES[4:], []]))
        version = draw(st.sampled_from(["1", "2"]))
        found[name] = Section(
            basis="running",
            status=draw(st.sampled_from(["complete", "complete", "complete", "partial", "failed"])),
            facts=dict.fromkeys(items, version),
            hints={item: {"scope": ["dev"]} for item in items[:1] if draw(st.booleans())},
            covers=draw(st.sampled_from([("*",), ("*",), ("pkg:deb/*",)])),
            unseen=draw(st.sampled_from([(), (), unseen("pkg:pypi/*"), unseen("pkg:deb/2")])),
        )
    return found


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[Observation, bool]]:
    """Observations in the order they arrive in; some share a time, some share what they say."""
    kinds = draw(st.lists(sections(), min_size=1, max_size=3))
    times = draw(st.lists(st.integers(0, 12), min_size=2, max_size=9))
    return [
        (
            Observation(
                environment="prod",
                service="checkout",
                source="docker",
                observed_at=minute(at),
                sections=draw(st.sampled_from(kinds)),
            ),
            draw(st.sampled_from([True, True, False])),
        )
        for at in times
    ]


async def fill(store: Store, arriving: Arriving) -> None:
    for observation, scheduled in arriving:
        await store.record(observation, received_at=RECEIVED, scheduled=scheduled)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


def told(streams: Sequence[Stream]) -> State:
    return state_of(streams[0].sections) if streams else {}


async def agree(store: Store, model: ObviousStream) -> None:
    """Everything that can be asked of the store is what the model says."""
    last = model.moments()[-1]
    (stream,) = await store.streams()
    assert told([stream]) == last.sections
    assert dict(stream.held) == last.held
    assert stream.last_seen == last.at
    for at in range(-1, 14):
        assert told(await store.streams(as_of=minute(at))) == model.as_of(minute(at)), at


def trying(count: int) -> settings:
    return settings(
        max_examples=examples(count),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


async def starts_over(url: str, arriving: Arriving) -> None:
    model = ObviousStream(ring=ring_module.RING)
    for observation, scheduled in arriving:
        model.record(observation, scheduled=scheduled)
    async with opened(url) as store:
        await fill(store, arriving)
        await agree(store, model)
    async with opened(url) as store:
        await agree(store, model)


@given(arriving=arrivals())
@trying(45)
def test_what_is_stored_is_what_starting_over_would_give(new_sqlite_url: NewUrl, arriving: Arriving) -> None:
    asyncio.run(starts_over(new_sqlite_url(), arriving))


@given(arriving=arrivals())
@trying(10)
def test_what_postgres_stores_is_what_starting_over_would_give(
    new_postgres_url: NewUrl, arriving: Arriving
) -> None:
    asyncio.run(starts_over(new_postgres_url(), arriving))


@given(arriving=arrivals(), size=st.integers(1, 4))
@trying(40)
def test_what_has_left_the_ring_is_settled(
    new_sqlite_url: NewUrl, monkeypatch: pytest.MonkeyPatch, arriving: Arriving, size: int
) -> None:
    monkeypatch.setattr(ring_module, "RING", size)
    asyncio.run(starts_over(new_sqlite_url(), arriving))


async def numbers_stay(url: str, arriving: Arriving) -> None:
    async with opened(url) as store:
        known: dict[int, State] = {}
        for observation, scheduled in arriving:
            recorded = await store.record(observation, received_at=RECEIVED, scheduled=scheduled)
            now = told(await store.streams())
            if recorded.changed:
                assert recorded.snapshot == len(known) + 1
                known[recorded.snapshot] = now
            assert known[recorded.snapshot] == now, "no change without a number"
        for number, state in known.items():
            assert told(await store.streams(snapshot=("prod", number))) == state, number
        assert [snapshot.number for snapshot in await store.snapshots("prod")] == sorted(known, reverse=True)


@given(arriving=arrivals())
@trying(40)
def test_a_numbered_snapshot_stays_what_was_known_then(new_sqlite_url: NewUrl, arriving: Arriving) -> None:
    """Also when later observations rewrite what was so at that time."""
    asyncio.run(numbers_stay(new_sqlite_url(), arriving))


@given(arriving=arrivals())
@trying(10)
def test_a_numbered_snapshot_of_postgres_stays_what_was_known_then(
    new_postgres_url: NewUrl, arriving: Arriving
) -> None:
    asyncio.run(numbers_stay(new_postgres_url(), arriving))


async def test_a_week_of_polls_keeps_the_last_thirty_two(store: Store) -> None:
    for at in range(40):
        await store.record(observed(at, {"pkg:pypi/django": "5.2"}), received_at=RECEIVED, scheduled=True)
    (stream,) = await store.streams()
    assert stream.seen_at == tuple(MONDAY + timedelta(minutes=at) for at in range(8, 40))
