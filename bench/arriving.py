"""B11: observations that arrive steadily, of many targets and of few."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.fleet import EVERY, Targets, address, seen
from bench.made_up import NOW
from bench.measuring import Contender, Goal, Work, WrongResultError
from bench.sizes import Arrivals
from detector.store.store import Store, open_store


def steadily(size: Arrivals) -> Iterator[Work]:
    """Yield B11. The rival is the same program with fewer targets."""
    with TemporaryDirectory(prefix="parity-bench-") as name, closing(asyncio.new_event_loop()) as loop:
        run = loop.run_until_complete
        many, few = (_Arriving(Path(name, f"{count}.db"), count, size) for count in (size.many, size.few))
        try:
            run(many.fill())
            run(few.fill())
            yield Work(
                number="B11",
                title=f"observation of {size.facts:,} facts, one in a hundred changed, {size.many:,} targets",
                ours=Contender(name="parity", run=lambda: run(many.turn()), pieces=size.at_once),
                rivals=(
                    Contender(
                        name=f"parity, {size.few} targets",
                        run=lambda: run(few.turn()),
                        pieces=size.at_once,
                    ),
                ),
                goals=(Goal(against="parity, ", ratio=0.6),),
            )
            for arriving in (many, few):
                run(arriving.check())
        finally:
            run(many.close())
            run(few.close())


class _Arriving:
    """A store, and targets that are observed in turn."""

    def __init__(self, path: Path, targets: int, size: Arrivals) -> None:
        self._path = path
        self._size = size
        self._targets = Targets(targets, size.facts)
        self._seen = count()
        self._now = NOW
        self._store: Store

    async def fill(self) -> None:
        """Record every target once."""
        self._store = await open_store(f"sqlite:///{self._path}")
        for target, facts in enumerate(self._targets.states):
            await self._store.record(seen(target, facts, self._now), received_at=self._now, scheduled=True)

    async def turn(self) -> None:
        """Record some targets, each later than the last time, and flush as the service does."""
        for _ in range(self._size.at_once):
            number = next(self._seen)
            target = number % len(self._targets.states)
            if number % 100 == 0:
                self._targets.change(target)
            self._now += EVERY
            observed = seen(target, self._targets.states[target], self._now)
            await self._store.record(observed, received_at=self._now, scheduled=True)
        await self._store.flush()

    async def check(self) -> None:
        """Raise WrongResultError where a target is not as it was last seen."""
        for target, facts in enumerate(self._targets.states[:20]):
            environment, service = address(target)
            [stream] = await self._store.streams(environments=[environment], services=[service])
            if {name: dict(section.facts) for name, section in stream.sections.items()} != facts:
                raise WrongResultError(f"B11: target {target} was not read back as it was recorded")

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()
