"""The canonical form of values and sections, and its digest.

Canonical form 1: JSON of orjson with sorted keys, lists (which are sets) sorted by their own canonical
bytes without duplicates, floats with an integral value as integers where a float holds integers exactly. The
version goes into every digest, so that a later form can never be mistaken for this one.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from detector.model.facts import Observation, Section, Value
from detector.model.words import SectionName

CANONICAL_FORM = b"parity-canonical/1\n"
#: Bytes of a digest; half a SHA-256 leaves no practical collision.
DIGEST_BYTES = 16
#: Up to here every integer is a float of its own (IEEE 754, 53 bits); far beyond, JSON takes no integers.
_EXACT_INTEGERS = 2**53
#: What is canonical as it stands.
_FLAT = frozenset({str, bool, int, type(None)})


def canonical(value: Value) -> Value:
    """Return the value with every set in order, so that equal facts are equal objects."""
    if isinstance(value, list):
        members = {orjson.dumps(item, option=orjson.OPT_SORT_KEYS): item for item in map(canonical, value)}
        return [members[key] for key in sorted(members)]
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_INTEGERS:
        return int(value)
    return value


def value_bytes(value: Value) -> bytes:
    """Return the canonical JSON bytes of a value: equal bytes, equal values."""
    # Sorted keys are all that most documents need: the shape of a config value is flat.
    flat = type(value) is dict and _FLAT.issuperset(map(type, value.values()))
    return orjson.dumps(value if flat else canonical(value), option=orjson.OPT_SORT_KEYS)


def same_value(left: Value, right: Value) -> bool:
    """Tell whether two values are one. Types count: `true` is neither 1 nor the text."""
    return value_bytes(left) == value_bytes(right)


def section_document(section: Section) -> dict[str, Any]:
    """Return a section as the JSON object of ``parity.observation/v1``, with hints beside their values."""
    document = _document(section)
    return {**document, "facts": dict(sorted(document["facts"].items()))}


def _document(section: Section) -> dict[str, Any]:
    """Return a section as `section_document`, its facts in any order."""
    facts = _facts_document(section)
    document: dict[str, Any] = {"basis": section.basis, "status": section.status, "facts": facts}
    if section.covers != ("*",):
        document["covers"] = sorted(section.covers)
    document["sees"] = sorted(section.sees)
    document["unseen"] = sorted(
        ({"item": u.item, "reason": u.reason, "detail": u.detail} for u in section.unseen),
        key=lambda entry: (entry["item"], entry["reason"], entry["detail"]),
    )
    if section.gone:
        document["gone"] = True
    if section.reads:
        document["reads"] = {key: section.reads[key] for key in sorted(section.reads)}
    return document


def _facts_document(section: Section) -> Mapping[str, Any]:
    if not section.hints and _FLAT.issuperset(map(type, section.facts.values())):
        return section.facts
    facts: dict[str, Any] = {}
    for item, written in section.facts.items():
        value = canonical(written)
        hints = section.hints.get(item)
        # A document with a field `value` would read as a value with its hints.
        wrapped = hints or (isinstance(value, dict) and "value" in value)
        facts[item] = {"value": value, **(hints or {})} if wrapped else value
    return facts


def observation_digest(sections: Mapping[SectionName, Section]) -> str:
    """Return the hex digest of what was seen; time and names of the source do not enter."""
    body = {name: _document(section) for name, section in sections.items()}
    return digest_of(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def digest_of(data: bytes) -> str:
    """Return the hex digest of canonical bytes."""
    return sha256(CANONICAL_FORM + data).digest()[:DIGEST_BYTES].hex()


def observation_document(observation: Observation) -> dict[str, Any]:
    """Return an observation as the JSON object of ``parity.observation/v1``."""
    return {
        "schema": "parity.observation/v1",
        "environment": observation.environment,
        "service": observation.service,
        "component": observation.component,
        "component_kind": observation.component_kind,
        "traffic": observation.traffic,
        "source": observation.source,
        "observed_at": observation.observed_at.isoformat().replace("+00:00", "Z"),
        "sections": {name: section_document(section) for name, section in observation.sections.items()},
    }
