"""Findings: what is wrong although nothing differs, on both sides of a boundary or in one environment."""

from detector.engine.pairing import Difference, product_of
from detector.engine.policy import Environment, Pair
from detector.engine.values import equal_values, must_differ, rotated
from detector.engine.view import Place, View
from detector.model import versions
from detector.model.facts import Value
from detector.model.records import Side


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
    for place in sorted(right.watched):
        theirs = right.sides[place]
        if not isinstance(theirs.value, dict):
            continue
        meeting = endpoints.get(theirs.value.get("endpoint", ""))
        if meeting is not None and theirs.value.get("host") in ("private", "public"):
            found.append(Difference(place, "same", left.sides[meeting], theirs, "shared_endpoint"))
            continue
        ours = left.sides.get(place)
        if ours is None or not ours.present:
            continue
        if not must_differ(place.item, ours.value) or not must_differ(place.item, theirs.value):
            continue
        if equal_values(ours.value, theirs.value):
            found.append(Difference(place, "same", ours, theirs, "shared_secret"))
        elif rotated(ours.value, theirs.value):
            blind = Side(unknown="key_rotated")
            found.append(Difference(place, "unknown", blind, blind, "shared_secret"))
    return found


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
