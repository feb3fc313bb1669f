"""Lineage: which of two commits or word tags came later, from what each environment ran before.

Their names tell no order, but whoever ran the other's before has moved on from it. A commit that is known
not to be on the main line (hint `ancestry`) has diverged, whatever ran when.
"""

from collections.abc import Sequence
from typing import Final

from detector.engine.difference import Difference
from detector.model.facts import Value
from detector.model.records import Interval

#: Items whose values follow each other without saying so.
MOVING: Final = frozenset({"repo#commit", "image#tag"})
DIVERGED: Final = "diverged"


def in_lineage(difference: Difference, left: Sequence[Interval], right: Sequence[Interval]) -> Difference:
    """Return a difference with the direction that hints and both histories tell."""
    if difference.status != "changed" or difference.direction != "unordered":
        return difference
    if any(side.hints.get("ancestry") == DIVERGED for side in (difference.left, difference.right)):
        return difference._replace(direction=DIVERGED)
    left_was_there = _ran(left, difference.right.value)
    right_was_there = _ran(right, difference.left.value)
    if left_was_there == right_was_there:
        return difference
    return difference._replace(direction="left_ahead" if left_was_there else "right_ahead")


def _ran(history: Sequence[Interval], value: Value) -> bool:
    """Tell whether a value was there before the present one."""
    return any(interval.value == value and interval.closed is not None for interval in history)
