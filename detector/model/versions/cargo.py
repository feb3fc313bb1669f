"""Versions of Cargo: Semantic Versioning 2.0.0 to the letter, numbers of 64 bits (crate ``semver``)."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between
from detector.model.versions.semver import BUILD, NUMBER, PRERELEASE, place

_VERSION: Final = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}{PRERELEASE}{BUILD}")
_LARGEST: Final = 2**64 - 1


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what Cargo refuses to publish."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    numbers = (int(major), int(minor), int(patch))
    if max(numbers) > _LARGEST:
        return None
    return Version(order=(numbers, place(prerelease)), numbers=numbers, prerelease=prerelease, build=build)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions. Build metadata alone makes a difference without order."""
    return step_between(parse(left), parse(right))
