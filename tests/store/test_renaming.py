"""Renames: what was known under the former name goes on under the present one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from detector.engine.acceptance import Acceptance, Binding, Bound
from detector.engine.rules import Match
from detector.model.records import Drift, DriftEvent, Key, Owed
from detector.store.register import Settlement
from detector.store.store import Store, open_store
from tests.store.seen import MONDAY, RECEIVED, minute, observed

PAIR = "staging..prod"
DJANGO = "pkg:pypi/django"


async def see(store: Store, at: float, service: str, version: str, **more: Any) -> None:
    observation = observed(at, {DJANGO: version}, service=service, **more)
    await store.record(observation, received_at=RECEIVED, scheduled=True)


def drift(id: str, service: str, **more: Any) -> Drift:
    ordinary: dict[str, Any] = {
        "comparison": PAIR,
        "key": Key(service, "main", "dependencies", DJANGO),
        "state": "open",
        "severity": "high",
        "owner": None,
        "opened_at": minute(1),
        "item": {"service": service, "status": "changed"},
    }
    return Drift(id=id, **(ordinary | more))


async def settle(store: Store, service: str, *drifts: Drift, **more: Any) -> None:
    event = DriftEvent(at=minute(1), event="opened", actor="parity")
    ordinary: dict[str, Any] = {"events": [(one.id, event) for one in drifts]}
    settled: dict[str, Any] = {"drifts": drifts, **ordinary, **more}
    await store.settle([Settlement(comparison=PAIR, service=service, judged_through=1, **settled)])


async def values(store: Store, service: str) -> list[Any]:
    rows = await store.history(service=service, item=DJANGO, environment="prod", limit=10)
    return [interval.value for *_, interval in rows]


async def test_streams_history_and_drifts_go_along_with_their_ids(store: Store) -> None:
    await see(store, 0, "orders", "4.2")
    await see(store, 1, "orders", "5.2")
    await settle(store, "orders", drift("01", "orders"))
    assert await store.rename({"orders": "checkout", "never-seen": "other"}) == ["orders"]
    assert await store.services() == [("checkout", ("prod",))]
    assert await values(store, "checkout") == ["5.2", "4.2"]
    (row,) = await store.register(with_events=True)
    assert (row.id, row.key.service, row.item["service"]) == ("01", "checkout", "checkout")
    assert (row.opened_at, [event.event for event in row.events]) == (minute(1), ["opened"])
    assert await store.judged_through() == {(PAIR, "checkout"): 1}
    # The stream goes on: the same facts are no change.
    again = observed(2, {DJANGO: "5.2"}, service="checkout")
    assert not (await store.record(again, received_at=RECEIVED, scheduled=True)).changed
    assert await store.rename({"orders": "checkout"}) == []


async def test_what_both_names_saw_is_one_stream_and_one_history(store: Store) -> None:
    """A discovery sees the new name before anybody wrote that it was another."""
    await see(store, 0, "orders", "4.2")
    await see(store, 10, "checkout", "5.2")
    await see(store, 20, "checkout", "6.0")
    await see(store, 5, "orders", "4.2", source="agent")
    before = await store.snapshots("prod", limit=10)
    await store.rename({"orders": "checkout"})
    assert await values(store, "checkout") == ["6.0", "5.2", "4.2", "4.2"]  # the agent's stream too
    held = {stream.source: dict(stream.sections["dependencies"].facts) for stream in await store.streams()}
    assert held == {"docker": {DJANGO: "6.0"}, "agent": {DJANGO: "4.2"}}
    # The past too: as of a time, and as known at a snapshot.
    then = await store.streams(as_of=MONDAY + timedelta(minutes=2))
    assert [stream.sections["dependencies"].facts for stream in then] == [{DJANGO: "4.2"}]
    assert [one.number for one in await store.snapshots("prod", limit=10)] == [one.number for one in before]
    for number, facts in ((1, {DJANGO: "4.2"}), (2, {DJANGO: "5.2"})):
        known = await store.streams(snapshot=("prod", number))
        assert [one.sections["dependencies"].facts for one in known if one.source == "docker"] == [facts]
    changed = observed(30, {DJANGO: "6.1"}, service="checkout")
    assert (await store.record(changed, received_at=RECEIVED, scheduled=True)).changed
    assert (await values(store, "checkout"))[0] == "6.1"


async def test_of_one_drift_under_both_names_the_older_stays_and_tells_both_stories(store: Store) -> None:
    await settle(store, "orders", drift("01", "orders"))
    owed = Owed(id="a", comparison=PAIR, owner="x", created_at=minute(5), event="opened", drift_ids=("02",))
    await settle(store, "checkout", drift("02", "checkout", opened_at=minute(5)), owed=(owed,))
    await store.rename({"orders": "checkout"})
    (row,) = await store.register(with_events=True)
    assert (row.id, row.opened_at, len(row.events)) == ("01", minute(1), 2)
    leased = await store.lease_owed(now=minute(9), until=minute(10), limit=9)
    assert [one.drift_ids for one, _ in leased] == [("01",)]


async def test_a_drift_that_is_over_stands_in_nobody_s_way(store: Store) -> None:
    over = replace(drift("01", "orders"), state="resolved", resolved_at=minute(2))
    await settle(store, "orders", over)
    await settle(store, "checkout", drift("02", "checkout"))
    await store.rename({"orders": "checkout"})
    assert {row.id: row.state for row in await store.register()} == {"01": "resolved", "02": "open"}


async def test_runs_of_sources_go_along(store: Store) -> None:
    for service, source in (("orders", "docker"), ("orders", "agent"), ("checkout", "docker")):
        await store.record_run("prod", service, source, at=minute(1), result="ok")
    await store.rename({"orders": "checkout"})
    assert {(row.service, row.source) for row in await store.sources()} == {
        ("checkout", "docker"),
        ("checkout", "agent"),
    }


async def test_a_rename_lasts(url: str) -> None:
    store = await open_store(url)
    await see(store, 0, "orders", "4.2")
    await store.rename({"orders": "checkout"})
    await store.close()
    store = await open_store(url)
    assert await store.services() == [("checkout", ("prod",))]
    await store.close()


async def test_what_was_accepted_of_the_former_name_holds_for_the_present_one(store: Store) -> None:
    match = Match(service=("orders", "search"), section=("dependencies",))
    acceptance = Acceptance(
        id="a", match=match, reason="planned", author="mia", created_at=minute(0), expires_at=minute(99)
    )
    key = Key("orders", "main", "dependencies", DJANGO)
    bound = Bound(
        left=None, right=None, status="changed", distance="major", direction="unordered", severity="high"
    )
    binding = Binding(
        acceptance="a", comparison=PAIR, key=key, until="changed", bound=bound, bound_at=minute(1)
    )
    await see(store, 0, "orders", "4.2")
    await store.accept(acceptance, (binding,))
    await store.rename({"orders": "checkout"})
    (kept,) = await store.acceptances()
    assert kept.match == replace(match, service=("checkout", "search"))
    (bindings,) = (await store.bindings(["a"])).values()
    assert [one.key.service for one in bindings] == ["checkout"]
