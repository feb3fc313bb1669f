"""Whatever a collector does, it is at most one unseen source, and nothing is lost or invented by it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from detector.collector import Collected, Context
from detector.errors import PluginError, StoreBusyError, UnseenError
from detector.jobs.collect import Collect
from detector.jobs.look import Host, Look
from detector.store.store import Store
from tests.jobs.sources import Scripted, answering, hang, raising, seen, source

DJANGO = {"pkg:pypi/django": "5.2.8"}


async def sides(store: Store) -> dict[str, dict[str, tuple[str, dict[str, object]]]]:
    return {
        stream.component: {
            name: (section.status, dict(section.facts)) for name, section in stream.sections.items()
        }
        for stream in await store.streams()
    }


async def test_what_is_seen_is_recorded(store: Store, a_host: Host, scripted: type[Scripted]) -> None:
    scripted.answer = answering(seen(DJANGO))
    ran = await Collect(store, a_host).run(source())
    assert ran.result is None
    assert [(service, recorded.changed) for service, recorded in ran.observed] == [("checkout", True)]
    assert await sides(store) == {"main": {"dependencies": ("complete", DJANGO)}}


async def test_the_second_look_at_the_same_changes_nothing(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO))
    collect = Collect(store, a_host)
    await collect.run(source())
    ran = await collect.run(source())
    assert [recorded.changed for _, recorded in ran.observed] == [False]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnseenError("denied", "rds:DescribeDBInstances"), "denied"),
        (PluginError("pip install 'parity-detector[aws]'"), "unsupported"),
        (ValueError("postgresql://u:CANARY@db/x"), "crashed"),
        (RecursionError(), "crashed"),
        (OSError(28, "CANARY"), "crashed"),
        (KeyError("CANARY"), "crashed"),
        # What a collector's own time-outs raise is a time-out, whoever set it.
        (TimeoutError(), "timeout"),
    ],
)
async def test_an_error_is_one_unseen_source_in_our_own_words(  # noqa: PLR0917
    store: Store,
    a_host: Host,
    scripted: type[Scripted],
    error: Exception,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripted.answer = raising(error)
    ran = await Collect(store, a_host).run(source())
    assert ran.result == reason
    assert "CANARY" not in ran.detail + capsys.readouterr().out + repr(await store.sources())
    (stream,) = await store.streams()
    assert {name: section.status for name, section in stream.sections.items()} == {
        "dependencies": "failed",
        "config": "failed",
    }


async def test_an_answer_that_is_none_is_one_unseen_source(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    async def nonsense(_context: Context) -> Any:
        return {"password": "CANARY"}

    scripted.answer = nonsense
    ran = await Collect(store, a_host).run(source())
    assert ran.result == "crashed"
    assert "CANARY" not in ran.detail


async def test_a_collector_that_hangs_ends_at_its_deadline(a_host: Host, scripted: type[Scripted]) -> None:
    scripted.answer = hang
    why = (await Look(a_host).look(source(timeout=0.05))).why
    assert why is not None
    assert why.reason == "timeout"


async def test_a_warning_is_logged_when_it_begins_and_not_at_every_run(
    a_host: Host, scripted: type[Scripted]
) -> None:
    look = Look(a_host)

    async def logged(*warnings: str) -> list[str]:
        async def answer(_context: Context) -> Collected:
            return Collected(seen=(seen(DJANGO),), warnings=warnings)

        scripted.answer = answer
        with capture_logs() as lines:
            await look.look(source())
        return [line["warning"] for line in lines if line["event"] == "collector warns"]

    assert await logged("a", "b") == ["a", "b"]
    assert await logged("a", "b") == []
    assert await logged("b", "c") == ["c"]
    assert await logged() == []
    assert await logged("c") == ["c"]


async def test_waiting_for_others_does_not_use_up_a_source_s_own_time(
    a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO))
    await a_host.gate.acquire()
    await a_host.gate.acquire()
    look = asyncio.create_task(Look(a_host).look(source(timeout=0.05)))
    await asyncio.sleep(0.1)  # longer than its own time: it has not begun
    a_host.gate.release()
    assert (await look).why is None


async def test_a_failure_forgets_nothing_and_blinds_every_stream_of_the_source(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO), seen({"pkg:deb/debian/envoy": "1.31"}, component="proxy"))
    collect = Collect(store, a_host)
    await collect.run(source())
    scripted.answer = raising(UnseenError("unreachable", "nobody answers"))
    await collect.run(source())
    assert await sides(store) == {
        "main": {"dependencies": ("failed", DJANGO)},
        "proxy": {"dependencies": ("failed", {"pkg:deb/debian/envoy": "1.31"})},
    }


async def test_a_component_that_a_whole_look_lacks_is_gone(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO), seen({"pkg:deb/debian/envoy": "1.31"}, component="proxy"))
    await Collect(store, a_host).run(source())
    scripted.answer = answering(seen(DJANGO))
    # Also for a process that was started in between, and remembers nothing.
    await Collect(store, a_host).run(source())
    assert (await sides(store))["proxy"] == {"dependencies": ("complete", {})}


async def test_the_run_of_a_discovery_is_of_no_service(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    scripted.answer = answering(seen(DJANGO, service="checkout"))
    await Collect(store, a_host).run(source(service=None))
    (row,) = await store.sources()
    assert (row.service, row.last_result) == (None, "ok")


async def test_what_is_idle_stands_beside_what_takes_traffic_while_it_is_there(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    collect = Collect(store, a_host)
    green = replace(seen({"pkg:pypi/django": "6.0"}), traffic="idle")
    for found in ([seen(DJANGO)], [green, seen(DJANGO)], [seen(DJANGO), green], [seen(DJANGO)]):
        scripted.answer = answering(*found)
        await collect.run(source())
        there = {one.traffic: dict(one.sections["dependencies"].facts) for one in await store.streams()}
        assert there.pop("live") == DJANGO
        assert there.get("idle", {}) == ({"pkg:pypi/django": "6.0"} if green in found else {})


async def test_what_a_store_did_not_take_is_gone_at_the_next_look(
    store: Store, a_host: Host, scripted: type[Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> Any:
        raise StoreBusyError("no space left")

    collect = Collect(store, a_host)
    scripted.answer = answering(seen(DJANGO), seen({"pkg:deb/debian/envoy": "1.31"}, component="proxy"))
    await collect.run(source())
    scripted.answer = answering(seen(DJANGO))
    with monkeypatch.context() as patch:
        patch.setattr(store, "record", full)
        with pytest.raises(StoreBusyError):
            await collect.run(source())
    await collect.run(source())
    assert (await sides(store))["proxy"] == {"dependencies": ("complete", {})}


async def test_what_was_never_seen_leaves_no_mark_once_a_look_succeeds(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    collect = Collect(store, a_host)
    scripted.answer = raising(UnseenError("unreachable", "not up yet"))
    await collect.run(source())
    scripted.answer = answering(seen(DJANGO))
    await collect.run(source())
    assert await sides(store) == {"main": {"dependencies": ("complete", DJANGO)}}


async def test_a_look_that_was_not_whole_proves_nothing_gone(
    store: Store, a_host: Host, scripted: type[Scripted]
) -> None:
    main, proxy = seen(DJANGO), seen({"pkg:deb/debian/envoy": "1.31"}, component="proxy")
    collect = Collect(store, a_host)
    scripted.answer = answering(main, proxy)
    await collect.run(source())
    scripted.answer = answering(main, complete=False)
    for _ in range(2):  # the second time it must still be known what is missing
        await collect.run(source())
        assert await sides(store) == {
            "main": {"dependencies": ("complete", DJANGO)},
            "proxy": {"dependencies": ("failed", {"pkg:deb/debian/envoy": "1.31"})},
        }
    scripted.answer = answering(main)
    await collect.run(source())
    assert (await sides(store))["proxy"] == {"dependencies": ("complete", {})}
