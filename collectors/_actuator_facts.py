"""What the answers of Spring Boot's actuator say: `/env`, `/info` and `/health`, also those of Boot 1."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from collectors._containers import commit
from collectors._http import is_masked
from collectors._machine_variables import OF_THE_MACHINE, is_of_no_service
from collectors.readers._keys import Keys
from detector.errors import UnseenError
from detector.model.addresses import repository_url
from detector.model.facts import Section, Unseen, Value
from detector.model.items import matches
from detector.model.shapes import reference_shape
from detector.model.words import SectionName

_LONGEST: Final = 128
#: What the machine and the framework put there, in every application.
_OTHER_SOURCES: Final = frozenset(
    {"server.ports", "servletConfigInitParams", "servletContextInitParams", "random", "applicationInfo"}
    | {"Management Server", "profiles"}
)
_ENVIRONMENT: Final = "systemEnvironment"
_PROPERTIES: Final = "systemProperties"
_OF_JAVA: Final = (
    "java.", "jdk.", "sun.", "os.", "user.", "awt.", "file.", "path.separator", "line.separator",
    "native.encoding", "stdout.encoding", "stderr.encoding", "FILE_LOG_", "CONSOLE_LOG_", "PID", "LOGGED_",
    "catalina.",
)  # fmt: skip
#: Contributor of `/health` -> the product behind it.
_PRODUCTS: Final = {
    "redis": "redis", "rabbit": "rabbitmq", "mongo": "mongodb", "elasticsearch": "elasticsearch",
    "cassandra": "cassandra", "couchbase": "couchbase", "neo4j": "neo4j", "influxDb": "influxdb",
    "solr": "solr", "ldap": "ldap", "mail": "smtp", "kafka": "kafka",
}  # fmt: skip
#: How JDBC drivers call their servers -> the product.
_DATABASES: Final = {
    "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb", "h2": "h2", "oracle": "oracle",
    "hsql database engine": "hsqldb", "microsoft sql server": "sqlserver", "sqlite": "sqlite",
    "apache derby": "derby",
}  # fmt: skip
#: Where `details` is the version of the server; of Mongo and LDAP it is that of a protocol.
_WITH_VERSION: Final = frozenset({"redis", "rabbit", "cassandra", "couchbase", "influxDb", "elasticsearch"})
_DEEPEST: Final = 4


def config_from_env(answer: Any, keys: Keys, sources: tuple[str, ...]) -> Section:
    """Return the keys of `/env`; of several property sources the first one wins. Raises UnseenError."""
    refused = 0
    for source, properties in reversed(list(_property_sources(answer))):
        if source in _OTHER_SOURCES or (sources and not any(matches(glob, source) for glob in sources)):
            continue
        for name, found in properties.items():
            if _is_left_out(source, name):
                continue
            value = found.get("value") if isinstance(found, dict) and "value" in found else found
            if not keys.allows(name) or isinstance(value, (dict, list)):
                refused += 1
            elif is_masked(value):
                keys.shaped(name, reference_shape("literal"))
            else:
                machine = source == _ENVIRONMENT and name in OF_THE_MACHINE
                keys.set(name, _text(value), "image_default" if machine else "literal")
    if refused:
        detail = f"{refused} properties of /env with names that can be no keys, or without a plain value"
        keys.unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
    section = keys.section("running")
    # Of what was not asked for nothing is absent.
    return replace(section, covers=tuple(section.facts)) if sources else section


def sections_from_info(answer: Any) -> dict[SectionName, Section]:
    """Return what `/info` says of the build, its commit and Java. Raises UnseenError."""
    if not isinstance(answer, dict):
        raise UnseenError("malformed", "/info is no object: is this an actuator?")
    git, build = _inside(answer, "git"), _inside(answer, "build")
    commit_id = _at(git, "commit.id.full") or _at(git, "commit.id") or _at(git, "commit.id.abbrev")
    url = _at(git, "remote.origin.url")
    facts: dict[SectionName, dict[str, Value]] = {
        "codebase": {
            "repo#commit": commit(commit_id) if commit_id else None,
            "repo#branch": _word(_at(git, "branch")),
            "repo#url": repository_url(url) if url else None,
        },
        "release": {"image#tag": _word(_at(build, "version")), "release#built_at": _word(_at(build, "time"))},
        "dependencies": {"runtime#java": _word(_at(_inside(answer, "java"), "version"))},
    }
    said = {
        name: {item: value for item, value in values.items() if value is not None}
        for name, values in facts.items()
    }
    return {
        name: Section(basis="running", facts=values, covers=tuple(values))
        for name, values in said.items()
        if values
    }


def services_from_health(answer: Any) -> Section:
    """Return the backing services that `/health` looks at. Raises UnseenError where it shows none."""
    if not isinstance(answer, dict):
        raise UnseenError("malformed", "/health is no object: is this an actuator?")
    facts: dict[str, Value] = {}
    shown = False
    for name, contributor in _contributors(answer, "", _DEEPEST):
        shown = True
        kind = name.partition(".")[0]
        details = _inside(contributor, "details") or contributor
        product = _PRODUCTS.get(kind)
        if kind == "db":
            product = _DATABASES.get(str(details.get("database", "")).lower())
        if product is None:
            continue
        facts[f"{name}#product"] = product
        if kind in _WITH_VERSION and (version := _word(_at(details, "version"))):
            facts[f"{name}#version"] = version
    if not shown:
        remedy = "set management.endpoint.health.show-components, and show-details for versions"
        raise UnseenError("denied", f"/health shows no components: {remedy}")
    return Section(basis="running", facts=facts, covers=tuple(facts))


def _property_sources(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(answer, dict):
        raise UnseenError("malformed", "/env is no object: is this an actuator?")
    listed = answer.get("propertySources")
    if isinstance(listed, list):
        for source in listed:
            if isinstance(source, dict) and isinstance(source.get("properties"), dict):
                yield str(source.get("name", "")), source["properties"]
    elif _ENVIRONMENT in answer:
        # Boot 1: source -> name -> value.
        for name, properties in answer.items():
            if isinstance(properties, dict):
                yield name, properties
    else:
        raise UnseenError("malformed", "/env has no property sources: is this an actuator?")


def _is_left_out(source: str, name: str) -> bool:
    return (source == _PROPERTIES and name.startswith(_OF_JAVA)) or (
        source == _ENVIRONMENT and is_of_no_service(name)
    )


def _contributors(answer: dict[str, Any], front: str, levels: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, contributor) of all that stand in an answer; those inside others as ``db.primary``."""
    inner = _inside(answer, "components") or ({} if front else _inside(answer, "details") or answer)
    for name, contributor in inner.items():
        if not isinstance(contributor, dict) or not name.isidentifier() or len(name) > 64:
            continue
        if levels and _inside(contributor, "components"):
            yield from _contributors(contributor, f"{front}{name}.", levels - 1)
        elif "status" in contributor:
            yield f"{front}{name}", contributor


def _inside(tree: Any, name: str) -> dict[str, Any]:
    found = tree.get(name) if isinstance(tree, dict) else None
    return found if isinstance(found, dict) else {}


def _at(tree: Any, place: str) -> str | None:
    """Return the text at a dotted place, however its name is cut into objects."""
    if not isinstance(tree, dict):
        return None
    if isinstance(found := tree.get(place), str):
        return found
    parts = place.split(".")
    for cut in range(1, len(parts)):
        if (found := _at(tree.get(".".join(parts[:cut])), ".".join(parts[cut:]))) is not None:
            return found
    return None


def _word(text: str | None) -> str | None:
    return text if text and len(text) <= _LONGEST and text.isprintable() and not is_masked(text) else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
