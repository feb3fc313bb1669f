"""Versions of Go modules, in the order of ``golang.org/x/mod/semver``.

SemVer with a ``v`` in front, and ``v1`` or ``v1.2`` for what goes on with zeros (Go Modules Reference). A
pseudo-version, ``v0.0.0-20240510120000-1a2b3c4d5e6f``, is a pre-release that orders by its time.
"""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between
from detector.model.versions.semver import BUILD, NUMBER, PRERELEASE, place

# The standard library says `go1.22.1`; some who write purls leave the letter out.
_VERSION: Final = re.compile(rf"(?:v|go)?{NUMBER}(?:\.{NUMBER}(?:\.{NUMBER}{PRERELEASE}{BUILD})?)?")


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for ``(devel)``, branches and candidates of Go itself (``go1.22rc1``)."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    numbers = (int(major), int(minor or 0), int(patch or 0))
    return Version(order=(numbers, place(prerelease)), numbers=numbers, prerelease=prerelease, build=build)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions. ``+incompatible`` alone makes a difference without order."""
    return step_between(parse(left), parse(right))
