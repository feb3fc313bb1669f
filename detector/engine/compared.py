"""What was compared of one item: the values of both sides, without when and by whom they were seen."""

from collections.abc import Mapping
from typing import Any

from detector.model.fingerprints import key_id_of

#: Of a config value its presence and shape bind: a rotated secret is no change.
_BLURRED = ("fingerprint", "endpoint")
#: ``[present, value]`` of one side, and the fingerprint where that alone is compared; None where the side
#: is blank.
Compared = list[Any] | None


def sides(document: Mapping[str, Any]) -> tuple[Compared, Compared]:
    """Return what the register compares of an item of ``parity.diff/v1``."""
    return _blurred(document.get("left")), _blurred(document.get("right"))


def what_binds(document: Mapping[str, Any]) -> tuple[Compared, Compared]:
    """Return what an acceptance of an item binds: as `sides`, with fingerprints where they alone differ.

    Two secrets of one shape that were expected to be equal differ in nothing else: with another value the
    difference is another one.
    """
    left, right = sides(document)
    if document["section"] != "config" or document["kind"] != "difference" or not left or left != right:
        return left, right
    return [*left, _fingerprint(document["left"])], [*right, _fingerprint(document["right"])]


def still(bound: Compared, now: Compared) -> bool:
    """Tell whether a side is as it was bound. Fingerprints of different keys say nothing against it."""
    if bound is None or now is None or len(bound) + len(now) < 6:
        return bound is None or now is None or bound[:2] == now[:2]
    before, after = bound[2] or "", now[2] or ""
    return bound[:2] == now[:2] and (before == after or key_id_of(before) != key_id_of(after))


def _blurred(side: object) -> Compared:
    if not isinstance(side, Mapping):
        return None
    value = side.get("value")
    if isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if name not in _BLURRED}
    return [side.get("present"), value]


def _fingerprint(side: Mapping[str, Any]) -> str | None:
    fingerprint: str | None = side["value"].get("fingerprint") if isinstance(side["value"], Mapping) else None
    return fingerprint
