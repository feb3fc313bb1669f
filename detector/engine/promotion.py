"""Promotion: how long versions take from one environment to the next, and what has not arrived yet.

All of it is read off the histories of one item: when each environment was first seen with each version. The
order of versions is the order in which the earlier environment got them, never that of their numbers: a
rollback, a branch or a hash has a place in it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Final, Literal

from detector.engine.policy import Environment, stages_of
from detector.engine.values import package_gap
from detector.model.canonical import value_bytes
from detector.model.facts import Value
from detector.model.records import Interval
from detector.model.words import BASES

#: What became of a version between two environments. ``before``: it was there when the watch began.
Outcome = Literal["arrived", "overtaken", "waiting", "withdrawn", "direct", "before"]

MEDIAN: Final = 0.5
P90: Final = 0.9
#: A key of the config has no version: what travels is that it is set.
_SET: Final = "set"
_LONGEST: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When one environment ran one version. ``exact`` is false where it ran it when the watch began."""

    version: str
    exact: bool
    #: From when to when, oldest first; the last one may be open.
    spans: tuple[tuple[datetime, datetime | None], ...]

    @property
    def first(self) -> datetime:
        """When it was first seen."""
        return self.spans[0][0]

    @property
    def last(self) -> datetime | None:
        """When it was last seen to go; None while it is there."""
        return self.spans[-1][1]


