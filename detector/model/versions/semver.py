"""Semantic Versioning 2.0.0: what npm, Cargo, Go and NuGet have in common."""

import re
from collections.abc import Callable
from typing import Final

from detector.model.versions.distance import LONGEST, Version

NUMBER: Final = r"(0|[1-9][0-9]*)"
_IDENTIFIER: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
#: What may follow the numbers; each has one group.
PRERELEASE: Final = rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
BUILD: Final = r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"

#: The place of one identifier: numbers by value, before all words (SemVer 11.4).
Identifier = tuple[int, int, str]
#: SemVer 11.3: the release comes after all its pre-releases.
_RELEASE: Final = (1,)


def identifier(text: str) -> Identifier:
    """Return the place of one identifier of a pre-release."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def place(
    prerelease: str | None, identifier: Callable[[str], Identifier] = identifier
) -> tuple[int | Identifier, ...]:
    """Return the place of a pre-release among those with the same numbers; None is the release itself."""
    return _RELEASE if prerelease is None else (0, *map(identifier, prerelease.split(".")))


def version_of(text: str, pattern: re.Pattern[str], largest: int) -> Version | None:
    """Return the version that a text is by a pattern of five groups; None for one of too large a number."""
    match = pattern.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    numbers = (int(major), int(minor), int(patch))
    if max(numbers) > largest:
        return None
    return Version(order=(numbers, place(prerelease)), numbers=numbers, prerelease=prerelease, build=build)
