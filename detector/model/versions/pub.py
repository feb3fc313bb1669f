"""Versions of Pub: Semantic Versioning 2.0.0, with an order of builds (package ``pub_semver``)."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import Step, Version, step_between
from detector.model.versions.semver import BUILD, NUMBER, PRERELEASE, place, version_of

_VERSION: Final = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}{PRERELEASE}{BUILD}")
_LARGEST: Final = 2**63 - 1


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what Pub refuses to publish."""
    version = version_of(text, _VERSION, _LARGEST)
    if version is not None:
        # One without a build comes before all with one.
        build = (0,) if version.build is None else place(str(version.build))
        version.order = (*version.order, build)
    return version


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; between builds of one version it is of distance build."""
    return step_between(parse(left), parse(right))
