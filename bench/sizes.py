"""How large each work is: as in the design, or smaller and of the same shape."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """So many targets, which are services of an environment, with so many facts, polled so often."""

    targets: int
    facts: int
    polls: int

    def __str__(self) -> str:
        return f"{self.targets} targets × {self.facts:,} facts × {self.polls} polls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """One target with so many facts and polls; and a history of ``most`` polls, of few facts."""

    facts: int
    polls: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushes:
    """So many targets with ``few`` facts that push digests, some requests a turn; pushes of all ``facts``."""

    targets: int
    few: int
    facts: int
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """So many nodes with so many facts; PuppetDB is warm after so many commands."""

    nodes: int
    facts: int
    warm: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Many targets beside few, with so many facts; so many observations make one turn."""

    facts: int
    many: int
    few: int
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """So many sources, watched for some seconds of the minute in which each is due once."""

    sources: int
    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of every work."""

    #: Interleaved rounds, unless others are asked for.
    rounds: int
    #: B1 to B3, J1, J2.
    facts: int
    #: S1.
    components: int
    #: V1.
    version_pairs: int
    #: B4, B5.
    pushes: Pushes
    #: B6: what an environment costs on the disk.
    kept: Fleet
    #: B7: one fact of each target changes at every poll.
    job: Fleet
    #: B8: None where it takes too long.
    nodes: Nodes | None
    #: B9.
    lookback: Lookback
    #: B9: the fleet that is searched.
    searched: Fleet
    #: B10: services of three environments.
    matrix: Fleet
    #: B11.
    arrivals: Arrivals
    #: B12.
    scheduled: Scheduled
    #: B13.
    started: Fleet


#: `make bench`, within six minutes.
QUICK: Final = Size(
    rounds=7,
    facts=10_000,
    components=1_000,
    version_pairs=20_000,
    pushes=Pushes(targets=300, few=100, facts=2_000, at_once=50),
    kept=Fleet(targets=20, facts=1_000, polls=30),
    job=Fleet(targets=8, facts=1_000, polls=100),
    nodes=None,
    lookback=Lookback(facts=1_000, polls=200, most=2_000),
    searched=Fleet(targets=200, facts=100, polls=2),
    matrix=Fleet(targets=198, facts=100, polls=1),
    arrivals=Arrivals(facts=200, many=1_000, few=100, at_once=100),
    scheduled=Scheduled(sources=10_000, seconds=8, rounds=2),
    started=Fleet(targets=60, facts=1_000, polls=1),
)
#: `make bench-full`: what the goals speak of.
FULL: Final = Size(
    rounds=15,
    facts=10_000,
    components=5_000,
    version_pairs=100_000,
    pushes=Pushes(targets=1_000, few=100, facts=2_000, at_once=200),
    kept=Fleet(targets=200, facts=1_000, polls=100),
    job=Fleet(targets=200, facts=1_000, polls=100),
    nodes=Nodes(nodes=200, facts=500, warm=3_000, rounds=5),
    lookback=Lookback(facts=1_000, polls=1_000, most=10_000),
    searched=Fleet(targets=200, facts=1_000, polls=2),
    matrix=Fleet(targets=198, facts=300, polls=1),
    arrivals=Arrivals(facts=1_000, many=1_000, few=100, at_once=100),
    scheduled=Scheduled(sources=10_000, seconds=40, rounds=5),
    started=Fleet(targets=1_000, facts=1_000, polls=1),
)
