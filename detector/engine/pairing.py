"""Pairing: what is different between two views, without any opinion on it.

Timeless: the same two views always give the same differences, so the result may be kept and used again.
The work grows with what differs: two sets of interned facts are XORed, and beside the outcome only the
places that must be judged although equal, and those that are unknown, are looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from detector.engine.values import (
    IMAGE_IDENTITY,
    LOCAL,
    Gap,
    config_gap,
    image_identity,
    package_gap,
    plain_gap,
    server_gap,
    tag_gap,
)
from detector.engine.view import Interner, Place, View
from detector.model.facts import Value
from detector.model.records import Side
from detector.model.words import MAIN, Kind, SectionName, SourceClass, Status


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two views are not plainly equal. ``same`` stands for places watched although equal."""

    place: Place
    status: Status
    left: Side
    right: Side
    kind: Kind = "difference"
    distance: str | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All that two views do not plainly share, and how much they do."""

    items: tuple[Difference, ...]
    #: Places that both sides have, and that were compared.
    compared: int
    #: One-sided places that the other side could not have seen.
    not_compared: int
    #: Sections that only one side has a source for.
    not_measured: frozenset[SectionName]


def changed_places(left: View, right: View, interner: Interner) -> list[Place]:
    """Return the places whose facts differ: the XOR of two sets, each place once."""
    places = interner.places
    return list({places[number]: None for number in left.ids ^ right.ids})


def differences(left: View, right: View, interner: Interner) -> Differences:
    """Compare two views of one service."""
    renamed = _components_to_join(left, right)
    candidates: dict[Place, None] = dict.fromkeys(changed_places(left, right, interner))
    for extra in (left.watched & right.watched, left.unknown, right.unknown):
        candidates.update(dict.fromkeys(extra))
    found: list[Difference] = []
    not_compared = 0
    not_measured: set[SectionName] = set()
    images: set[str] = set()
    one_sided = {} if renamed else _one_sided_components(left, right)
    found.extend(one_sided.values())
    for place, ours, theirs in _opposites(left, right, candidates, renamed):
        if place.item in LOCAL or place.component in one_sided:
            continue
        if place.section == "release" and place.item.startswith("image#"):
            images.add(place.component)
            if place.item in IMAGE_IDENTITY:
                continue
        if {ours.source, theirs.source} & {"not_measured"} and (ours.unknown or theirs.unknown):
            not_measured.add(place.section)
            continue
        if (ours.unknown and ours.source == "not_compared") or (
            theirs.unknown and theirs.source == "not_compared"
        ):
            not_compared += 1
            continue
        difference = _difference(place, ours, theirs, (left, right))
        if difference is not None:
            found.append(difference)
    for component in images:
        found = _judge_images(found, left, right, component)
    found.sort(key=lambda difference: difference.place)
    both = len(left.ids & right.ids)
    return Differences(
        items=tuple(found),
        compared=both
        + sum(1 for difference in found if difference.left.present and difference.right.present),
        not_compared=not_compared,
        not_measured=frozenset(not_measured | _unmeasured(left, right)),
    )


def _unmeasured(left: View, right: View) -> set[SectionName]:
    ours = {section for _, section in left.looks}
    return ours ^ {section for _, section in right.looks}


def _difference(place: Place, ours: Side, theirs: Side, views: tuple[View, View]) -> Difference | None:
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
    if not ours.present:
        return Difference(place, "right_only", ours, theirs, direction="right_ahead")
    gap = _gap(place, ours, theirs, views)
    if gap is None:
        return Difference(place, "same", ours, theirs)
    return Difference(place, "changed", ours, theirs, gap.kind, gap.distance, gap.direction)


def _gap(place: Place, ours: Side, theirs: Side, views: tuple[View, View]) -> Gap | None:
    if place.section == "dependencies":
        return package_gap(place.item, ours.value, theirs.value)
    if place.section == "config":
        return config_gap(ours.value, theirs.value)
    if place.section == "backing_services":
        products = (product_of(views[0], place), product_of(views[1], place))
        return server_gap(place.item, ours, theirs, products=products)
    if place.item == "image#tag":
        return tag_gap(ours.value, theirs.value)
    return plain_gap(ours.value, theirs.value)


def product_of(view: View, place: Place) -> str:
    """Return the product of the backing service that a fact belongs to, or an empty text."""
    alias = place.item.partition("#")[0]
    side = view.sides.get(Place(place.component, place.section, f"{alias}#product"))
    return side.value if side is not None and isinstance(side.value, str) else ""


def _judge_images(found: list[Difference], left: View, right: View, component: str) -> list[Difference]:
    """Settle all facts of one image at once: one image under two tags is no difference, two images under
    one tag are a rebuild.
    """
    ours, theirs = _image(left, component), _image(right, component)
    if not ours or not theirs:
        return found
    same = image_identity(ours, theirs)
    tag = Place(component, "release", "image#tag")
    if same:
        return [difference for difference in found if difference.place != tag]
    if ours.get("image#tag") != theirs.get("image#tag") or ours.get("image#repository") != theirs.get(
        "image#repository"
    ):
        return found
    place = Place(component, "release", "image#id")
    held = ours.keys() & theirs.keys() & set(IMAGE_IDENTITY)
    name = min(held, key=IMAGE_IDENTITY.index) if held else None
    if same is False and name is not None:
        place = Place(component, "release", name)
        return [
            *found,
            Difference(place, "changed", left.sides[place], right.sides[place], "rebuilt", None, "unordered"),
        ]
    known = {*ours, *theirs} & set(IMAGE_IDENTITY)
    if same is None and known and _has_digest(ours) and _has_digest(theirs):
        return [
            *found,
            Difference(place, "unknown", Side(unknown="not_comparable"), Side(unknown="not_comparable")),
        ]
    return found


def _has_digest(image: dict[str, Value]) -> bool:
    return any(image.get(name) for name in IMAGE_IDENTITY)


def _image(view: View, component: str) -> dict[str, Value]:
    return {
        place.item: side.value
        for place, side in view.sides.items()
        if place.component == component and place.item.startswith("image#") and side.present
    }


def _components_to_join(left: View, right: View) -> dict[SectionName, tuple[str, tuple[str, ...]]]:
    """Return, for sections where one side names no component, which components opposite it speaks for."""
    joined: dict[SectionName, tuple[str, tuple[str, ...]]] = {}
    for section in {section for _, section in left.looks} & {section for _, section in right.looks}:
        ours = [name for name in left.components(section) if left.kinds.get(name, "process") == "process"]
        theirs = [name for name in right.components(section) if right.kinds.get(name, "process") == "process"]
        if ours == [MAIN] and theirs and MAIN not in theirs:
            joined[section] = ("left", tuple(theirs))
        elif theirs == [MAIN] and ours and MAIN not in ours:
            joined[section] = ("right", tuple(ours))
    return joined


def _opposites(
    left: View,
    right: View,
    candidates: Iterable[Place],
    joined: dict[SectionName, tuple[str, tuple[str, ...]]],
) -> Iterable[tuple[Place, Side, Side]]:
    done: set[Place] = set()
    for place in candidates:
        where = joined.get(place.section)
        if where is None:
            yield place, _side(left, place, right), _side(right, place, left)
            continue
        single, components = where
        targets = components if place.component == MAIN else (place.component,)
        for component in targets:
            target = Place(component, place.section, place.item)
            if target in done:
                continue
            done.add(target)
            alone = Place(MAIN, place.section, place.item)
            mine, other = (alone, target) if single == "left" else (target, alone)
            ours = left.sides.get(mine) or _absent(left, mine, right.sides.get(other))
            theirs = right.sides.get(other) or _absent(right, other, left.sides.get(mine))
            yield target, ours, theirs


def _side(view: View, place: Place, opposite: View) -> Side:
    return view.sides.get(place) or _absent(view, place, opposite.sides.get(place))


def _absent(view: View, place: Place, opposite: Side | None) -> Side:
    if opposite is None:
        return view.side(place)
    source_class: SourceClass | None = None
    if place.section == "config" and isinstance(opposite.value, dict):
        source_class = opposite.value.get("source_class", "literal")
    return view.side(place, basis=opposite.basis, source_class=source_class)


def _one_sided_components(left: View, right: View) -> dict[str, Difference]:
    """Return sidecars, jobs and process types that only one side runs: one difference each, not one for
    each of their facts.
    """
    found: dict[str, Difference] = {}
    ours, theirs = set(left.kinds), set(right.kinds)
    if not ours or not theirs:
        return found
    for component in sorted(ours ^ theirs):
        mine, status = (left, "left_only") if component in ours else (right, "right_only")
        kind = mine.kinds[component]
        # A source that names no component sees one process: that says nothing of others.
        if kind == "process" and (component == MAIN or MAIN in ours & theirs):
            continue
        place = Place(component, "processes", kind)
        side = _as_side(mine, component)
        if status == "left_only":
            found[component] = Difference(place, "left_only", side, Side(), direction="left_ahead")
        else:
            found[component] = Difference(place, "right_only", Side(), side, direction="right_ahead")
    return found


def _as_side(view: View, component: str) -> Side:
    look = next(here[0] for (name, _), here in view.looks.items() if name == component)
    return Side(
        present=True,
        value=view.kinds[component],
        basis=look.section.basis,
        source=look.stream.source,
        observed_at=look.stream.last_seen,
    )
