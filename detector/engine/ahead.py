"""The clocks of allowances: since when left leads, and since when two sides differ.

The clock of a lead starts when left first got a value that right has not reached yet, and so moves forward
whenever right advances. The clock of a skew starts when the younger of the two values appeared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from detector.engine.view import Place
from detector.model import versions
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
        if not _beyond(interval.value, right, item):
            break
        since = interval.opened
        passed.add(str(interval.value))
    return Lead(since=since, versions=len(passed)) if since is not None else None


def skew_since(left: Sequence[Interval], right: Sequence[Interval]) -> datetime | None:
    """Return when the younger of both current values appeared."""
    opened = [history[-1].opened for history in (left, right) if history]
    return max(opened, default=None)


def _beyond(value: Value, right: Value, item: str) -> bool:
    if value == right:
        return False
    if not isinstance(value, str) or not isinstance(right, str):
        return True
    step = versions.step(versions.scheme_of(item), value, right)
    return step is not None and step.direction != "right_ahead"
