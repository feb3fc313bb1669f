"""Measures a piece of work against its rivals: all in one run, round by round, by the same clocks."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter
from typing import Any, Final

#: One sample lasts at least so long: below it the clocks and the collector of garbage weigh too much.
SHORTEST_SAMPLE: Final = 0.02


class WrongResultError(Exception):
    """A rival and ours do not say the same: whatever was measured, it was not the same work."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one turn took, in seconds; ``cpu`` is that of the processes which did the work.

    ``more`` are figures that the work itself measured, by name: bytes on the disk, lateness, memory.
    """

    cpu: float
    wall: float
    more: Mapping[str, float] = field(default_factory=dict)

    def of(self, figure: str) -> float:
        """Return one figure by its name; what the work itself measured counts more than the clocks."""
        return {"cpu": self.cpu, "wall": self.wall, **self.more}[figure]


def cpu_of_tree() -> float:
    """Return the CPU seconds of this process and of its children that were waited for."""
    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to do the work. ``answer`` makes what it says comparable, off the clock; a floor has none.

    ``figures`` reads from what it says what the clocks do not show. ``cpu`` is the clock of the processes
    that do the work, where these are others than this one.
    """

    name: str
    run: Callable[[], Any]
    answer: Callable[[Any], object] | None = None
    figures: Callable[[Any], Mapping[str, float]] | None = None
    cpu: Callable[[], float] = cpu_of_tree
    #: Pieces of work in one run: times are shown for each.
    pieces: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio to reach against the best of the rivals whose name starts with ``against``.

    The rival must take at least ``ratio`` times ours; or, where it does less than we do, ours at most
    ``most`` times the rival.
    """

    against: str
    ratio: float | None = None
    most: float | None = None
    figure: str = "cpu"
    #: What the design asks for in the end, where this is a step to it.
    design: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A figure of ours that is only reported beside its goal: absolute times belong to one machine."""

    figure: str
    most: float
    #: What the figure is, where its name does not say it.
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done, by us and by others."""

    number: str
    title: str
    ours: Contender
    rivals: tuple[Contender, ...] = ()
    goals: tuple[Goal | Limit, ...] = ()
    #: What the table compares.
    figure: str = "cpu"
    #: Of a long work each run is a sample and its own check, and more rounds than these add nothing.
    rounds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Ours beside one rival: samples of the same round stand at the same place."""

    rival: str
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]

    def ratios(self, figure: str = "cpu") -> list[float]:
        """How many times ours the rival took of something, in each round."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [theirs.of(figure) / ours.of(figure) for ours, theirs in pairs]

    def ratio(self, figure: str = "cpu") -> float:
        """The median of the rounds."""
        return median(self.ratios(figure))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a work gave."""

    work: Work
    ours: tuple[Sample, ...]
    rows: tuple[Row, ...] = ()

    def decisive(self, goal: Goal) -> Row:
        """The row of the best rival that a goal speaks of."""
        rows = [row for row in self.rows if row.rival.startswith(goal.against)]
        return min(rows, key=lambda row: row.ratio(goal.figure))


def measure(work: Work, *, rounds: int) -> Result:
    """Return the samples of all rounds. Raises WrongResultError where a rival says something else than ours.

    Each round gives every contender one turn, and begins with another one: none always runs with caches
    that the same neighbour left.
    """
    contenders = (work.ours, *work.rivals)
    long = work.rounds is not None
    if not long:
        check(work)
    gc.collect()
    gc.freeze()  # what was set up is nobody's work: the collector shall not walk it during a turn
    try:
        turns = [1 if long else _turns(contender) for contender in contenders]
        samples: list[list[Sample]] = [[] for _ in contenders]
        for number in range(min(rounds, work.rounds or rounds)):
            results: list[Any] = [None] * len(contenders)
            for step in range(len(contenders)):
                who = (number + step) % len(contenders)
                sample, results[who] = _sample(contenders[who], turns[who])
                samples[who].append(sample)
            if long:
                _compare(work, results)
    finally:
        gc.unfreeze()
    if not long:
        check(work)
    ours, *theirs = map(tuple, samples)
    rows = [
        Row(rival=rival.name, ours=ours, theirs=taken)
        for rival, taken in zip(work.rivals, theirs, strict=True)
    ]
    return Result(work=work, ours=ours, rows=tuple(rows))


def check(work: Work) -> None:
    """Run every contender that says something once, and compare it with what ours says."""
    contenders = (work.ours, *work.rivals)
    _compare(work, [one.run() if one is work.ours or one.answer is not None else None for one in contenders])


def _compare(work: Work, results: Sequence[Any]) -> None:
    said, *others = (
        contender.answer(result) if contender.answer is not None else None
        for contender, result in zip((work.ours, *work.rivals), results, strict=True)
    )
    for rival, other in zip(work.rivals, others, strict=True):
        if rival.answer is not None and other != said:
            raise WrongResultError(f"{work.number}: {rival.name} and ours differ: {_where(said, other)}")


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


def _sample(contender: Contender, turns: int) -> tuple[Sample, Any]:
    run: Callable[[], Any] = contender.run
    clock = contender.cpu
    gc.collect()
    result: Any = None
    cpu, wall = clock(), perf_counter()
    for _ in range(turns):
        result = run()
    wall, cpu = perf_counter() - wall, clock() - cpu
    more = contender.figures(result) if contender.figures is not None else {}
    done = turns * contender.pieces
    return Sample(cpu / done, wall / done, more), result


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest."""
    return min(values), max(values)
