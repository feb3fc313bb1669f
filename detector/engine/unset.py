"""Keys that the code reads and nobody sets, and keys that are set and read nowhere.

Between two environments: a key that neither side sets is one finding of the comparison; a key that one side
sets is an ordinary difference, which what the code does makes graver or milder.
"""

from collections.abc import Iterator
from typing import Final

from detector.engine.difference import Difference
from detector.engine.policy import Pair
from detector.engine.reads import is_of_a_library, reading_of
from detector.engine.view import ABSENT, Place, View
from detector.model.records import Key, Side
from detector.model.words import MAIN, Kind, SourceClass

#: What a finding of keys that nobody reads is filed under; no key has this name.
UNREAD_ITEM: Final = "keys"
UNSET_KINDS: Final[tuple[Kind, ...]] = ("read_but_unset", "default_in_production")
#: A key is set nowhere when none of these classes holds it; what the image brings along is nobody's setting.
_SET_BY_SOMEBODY: Final[tuple[SourceClass, ...]] = ("literal", "secret_ref", "env_file")
#: Names in one finding.
_MOST_NAMES: Final = 50


def unset_between(left: View, right: View, pair: Pair) -> Iterator[Difference]:
    """Yield the keys that the code of either side reads and that neither side sets."""
    reading = {
        (component, key)
        for view in (left, right)
        for component in view.reads
        for key in view.reads[component].places
    }
    for component, key in sorted(reading):
        kind = _kind(left, right, pair, component, key)
        if kind is not None and all(is_unset(view, component, key) for view in (left, right)):
            yield Difference(Place(component, "config", key), "same", ABSENT, ABSENT, kind)


def unset_settled(left: View, right: View, key: Key) -> bool | None:
    """Tell what became of a finding that is no longer made; see `detector.engine.settling.settled`."""
    unset = [is_unset(view, key.component, key.item) for view in (left, right)]
    if any(is_set(view, key.component, key.item) for view in (left, right)):
        return True
    if not all(unset):
        return None
    reading = reading_of((left, right), key.component, key.item)
    if reading in ("required", "stand_in"):
        return False
    # A source of reads that is gone, or that saw only a part, does not say that the code changed.
    return True if reading in ("optional", "unread") else None


def unread_in(view: View) -> Iterator[Difference]:
    """Yield one finding with the keys that an environment sets and that none of its code reads."""
    if not view.reads:
        return  # of no key anything is known
    names = sorted(
        {name for name, component in _set(view) if reading_of((view,), component, name) == "unread"}
    )
    if names:
        found = Side(present=True, value=[*names[:_MOST_NAMES]])
        yield Difference(Place(MAIN, "config", UNREAD_ITEM), "same", Side(), found, "set_but_unread")


def _kind(left: View, right: View, pair: Pair, component: str, key: str) -> Kind | None:
    reading = reading_of((left, right), component, key)
    if reading == "required":
        return "read_but_unset"
    into_production = "production" in (pair.left.tier, pair.right.tier)
    return "default_in_production" if reading == "stand_in" and into_production else None


def _components(view: View, component: str) -> list[str]:
    """Return the components whose keys the code of a component may read."""
    known = view.components("config")
    return [component] if component in known else known


def is_unset(view: View, component: str, key: str) -> bool:
    """Tell whether a view proves that nobody sets a key there, by whatever way."""
    here = _components(view, component)
    return bool(here) and all(
        view.side(Place(name, "config", key), source_class=source_class) == ABSENT
        for name in here
        for source_class in _SET_BY_SOMEBODY
    )


def is_set(view: View, component: str, key: str) -> bool:
    """Tell whether a view has a key, whoever sets it."""
    sides = (view.sides.get(Place(name, "config", key)) for name in _components(view, component))
    return any(side is not None and side.present for side in sides)


def _set(view: View) -> Iterator[tuple[str, str]]:
    for place, side in view.sides.section("config"):
        if not side.present or not isinstance(side.value, dict):
            continue
        by_somebody = side.value.get("source_class", "literal") in _SET_BY_SOMEBODY
        if by_somebody and not is_of_a_library(place.item):
            yield place.item, place.component
