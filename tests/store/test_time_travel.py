"""History of items, states of the past, numbers of snapshots."""

from typing import Any

import pytest

from detector.errors import NotFoundError
from detector.model.facts import Section, Value
from detector.model.records import Interval
from detector.model.words import SectionName
from detector.store.store import Store
from tests.store.seen import RECEIVED, minute, observed, packages, section, unseen

DJANGO = "pkg:pypi/django"


async def see(store: Store, at: float, version: Value, *, environment: str = "prod", **more: Any) -> None:
    facts: dict[str, Value] = {} if version == "gone" else {DJANGO: version}
    await store.record(
        observed(at, facts, environment=environment, **more), received_at=RECEIVED, scheduled=True
    )


def short(intervals: list[Interval]) -> list[tuple[Value, float, float | None, int]]:
    def minutes(at: object) -> float | None:
        return None if at is None else (at - minute(0)).total_seconds() / 60  # type: ignore[operator]

    return [(i.value, minutes(i.opened) or 0.0, minutes(i.closed), i.snapshot) for i in intervals]


async def test_history_tells_each_value_once_newest_first(store: Store) -> None:
    for at, version in [(0, "1"), (1, "1"), (2, "2"), (3, "gone"), (4, "2")]:
        await see(store, at, version)
    found = await store.history(service="checkout", item=DJANGO, limit=10)
    assert [entry[:3] for entry in found] == [("prod", "main", "dependencies")] * 3
    assert short([entry[3] for entry in found]) == [("2", 4, None, 4), ("2", 2, 3, 2), ("1", 0, 2, 1)]
    assert (found[0][3].source, found[0][3].basis) == ("docker", "running")


async def test_history_can_be_narrowed_and_turned_over_in_pages(store: Store) -> None:
    for at in range(6):
        await see(store, at, f"1.{at}")
        await see(store, at, f"1.{at}", environment="dev")
    first = await store.history(service="checkout", item=DJANGO, environment="prod", limit=4)
    rest = await store.history(
        service="checkout", item=DJANGO, environment="prod", limit=4, before=first[-1][3].opened
    )
    assert [entry[3].value for entry in first + rest] == ["1.5", "1.4", "1.3", "1.2", "1.1", "1.0"]
    assert len(await store.history(service="checkout", item=DJANGO, limit=100)) == 12
    for other in ({"component": "worker"}, {"section": "config"}, {"environment": "qa"}):
        assert await store.history(service="checkout", item=DJANGO, limit=9, **other) == []  # type: ignore[arg-type]
    assert await store.history(service="other", item=DJANGO, limit=9) == []
    assert await store.history(service="checkout", item="pkg:pypi/flask", limit=9) == []


async def test_a_hint_that_changes_begins_no_new_value(store: Store) -> None:
    for at, scope in ((0, "dev"), (1, "runtime")):
        said = section({DJANGO: "1"}, hints={DJANGO: {"scope": [scope]}})
        await store.record(
            observed(at, sections={"dependencies": said}), received_at=RECEIVED, scheduled=True
        )
    found = await store.history(service="checkout", item=DJANGO, limit=10)
    assert short([entry[3] for entry in found]) == [("1", 0, None, 1)]


async def test_values_of_tell_every_source_oldest_first(store: Store) -> None:
    await see(store, 0, "1")
    await see(store, 1, "2", source="lockfile")
    await see(store, 2, "3")
    await see(store, 3, "9", environment="dev")
    key = ("checkout", "main", "dependencies", DJANGO)
    unknown = ("checkout", "main", "dependencies", "pkg:pypi/flask")
    elsewhere = ("checkout", "worker", "dependencies", DJANGO)
    found = await store.values_of("prod", {key, unknown, elsewhere})
    assert set(found) == {key}
    assert [(entry.value, entry.source) for entry in found[key]] == [
        ("1", "docker"),
        ("2", "lockfile"),
        ("3", "docker"),
    ]


async def test_a_past_state_is_complete_with_its_coverage_and_age(store: Store) -> None:
    await store.record(observed(0, packages(3)), received_at=minute(0), scheduled=True)
    partial = section(packages(1), status="partial")
    await store.record(
        observed(10, sections={"dependencies": partial}), received_at=minute(10), scheduled=True
    )
    (then,) = await store.streams(as_of=minute(5))
    assert (then.sections["dependencies"].status, len(then.sections["dependencies"].facts)) == ("complete", 3)
    # It was polled on until something else was seen: its silence would have ended its coverage.
    assert then.last_seen == minute(5)
    assert then.seen_at == (minute(0),)
    (now,) = await store.streams()
    assert now.sections["dependencies"].status == "partial"
    assert then.digest != now.digest
    assert await store.streams(as_of=minute(-1)) == []


