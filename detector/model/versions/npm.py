"""Versions of npm: Semantic Versioning 2.0.0, read with npm's habit of dropping a leading ``v`` or ``=``."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import Step, Version, step_between
from detector.model.versions.semver import BUILD, NUMBER, PRERELEASE, version_of

_VERSION: Final = re.compile(rf"[=v]*{NUMBER}\.{NUMBER}\.{NUMBER}{PRERELEASE}{BUILD}")
#: npm refuses what JavaScript cannot count exactly.
_LARGEST: Final = 2**53 - 1


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for ranges, tags, addresses, aliases and numbers that npm refuses."""
    return version_of(text, _VERSION, _LARGEST)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions. Build metadata alone makes a difference without order."""
    return step_between(parse(left), parse(right))
