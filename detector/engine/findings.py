"""Findings: what is wrong although nothing differs, on both sides of a boundary or in one environment."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from detector.engine.pairing import Difference, product_of
from detector.engine.policy import Environment, Pair
from detector.engine.rules import Rule
from detector.engine.values import equal_values, must_differ, rotated
from detector.engine.view import Place, View
from detector.model import versions
from detector.model.canonical import same_value
from detector.model.facts import Value
from detector.model.fingerprints import key_id_of
from detector.model.items import matches
from detector.model.records import Side

_ROTATED: Final = Side(unknown="key_rotated")


def watched(place: Place, value: Value) -> bool:
    """Tell whether a fact must be judged although both sides have it: a secret, an endpoint."""
    if place.section != "config" or not isinstance(value, dict):
        return False
    return "endpoint" in value or must_differ(place.item, value)


def shared_between(left: View, right: View, pair: Pair) -> list[Difference]:
    """Return secrets and endpoints that both sides of the production boundary use.

    The same backing service behind any two keys is `shared_endpoint`; one value under one key that must
    differ is `shared_secret`. Fingerprints of different keys can tell neither: `unknown(key_rotated)`.
    """
    if not pair.crosses_production:
        return []
    found: list[Difference] = []
    endpoints = _endpoints(left)
    known_keys = {key_id_of(endpoint) for endpoint in endpoints}
    for place in sorted(right.watched):
        theirs = right.sides[place]
        if not isinstance(theirs.value, dict):
            continue
        meeting = endpoints.get(theirs.value.get("endpoint", ""))
        if meeting is not None and _is_far(theirs.value):
            found.append(Difference(place, "same", left.sides[meeting], theirs, "shared_endpoint"))
            continue
        if _is_far(theirs.value) and known_keys - {key_id_of(theirs.value["endpoint"])}:
            found.append(Difference(place, "unknown", _ROTATED, _ROTATED, "shared_endpoint"))
        ours = left.sides.get(place)
        if ours is None or not ours.present:
            continue
        if not must_differ(place.item, ours.value) or not must_differ(place.item, theirs.value):
            continue
        if equal_values(ours.value, theirs.value):
            found.append(Difference(place, "same", ours, theirs, "shared_secret"))
        elif rotated(ours.value, theirs.value):
            found.append(Difference(place, "unknown", _ROTATED, _ROTATED, "shared_secret"))
    return found


def equal_and_asked_about(left: View, right: View, rules: Sequence[Rule]) -> list[Difference]:
    """Return keys that look equal on both sides, of whose values a rule of parity.yml expects something.

    Equal facts are otherwise never looked at; two equal shapes without fingerprints prove no equal values.
    """
    asked = [
        rule
        for rule in rules
        if rule.outcome.expect not in (None, "presence", "any")
        and (not rule.match.section or "config" in rule.match.section)
        and not rule.name.startswith("default/")
    ]
    found: list[Difference] = []
    for place, ours in left.sides.items() if asked else ():
        if place.section != "config" or not ours.present or place in left.watched:
            continue
        theirs = right.sides.get(place)
        if theirs is None or not theirs.present or not same_value(ours.value, theirs.value):
            continue
        if any(_is_asked(rule, place.item, ours.value) for rule in asked):
            found.append(Difference(place, "same", ours, theirs))
    return found


def _is_asked(rule: Rule, item: str, value: Value) -> bool:
    if rule.outcome.expect == "equal" and equal_values(value, value) is not None:
        return False
    return not rule.match.item or any(matches(glob, item) for glob in rule.match.item)


def _is_far(shape: Mapping[str, Any]) -> bool:
    """Tell whether an endpoint is the same place for everybody: not this machine, no name of one network."""
    return bool(shape.get("endpoint")) and shape.get("host") in ("private", "public")


def _endpoints(view: View) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for place in sorted(view.watched):
        value = view.sides[place].value
        if isinstance(value, dict) and value.get("endpoint"):
            found.setdefault(value["endpoint"], place)
    return found


def findings_of(view: View, environment: Environment) -> list[Difference]:
    """Return what is wrong inside one environment. The finding stands on the right, left is blank."""
    found: list[Difference] = []
    for place, side in view.sides.items():
        if not side.present:
            continue
        if place.section == "config" and environment.tier == "production" and isinstance(side.value, dict):
            if side.value.get("placeholder"):
                found.append(_finding(place, side, "placeholder"))
            elif side.value.get("host") == "loopback":
                found.append(_finding(place, side, "loopback_in_production"))
        elif _floats(place, side, view):
            found.append(_finding(place, side, "floating"))
    for place, loser in view.contradictions.items():
        side = view.sides[place]
        found.append(Difference(place, "changed", loser, side, "contradiction"))
    return sorted(found, key=lambda difference: (difference.place, difference.kind))


def _finding(place: Place, side: Side, kind: str) -> Difference:
    return Difference(place, "same", Side(), side, kind)  # type: ignore[arg-type]  # the kinds above


def _floats(place: Place, side: Side, view: View) -> bool:
    """Tell whether a tag or declared version names whatever is newest instead of one release."""
    declared = (
        place.section == "backing_services" and place.item.endswith("#version") and side.basis == "declared"
    )
    if not isinstance(side.value, str) or not (declared or place.item == "image#tag"):
        return False
    server = Place(place.component, "backing_services", "main#version")
    if not declared and server in view.sides:
        # The tag of a server's image says its version once more: one finding is enough.
        return False
    alias = place.item.partition("#")[0] if declared else "main"
    product = product_of(view, Place(place.component, "backing_services", f"{alias}#version"))
    return versions.split_tag(side.value, product=product or None).floating
