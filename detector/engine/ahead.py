"""The clocks of allowances: since when left leads, and since when two sides differ.

The clock of a lead starts when left first got a value that right has not reached yet, and so moves forward
whenever right advances. The clock of a skew starts when the younger of the two values appeared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from detector.engine.values import package_gap
from detector.engine.view import Place
from detector.model.facts import Value
from detector.model.records import Interval

#: (environment, place) -> the item's intervals, oldest first.
Histories = Mapping[tuple[str, Place], Sequence[Interval]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Since when left is ahead of right, and by how many of its versions."""

    since: datetime
    versions: int


def lead_of(history: Sequence[Interval], right: Value, item: str) -> Lead | None:
    """Return the lead of left over right's value; None where no history is known.

    Walks back from left's newest value to the first that right has reached already.
    """
    since: datetime | None = None
    passed: set[str] = set()
    for interval in reversed(history):
        # Where right has none, a time in which left had none either was no lead.
        apart = (
            right is None and since is not None and interval.closed is not None and interval.closed < since
        )
        if apart or not _beyond(interval.value, right, item):
            break
        since = interval.opened
        passed.add(str(interval.value))
    return Lead(since=since, versions=len(passed)) if since is not None else None


def skew_since(left: Sequence[Interval], right: Sequence[Interval]) -> datetime | None:
    """Return when the younger of both current values appeared; what is gone, since when it is gone."""
    changed = [history[-1].closed or history[-1].opened for history in (left, right) if history]
    return max(changed, default=None)


def _beyond(value: Value, right: Value, item: str) -> bool:
    if right is None:
        return True
    gap = package_gap(item, value, right)
    return gap is not None and gap.direction != "right_ahead"
