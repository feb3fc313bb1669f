"""A declared version against the running one: what a tag leaves open is no difference."""

from detector.model.versions import plain
from detector.model.versions.banners import read_banner
from detector.model.versions.oci import split_tag


def declared_matches(declared: str, actual: str, *, product: str | None = None) -> bool:
    """Tell whether a declared tag says what runs, compared as far as the tag says: ``16`` is a running 16.3.

    A tag that names no version and moves (``latest``) agrees with everything; a hash with nothing but itself.
    ``product`` is the running one.
    """
    if declared == actual:
        return True
    said, running = read_banner(declared, product), read_banner(actual, product)
    if said.product == "aurora-mysql" and said.compatibility:
        same_series = _agrees_in_series(said.compatibility, running.compatibility)
        both_known = said.version and running.version
        return same_series and (not both_known or _agrees(said.version, running.version))
    tag = split_tag(declared, product=product)
    if tag.version is None:
        return tag.floating
    if running.compatibility != running.version and _agrees_in_series(tag.version, running.compatibility):
        return True
    return _agrees(tag.version, running.version)


def _agrees(declared: str | None, actual: str | None) -> bool:
    """Tell whether a version is one of those that the declared one names."""
    said, runs = plain.read(declared or ""), plain.read(actual or "")
    if said is None or runs is None:
        return False
    missing = (0,) * (len(said.numbers) - len(runs.numbers))
    if (runs.numbers + missing)[: len(said.numbers)] != said.numbers:
        return False
    if said.is_prerelease:
        stage, number = said.prerelease
        return runs.prerelease == said.prerelease or (not number and runs.prerelease[0] == stage)
    return not runs.is_prerelease or len(said.numbers) < len(runs.numbers)


def _agrees_in_series(declared: str, series: str | None) -> bool:
    """Tell whether a version belongs to a series, where a series has fewer numbers than a version."""
    said, runs = plain.read(declared), plain.read(series or "")
    if said is None or runs is None:
        return False
    known = min(len(said.numbers), len(runs.numbers))
    return said.numbers[:known] == runs.numbers[:known]
