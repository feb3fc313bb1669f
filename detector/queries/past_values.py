"""What items were over time, read once: the past of a service changes with its commits alone."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from detector.engine.ahead import Histories
from detector.engine.memory import Memory
from detector.engine.rollout import mixed
from detector.engine.verdicts import places_that_lead
from detector.engine.view import Place, View
from detector.model.records import Interval
from detector.queries.views import Views
from detector.store.history import FactKey
from detector.store.store import Store

_Commits = frozenset[tuple[str, str, int]]


@dataclass(slots=True)
class _Past:
    """What was read of one service in one environment, and after which commits of its streams."""

    commits: _Commits
    intervals: dict[Place, Sequence[Interval]] = field(default_factory=dict)
    #: Places and intervals, as they were counted when it was kept.
    size: int = 0


class PastValues:
    """Keeps histories that judgements asked for, so that new rules judge again without reading them again.

    Those used least recently go first. Any commit of a stream, a late one too, has a new number, and what
    was read before it is read again.
    """

    def __init__(self, store: Store, *, most: int = 200_000) -> None:
        self._store = store
        self._most = most
        self._size = 0
        self._kept: OrderedDict[tuple[str, str], _Past] = OrderedDict()

    async def of(
        self, view: View, service: str, places: Collection[Place]
    ) -> dict[Place, Sequence[Interval]]:
        """Return the intervals of places as they were when the view was made, or are by now."""
        await self.read({service: (view, places)})
        known = self._kept.get((view.environment, service))
        if known is None:
            return {}  # nothing was asked for
        return {place: found for place in places if (found := known.intervals[place])}

    async def read(self, wanted: Mapping[str, tuple[View, Collection[Place]]]) -> None:
        """Read what is not kept of services of one environment, all at once."""
        keys: dict[FactKey, tuple[_Past, Place]] = {}
        changed: dict[tuple[str, str], _Past] = {}
        environment = ""
        for service, (view, places) in wanted.items():
            environment = view.environment
            here, commits = (environment, service), _commits(view)
            known = self._kept.get(here)
            if known is None or known.commits != commits:
                self._forget(here)
                known = _Past(commits)
            missing = [place for place in places if place not in known.intervals]
            if missing:
                changed[here] = known
                keys.update({(service, *place): (known, place) for place in missing})
            elif here in self._kept:
                self._kept.move_to_end(here)
        if not keys:
            return
        read = await self._store.values_of(environment, keys)
        for key, (known, place) in keys.items():
            known.intervals[place] = read.get(key, ())
        for here, known in changed.items():
            self._keep(here, known)

    def _keep(self, here: tuple[str, str], past: _Past) -> None:
        self._forget(here)
        self._kept[here] = past
        past.size = sum(1 + len(intervals) for intervals in past.intervals.values())
        self._size += past.size
        while self._size > self._most and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _forget(self, here: tuple[str, str]) -> None:
        past = self._kept.pop(here, None)
        if past is not None:
            self._size -= past.size


def _commits(view: View) -> _Commits:
    return frozenset(
        (look.stream.source, look.stream.component, look.stream.changed_seq)
        for looks in view.looks.values()
        for look in looks
    )


class LeadingHistories:
    """Gives the histories that verdicts between two views may need: of what differs, or runs in several."""

    def __init__(self, store: Store, views: Views, memory: Memory) -> None:
        self._past = PastValues(store)
        self._views = views
        self._memory = memory

    async def of(self, service: str, left: View, right: View) -> Histories:
        """Return (environment, place) -> intervals."""
        places = self._places(left, right)
        if not places:
            return {}
        return {
            (view.environment, place): intervals
            for view in (left, right)
            for place, intervals in (await self._past.of(view, service, places)).items()
        }

    async def read(self, both: Mapping[str, tuple[View, View]]) -> None:
        """Read at once what `of` will be asked for of many services of two environments."""
        places = {service: self._places(*views) for service, views in both.items()}
        for side in (0, 1):
            await self._past.read({service: (both[service][side], places[service]) for service in both})

    def _places(self, left: View, right: View) -> list[Place]:
        found = self._memory.differences(left, right, self._views.interner)
        return [*places_that_lead(found), *left.found(mixed), *right.found(mixed)]
