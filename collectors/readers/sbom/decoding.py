"""Bills of materials decoded into the few fields that are read, in one pass without a tree.

A parser of this kind lets a doubled key pass in silence, the last one winning. So each `Text` is counted
when it is read, and again where it ended up: one that was overwritten, alone or with the list around it, is
missing there.
"""

import re
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec

from detector.model.wire_json import DEEPEST, Fault, WireError, pointer

_LONGEST: Final = 65_536
_BYTE: Final = re.compile(r"\(byte ([0-9]{1,12})\)\Z")
_PLACE: Final = re.compile(r" - at `\$([^`]*)`\Z")
_STEP: Final = re.compile(r"\.([A-Za-z@$_-]{1,64})|\[([0-9]{1,12})\]")

T = TypeVar("T", bound=msgspec.Struct)


class Text(str):
    """A text that a document says once in each object."""

    __slots__ = ()


def decoded(data: bytes, kind: type[T]) -> T:
    """Return a JSON text as ``kind``. Raises WireError with the place."""
    read = 0

    def text(wanted: type[Any], value: Any) -> Any:
        nonlocal read
        read += 1
        if value.__class__ is str and len(value) <= _LONGEST:
            return wanted(value)
        raise ValueError

    try:
        document = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=kind, dec_hook=text)
    except msgspec.ValidationError as error:
        raise _not_as_specified(error) from None
    except msgspec.DecodeError as error:
        raise _malformed(data, str(error)) from None
    except UnicodeDecodeError:
        raise fault("", "malformed-json", "not UTF-8") from None
    except RecursionError:
        raise too_deep() from None
    if _texts_in(document) != read:
        raise fault("", "duplicate-key", "an object holds the same key twice")
    return document


def converted(document: dict[str, Any], kind: type[T]) -> T:
    """Return what another parser read as ``kind``. Raises WireError with the place."""
    try:
        return msgspec.convert(document, type=kind, dec_hook=_text)
    except msgspec.ValidationError as error:
        raise _not_as_specified(error) from None
    except RecursionError:
        raise too_deep() from None


def fault(place: str, code: str, message: str) -> WireError:
    """Return the error of one fault."""
    return WireError([Fault(pointer=place, code=code, message=message)])


def too_deep() -> WireError:
    """Return the error of what is nested beyond all use."""
    return fault("", "too-deep", f"nested deeper than {DEEPEST} levels")


def _text(wanted: type[Any], value: Any) -> Any:
    if value.__class__ is str and len(value) <= _LONGEST:
        return wanted(value)
    raise ValueError


class _Fields(NamedTuple):
    """The fields of a record that hold texts, and those that hold more records."""

    texts: tuple[str, ...]
    records: tuple[str, ...]


@cache
def _fields_of(kind: type[msgspec.Struct]) -> _Fields:
    types = {field.name: (field.type, *get_args(field.type)) for field in msgspec.structs.fields(kind)}
    inner = {name: (*kinds, *chain.from_iterable(map(get_args, kinds))) for name, kinds in types.items()}
    return _Fields(
        texts=tuple(name for name, kinds in types.items() if Text in kinds),
        records=tuple(
            name
            for name, kinds in inner.items()
            if any(isinstance(each, type) and issubclass(each, msgspec.Struct) for each in kinds)
        ),
    )


def _texts_in(document: msgspec.Struct) -> int:
    """Count the texts of a document. Raises WireError for one that is too deep."""
    found, level = 0, [[document]]
    for _ in range(DEEPEST):
        below: list[list[msgspec.Struct]] = []
        for family in level:
            fields = _fields_of(type(family[0]))
            for name in fields.texts:
                found += len(family) - list(map(attrgetter(name), family)).count(None)
            for name in fields.records:
                held = list(filter(None, map(attrgetter(name), family)))
                below.append(
                    list(chain.from_iterable(held)) if held and isinstance(held[0], (list, tuple)) else held
                )
        level = [family for family in below if family]
        if not level:
            return found
    raise too_deep()


def _not_as_specified(error: msgspec.ValidationError) -> WireError:
    """Return our words for the place that a message of msgspec ends with; its own are not ours to repeat."""
    place = _PLACE.search(str(error))
    steps = _STEP.finditer(place[1]) if place else ()
    where = pointer(*(step[1] or step[2] for step in steps))
    return fault(where, "sbom-invalid", "missing, too long, or not what the format has in this place")


def _malformed(data: bytes, message: str) -> WireError:
    at = _BYTE.search(message)
    if at is None:
        return fault("", "malformed-json", "no whole JSON: it ends too early; is it cut off?")
    line = data.count(b"\n", 0, int(at[1])) + 1
    return fault("", "malformed-json", f"no JSON at line {line}, or just before")
