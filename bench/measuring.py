"""Measures a piece of work against its rivals: all in one run, round by round, by the same two clocks."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter
from typing import Any, Final

#: One sample lasts at least so long: below it the clocks and the collector of garbage weigh too much.
SHORTEST_SAMPLE: Final = 0.02


class WrongResultError(Exception):
    """A rival and ours do not say the same: whatever was measured, it was not the same work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to do the work. ``answer`` makes what it says comparable, off the clock; a floor has none."""

    name: str
    run: Callable[[], Any]
    answer: Callable[[Any], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio to reach against the fastest of the rivals whose name starts with ``against``."""

    ratio: float
    against: str
    #: What the design asks for in the end, where this is a step to it.
    design: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done, by us and by others."""

    number: str
    title: str
    ours: Contender
    rivals: tuple[Contender, ...]
    goal: Goal | None = None
    #: A goal in seconds that is only reported: absolute times belong to one machine.
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds that one turn took; ``cpu`` is that of this process and of all its children that ended."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Ours beside one rival: samples of the same round stand at the same place."""

    rival: str
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]

    @property
    def ratios(self) -> list[float]:
        """How many times our CPU time the rival took, in each round."""
        return [theirs.cpu / ours.cpu for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return median(self.ratios)

    @property
    def wall_ratio(self) -> float:
        """The same by the clock on the wall, which other processes disturb."""
        return median(theirs.wall / ours.wall for ours, theirs in zip(self.ours, self.theirs, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a work gave."""

    work: Work
    rows: tuple[Row, ...]

    @property
    def decisive(self) -> Row | None:
        """The row of the fastest rival that the goal speaks of."""
        goal = self.work.goal
        rows = [row for row in self.rows if goal is not None and row.rival.startswith(goal.against)]
        return min(rows, key=lambda row: row.ratio, default=None)


def measure(work: Work, *, rounds: int) -> Result:
    """Return the samples of all rounds. Raises WrongResultError where a rival says something else than ours.

    Each round gives every contender one turn, and begins with another one: none always runs with caches
    that the same neighbour left.
    """
    contenders = (work.ours, *work.rivals)
    check(work)
    gc.collect()
    gc.freeze()  # what was set up is nobody's work: the collector shall not walk it during a turn
    try:
        turns = [_turns(contender) for contender in contenders]
        samples: list[list[Sample]] = [[] for _ in contenders]
        for number in range(rounds):
            for step in range(len(contenders)):
                who = (number + step) % len(contenders)
                samples[who].append(_sample(contenders[who], turns[who]))
    finally:
        gc.unfreeze()
    check(work)
    ours, *theirs = map(tuple, samples)
    rows = [
        Row(rival=rival.name, ours=ours, theirs=taken)
        for rival, taken in zip(work.rivals, theirs, strict=True)
    ]
    return Result(work=work, rows=tuple(rows))


def check(work: Work) -> None:
    """Run every contender once, and compare what they say with what ours says."""
    said = _said(work.ours)
    for rival in work.rivals:
        if rival.answer is not None and (other := _said(rival)) != said:
            raise WrongResultError(f"{work.number}: {rival.name} and ours differ: {_where(said, other)}")


def _said(contender: Contender) -> object:
    result = contender.run()
    return contender.answer(result) if contender.answer is not None else None


def _where(ours: object, theirs: object) -> str:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return f"{ours!r:.200} against {theirs!r:.200}"
    places = sorted(place for place in {*ours, *theirs} if ours.get(place) != theirs.get(place))
    first = places[0]
    return f"{len(places)} places, first {first}: {ours.get(first)} against {theirs.get(first)}"


def _turns(contender: Contender) -> int:
    """Return how often the work is repeated within one sample: by the shorter of two turns.

    The first one may do what no other does again, and is many times as long then.
    """
    lengths = []
    for _ in range(2):
        began = perf_counter()
        contender.run()
        lengths.append(perf_counter() - began)
    return max(1, round(SHORTEST_SAMPLE / max(min(lengths), 1e-9)))


def _sample(contender: Contender, turns: int) -> Sample:
    run: Callable[[], Any] = contender.run
    gc.collect()
    cpu, wall = cpu_of_tree(), perf_counter()
    for _ in range(turns):
        run()
    return Sample((cpu_of_tree() - cpu) / turns, (perf_counter() - wall) / turns)


def cpu_of_tree() -> float:
    """Return the CPU seconds of this process and of its children that were waited for."""
    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest."""
    return min(values), max(values)
