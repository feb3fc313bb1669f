"""B9, its third question: which services run a package below a version, over a whole fleet."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
from packaging.version import Version

from bench.designs import BlobPerPoll, RowPerFact
from bench.fleet import ENVIRONMENTS, EVERY, Targets, address, seen
from bench.made_up import NOW
from bench.measuring import Contender, Limit, Work
from bench.sizes import Fleet
from detector.config.policy import Policy
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Service
from detector.queries.searching import Search
from detector.queries.views import Views
from detector.store.store import open_store

_ITEM: Final = "pkg:pypi/asked-for"
_BELOW: Final = "1.50"
_POLICY: Final = Policy(
    environments={name: Environment(name=name) for name in ENVIRONMENTS}, pairs=(), services={}, rules=PACK
)
Running = list[tuple[str, str]]


def who_runs(fleet: Fleet) -> Iterator[Work]:
    """Yield B9: the package of which half the fleet has an older version, now and at the first poll."""
    with TemporaryDirectory(prefix="parity-bench-") as folder, closing(asyncio.new_event_loop()) as loop:
        asked = _Asked(Path(folder), fleet, loop)
        rows = Contender(name="a row per fact", run=asked.rows, answer=sorted)
        blobs = Contender(name="a zstd blob per poll", run=asked.blobs, answer=sorted)
        title = (
            f"services that run a package below {_BELOW}, of {fleet.targets} targets × {fleet.facts} facts"
        )
        try:
            yield Work(
                number="B9",
                title=title,
                ours=Contender(name="parity", run=asked.ours, answer=_running),
                rivals=(rows, blobs),
                goals=(Limit(figure="cpu", most=0.003),),
            )
            yield Work(
                number="B9",
                title="the same, as it was at the first poll",
                ours=Contender(name="parity", run=partial(asked.ours, at=0), answer=_running),
                rivals=(
                    Contender(name=rows.name, run=partial(asked.rows, at=0), answer=sorted),
                    Contender(name=blobs.name, run=partial(asked.blobs, at=0), answer=sorted),
                ),
            )
        finally:
            asked.close()


class _Asked:
    """The same two polls of a fleet in three designs."""

    def __init__(self, folder: Path, fleet: Fleet, loop: asyncio.AbstractEventLoop) -> None:
        self._run = loop.run_until_complete
        self._count = fleet.targets
        self._rows = RowPerFact(folder / "rows.db")
        self._blobs = BlobPerPoll(folder / "blobs.db")
        self._store = self._run(open_store(f"sqlite:///{folder / 'ours.db'}"))
        services = {address(target)[1] for target in range(fleet.targets)}
        policy = Policy(
            environments=_POLICY.environments,
            pairs=(),
            services={name: Service(name=name) for name in services},
            rules=PACK,
        )
        self._search = Search(
            store=self._store, views=Views(self._store, lambda: policy), policy=lambda: policy
        )
        targets = Targets(fleet.targets, fleet.facts)
        for at in range(2):
            for target, facts in enumerate(targets.states):
                facts["dependencies"][_ITEM] = f"1.{(target * 7 + at * 31) % 100}"
                self._rows.record(target, at, facts)
                self._blobs.record(target, at, facts)
                when = NOW + at * EVERY
                self._run(self._store.record(seen(target, facts, when), received_at=when, scheduled=True))
        # Indexed by what is asked for, as anyone would after the first slow answer.
        path = folder / "rows.db"
        self._rows.close()
        self._by_item = sqlite3.connect(path)
        self._by_item.execute("CREATE INDEX who_runs ON fact (section, item, at)")
        self._rows = RowPerFact(path)

    def ours(self, *, at: int = 1) -> dict[str, Any]:
        """Ask Parity."""
        as_of = None if at else NOW + EVERY / 2
        found: dict[str, Any] = self._run(
            self._search.search(_ITEM, f"<{_BELOW}", now=NOW + EVERY, as_of=as_of)
        )
        return found

    def rows(self, *, at: int = 1) -> Running:
        """Ask the index for the versions, and compare them."""
        query = "SELECT target, value FROM fact WHERE section = ? AND item = ? AND at = ?"
        found = self._by_item.execute(query, ("dependencies", _ITEM, at))
        return [address(target) for target, value in found if _is_below(orjson.loads(value))]

    def blobs(self, *, at: int = 1) -> Running:
        """Open the document of every target."""
        states = ((target, self._blobs.state(target, at)) for target in range(self._count))
        return [address(target) for target, facts in states if _is_below(facts["dependencies"][_ITEM])]

    def close(self) -> None:
        """Close all three."""
        self._run(self._store.close())
        self._by_item.close()
        self._rows.close()
        self._blobs.close()


def _is_below(version: Any) -> bool:
    return Version(version) < Version(_BELOW)


def _running(document: dict[str, Any]) -> Running:
    return sorted((row["environment"], row["service"]) for row in document["items"])
