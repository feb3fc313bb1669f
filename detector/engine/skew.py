"""Skew of looks: one side was seen to change, and the other was not looked at since.

A source that runs each night and one that runs each quarter of an hour see a release at different times.
Until the slower one had its turn nobody is told; every answer says what is known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from detector.engine.ahead import Histories
from detector.engine.holds import Hold, clock
from detector.engine.life import looks_at
from detector.engine.policy import Pair, Service
from detector.engine.view import Place, View
from detector.model.records import Interval, Key
from detector.model.words import MAIN


def skew_of(
    key: Key,
    *,
    pair: Pair,
    service: Service,
    views: Mapping[str, View],
    histories: Histories,
    now: datetime,
) -> Hold | None:
    """Return the hold of a difference whose other side was not seen since it changed.

    It lasts one interval of the other side's sources at most; one without a schedule is not waited for.
    """
    changed = {
        environment: at
        for environment in (pair.left.name, pair.right.name)
        if (at := _changed_at(histories, environment, key)) is not None
    }
    if not changed:
        return None
    moved = max(changed, key=lambda environment: changed[environment])
    other = pair.right.name if moved == pair.left.name else pair.left.name
    policies = {one.source: one for one in service.sources.get(other, ())}
    ends = [
        changed[moved] + policy.every
        for look in looks_at(views[other], key)
        if (policy := policies.get(look.stream.source)) is not None
        and policy.every is not None
        and look.stream.last_seen < changed[moved]
    ]
    until = max(ends, default=now)
    if until <= now:
        return None
    because = f"{moved} changed at {clock(changed[moved], now)}, and {other} was not looked at since"
    return Hold("skew", because, until)


def _changed_at(histories: Histories, environment: str, key: Key) -> datetime | None:
    """Return when what a side says of a place became so."""
    place = Place(key.component, key.section, key.item)
    alone = Place(MAIN, key.section, key.item)
    history: Sequence[Interval] = (
        histories.get((environment, place)) or histories.get((environment, alone)) or ()
    )
    return history[-1].closed or history[-1].opened if history else None
