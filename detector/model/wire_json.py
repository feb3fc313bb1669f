"""Strict JSON (RFC 8259): what parsers let pass in silence is refused, with its place.

Refused are doubled keys, NaN and Infinity, numbers beyond 64 bits, lone surrogates and NUL in a text, and
more than 64 levels. A byte order mark in front is skipped.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import orjson

from detector.errors import ParityError
from detector.model.items import is_config_key
from detector.model.key_names import looks_like_a_value

DEEPEST: Final = 64
_LARGEST_INTEGER: Final = 2**63 - 1
_SMALLEST_INTEGER: Final = -(2**63)
_SPACES: Final = (b" ", b"\t", b"\n", b"\r")
_HARMLESS: Final = frozenset({str, bool, type(None)})
_NUMBERS: Final = frozenset({int, float})
_CONTAINERS: Final = frozenset({dict, list})
_UNSURE: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a document."""

    #: JSON pointer (RFC 6901) to it; the empty pointer is the whole document.
    pointer: str
    #: A slug such as ``duplicate-key``.
    code: str
    #: Our own words, never a value.
    message: str


class WireError(ParityError):
    """A document that is not understood. ``faults`` holds what was found, at most a hundred."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults[:100])
        super().__init__(
            "; ".join(f"{fault.pointer or 'document'}: {fault.message}" for fault in self.faults[:3])
        )

    @property
    def errors(self) -> list[dict[str, str]]:
        """The faults as JSON objects with pointer, code and message."""
        return [{"pointer": f.pointer, "code": f.code, "message": f.message} for f in self.faults]


def pointer(*path: str | int) -> str:
    """Return the JSON pointer of a path of keys and positions."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def shown(name: str) -> tuple[str, ...]:
    """Return a key as a step of a pointer, or no step where the key itself could be a value."""
    return (name,) if len(name) <= 64 and is_config_key(name) and not looks_like_a_value(name) else ()


def json_document(data: bytes) -> Any:
    """Return what a JSON text says. Raises WireError."""
    document = _quickly(data)
    return _exactly(data) if document is _UNSURE else document


def _quickly(data: bytes) -> Any:
    """Return what a fast parser reads, or `_UNSURE` where it may have passed something in silence.

    Without escapes and without space before a colon, each pair of an object shows as ``":``. Where a text
    begins with a colon too, there are more of them, never fewer: so as many as pairs were read means that no
    key was doubled.
    """
    if b"\\" in data or any(space in data and space + b":" in data for space in _SPACES):
        return _UNSURE
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _UNSURE
    pairs = 0
    # What stands in one object or list is looked at together: most of it are facts, and all of them alike.
    families = [[document]] if isinstance(document, (dict, list)) else []
    for _ in range(DEEPEST):
        below: list[list[Any]] = []
        for family in families:
            objects = [container for container in family if type(container) is dict]
            pairs += sum(map(len, objects))
            lists = family if not objects else [one for one in family if type(one) is list]
            everyone: list[Collection[Any]] = [*map(dict.values, objects), *lists]
            if _HARMLESS.issuperset(map(type, chain.from_iterable(everyone))):
                continue
            for members in everyone:
                if any(map(_is_extreme, members)):
                    return _UNSURE
                children = [member for member in members if type(member) in _CONTAINERS]
                if children:
                    below.append(children)
        families = below
    sure = not families and not _is_extreme(document) and data.count(b'":') == pairs
    return document if sure else _UNSURE


def _is_extreme(value: Any) -> bool:
    """Tell whether a number is beyond 64 bits, or may have been written so."""
    return type(value) in _NUMBERS and not _SMALLEST_INTEGER < value < _LARGEST_INTEGER


def _exactly(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal("malformed-json", "not UTF-8") from None
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise _refusal(
            "malformed-json", f"no JSON at line {error.lineno}, column {error.colno}, or just before"
        ) from None
    except RecursionError:
        raise _refusal("too-deep", f"nested deeper than {DEEPEST} levels") from None
    if _is_deep(document):
        raise _refusal("too-deep", f"nested deeper than {DEEPEST} levels")
    # Only an escape can bring a lone surrogate or a NUL into a text.
    if "\\u" in text and (faults := list(_bad_texts(document))):
        raise WireError(faults)
    return document


def _refusal(code: str, message: str) -> WireError:
    return WireError([Fault(pointer="", code=code, message=message)])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _refusal("duplicate-key", "an object holds the same key twice")
    return found


def _constant(_text: str) -> Any:
    raise _refusal("malformed-json", "NaN and Infinity are no JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _refusal("malformed-json", "a number beyond all floats")
    return number


def _integer(text: str) -> int:
    number = int(text) if len(text) <= len(str(_SMALLEST_INTEGER)) else _LARGEST_INTEGER + 1
    if not _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER:
        raise _refusal("out-of-range", "an integer beyond 64 bits")
    return number


def _is_deep(document: Any) -> bool:
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _bad_texts(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    if isinstance(document, str):
        if "\0" in document or any("\ud800" <= character <= "\udfff" for character in document):
            yield Fault(pointer=pointer(*path), code="invalid-text", message="a NUL or a lone surrogate")
    elif isinstance(document, dict):
        for key, value in document.items():
            if any(True for _ in _bad_texts(key)):
                yield Fault(
                    pointer=pointer(*path),
                    code="invalid-text",
                    message="a key with a NUL or a lone surrogate",
                )
            else:
                yield from _bad_texts(value, (*path, key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from _bad_texts(value, (*path, position))
