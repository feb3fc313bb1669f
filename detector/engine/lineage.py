"""Lineage: which of two commits or word tags came later, from what each environment ran before.

Their names tell no order. A commit that is known not to be on the main line (hint `ancestry`) has diverged,
whatever ran when. Of two commits a repository at hand knows how they follow each other; without one, whoever
ran the other's before has moved on from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from detector.engine.difference import Difference
from detector.engine.view import Place, View
from detector.model.facts import Value
from detector.model.records import Interval

COMMIT: Final = "repo#commit"
#: How the commits of a service follow each other: a fact of the place that has the repository at hand.
LINEAGE: Final = "repo#lineage"
#: Who wrote the commits, where that is kept.
AUTHORS: Final = "repo#authors"
#: Items whose values follow each other without saying so.
MOVING: Final = frozenset({COMMIT, "image#tag"})
DIVERGED: Final = "diverged"
#: (commit, commit) -> how many commits the first has that the second lacks, and the other way round.
Lineage = Mapping[tuple[str, str], tuple[int, int]]


def lineage_in(views: Iterable[View]) -> Lineage:
    """Return how commits follow each other, as the repositories tell that are at hand in some views."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for view in views:
        for component in view.components("codebase"):
            side = view.sides.get(Place(component, "codebase", LINEAGE))
            for pair, told in side.value.items() if side and isinstance(side.value, dict) else ():
                one, _, other = pair.partition("..")
                found[one, other] = told["ahead"], told["behind"]
                found[other, one] = told["behind"], told["ahead"]
    return found


def in_lineage(
    difference: Difference, left: Sequence[Interval], right: Sequence[Interval], lineage: Lineage
) -> Difference:
    """Return a difference with the direction that hints, a repository or both histories tell."""
    if difference.status != "changed" or difference.direction != "unordered":
        return difference
    if any(side.hints.get("ancestry") == DIVERGED for side in (difference.left, difference.right)):
        return difference._replace(direction=DIVERGED)
    known = lineage.get((str(difference.left.value), str(difference.right.value)))
    if known is not None and difference.place.item == COMMIT:
        ahead, behind = known
        direction = DIVERGED if ahead and behind else "left_ahead" if ahead else "right_ahead"
        return difference._replace(direction=direction) if ahead or behind else difference
    left_was_there = _ran(left, difference.right.value)
    right_was_there = _ran(right, difference.left.value)
    if left_was_there == right_was_there:
        return difference
    return difference._replace(direction="left_ahead" if left_was_there else "right_ahead")


def _ran(history: Sequence[Interval], value: Value) -> bool:
    """Tell whether a value was there before the present one."""
    return any(interval.value == value and interval.closed is not None for interval in history)
