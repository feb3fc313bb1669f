"""Acceptances in the store: durable with what they bind, on each database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.engine.acceptance import Acceptance, Binding, Bound
from detector.engine.life import Settled
from detector.engine.rules import Match
from detector.errors import StoreBusyError
from detector.model.records import Key, Owed
from detector.store.audit import Audited
from detector.store.remembering import Remembered
from detector.store.store import Store, open_store
from tests.store.seen import minute
from tests.store.test_register import ORDERS, drift, happened, settle

KEY = drift("01").key
BOUND = Bound(
    left=[True, "4.2"],
    right=[True, "5.2"],
    status="changed",
    distance="major",
    direction=None,
    severity="high",
)


def acceptance(id: str = "A1", **more: Any) -> Acceptance:
    ordinary: dict[str, Any] = {
        "reason": "planned",
        "author": "anna",
        "created_at": minute(0),
        "expires_at": minute(0) + timedelta(days=30),
    }
    return Acceptance(id=id, **(ordinary | more))


def binding(id: str = "A1", key: Key = KEY, **more: Any) -> Binding:
    ordinary: dict[str, Any] = {
        "comparison": ORDERS,
        "until": "changed",
        "bound": BOUND,
        "bound_at": minute(0),
    }
    return Binding(acceptance=id, key=key, **(ordinary | more))


async def accepted(store: Store, at: float = 1) -> Any:
    return await store.accepted(comparisons=[ORDERS], at=minute(at))


async def test_an_acceptance_its_binding_and_the_event_of_its_drift_are_one_commit(store: Store) -> None:
    await settle(store, drift("01"))
    made = acceptance(match=Match(item=("pkg:*",), severity=">=high", section=("dependencies", "config")))
    row = drift("01", state="accepted")
    await store.accept(
        made,
        [binding()],
        settled=Settled(drifts=(row,), events=(("01", happened("accepted")),)),
        audited=Audited(at=minute(0), actor="anna", action="drift.accept", target="01"),
    )
    found = await accepted(store)
    assert found.acceptances == {"A1": made}
    assert found.bindings == {(ORDERS, KEY): [binding()]}
    kept = await store.drift("01")
    assert kept is not None
    assert (kept.state, [event.event for event in kept.events]) == ("accepted", ["accepted"])


async def test_an_acknowledged_acceptance_outlives_the_process(url: str) -> None:
    store = await open_store(url)
    await store.accept(acceptance(), [binding()])
    await store.close()
    again = await open_store(url)
    assert (await accepted(again)).bindings == {(ORDERS, KEY): [binding()]}
    await again.close()


async def test_the_last_binding_ends_an_acceptance_without_a_match(store: Store) -> None:
    other = drift("02").key
    await store.accept(acceptance(), [binding(), binding(key=other)])
    over: dict[str, Any] = {"ended_at": minute(1), "why": "the difference changed"}
    await settle(store, bindings=[replace(binding(), **over)])
    assert [one.ended_at for one in await store.acceptances()] == [None]
    await settle(store, bindings=[replace(binding(key=other), **over)])
    (one,) = await store.acceptances(ended=True)
    assert (one.ended_by, one.why) == ("parity", "the difference changed")
    assert (await store.uses())["A1"].now == 0


async def test_one_with_a_match_outlives_what_it_is_bound_to(store: Store) -> None:
    await store.accept(acceptance(match=Match(section=("config",))), [binding()])
    await settle(store, bindings=[replace(binding(), ended_at=minute(1), why="gone")])
    found = await accepted(store, 2)
    assert (list(found.acceptances), found.bindings[ORDERS, KEY][0].why) == (["A1"], "gone")


async def test_what_was_accepted_at_a_time_is_known_later(store: Store) -> None:
    await store.accept(acceptance(created_at=minute(5)), [binding(bound_at=minute(5))])
    await store.end_acceptance("A1", by="bob", why="bob took it back", now=minute(9))
    assert [bool(await accepted(store, at)) for at in (4, 6, 10)] == [False, True, False]
    assert not await store.end_acceptance("A1", by="bob", why="again", now=minute(10))


async def test_files_are_noted_once_moved_and_ended_when_they_are_gone(store: Store) -> None:
    first = acceptance("file-1", place="a.yml:2", created_at=None, match=Match(item=("x",)))
    await store.note_files([first], minute(1))
    await store.note_files([replace(first, place="a.yml:9")], minute(2))
    (kept,) = await store.acceptances()
    assert (kept.place, kept.created_at) == ("a.yml:9", minute(1))
    await store.note_files([], minute(3))
    (gone,) = await store.acceptances(ended=True)
    assert gone.why == "it is no longer in a.yml"
    await store.note_files([first], minute(4))
    assert [one.ended_at for one in await store.acceptances()] == [None]


async def test_a_reminder_is_owed_with_the_note_that_it_was(store: Store) -> None:
    await store.accept(acceptance(), [binding()])
    late = minute(0) + timedelta(days=25)
    (found,) = await store.to_remind(now=late, before=late + timedelta(days=7))
    assert found == (acceptance(), None)
    owed = Owed(id="01", comparison=ORDERS, owner="team-a", created_at=late, event="reminder")
    await store.remind({"A1": 7}, [owed])
    assert await store.to_remind(now=late, before=late + timedelta(days=7)) == [(acceptance(), 7)]
    assert await store.outbox_size() == 1


async def test_what_ran_out_and_holds_for_nothing_is_closed(store: Store) -> None:
    await store.accept(acceptance(expires_at=minute(5), match=Match(item=("x",))))
    assert await store.close_expired(minute(4)) == 0
    assert await store.close_expired(minute(6)) == 1
    assert [one.why for one in await store.acceptances(ended=True)] == ["its time is up"]


async def test_a_remembered_answer_is_one_commit_with_what_it_says_and_lasts_a_day(store: Store) -> None:
    answer = Remembered(who="t", key="k", digest=b"d", status=200, body=b"{}", at=minute(0))
    await store.accept(acceptance(), remembered=answer)
    assert await store.remembered("t", "k", now=minute(1)) == answer
    assert await store.remembered("u", "k", now=minute(1)) is None
    assert await store.remembered("t", "k", now=minute(0) + timedelta(hours=25)) is None
    # The same request at the same time: nothing of the second one stays.
    with pytest.raises(StoreBusyError):
        await store.accept(acceptance("A2"), remembered=answer)
    assert [one.id for one in await store.acceptances()] == ["A1"]


async def test_what_is_accepted_of_a_service_follows_its_new_name(store: Store) -> None:
    await settle(store, drift("01"))
    await store.accept(acceptance(match=Match(service=("checkout",))), [binding()])
    await store.rename({"checkout": "shop"})
    found = await accepted(store)
    assert list(found.bindings) == [(ORDERS, KEY._replace(service="shop"))]
    assert found.acceptances["A1"].match == Match(service=("shop",))
