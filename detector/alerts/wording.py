"""The words of an alert: what one difference is called, and what it means for whoever ships."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from detector.model.shapes import product_of_scheme

#: Only these items may show their value: versions and products. Of everything else, config first of all, a
#: message says that it differs or where it is missing.
_SPOKEN_SECTIONS: Final = ("dependencies", "release")
_SPOKEN_PROPERTIES: Final = ("product", "version", "variant")
_LONGEST_VALUE: Final = 48
_MOST_VALUES: Final = 3
#: Services that are named; more are counted.
_MOST_NAMES: Final = 2

_FINDINGS: Final[Mapping[str, str]] = {
    "shared_secret": "{name} is the same secret in {left} and {right}",
    "shared_endpoint": "{name} is the same endpoint in {left} and {right}",
    "config_source_differs": "most config keys come from somewhere else",
    "rebuilt": "{name} has other content under the same name",
    "mixed": "replicas run several versions: {name} {replicas}",
    "floating": "{name} floats: its tag does not say what runs",
    "contradiction": "{name}: two sources contradict each other",
    "placeholder": "{name} still holds a placeholder",
    "loopback_in_production": "{name} points at the machine itself",
    "read_but_unset": "{name} is read by the code and set nowhere",
    "default_in_production": "{name} is set nowhere, and its default in the code is none for production",
    "set_but_unread": "{listed} set and read nowhere in the code",
    "service_gone": "the service is gone from {gone}",
    "development_server": "{theirs} is a server for development",
    "schema_behind": "{name} is behind what the code of {right} expects",
    "substitution": "{name} leads to {ours} in {left} and to {theirs} in {right}",
    "emulator": "{name} leads to an emulator on one side alone",
    "literal_secret": "{name} is a secret in plain text here and a reference there",
    "environment_switch": "{name} tells the code which environment it is in",
    "nonproduction_host": "{name} points at a host that is not named after production",
    "client_skew": "{client} is older than the {product} {server} it talks to",
}

_CONSEQUENCES: Final[Mapping[str, str]] = {
    "substitution": "{left} tests against another kind of service than {right} uses.",
    "shared_secret": "Whoever reads a secret of {left} holds one of {right}.",
    "shared_endpoint": "What {left} writes may arrive in the data of {right}.",
    "mixed": "Which version of a service answers in {right} is left to chance.",
    "rebuilt": "What was tested under this name is not what {right} runs.",
    "emulator": "{left} and {right} do not talk to the same kind of service.",
    "literal_secret": "Whoever may read the settings of {right} reads the secret.",
    "environment_switch": "What differs behind the name of an environment, no comparison of keys shows.",
    "nonproduction_host": "{right} depends on a service of another environment.",
    "client_skew": "Tools and drivers of {right} may refuse its server.",
    "placeholder": "A part of {right} was never configured.",
    "loopback_in_production": "{right} talks to itself where it should talk to a service.",
    "read_but_unset": "Code in {right} reads a key that nobody sets.",
    "default_in_production": "Code in {right} falls back to a value that was meant for development.",
    "set_but_unread": "{right} carries settings that nothing looks at.",
    "development_server": "{right} answers its users with a server that its makers keep for development.",
    "schema_behind": "Code in {right} meets a database without the migrations that it expects.",
    "service_gone": "A service that both environments had is missing in {gone}.",
}
_OF_SECTIONS: Final[Mapping[str, str]] = {
    "dependencies": "What {left} tests is not what {right} runs.",
    "backing_services": "{left} tests against another server than {right} uses.",
    "config": "{left} and {right} are configured for different code.",
}


def title_of(item: Mapping[str, Any], left: str, right: str) -> str:
    """Return one line for a judged item, such as ``checkout · django 4.2.26 → 5.2.8``.

    ``left`` and ``right`` are names of environments. No config value is ever part of it.
    """
    where = item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}"
    return ", ".join(
        part for part in (f"{where} · {difference_of(item, left, right)}", affected(item)) if part
    )


def affected(item: Mapping[str, Any]) -> str:
    """Return whom an item concerns, such as ``affects 12 services``; nothing where it is its own service."""
    names = item.get("affects") or ()
    if len(names) > _MOST_NAMES:
        return f"affects {len(names)} services"
    return f"affects {' and '.join(names)}" if names else ""


def consequence_of(item: Mapping[str, Any], left: str, right: str) -> str:
    """Return the one sentence that says why the worst item matters."""
    names = _names(item, left, right)
    if item["kind"] in _CONSEQUENCES:
        return _CONSEQUENCES[item["kind"]].format(**names)
    if item["left"] is None:
        return "{right} is not what its description says.".format(**names)
    if item["section"] == "config" and item["status"] in ("left_only", "right_only"):
        return "{gone} lacks a key that {other} has.".format(**names)
    sentence = _OF_SECTIONS.get(item["section"], "{left} is no faithful rehearsal for {right}.")
    return sentence.format(**names)


def difference_of(item: Mapping[str, Any], left: str, right: str) -> str:
    """Return what differs, without saying of which service: ``django 4.2.26 → 5.2.8``."""
    names = _names(item, left, right)
    finding = _FINDINGS.get(item["kind"])
    if finding is not None:
        return finding.format(**names)
    match item["status"]:
        case "left_only" | "right_only":
            return "{name} missing in {gone}".format(**names)
        case "unknown":
            return "{name} cannot be seen now".format(**names)
    sides = (_spoken(item, "left"), _spoken(item, "right"))
    if None in sides:
        return "{name} differs".format(**names)
    ours, theirs = name_on(item, "left"), name_on(item, "right")
    return f"{ours} {sides[0]} → {theirs + ' ' if theirs != ours else ''}{sides[1]}"


def _names(item: Mapping[str, Any], left: str, right: str) -> dict[str, str]:
    gone, other = (left, right) if item["status"] == "right_only" else (right, left)
    return {
        "name": name_of(item["item"]),
        "left": left,
        "right": right,
        "gone": gone,
        "other": other,
        "listed": _listed(item["right"]),
        **_client(item),
        "ours": _product(item["left"]),
        "theirs": _product(item["right"]),
        "replicas": _replicas(item["right"]),
    }


def _listed(side: Mapping[str, Any] | None) -> str:
    """Return the names that a finding is about: the first ones, and how many more there are."""
    names = (side or {}).get("value")
    if not isinstance(names, list):
        return ""
    more = len(names) - _MOST_VALUES
    said = ", ".join(names[:_MOST_VALUES])
    return f"{said} and {more} more are" if more > 0 else f"{said} {'are' if len(names) > 1 else 'is'}"


def _replicas(side: Mapping[str, Any]) -> str:
    """Return how many replicas run what, of a side that counts them."""
    value = side.get("value")
    counts = value.get("values") if isinstance(value, Mapping) else None
    if not isinstance(counts, Mapping):
        return ""
    many = [f"{_short(name)} ×{count}" for name, count in sorted(counts.items())]
    more = f" +{len(many) - _MOST_VALUES}" if len(many) > _MOST_VALUES else ""
    return ", ".join(many[:_MOST_VALUES]) + more


def _client(item: Mapping[str, Any]) -> dict[str, str]:
    """Return a client and its server in words: ``postgresql-client-15 15.8``, ``PostgreSQL``, ``16.3``."""
    value = (item["right"] or {}).get("value")
    if item["kind"] != "client_skew" or not isinstance(value, Mapping):
        return {"client": name_of(item["item"]), "product": "server", "server": ""}
    return {
        "client": f"{name_of(item['item'])} {value.get('client', '')}",
        "product": str(value.get("product", "server")),
        "server": str(value.get("server", "")),
    }


def _product(side: Mapping[str, Any] | None) -> str:
    """Return what a key or a server is: all of a config value that a message may say."""
    value = (side or {}).get("value")
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "backend" in value:
        return str(value["backend"])
    scheme = str(value.get("scheme", "")) if isinstance(value, Mapping) else ""
    return product_of_scheme(scheme) or "something else"


def name_of(item: str) -> str:
    """Return an item as people say it: a package without its address, everything else as it is."""
    if not item.startswith("pkg:"):
        return item.removeprefix("main#")
    ecosystem, _, path = item.removeprefix("pkg:").partition("/")
    # A distribution's packages are known by their name; elsewhere the namespace is part of it.
    name = path.rpartition("/")[2] if ecosystem in ("deb", "apk", "rpm") else path
    return unquote(name)


def _spoken(item: Mapping[str, Any], side: str) -> str | None:
    """Return the value of one side where it may be said: a version, a product, a tag."""
    spoken = item["section"] in _SPOKEN_SECTIONS or (
        item["section"] == "backing_services" and item["item"].rpartition("#")[2] in _SPOKEN_PROPERTIES
    )
    state = item[side]
    if not spoken or state is None or not state.get("present"):
        return None
    match state.get("value"):
        case None:
            return "none"
        case {"values": dict() as counts}:  # replicas by version
            values = sorted(counts)
        case list() as many:
            values = [str(value) for value in many]
        case str() | int() | float() as one:
            values = [str(one)]
        case _:
            return None
    more = f" +{len(values) - _MOST_VALUES}" if len(values) > _MOST_VALUES else ""
    return ", ".join(_short(value) for value in values[:_MOST_VALUES]) + more


def name_on(item: Mapping[str, Any], side: str) -> str:
    """Return what an item is called on one side: where a package has a successor, that one's name."""
    return name_of((item[side] or {}).get("item") or item["item"])


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
