"""B10: the matrix of a fleet: first asked for, asked again, and after one target changed."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from structlog.testing import capture_logs

from bench.fleet import ENVIRONMENTS, EVERY, Targets, seen
from bench.made_up import NOW
from bench.measuring import Contender, Limit, Work, WrongResultError
from bench.sizes import Fleet
from detector.config.policy import Policy
from detector.engine import memory, pairing
from detector.engine.pack import PACK
from detector.engine.pairing import Differences
from detector.engine.policy import Environment, Pair, Service
from detector.engine.view import Interner, View
from detector.model.words import Tier
from detector.queries.comparison import Comparisons
from detector.queries.overview import Overview
from detector.queries.views import Views
from detector.store.store import Store, open_store

Document = dict[str, Any]

#: The target that changes: it stands in the middle of two columns.
_CHANGED: Final = 1
_TIERS: Final[tuple[Tier, ...]] = ("development", "staging", "production")
_ALL: Final = tuple(
    Environment(name=name, tier=tier) for name, tier in zip(ENVIRONMENTS, _TIERS, strict=True)
)
_PAIRS: Final = tuple(Pair(left=left, right=right) for left, right in pairwise(_ALL))


def matrix(fleet: Fleet) -> Iterator[Work]:
    """Yield B10: warm and cold, and after a change."""
    with (
        TemporaryDirectory(prefix="parity-bench-") as folder,
        closing(asyncio.new_event_loop()) as loop,
        capture_logs(),
    ):
        run = loop.run_until_complete
        asked = _Asked(Path(folder, "bench.db"), fleet)
        run(asked.fill())
        services = fleet.targets // len(ENVIRONMENTS)
        title = f"matrix of {services} services × {len(ENVIRONMENTS)} environments × {fleet.facts} facts"
        cold = Contender(name="parity, from nothing", run=lambda: run(asked.from_nothing()), answer=_rows)
        try:
            yield Work(
                number="B10",
                title=f"{title}, warm",
                ours=Contender(name="parity", run=lambda: run(asked.again()), answer=_rows),
                rivals=(cold,),
                goals=(Limit(figure="cpu", most=0.002),),
                rounds=5,
            )
            yield Work(
                number="B10",
                title="the same, cold",
                ours=cold,
                goals=(Limit(figure="cpu", most=0.4),),
                rounds=5,
            )
            yield Work(
                number="B10",
                title="the same: one target is recorded with a change, and the matrix asked for",
                ours=Contender(
                    name="parity",
                    run=lambda: run(asked.after_a_change()),
                    figures=lambda document: run(asked.checked(document)),
                ),
                # A target stands in one column, or in the middle of two.
                goals=(Limit(figure="count_pairs", most=2, about="differences computed"),),
                rounds=5,
            )
        finally:
            run(asked.close())


class _Asked:
    """A store with a fleet in it, and what answers from it."""

    def __init__(self, path: Path, fleet: Fleet) -> None:
        self._path = path
        self._targets = Targets(fleet.targets, fleet.facts)
        self._now = NOW
        names = [f"service-{number}" for number in range(fleet.targets // len(ENVIRONMENTS))]
        self._policy = Policy(
            environments={one.name: one for one in _ALL},
            pairs=_PAIRS,
            services={name: Service(name=name) for name in names},
            rules=PACK,
        )
        self._store: Store
        self._overview: Overview
        self._computed = 0

    async def fill(self) -> None:
        """Record every target, each with a hundredth of its facts of its own."""
        self._store = await open_store(f"sqlite:///{self._path}")
        for target, facts in enumerate(self._targets.states):
            for _ in range(max(1, len(facts["dependencies"]) // 100)):
                self._targets.change(target)
            await self._store.record(seen(target, facts, self._now), received_at=self._now, scheduled=True)
        self._overview = _overview(self._store, self._policy)

    async def from_nothing(self) -> Document:
        """Answer as a process does that just started."""
        store = await open_store(f"sqlite:///{self._path}", read_only=True)
        try:
            document: Document = await _overview(store, self._policy).matrix(now=self._now)
            return document
        finally:
            await store.close()

    async def again(self) -> Document:
        """Answer what was answered before."""
        document: Document = await self._overview.matrix(now=self._now)
        return document

    async def after_a_change(self) -> Document:
        """Have one target change, and answer."""
        self._now += EVERY
        self._targets.change(_CHANGED)
        changed = seen(_CHANGED, self._targets.states[_CHANGED], self._now)
        with _counted() as computed:
            await self._store.record(changed, received_at=self._now, scheduled=True)
            document: Document = await self._overview.matrix(now=self._now)
        self._computed = len(computed)
        return document

    async def checked(self, document: Document) -> dict[str, float]:
        """Return how many differences the last answer cost. Raises WrongResultError where it is wrong."""
        if _rows(document) != _rows(await self.from_nothing()):
            raise WrongResultError("B10: after a change the matrix is another one than from nothing")
        return {"count_pairs": self._computed}

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()


def _overview(store: Store, policy: Policy) -> Overview:
    views = Views(store, lambda: policy)
    comparisons = Comparisons(store, views, lambda: policy)
    return Overview(store=store, views=views, comparisons=comparisons, policy=lambda: policy)


def _rows(document: Document) -> dict[str, Any]:
    return {row["service"]: row for row in document["rows"]}


@contextmanager
def _counted() -> Iterator[list[None]]:
    """Count how often two views are compared fact by fact."""
    computed: list[None] = []
    compare = pairing.differences

    def counting(left: View, right: View, interner: Interner) -> Differences:
        computed.append(None)
        return compare(left, right, interner)

    memory.differences = counting  # type: ignore[attr-defined]  # as it imported it
    try:
        yield computed
    finally:
        memory.differences = compare  # type: ignore[attr-defined]
