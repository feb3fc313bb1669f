"""Versions of RPM packages, ``[epoch:]version[-release]``, in the order of ``rpmvercmp`` (rpm-version(7))."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

#: Characters that rpmbuild allows; it compares letters, digits, ``~`` and ``^``, the others only separate.
_EVR: Final = re.compile(
    r"(?:([0-9]{1,10}):)?"
    r"([0-9]+(?:\.[0-9]+)*)?(([A-Za-z0-9._+]*)(~[A-Za-z0-9._+~]*)?((?:\^[A-Za-z0-9._+~^]*)?))"
    r"(?:-([A-Za-z0-9._+~^]+))?"
)
_TOKEN: Final = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
#: Kinds of token in their order: ``1.0~rc1`` < ``1.0`` < ``1.0^git1`` < ``1.0a`` < ``1.0.1``.
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)
_MARKS: Final = {"~": _TILDE, "^": _CARET}
#: Kinds, each of letters and numbers followed by what it is of.
_Key = list[int | str]


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what rpmbuild does not allow.

    A ``~`` before the release is a pre-release; what follows a ``^`` was added by the packager and counts
    with the release.
    """
    match = _EVR.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    written, digits, rest, letters, prerelease, added, release = match.groups()
    if not digits and not rest:
        return None
    epoch = int(written or 0)
    numbers = tuple(map(int, digits.split("."))) if digits else ()
    key: _Key = [part for number in numbers for part in (_NUMBER, number)]
    packager = _key(release) if release else []
    return Version(
        order=(epoch, key + _key(rest), packager),
        epoch=epoch,
        numbers=numbers,
        letters=_key(letters),
        prerelease=_key(prerelease) if prerelease else None,
        revision=(_key(added), packager),
    )


def _key(text: str) -> _Key:
    key: _Key = []
    for one in _TOKEN.findall(text) if text else ():
        if one.isdigit():
            key.append(_NUMBER)
            key.append(int(one))
        elif (mark := _MARKS.get(one)) is not None:
            key.append(mark)
        else:
            key.append(_LETTERS)
            key.append(one)
    key.append(_END)
    return key


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where rpm calls them equal, as 1.0 and 1_0."""
    return step_between(parse(left), parse(right))