#: Version -> its sighting, in the order of their first ones.
Lane = Mapping[str, Sighting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one version on its way from left to right."""

    version: str
    outcome: Outcome
    #: When left first had it; None where left never did.
    since: datetime | None
    #: When right got it, or the version that overtook it.
    until: datetime | None = None
    #: Whether both times were seen to happen, so that the lead time is a true one.
    exact: bool = True
    #: The version that overtook it.
    by: str | None = None

    @property
    def lead(self) -> timedelta | None:
        """How long it took; None where that is not known."""
        if not self.exact or self.since is None or self.until is None:
            return None
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What right has not reached: the clock that runs."""

    #: The newest version that waits, and since when the oldest does.
    version: str
    since: datetime
    #: False where left had it when the watch began: it waits at least that long.
    exact: bool
    versions: int
    #: Whether right had it already and went back behind it.
    taken_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The way from one environment to the next, in figures."""

    left: str
    right: str
    #: Versions that came from left, and how many of them have a true lead time.
    arrived: int
    timed: int
    median: timedelta | None
    p90: timedelta | None
    #: The same over all changes: an overtaken version arrives inside the one that overtook it.
    changes_median: timedelta | None
    changes_p90: timedelta | None
    overtaken: int
    #: Versions that left went back from before right had them.
    withdrawn: int
    #: Versions that right had before left did.
    direct: int
    #: How often right went back to an earlier version.
    rolled_back: int
    waiting: Waiting | None
    steps: tuple[Step, ...]
    #: Those of the time asked about.
    counted: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The way of one item through the environments that have it, in promotion order."""

    item: str
    lanes: Mapping[str, Lane]
    hops: tuple[Hop, ...]


def promotion_of(
    histories: Mapping[str, Sequence[Interval]],
    environments: Iterable[Environment],
    *,
    since: datetime | None = None,
    item: str = "",
) -> Promotion:
    """Return the way of one item. ``histories`` are its intervals by environment.

    What ended before ``since`` is not counted; what waits always is. An environment that never had the item
    is no stop: the hop leads from the one before it to the one behind it.
    """
    lanes = {one.name: lane_of(histories[one.name]) for one in environments if histories.get(one.name)}
    stages = stages_of(one for one in environments if lanes.get(one.name))
    return Promotion(
        item=item,
        lanes=lanes,
        hops=tuple(
            hop_between(left, right, lanes[left], lanes[right], since=since, item=item)
            for here, following in pairwise(stages)
            for left, right in product(here, following)
        ),
    )


def lane_of(intervals: Sequence[Interval]) -> Lane:
    """Return which versions an environment ran when, by the basis that is nearest to reality."""
    nearest = max((interval.basis for interval in intervals), key=BASES.index)
    spans: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for interval in sorted(intervals, key=lambda one: one.opened):
        if interval.basis == nearest:
            for version in versions_in(interval.value):
                _extend(spans.setdefault(version, []), (interval.opened, interval.closed))
    begin = min((some[0][0] for some in spans.values()), default=None)
    found = [
        Sighting(version=version, exact=some[0][0] != begin, spans=tuple(some))
        for version, some in spans.items()
    ]
    return {one.version: one for one in sorted(found, key=lambda one: (one.first, one.version))}


def _extend(spans: list[tuple[datetime, datetime | None]], span: tuple[datetime, datetime | None]) -> None:
    """Add a span that begins last: to the one before it where they meet."""
    if not spans or (spans[-1][1] is not None and span[0] > spans[-1][1]):
        spans.append(span)
    elif spans[-1][1] is not None and (span[1] is None or span[1] > spans[-1][1]):
        spans[-1] = (spans[-1][0], span[1])


def versions_in(value: Value) -> tuple[str, ...]:
    """Return the versions that a value names: each of a set, each that some replica runs."""
    match value:
        case None:
            return ()
        case str():
            return (value,)
        case list():
            return tuple(dict.fromkeys(one for member in value for one in versions_in(member)))
        case {"values": dict() as counts}:
            return tuple(counts)
        case {"type": str()}:
            return (_SET,)
        case _:
            return (value_bytes(value).decode()[:_LONGEST],)


def rollbacks(lane: Lane) -> list[tuple[datetime, str]]:
    """Return when an environment went back, and to which version: one that it had got earlier."""
    found = []
    for sighting in lane.values():
        for (_, closed), (opened, _) in pairwise(sighting.spans):
            if closed is not None and any(
                other.first > sighting.first
                and any(start < opened and (end is None or end > closed) for start, end in other.spans)
                for other in lane.values()
            ):
                found.append((opened, sighting.version))
    return sorted(found)


def hop_between(
    left: str, right: str, ours: Lane, theirs: Lane, *, since: datetime | None = None, item: str = ""
) -> Hop:
    """Return what became of every version between two environments.

    ``item`` tells whether right is past a version where it runs one that left never had.
    """
    order = {version: number for number, version in enumerate(ours)}
    reached = _reached(order, theirs)
    chain = _chain(ours, order, theirs, reached, item)
    steps = [_step(sighting, order, theirs, reached, chain) for sighting in ours.values()]
    steps += [
        Step(version=one.version, outcome="direct" if one.exact else "before", since=None, until=one.first)
        for one in theirs.values()
        if one.version not in ours
    ]
    counted = [step for step in steps if _is_within(step, ours, since)]
    arrived = [step for step in counted if step.outcome == "arrived"]
    leads = sorted(step.lead for step in arrived if step.lead is not None)
    changes = sorted(
        step.lead for step in counted if step.outcome in ("arrived", "overtaken") and step.lead is not None
    )
    outcomes = [step.outcome for step in counted]
    return Hop(
        left=left,
        right=right,
        arrived=len(arrived),
        timed=len(leads),
        median=quantile(leads, MEDIAN),
        p90=quantile(leads, P90),
        changes_median=quantile(changes, MEDIAN),
        changes_p90=quantile(changes, P90),
        overtaken=outcomes.count("overtaken"),
        withdrawn=outcomes.count("withdrawn"),
        direct=outcomes.count("direct"),
        rolled_back=sum(1 for at, _ in rollbacks(theirs) if since is None or at >= since),
        waiting=_waiting(ours, theirs, chain),
        steps=tuple(steps),
        counted=tuple(counted),
    )


def quantile(ordered: Sequence[timedelta], share: float) -> timedelta | None:
    """Return the value below which a share of the ordered ones lies, between two of them in proportion."""
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    low = int(place)
    if low + 1 == len(ordered):
        return ordered[low]
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (place - low)


def _reached(order: Mapping[str, int], theirs: Lane) -> int:
    """Return the place, in left's order, of the newest version that right runs; -1 for none of left's."""
    running = [version for version, one in theirs.items() if one.last is None and version in order]
    # What right runs may never have passed through left: then what it had last counts.
    known = running or [version for version in theirs if version in order]
    return max((order[version] for version in known), default=-1)


def _chain(
    ours: Lane, order: Mapping[str, int], theirs: Lane, reached: int, item: str
) -> dict[str, datetime]:
    """Return what left runs now, and ran since right's version, with when it began to wait.

    Walks back from left's newest value to the first that right has reached: the clock of a lead does so too.
    """
    spans = [(opened, closed, one.version) for one in ours.values() for opened, closed in one.spans]
    found: dict[str, datetime] = {}
    if not any(closed is None for _, closed, _ in spans):
        return found
    foreign = [version for version, one in theirs.items() if one.last is None and version not in order]
    for opened, _, version in sorted(spans, key=lambda span: (span[0], order[span[2]]), reverse=True):
        if order[version] <= reached or any(_is_past(item, version, one) for one in foreign):
            break
        back = theirs[version].last if version in theirs else None
        found[version] = max(opened, back) if back is not None else opened
    return found


def _is_past(item: str, ours: str, theirs: str) -> bool:
    gap = package_gap(item, ours, theirs) if item else None
    return gap is not None and gap.direction == "right_ahead"


def _step(
    ours: Sighting, order: Mapping[str, int], theirs: Lane, reached: int, chain: Mapping[str, datetime]
) -> Step:
    version, arrival = ours.version, theirs.get(ours.version)
    outcome: Outcome
    if arrival is not None:
        if not arrival.exact or (arrival.first < ours.first and not ours.exact):
            outcome = "before"
        else:
            outcome = "direct" if arrival.first < ours.first else "arrived"
        return Step(version=version, outcome=outcome, since=ours.first, until=arrival.first, exact=ours.exact)
    if version in chain:
        return Step(version=version, outcome="waiting", since=ours.first, exact=ours.exact)
    later = [
        one
        for one in theirs.values()
        if order.get(one.version, -1) > order[version] and one.first >= ours.first and one.exact
    ]
    if later:
        first = min(later, key=lambda one: one.first)
        return Step(
            version=version,
            outcome="overtaken",
            since=ours.first,
            until=first.first,
            exact=ours.exact,
            by=first.version,
        )
    outcome = "before" if order[version] <= reached else "withdrawn"
    return Step(version=version, outcome=outcome, since=ours.first, until=ours.last, exact=ours.exact)


def _is_within(step: Step, ours: Lane, since: datetime | None) -> bool:
    if step.outcome == "before":
        return False
    if since is None or step.until is None:
        return True
    ended = ours[step.version].last if step.outcome == "withdrawn" else step.until
    return ended is None or ended >= since


def _waiting(ours: Lane, theirs: Lane, chain: Mapping[str, datetime]) -> Waiting | None:
    if not chain:
        return None
    # It was found walking back: the newest comes first.
    newest, oldest = next(iter(chain)), min(chain, key=lambda version: chain[version])
    return Waiting(
        version=newest,
        since=chain[oldest],
        exact=ours[oldest].exact or chain[oldest] != ours[oldest].first,
        versions=len(chain),
        taken_back=any(version in theirs for version in chain),
    )
