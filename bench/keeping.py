"""B6 and B7: what history costs on the disk, and what it costs in three other designs."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from bench.designs import DESIGNS, Design, Facts
from bench.fleet import Targets, address, moments, seen
from bench.measuring import Contender, Goal, Limit, Work, WrongResultError
from bench.sizes import Fleet
from detector.model.facts import Value
from detector.model.words import SectionName
from detector.store.store import Store, open_store

#: The size of job that the goal of B7 speaks of.
_JOB: Final = Fleet(targets=200, facts=1_000, polls=100)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a job: the bytes of its file, and what can be read back of it."""

    disk: int
    said: Mapping[str, str]


class Intervals:
    """Parity's own store, told and asked as the other designs are."""

    def __init__(self, path: Path, moments: Mapping[int, datetime]) -> None:
        self._loop = asyncio.new_event_loop()
        self._moments = moments
        self._numbers = {at: number for number, at in moments.items()}
        self._store: Store = self._loop.run_until_complete(open_store(f"sqlite:///{path}"))

    def record(self, target: int, at: int, facts: Facts) -> None:
        moment = self._moments[at]
        work = self._store.record(seen(target, facts, moment), received_at=moment, scheduled=True)
        self._loop.run_until_complete(work)

    def state(self, target: int, at: int) -> Facts:
        environment, service = address(target)
        asked = self._store.streams(environments=[environment], services=[service], as_of=self._moments[at])
        [stream] = self._loop.run_until_complete(asked)
        return {name: dict(section.facts) for name, section in stream.sections.items()}

    def history(self, target: int, section: SectionName, item: str) -> Iterable[tuple[int, Value]]:
        environment, service = address(target)
        asked = self._store.history(
            service=service, item=item, environment=environment, section=section, limit=len(self._moments)
        )
        for *_, interval in reversed(self._loop.run_until_complete(asked)):
            yield self._numbers[interval.opened], interval.value

    def close(self) -> None:
        self._loop.run_until_complete(self._store.close())
        self._loop.close()


def environment(fleet: Fleet) -> Iterator[Work]:
    """Yield B6, for targets on one base image and for targets that share no name of an item."""
    yield Work(
        number="B6",
        title=f"disk of {fleet} without comparison",
        ours=Contender(
            name="parity", run=partial(_by_steps, fleet, own_names=False), figures=lambda figures: figures
        ),
        goals=(
            Limit(figure="bytes_first", most=40, about="first load, per fact"),
            Limit(figure="bytes_unchanged", most=64, about="all unchanged polls, per target"),
            Limit(figure="bytes_change", most=128, about="one changed fact, each"),
        ),
        figure="disk",
        rounds=1,
    )
    yield Work(
        number="B6",
        title="the same where no two targets share the name of an item",
        ours=Contender(
            name="parity", run=partial(_by_steps, fleet, own_names=True), figures=lambda figures: figures
        ),
        goals=(
            Limit(figure="bytes_unchanged", most=64, about="all unchanged polls, per target"),
            Limit(figure="bytes_change", most=128, about="one changed fact, each"),
        ),
        figure="disk",
        rounds=1,
    )


def job(fleet: Fleet) -> Iterator[Work]:
    """Yield B7: one fact of every target changes at every poll."""
    times = dict(moments(fleet.polls))
    # The goal speaks of one size, and what all targets share weighs more in a smaller one.
    limits = (Limit(figure="disk", most=11e6),) if fleet == _JOB else ()
    ratios = (("a row per fact", 190.0), ("a zstd blob per poll", 40.0))
    yield Work(
        number="B7",
        title=f"disk of {fleet}, one fact changed at each",
        ours=_contender("intervals", partial(Intervals, moments=times), fleet),
        rivals=tuple(_contender(name, design, fleet) for name, design in DESIGNS.items()),
        goals=(*limits, *(Goal(against=name, ratio=ratio, figure="disk") for name, ratio in ratios)),
        figure="disk",
        rounds=1,
    )


def _contender(name: str, design: Callable[[Path], Design], fleet: Fleet) -> Contender:
    return Contender(
        name=name,
        run=partial(_played, design, fleet),
        answer=lambda kept: kept.said,
        figures=lambda kept: {"disk": kept.disk},
    )


def _played(design: Callable[[Path], Design], fleet: Fleet) -> Kept:
    with TemporaryDirectory(prefix="parity-bench-") as folder:
        path = Path(folder, "bench.db")
        keeper = design(path)
        targets = Targets(fleet.targets, fleet.facts)
        changed: dict[int, tuple[SectionName, str]] = {}
        for at in range(fleet.polls):
            for target, facts in enumerate(targets.states):
                if at:
                    changed[target] = targets.change(target)
                keeper.record(target, at, facts)
        keeper.close()
        disk = path.stat().st_size
        keeper = design(path)
        said = _read_back(keeper, fleet, changed)
        keeper.close()
        return Kept(disk, said)


def _read_back(
    keeper: Design, fleet: Fleet, changed: Mapping[int, tuple[SectionName, str]]
) -> dict[str, str]:
    """Return digests of some states and of the histories of items that changed."""
    some = sorted({0, fleet.targets // 2, fleet.targets - 1})
    said = {}
    for target in some:
        for at in sorted({0, 1, fleet.polls // 2, fleet.polls - 1}):
            said[f"target {target} at poll {at}"] = _digest(keeper.state(target, at))
        section, item = changed[target]
        course = groupby(keeper.history(target, section, item), key=itemgetter(1))
        said[f"history of {item} in target {target}"] = _digest([next(one) for _, one in course])
    return said


def _digest(document: object) -> str:
    return sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _by_steps(fleet: Fleet, *, own_names: bool) -> dict[str, float]:
    """Return what a first load, unchanged polls and changes add to the file, each for one of its pieces."""
    with TemporaryDirectory(prefix="parity-bench-") as folder:
        path = Path(folder, "bench.db")
        targets = Targets(fleet.targets, fleet.facts, own_names=own_names)
        times = dict(moments(2 * fleet.polls + 1))
        empty = _grown(path, times)
        first = _grown(path, times, targets, polls=range(1))
        unchanged = _grown(path, times, targets, polls=range(1, fleet.polls + 1))
        disk = _grown(path, times, targets, polls=range(fleet.polls + 1, 2 * fleet.polls + 1), changing=True)
        with _Opened(path, times) as keeper:
            for target, facts in enumerate(targets.states):
                if keeper.state(target, 2 * fleet.polls) != facts:
                    raise WrongResultError(f"B6: target {target} was not read back as it was recorded")
        return {
            "disk": disk,
            "bytes_first": (first - empty) / fleet.targets / fleet.facts,
            "bytes_unchanged": (unchanged - first) / fleet.targets,
            "bytes_change": (disk - unchanged) / fleet.targets / fleet.polls,
        }


class _Opened:
    def __init__(self, path: Path, times: Mapping[int, datetime]) -> None:
        self._keeper = Intervals(path, times)

    def __enter__(self) -> Intervals:
        return self._keeper

    def __exit__(self, *_: object) -> None:
        self._keeper.close()


def _grown(
    path: Path,
    times: Mapping[int, datetime],
    targets: Targets | None = None,
    *,
    polls: Iterable[int] = (),
    changing: bool = False,
) -> int:
    """Record some polls and return the bytes of the file after it was closed."""
    with _Opened(path, times) as keeper:
        for at in polls:
            for target, facts in enumerate(targets.states if targets else ()):
                if changing and targets:
                    targets.change(target)
                keeper.record(target, at, facts)
    return path.stat().st_size
