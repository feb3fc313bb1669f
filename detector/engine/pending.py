"""Pending: what holds the alerts of a drift, said on the item itself. Answers never wait.

The first that holds: a roll-out, a skew of looks, flapping. That a drift is still to be confirmed is known
from its row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from detector.engine.ahead import Histories
from detector.engine.compared import sides
from detector.engine.flapping import flapping
from detector.engine.holds import Hold
from detector.engine.life import LIVING
from detector.engine.policy import Pair, Service
from detector.engine.rollout import Rollout
from detector.engine.skew import skews_of
from detector.engine.view import View
from detector.model.records import Drift, DriftEvent, Judged, Key


def held(
    items: Iterable[Judged],
    *,
    pair: Pair,
    service: Service,
    views: Mapping[str, View],
    rows: Mapping[tuple[str, Key], Drift],
    histories: Histories,
    rollouts: Mapping[str, Rollout],
    now: datetime,
) -> list[Judged]:
    """Return the items with what holds their alerts, in words, and when each is to be judged again."""
    running = {name: hold for name, rollout in rollouts.items() if (hold := rollout.hold(now)) is not None}
    skews = skews_of(pair=pair, service=service, views=views, histories=histories, now=now)
    if not running and not rows and skews is None:
        return list(items)

    def hold_of(one: Judged, row: Drift | None) -> Hold | None:
        here = {pair.left.name, pair.right.name} if one.left is not None else {one.comparison}
        for name, rolling in running.items():
            if name in here and not _was_told(one, row, rollouts[name].since):
                return rolling
        if one.left is not None and skews is not None and (skew := skews.hold(one.key)) is not None:
            return skew
        return _flapping(row, now) if row is not None and one.severity != "critical" else None

    found = []
    for one in items:
        row = rows.get((one.comparison, one.key))
        hold = hold_of(one, row) if one.verdict == "drift" else None
        found.append(one if hold is None else _held(one, hold, row))
    return found


def _held(one: Judged, hold: Hold, row: Drift | None) -> Judged:
    at = hold.until if one.review_at is None else min(one.review_at, hold.until)
    held = replace(one, pending=hold.pending, pending_because=hold.because, review_at=at)
    if one.key.kind == "mixed" and hold.pending == "rollout" and (row is None or row.state not in LIVING):
        # Two versions side by side are what a roll-out is.
        return replace(held, verdict="expected", mend=None)
    return held


def _was_told(one: Judged, row: Drift | None, since: datetime) -> bool:
    """Tell whether a drift was open before a roll-out and is what it was."""
    if row is None or row.state != "open" or row.opened_at >= since:
        return False
    return sides(one.document()) == sides(row.item)


def _flapping(row: Drift, now: datetime) -> Hold | None:
    """Return the hold of what flaps. What was open before it began to is not told a second time anyway."""
    if row.state == "open":
        return None
    events = row.events
    if row.state not in LIVING:
        events = (*events, DriftEvent(at=now, event="reopened", actor=""))
    return flapping(events, now)
