"""Order of arrival, to the end: whatever it is, the same drifts are open.

Observations of two environments arrive in every order, doubled, with parts unseen and with clocks that jump.
The register is compared with a slow and obvious model that sorts them by time and starts over.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from detector.config.policy import Policy
from detector.engine.life import LIVING
from detector.engine.pack import PACK
from detector.engine.policy import Pair, Service, SourcePolicy
from detector.jobs.compare import Compare
from detector.jobs.judging import Arrived
from detector.model.facts import Observation, Section, Unseen, Value
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import open_store
from tests.builders import PROD, STAGING
from tests.databases import NewUrl
from tests.proof import examples

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
#: When everything that arrives is judged: long after it was seen.
JUDGED = MONDAY + timedelta(days=1)
#: Items of sections whose rules know no clock; a value is a plain text.
STOP, GRACE, KEY = ("disposability", "stop_signal"), ("disposability", "grace"), ("config", "FEATURE")
ITEMS = (STOP, GRACE, KEY)
Item = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one source said at one time: item -> value; what is left out is absent, or unseen."""

    environment: Literal["staging", "prod"]
    observed: int
    received: int
    facts: Mapping[Item, str]
    unseen: tuple[Item, ...]
    #: Whether the whole run failed.
    failed: bool

    @property
    def at(self) -> int:
        """Minutes: a clock that runs ahead counts from when its word came in."""
        return min(self.observed, self.received)

    def observation(self) -> Observation:
        sections = {}
        for name in ("disposability", "config"):
            facts: dict[str, Value] = {
                item: {"type": "text", "opaque": True} if name == "config" else value
                for (section, item), value in self.facts.items()
                if section == name and not self.failed
            }
            unseen = tuple(
                Unseen(item=item, reason="denied") for section, item in self.unseen if section == name
            )
            if self.failed:
                unseen = (Unseen(item="*", reason="timeout"),)
            status: Literal["complete", "failed"] = "failed" if self.failed else "complete"
            sections[name] = Section(basis="running", status=status, facts=facts, unseen=unseen)
        return Observation(
            environment=self.environment,
            service="shop",
            source="docker",
            observed_at=MONDAY + timedelta(minutes=self.observed),
            sections=sections,  # type: ignore[arg-type]  # both are sections
        )


@st.composite
def said(draw: st.DrawFn) -> Said:
    environment: Literal["staging", "prod"] = draw(st.sampled_from(["staging", "prod"]))
    # Two environments are never seen in one moment: that would have no order.
    observed = 2 * draw(st.integers(0, 12)) + (environment == "prod")
    unseen = draw(st.lists(st.sampled_from(ITEMS), max_size=1))
    return Said(
        environment=environment,
        observed=observed,
        # Where the clock of a source jumps, its word comes in before it was said.
        received=draw(
            st.sampled_from(
                [
                    JUMP + (environment == "prod"),
                    observed,
                    observed,
                    observed // 4 * 2 + (environment == "prod"),
                ]
            )
        ),
        facts={
            item: draw(st.sampled_from(["one", "two"]))
            for item in ITEMS
            if item not in unseen and draw(st.integers(0, 2))
        },
        unseen=tuple(unseen),
        failed=draw(st.integers(0, 5)) == 0,
    )


#: Minutes: after every clock.
JUMP = 60


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Said], list[Said]]:
    """Return what was said, in one order and in another; some of it twice."""
    first = draw(st.lists(said(), min_size=2, max_size=6))
    twice = draw(st.lists(st.sampled_from(first), max_size=2))
    return [*first, *twice], draw(st.permutations([*first, *twice]))


# -- the obvious model ------------------------------------------------------------------------------------


def open_by_the_book(words: list[Said]) -> set[Item]:
    """Return the items whose last word that was known on both sides was a difference."""
    known: dict[tuple[str, Item], str | None] = {}
    blind: set[tuple[str, Item]] = set()
    looked: set[str] = set()
    drifting: set[Item] = set()
    for moment in moments(words):
        for word in moment:
            looked.add(word.environment)
            for item in ITEMS:
                place = (word.environment, item)
                if word.failed or item in word.unseen:
                    blind.add(place)
                else:
                    blind.discard(place)
                    known[place] = word.facts.get(item)
        for item in ITEMS:
            sides = [(name, item) for name in ("staging", "prod")]
            if looked != {"staging", "prod"} or any(place in blind for place in sides):
                continue
            ours, theirs = (known[place] for place in sides)
            if item == KEY and ours is not None and theirs is not None:
                theirs = ours  # other values are what config is for
            (drifting.discard if ours == theirs else drifting.add)(item)
    return drifting


def moments(words: list[Said]) -> Iterator[list[Said]]:
    """Yield what counts at each time, in the order of the world: of two words of one source, one."""
    by_time: dict[int, dict[str, Said]] = {}
    for word in words:
        here = by_time.setdefault(word.at, {})
        known = here.get(word.environment)
        if known is None or digest(word) > digest(known):
            here[word.environment] = word
    for _, here in sorted(by_time.items()):
        yield list(here.values())


def digest(word: Said) -> str:
    from detector.model.canonical import observation_digest

    return observation_digest(word.observation().sections)


# -- the store, the judge, and what they make of it ----------------------------------------------------------


def policy() -> Policy:
    sources = {
        name: (SourcePolicy(environment=name, service="shop", source="docker"),)
        for name in ("staging", "prod")
    }
    return Policy(
        environments={"staging": STAGING, "prod": PROD},
        pairs=(Pair(left=STAGING, right=PROD),),
        services={"shop": Service(name="shop", sources=sources)},
        rules=PACK,
    )


async def end_of(url: str, words: list[Said]) -> tuple[set[Item], int]:
    """Return the items whose drift is open after all of it arrived, and how many alerts late ones made."""
    store = await open_store(url)
    try:
        known = policy()
        views = Views(store, lambda: known)
        comparisons = Comparisons(store, views, lambda: known)
        compare = Compare(store, comparisons, views, lambda: known, lambda: str(ULID()))
        alerts = 0
        for word in words:
            recorded = await store.record(
                word.observation(), received_at=MONDAY + timedelta(minutes=word.received), scheduled=False
            )
            before = await store.outbox_size()
            arrived = Arrived.of(recorded)
            if recorded.changed:
                await compare.judge(word.environment, "shop", now=JUDGED, arrived=arrived)
            if recorded.late:
                alerts += await store.outbox_size() - before
        rows = await store.register(comparison="staging..prod", states=LIVING)
        return {(row.key.section, row.key.item) for row in rows if row.key.kind == "difference"}, alerts
    finally:
        await store.close()


def trying(count: int) -> settings:
    return settings(
        report_multiple_bugs=False,
        max_examples=examples(count),
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def no_order_changes_the_end(new_url: NewUrl, arriving: tuple[list[Said], list[Said]]) -> None:
    for words in arriving:
        end, alerts = asyncio.run(end_of(new_url(), words))
        assert end == open_by_the_book(words)
        assert alerts == 0


@given(arriving=arrivals())
@trying(12)
def test_no_order_of_arrival_changes_the_end(
    new_sqlite_url: NewUrl, arriving: tuple[list[Said], list[Said]]
) -> None:
    """Open drifts are the same for every order inside the ring; a late observation never alerts."""
    no_order_changes_the_end(new_sqlite_url, arriving)


@given(arriving=arrivals())
@trying(3)
def test_no_order_of_arrival_changes_the_end_on_postgres(
    new_postgres_url: NewUrl, arriving: tuple[list[Said], list[Said]]
) -> None:
    no_order_changes_the_end(new_postgres_url, arriving)
