"""The crash walk: a cycle for each point at which it is killed, over one database that outlives them all."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.shop import Shop
from tests.faults.strace import TO_OTHERS, TO_THE_DISK, Call, Point, calls_of, killed_at, recorded

SEED: Final = 2026


def rehearse(shop: Shop, folder: Path) -> list[Call]:
    """Return every call of a cycle that is seen from outside: each write, each sync, each send."""
    assert shop.service is not None
    trace = folder / "trace"
    with recorded(shop.service.pid, (*TO_THE_DISK, *TO_OTHERS), trace):
        shop.cycle(0)
    return calls_of(trace)


def sample(points: Sequence[Point], most: int) -> list[Point]:
    """Return so many points, as many of each call, the same ones each time.

    None of the last third: a cycle that is not recorded is faster, and asks less often.
    """
    seeded = Random(SEED)
    calls = sorted({point.call for point in points})
    chosen = []
    for call in calls:
        early = [point for point in points if point.call == call]
        early = early[: -(-len(early) * 2 // 3)]
        chosen += sorted(seeded.sample(early, min(-(-most // len(calls)), len(early))))
    return chosen


def every(points: Sequence[Point], shop: Shop) -> Iterator[Point]:
    """Give every point of each call, until three cycles in turn ended before they came to theirs."""
    for call in sorted({point.call for point in points}):
        missed = 0
        for number in count(1):
            before = shop.counts.kills
            yield Point(call, number)
            missed = 0 if shop.counts.kills > before else missed + 1
            if missed == 3:
                break


def walk(shop: Shop, points: Iterable[Point], *, until_wrong: bool = False) -> None:
    """Kill one cycle at each point."""
    for number, point in enumerate(points, start=1):
        assert shop.service is not None
        before = shop.counts.kills
        with killed_at(shop.service.pid, point):
            shop.cycle(number)
        shop.counts.points += shop.counts.kills > before
        if until_wrong and not shop.counts.sound:
            return
