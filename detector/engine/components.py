"""Components: which process types of two views stand opposite each other, and which only one side runs.

A stream that names no component speaks for every process type opposite. Sidecars pair with sidecars and jobs
with jobs of the same name; one that only one side runs is one difference, not one for each of its facts.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from detector.engine.looks import Look
from detector.engine.sides import At
from detector.engine.view import Place, View
from detector.errors import Reason
from detector.model.records import Side
from detector.model.words import MAIN, SectionName, SourceClass


class Join(NamedTuple):
    """One side names no component: ``components`` of the other side are what it speaks for."""

    single: Literal["left", "right"]
    components: tuple[str, ...]


Joins = Mapping[SectionName, Join]


def joins_of(left: View, right: View) -> Joins:
    """Return the sections in which one side names no component."""
    joins: dict[SectionName, Join] = {}
    known, opposite = left.found(_processes), right.found(_processes)
    for section in known.keys() & opposite.keys():
        ours, theirs = known[section], opposite[section]
        if ours == [MAIN] and theirs and MAIN not in theirs:
            joins[section] = Join("left", tuple(theirs))
        elif theirs == [MAIN] and ours and MAIN not in ours:
            joins[section] = Join("right", tuple(ours))
    return joins


def targets(place: Place, joins: Joins) -> Sequence[Place]:
    """Return the places that a fact is compared at: those of every component it speaks for."""
    return [Place(*at, place.item) for at in targets_at((place.component, place.section), joins)]


def targets_at(at: At, joins: Joins) -> Sequence[At]:
    """Return where the facts of one section of one component are compared."""
    component, section = at
    join = joins.get(section)
    if join is None or component != MAIN:
        return (at,)
    return [(component, section) for component in join.components]


def places_of(target: Place, joins: Joins) -> tuple[Place, Place]:
    """Return where left and where right keep what is compared at a place."""
    mine, other = ats_of((target.component, target.section), joins)
    return Place(*mine, target.item), Place(*other, target.item)


def ats_of(target: At, joins: Joins) -> tuple[At, At]:
    """Return where left and where right keep the facts that are compared at one section of a component."""
    component, section = target
    join = joins.get(section)
    if join is None or component not in join.components:
        return target, target
    alone = (MAIN, section)
    return (alone, target) if join.single == "left" else (target, alone)


def sides_at(left: View, right: View, target: Place, joins: Joins) -> tuple[Side, Side]:
    """Return what both sides say of a place, each as far as it could have seen what the other has."""
    mine, other = ats_of((target.component, target.section), joins)
    ours, theirs = left.sides.at(mine)[target.item], right.sides.at(other)[target.item]
    return (
        ours or absent(left, mine, target.item, theirs),
        theirs or absent(right, other, target.item, ours),
    )


def absent(view: View, at: At, item: str, opposite: Side | None) -> Side:
    """Return what a view says of an item that it does not have, as far as it could have seen the other's."""
    if opposite is None:
        return view.lacking(at, item)
    source_class: SourceClass | None = None
    value = opposite.value if opposite.present else opposite.last
    if at[1] == "config" and isinstance(value, dict):
        source_class = value.get("source_class", "literal")
    return view.lacking(at, item, basis=opposite.basis, source_class=source_class)


def one_sided(left: View, right: View) -> dict[Place, tuple[Side, Side]]:
    """Return the components that only one side runs, where the other could have seen them."""
    found: dict[Place, tuple[Side, Side]] = {}
    if not left.kinds or not right.kinds:
        return found
    for component in sorted(left.kinds.keys() ^ right.kinds.keys()):
        here, there = (left, right) if component in left.kinds else (right, left)
        kind = here.kinds[component]
        if kind == "process" and (component == MAIN or there.kinds.get(MAIN) == "process"):
            continue  # a source that names no component sees one process: that says nothing of others
        side, basis = _running(here, component)
        opposite = _lacking(there, basis)
        if opposite is not None:
            place = Place(component, "processes", kind)
            found[place] = (side, opposite) if here is left else (opposite, side)
    return found


def _processes(view: View) -> Mapping[SectionName, list[str]]:
    """Return the processes that some stream looks at, by section."""
    found: dict[SectionName, list[str]] = {}
    for component, section in sorted(view.looks):
        if view.kinds.get(component) == "process":
            found.setdefault(section, []).append(component)
    return found


def _running(view: View, component: str) -> tuple[Side, str]:
    """Return a component as a side, and the nearest basis it was seen on."""
    looks = [look for (name, _), here in view.looks.items() if name == component for look in here]
    nearest = max(looks, key=lambda look: look.basis_rank)
    basis = nearest.section.basis
    if not any(_saw(look) for look in looks):
        why = nearest.why_unknown("*") or "not_in_view"
        return Side(unknown=why, last=view.kinds[component], basis=basis), basis
    side = Side(
        present=True,
        value=view.kinds[component],
        basis=basis,
        source=nearest.stream.source,
        observed_at=nearest.stream.last_seen,
    )
    return side, basis


def _lacking(view: View, basis: str) -> Side | None:
    """Return the side of a view that lacks a component; None where nothing there looks at this basis."""
    able = {
        section: [look for look in here if look.section.basis == basis]
        for (_, section), here in view.looks.items()
    }
    looks = able.get("processes") or [look for here in able.values() for look in here]
    if not looks:
        return None
    blind: Reason | None = next((_why_blind(look) for look in looks if not _saw(look)), None)
    return Side(unknown=blind) if blind else Side()


def _saw(look: Look) -> bool:
    return look.fresh and look.section.status != "failed"


def _why_blind(look: Look) -> Reason:
    return look.why_unknown("*") or "not_in_view"
