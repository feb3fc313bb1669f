"""Pairing: what is different between two views, without any opinion on it.

Timeless: the same two views always give the same differences, so the result may be kept and used again.
The work grows with what differs: two sets of interned facts are XORed, and beside the outcome only the
places that are unknown are looked at.
"""

from collections.abc import Mapping

from detector.engine import migrations
from detector.engine.components import joins_of, one_sided, sides_at, targets
from detector.engine.difference import Difference, Differences
from detector.engine.images import on_newer_base, settle_image
from detector.engine.interning import facts_if_new, unlike
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
    changed, compared = _apart(left, right, interner)
    not_compared = 0
    found: list[Difference] = []
    images: set[str] = set()
    candidates = changed.union(left.unknown, right.unknown)
    if joins:
        candidates = {at for place in candidates for at in targets(place, joins)}
    here, there = left.sides.get, right.sides.get
    for target in candidates:
        if target.item in LOCAL or target.component in skipped:
            continue
        if target.section == "release" and target.item.startswith("image#"):
            images.add(target.component)
            if target.item in IMAGE_IDENTITY:
                continue
        ours, theirs = here(target), there(target)
        if joins or ours is None or theirs is None:
            ours, theirs = sides_at(left, right, target, joins)
        if ours.present and theirs.present:
            found.append(_of_both(target, ours, theirs, (left, right)))
            compared += target in changed or target.section in joins
        elif _could_not_be_seen(ours) or _could_not_be_seen(theirs):
            not_compared += target.section not in unmeasured
        elif (difference := _of_one(target, ours, theirs)) is not None:
            found.append(difference)
    pairs = [_of_one(place, ours, theirs) for place, (ours, theirs) in lonely.items()]
    found += [difference for difference in pairs if difference is not None]
    for component in images - skipped:
        found = list(on_newer_base(settle_image(found, left, right, component, joins), component))
    return Differences(
        items=tuple(found),
        compared=compared,
        not_compared=not_compared,
        not_measured=frozenset(unmeasured),
        joins=joins,
    )


def _apart(left: View, right: View, interner: Interner) -> tuple[set[Place], int]:
    """Return the places whose facts are not plainly equal, and how many facts are."""
    ours, theirs = _numbers(left, left.service, interner), _numbers(right, left.service, interner)
    changed: set[Place] = set()
    equal = 0
    for at in ours.keys() | theirs.keys():
        component, section = at
        new = facts_if_new(ours, theirs, at)
        if new is not None:
            items, alike = unlike(*new)
        else:
            one, other = ours.get(at, 0), theirs.get(at, 0)
            items, alike = set(), (one & other).bit_count()
            if one != other:
                items = interner.table(left.service, component, section).items_of(one ^ other)
        equal += alike
        changed.update([Place(component, section, item) for item in items])
    return changed, equal


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


def _could_not_be_seen(side: Side) -> bool:
    return side.unknown is not None and side.source in ("not_compared", "not_measured")


def _unmeasured(left: View, right: View) -> set[SectionName]:
    ours = {section for _, section in left.looks}
    return ours ^ {section for _, section in right.looks}


def _of_both(place: Place, ours: Side, theirs: Side, views: tuple[View, View]) -> Difference:
    gap = _gap(place, ours, theirs, views)
    if gap is None:
        return Difference(place, "same", ours, theirs)
    return Difference(place, "changed", ours, theirs, gap.kind, gap.distance, gap.direction)


def _of_one(place: Place, ours: Side, theirs: Side) -> Difference | None:
    if ours.unknown or theirs.unknown:
        if not (ours.present or theirs.present) and (ours.unknown is None or theirs.unknown is None):
            return (
                None
                if ours.last is None and theirs.last is None
                else Difference(place, "unknown", ours, theirs)
            )
        return Difference(place, "unknown", ours, theirs)
    if not ours.present and not theirs.present:
        return None
    if not theirs.present:
        return Difference(place, "left_only", ours, theirs, direction="left_ahead")
    return Difference(place, "right_only", ours, theirs, direction="right_ahead")


def _gap(place: Place, ours: Side, theirs: Side, views: tuple[View, View]) -> Gap | None:
    if place.section == "dependencies":
        return package_gap(place.item, ours.value, theirs.value)
    if place.section == "config":
        # A shape holds no numbers, so equal is the same.
        return None if ours.value == theirs.value else config_gap(ours.value, theirs.value)
    if place.section == "backing_services":
        products = (product_of(views[0], place), product_of(views[1], place))
        return server_gap(place.item, ours, theirs, products=products)
    if place.section == "admin" and place.item.startswith(migrations.PREFIX):
        return migrations.head_gap(ours.value, theirs.value)
    if place.item == "image#tag":
        return tag_gap(ours.value, theirs.value)
    return plain_gap(ours.value, theirs.value)


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
