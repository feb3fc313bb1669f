"""Versions: in which order an ecosystem puts them, and how far apart two are.

One file for each ecosystem; each has a ``step`` of its own. What cannot be ordered is said to be unordered,
whatever it looks like: nothing here guesses, and no text raises an error.
"""

from collections.abc import Callable, Collection
from typing import Final

from detector.model.versions import (
    apk,
    banners,
    cargo,
    composer,
    conda,
    deb,
    gem,
    golang,
    maven,
    npm,
    nuget,
    oci,
    opaque,
    pub,
    pypi,
    rpm,
)
from detector.model.versions.banners import Banner, read_banner
from detector.model.versions.declared import declared_matches
from detector.model.versions.distance import UNORDERED, Direction, Distance, Step
from detector.model.versions.families import family_of
from detector.model.versions.oci import Tag, split_tag

__all__ = [
    "Banner",
    "Direction",
    "Distance",
    "Step",
    "Tag",
    "declared_matches",
    "family_of",
    "read_banner",
    "scheme_of",
    "split_tag",
    "step",
    "step_of_sets",
]

#: Ecosystems with a comparator of their own, by the type of their purl.
_PACKAGES: Final[dict[str, Callable[[str, str], Step | None]]] = {
    "pypi": pypi.step,
    "npm": npm.step,
    "deb": deb.step,
    "rpm": rpm.step,
    "apk": apk.step,
    "cargo": cargo.step,
    "golang": golang.step,
    "gem": gem.step,
    "maven": maven.step,
    "composer": composer.step,
    "nuget": nuget.step,
    "pub": pub.step,
    "conda": conda.step,
    "hex": cargo.step,  # both are Semantic Versioning to the letter
}


def scheme_of(item: str) -> str:
    """Return the scheme that an item's versions are compared by.

    The type of the purl of packages, ``oci`` of an image's tag, ``server`` of a backing service's version,
    ``generic`` of runtimes, tools, OS releases and extensions, ``opaque`` of everything else.
    """
    if item.startswith("pkg:"):
        ecosystem = item[4:].partition("/")[0]
        return ecosystem if ecosystem in _PACKAGES else "opaque"
    subject, _, aspect = item.partition("#")
    if item == "image#tag":
        return "oci"
    if aspect == "version":
        return "server"
    if subject in ("runtime", "tool") or item == "os#release" or aspect.startswith("extension/"):
        return "generic"
    return "opaque"


def step(
    scheme: str, left: str, right: str, *, product: str | None = None, right_product: str | None = None
) -> Step | None:
    """Return the step from one version to another; None where the ecosystem calls them equal.

    ``product`` is what the versions are of, where that matters (servers, tags of images); ``right_product``
    where the right side runs another one.
    """
    if left == right:
        return None
    if comparator := _PACKAGES.get(scheme):
        return comparator(left, right)
    if scheme in ("server", "generic"):
        return banners.step(left, right, product, right_product)
    if scheme == "oci":
        return oci.step(left, right, product)
    return opaque.step(left, right)


def step_of_sets(
    scheme: str, left: Collection[str], right: Collection[str], *, product: str | None = None
) -> Step | None:
    """Return the step between two sets of versions of one thing; None where they are equal.

    What both have is dropped, then the highest is compared with the highest. Copies that only one side has
    make a difference without order.
    """
    here = [one for one in sorted(left) if all(step(scheme, one, other, product=product) for other in right)]
    there = [one for one in sorted(right) if all(step(scheme, one, other, product=product) for other in left)]
    if not here and not there:
        return None
    highest, opposite = _highest(scheme, here, product), _highest(scheme, there, product)
    if highest is None or opposite is None:
        return UNORDERED
    return step(scheme, highest, opposite, product=product)


def _highest(scheme: str, versions: list[str], product: str | None) -> str | None:
    """Return the highest version; None for none, or where one of them has no place in the order."""
    highest: str | None = None
    for version in versions:
        found = step(scheme, version, highest, product=product) if highest is not None else None
        if found is not None and found.distance is None:
            return None
        if highest is None or (found is not None and found.direction == "left_ahead"):
            highest = version
    return highest
