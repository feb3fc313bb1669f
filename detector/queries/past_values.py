"""What items were over time, read once: the past of a service changes with its commits alone."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from detector.engine.view import Place, View
from detector.model.records import Interval
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
        here, commits = (view.environment, service), _commits(view)
        known = self._kept.get(here)
        if known is None or known.commits != commits:
            self._forget(here)
            known = _Past(commits)
        missing = [place for place in places if place not in known.intervals]
        if missing:
            keys = {(service, *place): place for place in missing}
            read = await self._store.values_of(view.environment, keys)
            known.intervals.update({place: read.get(key, ()) for key, place in keys.items()})
            self._keep(here, known)
        elif here in self._kept:
            self._kept.move_to_end(here)
        return {place: found for place in places if (found := known.intervals[place])}

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
