"""Findings: what is wrong although nothing differs, on both sides of a boundary or in one environment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from detector.engine import migrations
from detector.engine.difference import by_place
from detector.engine.images import is_of_server
from detector.engine.pairing import Difference, product_of
from detector.engine.policy import Environment, Pair
from detector.engine.rollout import mixed_in
from detector.engine.rulebook import rulebook
from detector.engine.rules import Rule
from detector.engine.settings import development_servers_in, foreign_hosts_in, plain_secrets_in, switches_in
from detector.engine.unset import unread_in
from detector.engine.values import equal_values, identity_of, must_differ
from detector.engine.view import Place, View
from detector.model import versions
from detector.model.canonical import same_value
from detector.model.facts import Value
from detector.model.fingerprints import key_id_of
from detector.model.items import matches
from detector.model.records import Side
from detector.model.words import SectionName

#: Sections in which a tag or a declared version can stand.
_TAGGED: Final[tuple[SectionName, ...]] = ("release", "backing_services")
_ROTATED: Final = Side(unknown="key_rotated")


class Exposed(NamedTuple):
    """A secret or an endpoint of one side."""

    place: Place
    side: Side
    #: Where it leads, if that is the same place for everybody.
    endpoint: str
    #: Whether no other environment may have this value.
    secret: bool
    #: What tells it from others, None where nothing does.
    identity: str | None
    #: The key that it was fingerprinted with; empty without a fingerprint.
    key_id: str


def exposed(view: View) -> Mapping[Place, Exposed]:
    """Return the secrets and endpoints of a view, in the order of their places."""
    found = []
    for place, side in view.sides.section("config"):
        value = side.value
        if side.present and isinstance(value, dict):
            secret = must_differ(place.item, value)
            if secret or "endpoint" in value:
                endpoint = value["endpoint"] if _is_far(value) else ""
                key_id = key_id_of(value.get("fingerprint") or "")
                found.append(Exposed(place, side, endpoint, secret, identity_of(value), key_id))
    return {one.place: one for one in sorted(found, key=lambda one: one.place)}


def endpoints(view: View) -> Mapping[str, Side]:
    """Return the endpoints that a view names, near and far, each with the first side that names it."""
    found: dict[str, Side] = {}
    for one in view.found(exposed).values():
        if isinstance(one.side.value, dict) and one.side.value.get("endpoint"):
            found.setdefault(one.side.value["endpoint"], one.side)
    return found


def shared_between(left: View, right: View, pair: Pair) -> list[Difference]:
    """Return secrets and endpoints that both sides of the production boundary use.

    The same backing service behind any two keys is `shared_endpoint`; one value under one key that must
    differ is `shared_secret`. Fingerprints of different keys can tell neither: `unknown(key_rotated)`.
    """
    if not pair.crosses_production:
        return []
    found: list[Difference] = []
    known, ours = left.found(endpoints), left.found(exposed)
    known_keys = left.found(_endpoint_keys)
    for place, theirs, endpoint, secret, identity, key_id in right.found(exposed).values():
        if endpoint:
            meeting = known.get(endpoint)
            if meeting is not None:
                found.append(Difference(place, "same", meeting, theirs, "shared_endpoint"))
                continue
            if known_keys and known_keys != {key_id_of(endpoint)}:
                found.append(Difference(place, "unknown", _ROTATED, _ROTATED, "shared_endpoint"))
        if not secret or (mine := ours.get(place)) is None or not mine.secret:
            continue
        if identity is not None and identity == mine.identity:
            found.append(Difference(place, "same", mine.side, theirs, "shared_secret"))
        elif key_id and mine.key_id and key_id != mine.key_id:
            found.append(Difference(place, "unknown", _ROTATED, _ROTATED, "shared_secret"))
    return found


def _endpoint_keys(view: View) -> frozenset[str | None]:
    return frozenset(map(key_id_of, view.found(endpoints)))


def equal_and_asked_about(left: View, right: View, rules: Sequence[Rule]) -> list[Difference]:
    """Return keys that look equal on both sides, of whose values a rule of parity.yml expects something.

    Equal facts are otherwise never looked at; two equal shapes without fingerprints prove no equal values.
    """
    asked = rulebook(rules).asks_about_equals
    found: list[Difference] = []
    for place, ours in left.sides.section("config") if asked else ():
        if not ours.present:
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


def findings_of(view: View, environment: Environment) -> Sequence[Difference]:
    """Return what is wrong inside one environment. The finding stands on the right, left is blank."""
    return view.found(_in_production if environment.tier == "production" else _anywhere)


def _in_production(view: View) -> Sequence[Difference]:
    found = [*_anywhere(view), *foreign_hosts_in(view), *development_servers_in(view)]
    for place, side in view.sides.section("config"):
        if side.present and isinstance(side.value, dict):
            if side.value.get("placeholder"):
                found.append(_finding(place, side, "placeholder"))
            elif side.value.get("host") == "loopback":
                found.append(_finding(place, side, "loopback_in_production"))
    return _in_order(found)


def _anywhere(view: View) -> Sequence[Difference]:
    found = [
        _finding(place, side, "floating")
        for section in _TAGGED
        for place, side in view.sides.section(section)
        if side.present and _floats(place, side, view)
    ]
    found += [
        _finding(place, side, "schema_behind")._replace(direction=how)
        for place, side in view.sides.section("admin")
        if side.present and (how := _lag(place, side)) is not None
    ]
    for place, loser in view.contradictions.items():
        side = view.sides[place]
        found.append(Difference(place, "changed", loser, side, "contradiction"))
    found += [*unread_in(view), *plain_secrets_in(view), *switches_in(view)]
    found += [_finding(place, side, "mixed") for place, side in mixed_in(view).items()]
    return _in_order(found)


def _in_order(found: Iterable[Difference]) -> Sequence[Difference]:
    return sorted(found, key=by_place)


def _lag(place: Place, side: Side) -> str | None:
    """Return how the head of a database stands to what the running code expects, as a direction."""
    expected = side.hints.get("expected_by")
    if not isinstance(expected, str) or not place.item.startswith(migrations.PREFIX):
        return None
    return {"behind": "left_ahead", "unordered": "unordered"}.get(migrations.lag(side.value, expected) or "")


def _finding(place: Place, side: Side, kind: str) -> Difference:
    return Difference(place, "same", Side(), side, kind)  # type: ignore[arg-type]  # the kinds above


def _floats(place: Place, side: Side, view: View) -> bool:
    """Tell whether a tag or declared version names whatever is newest instead of one release."""
    declared = (
        place.section == "backing_services" and place.item.endswith("#version") and side.basis == "declared"
    )
    if not isinstance(side.value, str) or not (declared or place.item == "image#tag"):
        return False
    if not declared and is_of_server(view, place.component) and _is_read_off_its_tag(view, place.component):
        return False  # it floats with its tag: one finding is enough
    alias = place.item.partition("#")[0] if declared else "main"
    product = product_of(view, Place(place.component, "backing_services", f"{alias}#version"))
    return versions.split_tag(side.value, product=product or None).floating


def _is_read_off_its_tag(view: View, component: str) -> bool:
    """Tell whether nobody asked the server itself for its version."""
    version = view.sides.get(Place(component, "backing_services", "main#version"))
    return version is not None and version.basis == "declared"