async def test_a_snapshot_holds_only_its_environment(store: Store) -> None:
    await see(store, 0, "1", environment="dev")
    await see(store, 0, "1")
    (stream,) = await store.streams(snapshot=("prod", 1))
    assert stream.environment == "prod"
    with pytest.raises(NotFoundError, match="#2"):
        await store.streams(snapshot=("prod", 2))


async def test_snapshots_are_listed_newest_first_in_pages(store: Store) -> None:
    for at in range(5):
        await store.record(observed(at, packages(at + 1, f"{at}")), received_at=RECEIVED, scheduled=True)
    first = await store.snapshots("prod", limit=2)
    assert [(entry.number, entry.added, entry.changed) for entry in first] == [(5, 1, 4), (4, 1, 3)]
    assert [entry.number for entry in await store.snapshots("prod", before=4)] == [3, 2, 1]
    one = await store.snapshot("prod", 3)
    assert one is not None
    assert (one.at, one.services, one.label) == (minute(2), ("checkout",), None)
    assert await store.snapshot("prod", 9) is None
    assert await store.snapshot("qa", 1) is None
    assert await store.latest_snapshots() == {"prod": first[0]}


async def test_timelines_tell_of_every_environment_but_not_of_sidecars_or_idle_streams(store: Store) -> None:
    for environment, at in (("staging", 0), ("prod", 5)):
        facts: dict[SectionName, Section] = {"release": section({"image#tag": "1.0"})}
        await store.record(
            observed(at, sections=facts, environment=environment), received_at=RECEIVED, scheduled=False
        )
    left_out: list[tuple[str, dict[str, Any]]] = [
        ("envoy", {"component_kind": "sidecar"}),
        ("green", {"traffic": "idle"}),
    ]
    for component, more in left_out:
        facts = {"release": section({"image#tag": "9.9"})}
        await store.record(
            observed(6, sections=facts, component=component, **more), received_at=RECEIVED, scheduled=False
        )
    facts = {"release": section({"image#tag": "1.1"})}
    await store.record(observed(7, sections=facts), received_at=RECEIVED, scheduled=False)
    key = ("checkout", "main", "release", "image#tag")
    found = await store.timelines([("release", "image#tag"), ("release", "unheard#of")])
    assert {where: [(one.value, one.opened) for one in some] for where, some in found.items()} == {
        ("staging", key): [("1.0", minute(0))],
        ("prod", key): [("1.0", minute(5)), ("1.1", minute(7))],
    }
    assert await store.timelines([("release", "image#tag")], services=["other"]) == {}


async def test_a_past_state_does_not_take_what_was_out_of_sight_for_seen(store: Store) -> None:
    await store.record(observed(0, {"pkg:pypi/django": "5.2"}), received_at=RECEIVED, scheduled=True)
    blind = section({"pkg:pypi/flask": "3.0"}, unseen=unseen("pkg:pypi/django"))
    await store.record(observed(1, sections={"dependencies": blind}), received_at=RECEIVED, scheduled=True)
    (before,) = await store.streams(as_of=minute(0))
    (after,) = await store.streams(as_of=minute(1))
    assert before.carried == {}
    assert after.carried == {"dependencies": frozenset({"pkg:pypi/django"})}


async def test_a_past_state_of_few_items_says_of_them_what_the_whole_one_says(store: Store) -> None:
    for at, version in ((0, "5.1"), (10, "5.2")):
        blind = section({**packages(5), DJANGO: version}, unseen=unseen("pkg:deb/*", DJANGO))
        config = section({"A": {"type": "text"}})
        seen = observed(at, sections={"dependencies": blind, "config": config})
        await store.record(seen, received_at=RECEIVED, scheduled=True)
    (whole,) = await store.streams(as_of=minute(5))
    (few,) = await store.streams(as_of=minute(5), items=[DJANGO])
    assert dict(few.sections["dependencies"].facts) == {DJANGO: "5.1"}
    assert few.sections["dependencies"].unseen == whole.sections["dependencies"].unseen
    assert (few.carried, few.sections["config"].facts) == (whole.carried, {})
