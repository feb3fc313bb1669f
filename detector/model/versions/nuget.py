"""Versions of NuGet: SemVer 2.0.0 without regard to case, one to four numbers, zeros in front allowed."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between
from detector.model.versions.semver import BUILD, Identifier, place

_VERSION: Final = re.compile(rf"([0-9]+(?:\.[0-9]+){{0,3}})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?{BUILD}")
#: Numbers are those of .NET's `int`; a longer identifier is a word to NuGet.
_LARGEST: Final = 2**31 - 1


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for ranges, floating versions (``1.0.*``) and more than four numbers."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    digits, prerelease, build = match.groups()
    numbers = tuple(map(int, digits.split(".")))
    if max(numbers) > _LARGEST:
        return None
    numbers += (0,) * (4 - len(numbers))
    stage = place(prerelease, _identifier)
    return Version(order=(numbers, stage), numbers=numbers, prerelease=stage, build=build)


def _identifier(text: str) -> Identifier:
    if text.isdigit() and (number := int(text)) <= _LARGEST:
        return 0, number, ""
    return 1, 0, text.lower()


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions. Build metadata alone makes a difference without order."""
    return step_between(parse(left), parse(right))
