"""Shapes of config values as they come over the wire.

What could be a value is refused, never trimmed: a config fact is a shape and has no field for a value.
"""

import re
from collections.abc import Callable, Collection
from functools import cache
from hashlib import md5, sha256
from itertools import chain, repeat
from operator import contains
from typing import Any, Final, get_args

from detector.errors import did_you_mean
from detector.model.shapes import HostClass
from detector.model.stand_ins import BACKENDS, EMULATORS
from detector.model.wire_json import shown
from detector.model.words import SOURCE_CLASSES, TIERS

#: Takes the steps below the section's facts, a code and a message.
Report = Callable[[tuple[str | int, ...], str, str], None]

SHAPE_TYPES: Final = ("empty", "bool", "int", "url", "path", "json", "pem", "text", "template")
_SHAPE_FIELDS: Final = (
    "type", "scheme", "host", "credentials", "placeholder", "source_class", "fingerprint",
    "endpoint", "opaque", "backend", "emulator", "tier",
)  # fmt: skip
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "type": SHAPE_TYPES,
    "host": get_args(HostClass),
    "source_class": SOURCE_CLASSES,
    "backend": BACKENDS,
    "emulator": tuple(EMULATORS),
    "tier": TIERS[:-1],
}
#: Fields whose settings say something of one value alone: nothing is remembered of them.
_OF_ONE_VALUE: Final = frozenset({"fingerprint", "endpoint"})
#: (field, setting) that were looked at before.
_FINE: Final[set[tuple[str, str | bool]]] = set()
_MOST_FINE: Final = 4_096
_OBJECTS: Final = frozenset({dict})
_SETTINGS: Final = frozenset({str, bool})
_PLAINTEXT_FIELDS: Final = frozenset({"value", "raw", "plaintext", "secret"})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,31}")
_FINGERPRINT: Final = re.compile(r"k[0-9a-z]{1,16}:[0-9a-f]{32}")
#: Values so common that an unkeyed hash of them gives them away.
_COMMON_VALUES: Final = (
    "", "0", "1", "true", "false", "yes", "no", "on", "off", "null", "none", "test", "admin", "root", "user",
    "password", "secret", "changeme", "localhost", "127.0.0.1", "production", "staging", "development", "dev",
    "prod", "debug", "info", "postgres", "redis", "8080", "5432", "123456", "12345678", "qwerty", "letmein",
)  # fmt: skip


def shape_from(name: str, written: Any, report: Report) -> dict[str, Any] | None:
    """Return the shape of a config value, or None after what is wrong with it went to ``report``."""
    if not isinstance(written, dict):
        report(
            (name,), "plaintext-value-refused", 'a config fact is a shape such as {"type": "text"}, no value'
        )
        return None
    if not _PLAINTEXT_FIELDS.isdisjoint(written):
        report((name,), "plaintext-value-refused", "config values are never sent: leave this field out")
        return None
    faults: list[tuple[tuple[str, ...], str, str]] = []
    for field, setting in written.items():
        if field not in _SHAPE_FIELDS:
            message = f"an unknown field of a shape{did_you_mean(field, _SHAPE_FIELDS)}"
            faults.append((shown(field), "validation-failed", message))
        elif (fault := _shape_fault(field, setting)) is not None:
            faults.append(((field,), *fault))
    if "type" not in written:
        faults.append(((), "validation-failed", "a shape needs its `type`"))
    for path, code, message in faults:
        report((name, *path), code, message)
    return None if faults else written


def are_fine(shapes: Collection[Any]) -> bool:
    """Tell of many shapes at once that there is nothing to say against any, by what was said before."""
    if not _OBJECTS.issuperset(map(type, shapes)):
        return False
    # Of texts and flags alone no two are equal that are not one, as 1 and true are.
    if not _SETTINGS.issuperset(map(type, chain.from_iterable(map(dict.values, shapes)))):
        return False
    new = set().union(*map(dict.items, shapes)) - _FINE
    prints = [setting for field, setting in new if field in _OF_ONE_VALUE]
    if not all(map(_is_fingerprint, prints)):
        return False
    for field, setting in new:
        if field in _OF_ONE_VALUE:
            continue
        if field not in _SHAPE_FIELDS or _shape_fault(field, setting) is not None:
            return False
        if len(_FINE) >= _MOST_FINE:
            _FINE.clear()
        _FINE.add((field, setting))
    return all(map(contains, shapes, repeat("type")))


def _shape_fault(field: str, setting: Any) -> tuple[str, str] | None:
    """Return (code, message) of what is wrong with one field of a shape."""
    words = _WORDS.get(field)
    if words is not None:
        return None if setting in words else ("validation-failed", f"one of {', '.join(words)}")
    if field in ("credentials", "placeholder", "opaque"):
        return None if isinstance(setting, bool) else ("validation-failed", "true or false")
    if not isinstance(setting, str):
        return "validation-failed", "a text"
    if field == "scheme":
        return (
            None
            if _SCHEME.fullmatch(setting)
            else ("validation-failed", "the scheme of a URL, in lower case")
        )
    if not _FINGERPRINT.fullmatch(setting):
        return (
            "invalid-fingerprint",
            "a fingerprint is the id of its key, a colon and 32 lower-case hex digits",
        )
    if setting.partition(":")[2] in _unkeyed_hashes():
        return "weak-fingerprint", "a plain hash gives a common value away; use HMAC-SHA-256 with a key"
    return None


def _is_fingerprint(setting: Any) -> bool:
    if type(setting) is not str or not _FINGERPRINT.fullmatch(setting):
        return False
    return setting.partition(":")[2] not in _unkeyed_hashes()


@cache
def _unkeyed_hashes() -> frozenset[str]:
    texts = [value.encode() for value in _COMMON_VALUES]
    return frozenset(
        digest[:32]
        for text in texts
        for digest in (md5(text, usedforsecurity=False).hexdigest(), sha256(text).hexdigest())
    )
