"""Witnesses: what each source says of one place, and what its word is worth there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from detector.engine.components import joins_of, places_of
from detector.engine.looks import Look
from detector.engine.view import Place, View
from detector.errors import Reason
from detector.model.canonical import same_value
from detector.model.clock import print_time
from detector.model.facts import Value
from detector.model.records import Side
from detector.model.words import BASES, Basis

#: `decides`: what the view takes. `agrees`, `contradicts`: another source of the same standing. `evidence`:
#: farther from what really runs. `blind`: it could not tell. `silent`: this is not what it looks at.
Worth = Literal["decides", "agrees", "contradicts", "evidence", "blind", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One source and one place."""

    environment: str
    component: str
    source: str
    basis: Basis
    observed_at: datetime
    fresh: bool
    status: str
    worth: Worth
    #: Whether it has the item; None where it cannot tell.
    present: bool | None
    value: Value = None
    unknown: Reason | None = None
    #: What was in the way, in its own words.
    detail: str = ""

    def document(self) -> dict[str, Any]:
        """Return the witness as ``parity.explain/v1`` shows it."""
        return {
            "environment": self.environment,
            "component": self.component,
            "source": self.source,
            "basis": self.basis,
            "observed_at": print_time(self.observed_at),
            "fresh": self.fresh,
            "status": self.status,
            "worth": self.worth,
            "present": self.present,
            "value": self.value,
            "unknown": self.unknown,
            "detail": self.detail,
        }


def witnesses_of(left: View, right: View, place: Place) -> tuple[tuple[Witness, ...], tuple[Witness, ...]]:
    """Return who on each side says anything of a place, those whose word counts first."""
    mine, other = places_of(place, joins_of(left, right))
    return _witnesses(left, mine), _witnesses(right, other)


def _witnesses(view: View, place: Place) -> tuple[Witness, ...]:
    looks = view.looks.get((place.component, place.section), ())
    side = view.sides.get(place)
    loser = view.contradictions.get(place)
    found = [_witness(view, place, look, side, loser) for look in looks]
    order = ("decides", "agrees", "contradicts", "evidence", "blind", "silent")
    return tuple(sorted(found, key=lambda one: (order.index(one.worth), -BASES.index(one.basis))))


def _witness(view: View, place: Place, look: Look, side: Side | None, loser: Side | None) -> Witness:
    item = place.item
    says, why = look.says(item), look.why_unknown(item)
    remembered = look.section.facts.get(item)
    present: bool | None = True if says else False if why is None and look.covers(item) else None
    worth: Worth
    if not look.covers(item):
        worth = "silent"
    elif present is None:
        worth = "blind"
    elif side is not None and side.present:
        worth = _worth(look, item, side, loser, says=says)
    else:
        worth = "decides"
    return Witness(
        environment=view.environment,
        component=place.component,
        source=look.stream.source,
        basis=look.section.basis,
        observed_at=look.stream.last_seen,
        fresh=look.fresh,
        status=look.section.status,
        worth=worth,
        present=present,
        value=remembered,
        unknown=why if present is None and worth == "blind" else None,
        detail=next((part.detail for part in look.section.unseen if part.reason == why and part.detail), ""),
    )


def _worth(look: Look, item: str, side: Side, loser: Side | None, *, says: bool) -> Worth:
    if says and (look.stream.source, look.section.basis) == (side.source, side.basis):
        return "decides"
    if loser is not None and look.stream.source == loser.source and says:
        return "contradicts"
    if look.section.basis != side.basis:
        return "evidence"
    return "agrees" if says and same_value(look.section.facts[item], side.value) else "evidence"
