"""Pairing: what is different between two views, without any opinion on it.

Timeless: the same two views always give the same differences, so the result may be kept and used again.
The work grows with what differs: two sets of interned facts are XORed, and beside the outcome only the
places that are unknown are looked at.
"""

from collections.abc import Callable, Mapping
from typing import Final

from detector.engine import migrations
from detector.engine.components import Joins, absent, ats_of, joins_of, one_sided, targets_at
from detector.engine.difference import Difference, Differences
from detector.engine.images import on_newer_base, settle_image
from detector.engine.interning import facts_if_new, unlike
from detector.engine.sides import At
from detector.engine.values import (
    IMAGE_IDENTITY,
    LOCAL,
    Gap,
    config_gap,
    package_gap,
    plain_gap,
    server_gap,
    tag_gap,
)
from detector.engine.view import Interner, Place, View
from detector.model.records import Side
from detector.model.words import MAIN, SectionName

__all__ = ["Difference", "Differences", "differences", "product_of"]


def differences(left: View, right: View, interner: Interner) -> Differences:
    """Compare two views of one service."""
    joins = joins_of(left, right)
    unmeasured = _unmeasured(left, right)
    lonely = one_sided(left, right)
    skipped = {place.component for place in lonely}
    apart, compared = _apart(left, right, interner)
    not_compared = 0
    found: list[Difference] = []
    images: set[str] = set()
    for at, candidates in sorted(_candidates(apart, left, right, joins).items()):
        component, section = at
        if component in skipped:
            continue
        items = candidates - LOCAL
        if section == "release" and any(item.startswith("image#") for item in items):
            images.add(component)
            items -= _IDENTITY
        places = interner.table(left.service, component, section).places
        gap_of = _GAPS.get(section, _plain_gap)
        left_at, right_at = ats_of(at, joins)
        here, there = left.sides.at(left_at), right.sides.at(right_at)
        for item in sorted(items):
            mine, other = here[item], there[item]
            ours = mine or absent(left, left_at, item, other)
            theirs = other or absent(right, right_at, item, mine)
            place = places[item]
            if ours.present and theirs.present:
                compared += 1
                gap = gap_of(place, ours, theirs, (left, right))
                if gap is None:
                    found.append(Difference(place, "same", ours, theirs))
                else:
                    found.append(
                        Difference(place, "changed", ours, theirs, gap.kind, gap.distance, gap.direction)
                    )
            elif (ours.unknown or theirs.unknown) and (_unable(ours) or _unable(theirs)):
                not_compared += section not in unmeasured
            elif (difference := _of_one(place, ours, theirs)) is not None:
                found.append(difference)
    pairs = [_of_one(place, ours, theirs) for place, (ours, theirs) in lonely.items()]
    found += [difference for difference in pairs if difference is not None]
    for component in images:
        found = list(on_newer_base(settle_image(found, left, right, component, joins), component))
    return Differences(
        items=tuple(found),
        compared=compared,
        not_compared=not_compared,
        not_measured=frozenset(unmeasured),
        joins=joins,
    )


def _candidates(apart: dict[At, set[str]], left: View, right: View, joins: Joins) -> Mapping[At, set[str]]:
    """Return the items to look at by where they are compared: those apart, and those that are unknown."""
    for view in (left, right):
        for component, section, item in view.unknown:
            apart.setdefault((component, section), set()).add(item)
    if not joins:
        return apart
    found: dict[At, set[str]] = {}
    for at, items in apart.items():
        for target in targets_at(at, joins):
            found.setdefault(target, set()).update(items)
    return found


def _apart(left: View, right: View, interner: Interner) -> tuple[dict[At, set[str]], int]:
    """Return the items whose facts are not plainly equal by where they are, and how many facts are."""
    ours, theirs = _numbers(left, left.service, interner), _numbers(right, left.service, interner)
    apart: dict[At, set[str]] = {}
    equal = 0
    for at in {*ours, *theirs}:
        new = facts_if_new(ours, theirs, at)
        if new is not None:
            apart[at], alike = unlike(*new)
        else:
            one, other = ours.get(at, 0), theirs.get(at, 0)
            alike = (one & other).bit_count()
            if one != other:
                apart[at] = interner.table(left.service, *at).items_of(one ^ other)
        equal += alike
    return apart, equal


def _numbers(view: View, service: str, interner: Interner) -> Mapping[tuple[str, SectionName], int]:
    """Return the facts of a view as numbers of this interner; another one gave other numbers."""
    if view.interner is interner and view.service == service:
        return view.numbers
    return {
        (component, section): interner.table(service, component, section).bits_of(
            {
                place.item: side.value
                for place, side in view.sides.section(section)
                if side.present and place.component == component
            }
        )
        for component, section in view.numbers
    }


def _unable(side: Side) -> bool:
    """Tell whether a side could not have seen what the other has."""
    return side.unknown is not None and side.source in ("not_compared", "not_measured")


def _unmeasured(left: View, right: View) -> set[SectionName]:
    ours = {section for _, section in left.looks}
    return ours ^ {section for _, section in right.looks}


def _of_one(place: Place, ours: Side, theirs: Side) -> Difference | None:
    """Return what lies between two sides of which one at most is present."""
    if not ours.unknown and not theirs.unknown:
        if ours.present:
            return Difference(place, "left_only", ours, theirs, direction="left_ahead")
        if theirs.present:
            return Difference(place, "right_only", ours, theirs, direction="right_ahead")
        return None
    blind = ours.unknown and theirs.unknown
    if blind or ours.present or theirs.present or ours.last is not None or theirs.last is not None:
        return Difference(place, "unknown", ours, theirs)
    return None


def _package_gap(place: Place, ours: Side, theirs: Side, _: tuple[View, View]) -> Gap | None:
    return package_gap(place.item, ours.value, theirs.value)


def _config_gap(_place: Place, ours: Side, theirs: Side, _: tuple[View, View]) -> Gap | None:
    # A shape holds no numbers, so equal is the same.
    return None if ours.value == theirs.value else config_gap(ours.value, theirs.value)


def _server_gap(place: Place, ours: Side, theirs: Side, views: tuple[View, View]) -> Gap | None:
    products = (product_of(views[0], place), product_of(views[1], place))
    return server_gap(place.item, ours, theirs, products=products)


def _admin_gap(place: Place, ours: Side, theirs: Side, _: tuple[View, View]) -> Gap | None:
    if place.item.startswith(migrations.PREFIX):
        return migrations.head_gap(ours.value, theirs.value)
    return plain_gap(ours.value, theirs.value)


def _plain_gap(place: Place, ours: Side, theirs: Side, _: tuple[View, View]) -> Gap | None:
    if place.item == "image#tag":
        return tag_gap(ours.value, theirs.value)
    return plain_gap(ours.value, theirs.value)


#: Section -> what compares two values in it.
_GAPS: Final[Mapping[SectionName, Callable[[Place, Side, Side, tuple[View, View]], Gap | None]]] = {
    "dependencies": _package_gap,
    "config": _config_gap,
    "backing_services": _server_gap,
    "admin": _admin_gap,
}
_IDENTITY: Final = frozenset(IMAGE_IDENTITY)


def product_of(view: View, place: Place) -> str:
    """Return the product of the backing service that a fact belongs to, or an empty text.

    Where a side names no component its own speaks for the one that is asked for.
    """
    item = f"{place.item.partition('#')[0]}#product"
    for component in (place.component, MAIN):
        side = view.sides.get(Place(component, place.section, item))
        if side is not None and isinstance(side.value, str):
            return side.value
    return ""
