"""Versions of PyPI, in the order of the version specifiers specification (PEP 440)."""

from functools import lru_cache
from types import ModuleType

from detector.model.versions.distance import LONGEST, Step, Version, step_between


@lru_cache(maxsize=1)
def _packaging() -> ModuleType:
    # Only pairs that differ come here; most runs of the command line meet none.
    from packaging import version  # noqa: PLC0415

    return version


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what is none: legacy texts such as ``2004d``, git addresses, paths."""
    if len(text) > LONGEST:
        return None
    packaging = _packaging()
    try:
        version = packaging.Version(text)
    except packaging.InvalidVersion:
        return None
    return Version(
        order=version,
        epoch=version.epoch,
        numbers=version.release,
        prerelease=(version.pre, version.dev),
        revision=version.post,
        build=version.local,
    )


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where PyPI calls them equal, as 1.0 and 1.0.0."""
    return step_between(parse(left), parse(right))
