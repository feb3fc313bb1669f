"""The command that would mend a finding. A person runs it: Parity never does."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from detector.engine.policy import Pair
from detector.model.records import Judged, Side
from detector.model.words import COMPONENT_KINDS

#: Ecosystem -> how one package is brought to one version.
_UPGRADE: Final = {
    "pypi": "uv lock --upgrade-package {name}=={version}",
    "npm": "npm install {name}@{version}",
    "deb": "apt-get install {name}={version}",
    "rpm": "dnf install {name}-{version}",
    "apk": "apk add {name}={version}",
    "cargo": "cargo update --package {name} --precise {version}",
    "golang": "go get {name}@{version}",
    "composer": "composer require {name}:{version}",
    "nuget": "dotnet add package {name} --version {version}",
}
_ADD: Final = {
    "pypi": "uv add {name}=={version}",
    "npm": "npm install {name}@{version}",
    "cargo": "cargo add {name}@{version}",
    "gem": "bundle add {name} --version {version}",
}


#: The namespace of a distribution's package is the distribution.
_BY_LAST_NAME: Final = ("deb", "rpm", "apk")
#: What a shell takes as one plain word. Whoever pushes a version does not write commands for others.
_PLAIN: Final = re.compile(r"[A-Za-z0-9@/.+~:!%_-]{1,256}")


#: Findings about one key that stand between two environments.
_OF_KEYS: Final = frozenset(
    {"shared_secret", "shared_endpoint", "read_but_unset", "default_in_production", "literal_secret"}
)


def remedy_for(judged: Judged, pair: Pair, read: Callable[[str, str], str]) -> str:
    """Return one line: where, the command, and why there.

    ``read`` says where the code reads a key of a component, or an empty text.
    """
    behind, ahead, target = _sides(judged, pair)
    item, kind = judged.key.item, judged.key.kind
    if kind == "config_source_differs":
        return f"give {behind} a source for the place that it takes its config from"
    if judged.key.section == "processes" and item in COMPONENT_KINDS:
        return f"in {behind}: run {judged.key.component}   # {ahead} runs it, {behind} does not"
    if kind in _OF_KEYS and judged.left is not None:
        return _of_key(judged, pair, read(judged.key.component, item))
    if judged.left is None or kind in ("floating", "contradiction", "schema_behind"):
        return _in_place(judged, pair.right.name)
    if judged.key.section == "config":
        return _config(judged, behind, ahead, read(judged.key.component, item))
    version = target.value if isinstance(target.value, str) else ""
    if item.startswith("pkg:"):
        ecosystem, name = _package(target.item or item)
        other = item if target.item else judged.right.item or judged.left.item
        missing = other or judged.status in ("left_only", "right_only")
        template = (_ADD if missing and ecosystem in _ADD else _UPGRADE).get(ecosystem)
        if template and _PLAIN.fullmatch(version) and _PLAIN.fullmatch(name):
            command = template.format(name=name, version=version)
            what_else = f"has {_package(other)[1]}" if other else "does not"
            return f"in {behind}: {command}   # {ahead} has it, {behind} {what_else}"
        return f"in {behind}: install the {name} that {ahead} has"
    if judged.key.section == "backing_services":
        return _server(judged, behind, ahead, version)
    if item == "image#tag" and version:
        return f"in {behind}: deploy {judged.key.service} {version}   # {ahead} runs it"
    if kind == "rebuilt":
        return f"in {behind}: deploy the very image of {ahead} by digest instead of building it again"
    return f"in {behind}: bring {item} to the state of {ahead}"


def _sides(judged: Judged, pair: Pair) -> tuple[str, str, Side]:
    """Return the environment to act in, the one to follow, and the side that is right."""
    left = judged.left or Side()
    if judged.status == "right_only" or judged.direction == "right_ahead":
        return pair.left.name, pair.right.name, judged.right
    return pair.right.name, pair.left.name, left


def _package(item: str) -> tuple[str, str]:
    """Return the ecosystem of a package, and its name as the ecosystem's commands take it."""
    ecosystem, _, name = item[4:].partition("/")
    return ecosystem, unquote(name.rpartition("/")[2] if ecosystem in _BY_LAST_NAME else name)


def _server(judged: Judged, behind: str, ahead: str, version: str) -> str:
    service, (alias, _, aspect) = judged.key.service, judged.key.item.partition("#")
    server = service if alias == "main" else f"the {alias} of {service}"
    if aspect == "version" and version:
        return f"in {behind}: upgrade {server} to {version}   # {ahead} runs it"
    return f"in {behind}: bring the {aspect} of {server} to {version or 'the state of ' + ahead}"


def _config(judged: Judged, behind: str, ahead: str, read: str) -> str:
    name = judged.key.item
    if judged.status in ("left_only", "right_only"):
        return f"in {behind}: set {name}   # {read or f'{ahead} has it, {behind} does not'}"
    if judged.key.kind in ("substitution", "emulator"):
        return f"point {name} at the same kind of backing service in {behind} and {ahead}"
    return f"give {name} the same kind of value in {behind} and {ahead}"


def _of_key(judged: Judged, pair: Pair, read: str) -> str:
    """Return what mends a finding between two environments about one key."""
    item, kind, here = judged.key.item, judged.key.kind, pair.right.name
    if kind in ("read_but_unset", "default_in_production"):
        return f"in {here}: set {item}   # {read or 'the code reads it'}"
    if kind == "literal_secret":
        return f"in {here}: hand {item} over by reference, as {pair.left.name} does"
    return _unshare(item, kind, pair)


def _unshare(item: str, kind: str, pair: Pair) -> str:
    other = pair.left.name if pair.right.tier == "production" else pair.right.name
    if kind == "shared_endpoint":
        return f"in {other}: point {item} at a backing service of its own"
    return f"in {other}: give {item} a value of its own, and rotate it in production"


def _in_place(judged: Judged, environment: str) -> str:
    item = judged.key.item
    if judged.key.kind == "mixed":
        return f"in {environment}: end the roll-out of {judged.key.service}, or take it back"
    if judged.key.kind == "floating":
        return f"in {environment}: pin {item} to a full version or a digest"
    if judged.key.kind == "schema_behind":
        return f"in {environment}: run the pending migrations ({item.partition('/')[2]})"
    if judged.key.kind == "contradiction":
        return f"in {environment}: find out which source of {item} is right; the first listed was taken"
    if judged.key.kind == "nonproduction_host":
        return f"in {environment}: point {item} at the host of {environment} itself"
    if judged.key.kind == "environment_switch":
        return f"in {environment}: give what {item} switches a key each"
    if judged.key.kind == "literal_secret":
        return f"in {environment}: hand {item} over by reference, as elsewhere"
    if judged.key.kind == "client_skew":
        return _newer_client(judged, environment)
    if judged.key.kind == "set_but_unread":
        return f"in {environment}: take out what nothing reads"
    if judged.key.kind == "development_server":
        return f"in {environment}: start {judged.key.service} with a server for production"
    if judged.key.kind == "placeholder":
        return f"in {environment}: give {item} a real value"
    return f"in {environment}: point {item} at the production host"


def _newer_client(judged: Judged, environment: str) -> str:
    value = judged.right.value if isinstance(judged.right.value, dict) else {}
    name = judged.key.item.rpartition("/")[2]
    return f"in {environment}: install a {name} of {value.get('server', 'its server')} or newer"
