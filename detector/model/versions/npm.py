"""Versions of npm: Semantic Versioning 2.0.0, read with npm's habit of dropping a leading ``v`` or ``=``."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

_NUMBER: Final = r"(0|[1-9][0-9]*)"
_IDENTIFIER: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION: Final = re.compile(
    rf"[=v]*{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
#: npm refuses what JavaScript cannot count exactly.
_LARGEST: Final = 2**53 - 1
_RELEASE: Final = (1,)


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for ranges, tags, addresses, aliases and numbers that npm refuses."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    numbers = (int(major), int(minor), int(patch))
    if max(numbers) > _LARGEST:
        return None
    # SemVer 11.3: the release comes after all its pre-releases.
    place = _RELEASE if prerelease is None else (0, *map(_identifier, prerelease.split(".")))
    return Version(order=(numbers, place), numbers=numbers, prerelease=prerelease, build=build)


def _identifier(text: str) -> tuple[int, int, str]:
    """Return the place of one identifier: numbers by value, before all words (SemVer 11.4)."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions. Build metadata alone makes a difference without order."""
    return step_between(parse(left), parse(right))
