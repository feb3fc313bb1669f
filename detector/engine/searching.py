"""Which services run an item, and in which version: what a view says, and what it cannot say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from detector.engine.pairing import product_of
from detector.engine.values import versions_in
from detector.engine.view import Place, View
from detector.model import versions
from detector.model.records import Side
from detector.model.versions.ranges import Range
from detector.model.words import SectionName

#: `in` the range, or there where none was asked for; `out` of it; `unordered`, there with a version that has
#: no place in the order; `unknown`, could not be seen; `absent`, proved not to be there.
Outcome = Literal["in", "out", "unordered", "unknown", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one service in one environment says of one item."""

    view: View
    place: Place
    outcome: Outcome
    side: Side


def search(view: View, section: SectionName, items: Sequence[str], wanted: Range | None) -> Iterator[Found]:
    """Yield what a view says of items: each where it is present or unknown, else that it is absent.

    A section that no source looks at is unknown once, for all of them.
    """
    components = view.components(section)
    if not components:
        side = Side(unknown="not_in_view", source="not_measured")
        yield Found(view=view, place=Place("main", section, items[0]), outcome="unknown", side=side)
        return
    for item in items:
        for component in components:
            place = Place(component, section, item)
            side = view.side(place)
            yield Found(view=view, place=place, outcome=_outcome(view, place, side, wanted), side=side)


def _outcome(view: View, place: Place, side: Side, wanted: Range | None) -> Outcome:
    if side.unknown is not None:
        return "unknown"
    if not side.present:
        return "absent"
    if wanted is None:
        return "in"
    step = partial(versions.step, versions.scheme_of(place.item), product=product_of(view, place) or None)
    held = [wanted.holds(version, step) for version in versions_in(side.value)]
    return "in" if True in held else "unordered" if None in held or not held else "out"
