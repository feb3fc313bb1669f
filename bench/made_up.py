"""Two made-up environments of one service: the mix of facts that a real one has, 1 % of them different."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from detector.model.facts import Observation, Section, Value
from detector.model.fingerprints import KEY_BYTES, Fingerprinter
from detector.model.items import package
from detector.model.shapes import shape_of
from detector.model.words import SectionName

NOW: Final = datetime(2026, 11, 22, 9, 28, 14, tzinfo=UTC)
SERVICE: Final = "checkout"
#: Facts of each family in a thousand.
PACKAGES, KEYS = 900, 90

Facts = dict[SectionName, dict[str, Value]]

_WORDS: Final = (
    "async",
    "core",
    "data",
    "event",
    "graph",
    "http",
    "json",
    "log",
    "net",
    "query",
    "test",
    "xml",
)
_ATTRIBUTES: Final = (
    "product",
    "version",
    "extension/pgcrypto",
    "setting/timezone",
    "setting/server_encoding",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The facts of both sides by section, each as many as asked for; equal where they are not different."""

    left: Facts
    right: Facts


def mixed(count: int, *, seed: int = 1) -> Pair:
    """Return packages of three ecosystems, shapes of a config, and facts of backing services.

    Of a hundred differences 80 are other values, ten are missing on either side.
    """
    random = Random(seed)
    packages = [_package(random, number) for number in range(count * PACKAGES // 1000)]
    shapes = [_key(random, number) for number in range(count * KEYS // 1000)]
    servers = [_server(random, number) for number in range(count - len(packages) - len(shapes))]
    left: Facts = {"dependencies": dict(packages), "config": dict(shapes), "backing_services": dict(servers)}
    right: Facts = {name: dict(facts) for name, facts in left.items()}
    for name, facts in left.items():
        items = random.sample(sorted(facts), max(1, len(facts) // 100))
        for position, item in enumerate(items):
            _make_different(facts, right[name], item, position % 10)
    return Pair(left=left, right=right)


def plain(count: int, *, seed: int = 1) -> Pair:
    """Return names and version texts, and nothing else: the least that a rival can be given."""
    random = Random(seed)
    left: dict[str, Value] = {
        package("pypi", f"package-{number}"): _version(random) for number in range(count)
    }
    right = dict(left)
    for item in random.sample(sorted(left), max(1, count // 100)):
        right[item] = _other(left[item])
    return Pair(left={"dependencies": left}, right={"dependencies": right})


def observation(facts: Facts, environment: str) -> Observation:
    """Return facts as a running source would have seen them."""
    return Observation(
        environment=environment,
        service=SERVICE,
        source="bench",
        observed_at=NOW,
        sections={name: Section(basis="running", facts=found) for name, found in facts.items()},
    )


def flat(facts: Facts) -> dict[str, Value]:
    """Return facts as one map, the form in which rivals are fastest."""
    return {f"{name} {item}": value for name, found in facts.items() for item, value in found.items()}


def _package(random: Random, number: int) -> tuple[str, Value]:
    name = f"{random.choice(_WORDS)}-{random.choice(_WORDS)}-{number}"
    match number % 3:
        case 0:
            upstream = f"{random.randrange(3)}.{random.randrange(30)}.{random.randrange(9)}"
            return package("deb", f"lib{name}", "debian"), f"{upstream}-{random.randrange(1, 5)}+deb12u1"
        case 1:
            return package("pypi", name), _version(random)
        case _:
            return package("npm", f"@{random.choice(_WORDS)}/{name}" if number % 2 else name), _version(
                random
            )


def _version(random: Random) -> str:
    return f"{random.randrange(9)}.{random.randrange(30)}.{random.randrange(20)}"


def _key(random: Random, number: int) -> tuple[str, Value]:
    word = random.choice(_WORDS).upper()
    ordinary = [
        (f"{word}_TIMEOUT_{number}", str(random.randrange(1, 900))),
        (f"FEATURE_{word}_{number}", "true"),
        (f"{word}_PATH_{number}", f"/srv/{word}/{number}"),
        (f"{word}_URL_{number}", f"https://{word}.example/v{number}"),
    ]
    secret = (f"APP_{number}_API_KEY", f"{random.getrandbits(128):x}")
    # One key in ten is a secret, and judged although it is equal on both sides.
    name, value = secret if number % 10 == 0 else random.choice(ordinary)
    return name, shape_of(name, value, _FINGERPRINTER)


_FINGERPRINTER: Final = Fingerprinter(bytes(range(KEY_BYTES)))


def _server(random: Random, number: int) -> tuple[str, Value]:
    alias, attribute = f"db{number // len(_ATTRIBUTES)}", _ATTRIBUTES[number % len(_ATTRIBUTES)]
    values = {"product": "postgresql", "setting/timezone": "UTC", "setting/server_encoding": "UTF8"}
    return f"{alias}#{attribute}", values.get(attribute, f"1{random.randrange(5, 8)}.{random.randrange(9)}")


def _make_different(left: dict[str, Value], right: dict[str, Value], item: str, which: int) -> None:
    if which == 8:
        del right[item]
    elif which == 9:
        del left[item]
    else:
        right[item] = _other(left[item])


def _other(value: Value) -> Value:
    """Return a value that differs for everyone: shapes by their type, for Parity overlooks equal shapes."""
    if isinstance(value, dict):
        shape: dict[str, Any] = {**value, "type": "json" if value["type"] != "json" else "text"}
        return shape
    text = str(value)
    head, dot, rest = text.partition(".")
    return f"{head}.{rest.replace(rest[0], '7' if rest[0] != '7' else '8', 1)}" if dot else f"{text}-other"
