"""The register of drifts and the outbox: one commit for what one judgement changed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.errors import StoreError
from detector.model.records import Drift, DriftEvent, Key, Owed
from detector.store.register import Settlement
from detector.store.store import Store, open_store
from tests.store.seen import minute

ORDERS = "staging..prod"


def drift(id: str, **more: Any) -> Drift:
    ordinary: dict[str, Any] = {
        "comparison": ORDERS,
        "key": Key("checkout", "main", "dependencies", f"pkg:pypi/{id.lower()}"),
        "state": "open",
        "severity": "high",
        "owner": "team-a",
        "opened_at": minute(0),
        "item": {"status": "changed", "detail": None},
    }
    return Drift(id=id, **(ordinary | more))


def happened(event: str, at: float = 0) -> DriftEvent:
    return DriftEvent(
        at=minute(at), event=event, actor="parity", left={"value": "1"}, snapshots={"prod": 3, "staging": 2}
    )


def owed(id: str, at: float = 0) -> Owed:
    return Owed(
        id=id, comparison=ORDERS, owner="team-a", created_at=minute(at), event="opened", drift_ids=("01",)
    )


async def settle(store: Store, *drifts: Drift, through: int = 1, **more: Any) -> None:
    await store.settle([settlement(*drifts, through=through, **more)])


def settlement(*drifts: Drift, service: str = "checkout", through: int = 1, **more: Any) -> Settlement:
    return Settlement(comparison=ORDERS, service=service, judged_through=through, drifts=drifts, **more)


async def test_a_drift_comes_back_as_it_was_written_with_its_events_in_order(store: Store) -> None:
    written = drift("01", resolved_at=minute(9), first_left_at=minute(1), first_right_at=minute(2))
    events = (happened("opened"), happened("resolved", 9))
    await settle(store, written, events=[("01", event) for event in events])
    assert await store.drift("01") == replace(written, events=events)
    assert await store.register() == [written]
    assert await store.register(with_events=True) == [replace(written, events=events)]
    assert await store.drift("02") is None


async def test_settling_again_replaces_the_row_and_appends_to_its_story(store: Store) -> None:
    await settle(store, drift("01"), events=[("01", happened("opened"))])
    await settle(store, drift("01", state="resolved"), events=[("01", happened("resolved", 1))])
    found = await store.drift("01")
    assert found is not None
    assert (found.state, [event.event for event in found.events]) == ("resolved", ["opened", "resolved"])


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, ["04", "03", "02", "01"]),
        ({"comparison": "prod"}, ["04"]),
        ({"service": "search"}, ["02"]),
        ({"comparison": ["prod", "dev..prod"]}, ["04"]),
        ({"service": ["search", "nobody"], "comparison": [ORDERS]}, ["02"]),
        ({"service": []}, []),
        ({"states": ("open", "pending")}, ["04", "03", "01"]),
        ({"states": ()}, []),
        ({"severities": ("critical",)}, ["03"]),
        ({"owner": "team-b"}, ["02"]),
        ({"section": "config"}, ["03"]),
        ({"kind": "shared_secret"}, ["03"]),
        ({"opened_before": minute(2)}, ["02", "01"]),
        ({"limit": 2}, ["04", "03"]),
        ({"limit": 2, "after": "03"}, ["02", "01"]),
        ({"states": ("open",), "owner": "team-a", "limit": 1}, ["04"]),
    ],
)
async def test_the_register_is_filtered(store: Store, filters: dict[str, Any], ids: list[str]) -> None:
    await settle(
        store,
        drift("01"),
        drift("02", key=Key("search", "main", "dependencies", "x"), owner="team-b", state="resolved"),
        drift(
            "03",
            key=Key("checkout", "main", "config", "KEY", "shared_secret"),
            severity="critical",
            opened_at=minute(2),
        ),
        drift("04", comparison="prod", opened_at=minute(3)),
    )
    assert [found.id for found in await store.register(**filters)] == ids


async def test_what_is_judged_never_goes_back(store: Store) -> None:
    await settle(store, through=7)
    await settle(store, through=5)
    assert await store.judged_through() == {(ORDERS, "checkout"): 7}


async def test_a_settlement_is_all_or_nothing(store: Store) -> None:
    await settle(store, owed=[owed("a")], through=1)
    with pytest.raises(StoreError):
        await settle(store, drift("01"), events=[("01", happened("opened"))], owed=[owed("a")], through=2)
    assert await store.register() == []
    assert await store.judged_through() == {(ORDERS, "checkout"): 1}
    await settle(store, drift("01"), through=2)  # the store goes on


async def test_settlements_that_are_written_together_are_all_or_nothing(store: Store) -> None:
    await settle(store, owed=[owed("a")], service="third")
    search = Key("search", "main", "dependencies", "pkg:pypi/django")
    together = [
        settlement(drift("01"), events=[("01", happened("opened"))]),
        settlement(drift("02", key=search), service="search", through=3),
    ]
    with pytest.raises(StoreError):
        await store.settle([*together, settlement(service="third", through=2, owed=[owed("a")])])
    assert (await store.register(), await store.judged_through()) == ([], {(ORDERS, "third"): 1})
    await store.settle(together)
    assert [row.id for row in await store.register()] == ["02", "01"]
    assert await store.judged_through(services=["checkout", "search"]) == {
        (ORDERS, "checkout"): 1,
        (ORDERS, "search"): 3,
    }


# --- the outbox ---------------------------------------------------------------------------------------

UNTIL = minute(5)


async def lease(store: Store, at: float, limit: int = 10) -> list[tuple[str, int]]:
    leased = await store.lease_owed(now=minute(at), until=minute(at) + timedelta(minutes=5), limit=limit)
    return [(entry.id, tries) for entry, tries in leased]


async def test_what_is_leased_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    await settle(store, owed=[owed("b", 1), owed("a", 0), owed("c", 2)])
    assert await lease(store, 2, limit=2) == [("a", 0), ("b", 0)], "oldest first"
    assert await lease(store, 3) == [("c", 0)]
    assert await lease(store, 4) == []
    # The one who took them never came back: they may have arrived, so a try is counted.
    assert await lease(store, 7) == [("a", 1), ("b", 1)]
    assert await store.outbox_size() == 3


async def test_a_successor_need_not_wait_for_the_leases_of_a_process_that_is_gone(store: Store) -> None:
    await settle(store, owed=[owed("a", 0), owed("b", 0), owed("c", 0)])
    await lease(store, 1)
    await store.mark_failed(["b"], error="busy", next_try=minute(30), now=minute(1))
    await store.mark_delivered(["c"], receiver="ops", key="k", handle=None, closed=False, now=minute(1))
    await store.end_leases(minute(2))
    # It may have arrived, so the try counts; what waits after a failure goes on waiting.
    assert await lease(store, 2) == [("a", 1)]
    assert await lease(store, 31) == [("a", 2), ("b", 1)]


async def test_leased_alerts_come_back_whole(store: Store) -> None:
    await settle(store, owed=[owed("a")])
    assert await store.lease_owed(now=minute(0), until=UNTIL, limit=1) == [(owed("a"), 0)]


async def test_delivered_is_delivered_once_and_remembers_where_it_stands(store: Store) -> None:
    await settle(store, owed=[owed("a"), owed("b")])
    await lease(store, 0)
    handle = {"channel": "C1", "ts": "17.1"}
    where: dict[str, Any] = {"receiver": "slack:#ops", "key": f"{ORDERS} team-a"}
    await store.mark_delivered(["a", "b"], **where, handle=handle, closed=False, now=minute(1))
    assert await lease(store, 60) == []
    assert await store.outbox_size() == 0
    assert await store.message_handle(**where) == handle
    assert await store.message_handle("slack:#ops", "another") is None
    tried = await store.deliveries(10)
    assert [(entry.owed, entry.result, entry.receiver) for entry in tried] == [
        ("b", "delivered", "slack:#ops"),
        ("a", "delivered", "slack:#ops"),
    ]


async def test_a_closed_conversation_begins_anew(store: Store) -> None:
    where: dict[str, Any] = {"receiver": "slack:#ops", "key": "k"}
    for closed, kept in ((True, None), (False, {"ts": "2"})):
        await store.mark_delivered([], **where, handle={"ts": "2"}, closed=closed, now=minute(1))
        assert await store.message_handle(**where) == kept


async def test_a_failure_waits_or_is_parked_where_a_person_sees_it(store: Store) -> None:
    await settle(store, owed=[owed("a"), owed("b")])
    await lease(store, 0)
    await store.mark_failed(["a"], error="429", next_try=minute(2), now=minute(1))
    await store.mark_failed(["b"], error="channel_not_found", next_try=None, now=minute(1))
    assert await lease(store, 1) == []
    assert await lease(store, 60) == [("a", 1)]
    assert await store.outbox_size() == 1
    assert [(entry.owed, entry.result, entry.error) for entry in await store.deliveries()] == [
        ("b", "parked", "channel_not_found"),
        ("a", "failed", "429"),
    ]


async def test_everything_survives_a_restart(url: str) -> None:
    store = await open_store(url)
    await settle(store, drift("01"), events=[("01", happened("opened"))], owed=[owed("a")])
    await store.close()
    store = await open_store(url)
    assert [found.id for found in await store.register()] == ["01"]
    assert await lease(store, 0) == [("a", 0)]
    await store.close()
