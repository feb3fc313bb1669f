"""Whether a drift that no verdict speaks of any more is over, hidden, or out of sight."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from detector.engine import migrations
from detector.engine.clients import skew_settled
from detector.engine.components import joins_of, one_sided, sides_at
from detector.engine.difference import Difference
from detector.engine.findings import endpoints
from detector.engine.gone import gone_settled, is_gone
from detector.engine.images import settle_image
from detector.engine.rollout import mixed_in
from detector.engine.settings import (
    is_for_development,
    is_foreign,
    is_plain_secret,
    is_switch,
    plain_secrets_in,
)
from detector.engine.substitution import substitutions_between
from detector.engine.successors import predecessors, project_of, with_successors
from detector.engine.unset import UNSET_KINDS, unread_in, unset_settled
from detector.engine.values import config_gap, equal_values, must_differ
from detector.engine.view import Place, View
from detector.model import versions
from detector.model.canonical import same_value
from detector.model.facts import Value
from detector.model.records import Key, Side
from detector.model.words import COMPONENT_KINDS

#: Findings that a shape shows by itself: its field, and what it says.
_SHOWN: Final = {"placeholder": ("placeholder", True), "loopback_in_production": ("host", "loopback")}
#: Findings that a value goes on to show.
_KEPT: Final[Mapping[str, Callable[[Value], bool]]] = {
    "development_server": is_for_development,
    "environment_switch": is_switch,
    "nonproduction_host": is_foreign,
}


def settled(left: View, right: View, key: Key) -> bool | None:
    """Tell what became of a key without a verdict.

    True: both sides are known and there is nothing left of it. False: it is still there, but a rule hides
    it. None: one side cannot be seen, so nothing is known.
    """
    if key.kind in UNSET_KINDS:
        return unset_settled(left, right, key)
    if key.kind == "client_skew":
        return skew_settled(right, (), key)
    if key.kind == "set_but_unread":
        return _unread_settled(right)
    place = Place(key.component, key.section, key.item)
    if key.kind == "service_gone":
        return gone_settled(left, right)
    if is_gone(left) or is_gone(right):
        return False  # what is gone took its differences along: none of them was mended
    if key.section == "processes" and key.item in COMPONENT_KINDS:
        return _component_settled(left, right, place)
    ours, theirs = sides_at(left, right, place, joins_of(left, right))
    if ours.unknown or theirs.unknown:
        return None
    if key.kind == "shared_endpoint" and _may_still_point_at(left, _field(theirs.value, "endpoint")):
        return None
    return not _is_still_there(key, ours, theirs, left, right)


def settled_alone(view: View, servers: Sequence[View], key: Key) -> bool | None:
    """Tell what became of a finding of one environment; ``servers`` are those that the service uses there."""
    return skew_settled(view, servers, key) if key.kind == "client_skew" else settled(view, view, key)


def _unread_settled(view: View) -> bool | None:
    """Tell whether every key is read now, which only code that was understood whole can prove."""
    if not view.reads or not all(code.whole for code in view.reads.values()):
        return None
    return not any(True for _ in unread_in(view))


def _component_settled(left: View, right: View, place: Place) -> bool | None:
    alone = one_sided(left, right).get(place)
    if alone is not None:
        return None if alone[0].unknown or alone[1].unknown else False
    if place.component in left.silent | right.silent:
        return None
    both_or_none = (place.component in left.kinds) == (place.component in right.kinds)
    return True if both_or_none and left.kinds and right.kinds else None


def _is_still_there(key: Key, ours: Side, theirs: Side, left: View, right: View) -> bool:
    place = Place(key.component, key.section, key.item)
    kind, value = key.kind, theirs.value
    if kind == "contradiction":
        return place in right.contradictions
    if kind == "mixed":
        return place in mixed_in(right)
    if kind == "shared_secret":
        secret = must_differ(key.item, ours.value) and must_differ(key.item, value)
        return secret and bool(equal_values(ours.value, value))
    if kind == "shared_endpoint":
        endpoint = _field(value, "endpoint")
        return bool(endpoint) and endpoint in left.found(endpoints)
    if kind == "floating":
        return isinstance(value, str) and versions.split_tag(value).floating
    if kind in _SHOWN:
        field, says = _SHOWN[kind]
        return bool(_field(value, field) == says)
    if kind == "schema_behind":
        expected = theirs.hints.get("expected_by")
        return isinstance(expected, str) and migrations.lag(value, expected) is not None
    if kind in _KEPT or (key.section == "config" and kind in ("literal_secret", "substitution", "emulator")):
        return _is_shown(key, ours, theirs, left, right)
    if kind == "rebuilt":
        found = settle_image((), left, right, key.component, joins_of(left, right))
        return any(difference.kind == "rebuilt" for difference in found)
    if kind not in ("difference", "variant", "substitution"):
        return False
    if ours.present != theirs.present:
        return not (theirs.present and _has_predecessor(place, left, right))
    return ours.present and not same_value(ours.value, value)


def _has_predecessor(place: Place, left: View, right: View) -> bool:
    """Tell whether the left side has by now a package whose place this one took: they are judged as one."""
    joins, project = joins_of(left, right), project_of(place.item)
    alone = []
    for name in {
        at.item
        for view in (left, right)
        for at, _ in view.sides.section("dependencies")
        if project_of(at.item) == project
    }:
        at = Place(place.component, place.section, name)
        ours, theirs = sides_at(left, right, at, joins)
        if ours.present != theirs.present and not (ours.unknown or theirs.unknown):
            alone.append(Difference(at, "left_only" if ours.present else "right_only", ours, theirs))
    return place in predecessors(with_successors(alone))


def _is_shown(key: Key, ours: Side, theirs: Side, left: View, right: View) -> bool:
    """Tell whether a finding of a config key can still be made of its shapes."""
    place = Place(key.component, key.section, key.item)
    if key.kind in _KEPT:
        return _KEPT[key.kind](theirs.value)
    if key.kind == "literal_secret":
        if left is right:
            return any(one.place == place for one in plain_secrets_in(right))
        return is_plain_secret(ours.value, theirs.value)
    gap = config_gap(ours.value, theirs.value) if ours.present and theirs.present else None
    by_end = (one.place for one in substitutions_between(left, right, ()))
    return (gap is not None and gap.kind == key.kind) or place in by_end


def _may_still_point_at(view: View, endpoint: Value) -> bool:
    """Tell whether a key that cannot be seen now pointed at an endpoint when it was last seen."""
    return bool(endpoint) and any(_field(view.sides[at].last, "endpoint") == endpoint for at in view.unknown)


def _field(value: Value, name: str) -> Value:
    return value.get(name) if isinstance(value, dict) else None
