"""Versions of PyPI, in the order of the version specifiers specification (PEP 440)."""

from functools import lru_cache

from detector.model.versions.distance import LONGEST, Step, Version, step_between


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what is none: legacy texts such as ``2004d``, git addresses, paths."""
    # Only pairs that differ come here; most runs of the command line meet none.
    from packaging.version import InvalidVersion  # noqa: PLC0415
    from packaging.version import Version as Pep440  # noqa: PLC0415

    if len(text) > LONGEST:
        return None
    try:
        version = Pep440(text)
    except InvalidVersion:
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
