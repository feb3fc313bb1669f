"""Skew of looks: one side was seen to change, and the other was not looked at since.

A source that runs each night and one that runs each quarter of an hour see a release at different times.
Until the slower one had its turn nobody is told; every answer says what is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.engine.ahead import Histories
from detector.engine.holds import Hold, clock
from detector.engine.life import looks_at
from detector.engine.policy import Pair, Service
from detector.engine.view import Place, View
from detector.model.records import Interval, Key
from detector.model.words import MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Skews:
    """What tells, of one service in one pair of environments, which side was not looked at since a change."""

    pair: Pair
    views: Mapping[str, View]
    histories: Histories
    now: datetime
    #: Environment -> source -> the longest time between two of its runs.
    schedules: Mapping[str, Mapping[str, timedelta]]

    def hold(self, key: Key) -> Hold | None:
        """Return the hold of a difference whose other side was not seen since it changed.

        It lasts one interval of the other side's sources at most.
        """
        left, right = self.pair.left.name, self.pair.right.name
        ours, theirs = self._changed_at(left, key), self._changed_at(right, key)
        if theirs is not None and (ours is None or theirs > ours):
            moved, other, at = right, left, theirs
        elif ours is not None:
            moved, other, at = left, right, ours
        else:
            return None
        schedules = self.schedules[other]
        ends = [
            at + every
            for look in looks_at(self.views[other], key)
            if (every := schedules.get(look.stream.source)) is not None and look.stream.last_seen < at
        ]
        until = max(ends, default=self.now)
        if until <= self.now:
            return None
        because = f"{moved} changed at {clock(at, self.now)}, and {other} was not looked at since"
        return Hold("skew", because, until)

    def _changed_at(self, environment: str, key: Key) -> datetime | None:
        """Return when what a side says of a place became so."""
        place = Place(key.component, key.section, key.item)
        alone = Place(MAIN, key.section, key.item)
        history: Sequence[Interval] = (
            self.histories.get((environment, place)) or self.histories.get((environment, alone)) or ()
        )
        return history[-1].closed or history[-1].opened if history else None


def skews_of(
    *, pair: Pair, service: Service, views: Mapping[str, View], histories: Histories, now: datetime
) -> Skews | None:
    """Return what tells of skews; None where there are none: who has no schedule is not waited for."""
    schedules = {
        environment: {
            policy.source: policy.every
            for policy in service.sources.get(environment, ())
            if policy.every is not None
        }
        for environment in (pair.left.name, pair.right.name)
    }
    if not histories or not any(schedules.values()):
        return None
    return Skews(pair=pair, views=views, histories=histories, now=now, schedules=schedules)
