"""A service that is killed at every write, sync and send of a cycle loses nothing and tells nobody twice."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import ShopOf
from tests.faults.shop import BASE
from tests.faults.strace import Call, Point, points_of, recorded, sends_of, steps_of
from tests.faults.walk import every, rehearse, sample, walk

Record = Callable[[str, object], None]
#: Kills in the suite; the proof tries them all.
FEW = 10


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(False, id="few"),
        pytest.param(True, id="all", marks=[pytest.mark.proof, pytest.mark.timeout(3600)]),
    ],
)
def test_no_kill_at_any_point_of_a_cycle_loses_or_doubles_anything(
    tmp_path: Path, shop_of: ShopOf, url: str, *, whole: bool, record_property: Record
) -> None:
    with shop_of(url) as shop:
        assert shop.service is not None
        points = points_of(rehearse(shop, tmp_path), shop.service.pid)
        walk(shop, every(points, shop) if whole else sample(points, FEW))
        counts = shop.close_the_books()
    counts.record(record_property)
    assert counts.wrong == []
    assert (counts.lost, counts.lost_alerts) == (0, 0)
    assert counts.most_duplicates <= 1
    assert counts.points >= FEW / 2, "a walk that kills nothing proves nothing"


# --- the harness finds what is broken on purpose -----------------------------------------------------------


def inside_commits(calls: Sequence[Call], pid: int) -> list[Point]:
    return [point for point in points_of(calls, pid) if point.call == "pwrite64"][::8]


def after_commits(calls: Sequence[Call], pid: int) -> list[Point]:
    """What is written and not yet synced outlives a kill."""
    return [point for point in points_of(calls, pid) if point.call == "fdatasync"]


def calls_of_slack(calls: Sequence[Call], pid: int) -> list[Point]:
    return sends_of(calls, pid, "POST /api/chat.")


def nowhere(_calls: Sequence[Call], _pid: int) -> list[Point]:
    """It is found without a kill."""
    return []


@pytest.mark.parametrize(
    ("mutation", "where", "finding"),
    [
        ("ack before commit", inside_commits, "lost"),
        ("send before commit", inside_commits, "told of part-"),
        ("mark before send", calls_of_slack, "lost_alerts"),
        ("drift and alert in two transactions", after_commits, "lost_alerts"),
        ("flush without writing", nowhere, "that staging was seen again is forgotten"),
    ],
)
def test_the_walk_finds_what_is_broken_on_purpose(  # noqa: PLR0917
    tmp_path: Path,
    shop_of: ShopOf,
    sqlite_url: str,
    mutation: str,
    where: Callable[[Sequence[Call], int], list[Point]],
    finding: str,
) -> None:
    # What is found by its absence is waited for; nothing else may be missing before.
    patience = 3 if finding == "lost_alerts" else 10
    with shop_of(sqlite_url, mutation=mutation, patience=patience) as shop:
        assert shop.service is not None
        calls = rehearse(shop, tmp_path)
        assert shop.counts.sound, "nothing is found without looking for it"
        walk(shop, where(calls, shop.service.pid), until_wrong=True)
        counts = shop.close_the_books()
    found = [*counts.wrong, *(name for name in ("lost", "lost_alerts") if getattr(counts, name))]
    assert any(one.startswith(finding) for one in found), found


# --- no true loss of power can be had here: what stands for it is the order of the syncs -------------------


@pytest.mark.parametrize("mutation", [None, "synchronous off"])
def test_an_acknowledgement_leaves_after_the_log_is_synced(
    tmp_path: Path, shop_of: ShopOf, sqlite_url: str, mutation: str | None
) -> None:
    trace = tmp_path / "trace"
    with shop_of(sqlite_url, mutation=mutation) as shop:
        assert shop.service is not None
        with recorded(shop.service.pid, ("recvfrom", "sendto", "pwrite64", "fdatasync"), trace):
            for number in range(5):
                shop.push("prod", BASE | {"pkg:npm/other": f"{number}.0.0"})
    # ? asked, w written, s synced, ! answered; judging, telling and flushing write and sync as well.
    steps = steps_of(trace, {'"PUT /': "?", '"HTTP/1.1 200': "!"}, {"pwrite64": "w", "fdatasync": "s"})
    answered = re.findall(r"\?([ws]*)!", steps)
    assert len(answered) == 5
    unsynced = [before for before in answered if "ws" not in before]
    assert bool(unsynced) == (mutation is not None), steps
