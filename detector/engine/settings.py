"""Findings that no difference shows: plain secrets, switches, hosts of another environment, servers."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from detector.engine.difference import Difference
from detector.engine.policy import Pair
from detector.engine.values import must_differ
from detector.engine.view import Place, View
from detector.model.facts import Value
from detector.model.records import Side
from detector.model.web_servers import DEVELOPMENT
from detector.model.words import Kind

#: Keys that tell a program the name of its environment: what they switch is config that no key shows
#: (The Twelve-Factor App, III: grouped environments do not scale).
SWITCHES: Final = frozenset(
    (
        *("APP_ENV", "APP_ENVIRONMENT", "APP_STAGE", "ENV", "ENVIRONMENT", "STAGE", "DEPLOY_ENV"),
        *(
            "NODE_ENV",
            "RAILS_ENV",
            "RACK_ENV",
            "DJANGO_ENV",
            "DJANGO_CONFIGURATION",
            "FLASK_ENV",
            "FASTAPI_ENV",
        ),
        *("MIX_ENV", "GO_ENV", "GIN_MODE", "PHX_ENV", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"),
        *("SPRING_PROFILES_ACTIVE", "FASTAPI_ENV", "QUARKUS_PROFILE", "MICRONAUT_ENVIRONMENTS"),
    )
)


def plain_secrets_between(left: View, right: View, pair: Pair) -> Iterator[Difference]:
    """Yield secrets that one side holds by reference and production by value.

    Only of sources that tell one from the other: in a running process, and in a file that something may have
    filled in, every secret stands as a value. A file of development with its values in it is normal; a
    secret that production takes in plain text, although another environment shows that it need not, is none.
    """
    for place, theirs in sorted(right.found(_secrets).items()):
        ours = left.found(_secrets).get(place)
        if ours is None:
            continue
        by_class = {_class_of(ours): pair.left, _class_of(theirs): pair.right}
        plain = by_class.get("literal")
        alike = pair.left.tier == pair.right.tier
        if plain is not None and "secret_ref" in by_class and (alike or plain.tier == "production"):
            yield Difference(place, "same", ours, theirs, "literal_secret")


def plain_secrets_in(view: View) -> Iterator[Difference]:
    """Yield secrets that one component holds by value and another one of the service by reference."""
    secrets = view.found(_secrets)
    referred = {place.item for place, side in secrets.items() if _class_of(side) == "secret_ref"}
    for place, side in secrets.items():
        if place.item in referred and _class_of(side) == "literal":
            yield _found(place, side, "literal_secret")


def switches_in(view: View) -> Iterator[Difference]:
    """Yield keys that tell the program which environment it is in."""
    for place, side in view.sides.section("config"):
        if side.present and place.item.upper() in SWITCHES and is_switch(side.value):
            yield _found(place, side, "environment_switch")


def foreign_hosts_in(view: View) -> Iterator[Difference]:
    """Yield URLs of production whose host is named after another tier."""
    for place, side in view.sides.section("config"):
        if side.present and is_foreign(side.value):
            yield _found(place, side, "nonproduction_host")


def development_servers_in(view: View) -> Iterator[Difference]:
    """Yield processes that a server for development answers for."""
    for place, side in view.sides.section("processes"):
        if side.present and place.item == "server" and is_for_development(side.value):
            yield _found(place, side, "development_server")


def is_for_development(value: Value) -> bool:
    """Tell whether a server is one for development."""
    return isinstance(value, str) and value in DEVELOPMENT


def is_switch(value: Value) -> bool:
    """Tell whether a shape may be the name of an environment: a word, set by somebody."""
    shape = _shape(value)
    return shape.get("type") == "text" and not shape.get("opaque") and _class(shape) != "image_default"


def is_foreign(value: Value) -> bool:
    """Tell whether a shape leads to a host that is named after development or staging."""
    return _shape(value).get("tier") in ("development", "staging")


def is_plain_secret(one: Value, other: Value) -> bool:
    """Tell whether two shapes are a secret by value and one by reference."""
    return {_class(_shape(one)), _class(_shape(other))} == {"literal", "secret_ref"}


def _secrets(view: View) -> Mapping[Place, Side]:
    return {
        place: side
        for place, side in view.sides.section("config")
        if side.present and must_differ(place.item, side.value) and _tells_references(view, place, side)
    }


def _tells_references(view: View, place: Place, side: Side) -> bool:
    """Tell whether the source of a value would have said so had it been a reference.

    One that sees what the platform injects reads values as they arrive, whatever they were before.
    """
    if _class_of(side) != "literal":
        return True
    return any(
        look.stream.source == side.source and "platform" not in look.section.sees
        for look in view.looks.get((place.component, place.section), ())
    )


def _class_of(side: Side) -> str | None:
    return _class(_shape(side.value))


def _class(shape: Mapping[str, Any]) -> str | None:
    """Return where a value comes from; what does not say it is not taken for plain text."""
    found = shape.get("source_class")
    return found if isinstance(found, str) else None


def _shape(value: Value) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _found(place: Place, side: Side, kind: Kind) -> Difference:
    return Difference(place, "same", Side(), side, kind)
