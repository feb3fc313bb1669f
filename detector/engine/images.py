"""Images: whether the artefact of two environments is one, whatever it is called.

One image under two names is no difference. Two images under one tag, or of one commit where a tag is not
known, are a rebuild where both come from a registry: what is built on the spot never was one image.
"""

from collections.abc import Mapping, Sequence

from detector.engine.components import Joins, places_of
from detector.engine.difference import Difference
from detector.engine.values import IMAGE_IDENTITY, comparable_identity, image_identity
from detector.engine.view import Place, View
from detector.model.facts import Value
from detector.model.records import Side
from detector.model.versions import declared_matches, family_of
from detector.model.words import Kind

_REPOSITORY, _TAG, _COMMIT = "image#repository", "image#tag", "repo#commit"
_PLATFORM = "image#platform"
#: What only a registry gives an image.
_REGISTRY_DIGESTS = ("image#digest", "image#index")
#: Why something is out of sight for a while. What a source may never read keeps no names from comparison.
_PASSING = ("not_collected", "unreachable", "timeout", "crashed", "stale", "held")
_SYSTEM_PACKAGES = ("pkg:deb/", "pkg:apk/", "pkg:rpm/")
#: What a distribution changes within a release.
_PATCHES = ("patch", "revision", "build")
_NOT_COMPARABLE = Side(unknown="not_comparable")


def settle_image(
    found: Sequence[Difference], left: View, right: View, component: str, joins: Joins
) -> Sequence[Difference]:
    """Return the differences with all facts of one component's image settled at once."""
    mine, other = (place.component for place in places_of(Place(component, "release", _TAG), joins))
    ours, theirs = _image(left, mine), _image(right, other)
    same = image_identity(ours, theirs)
    if same:
        return [_in_name_only(difference, component) for difference in found]
    if same is None and (_is_blind(left, mine) or _is_blind(right, other)):
        return [_perhaps_one(difference, component) for difference in found]
    one_commit = _equal(_COMMIT, ours, theirs)
    if (_differ(_REPOSITORY, ours, theirs) or _differ(_TAG, ours, theirs)) and not one_commit:
        return found
    registered = _has(_REGISTRY_DIGESTS, ours) and _has(_REGISTRY_DIGESTS, theirs)
    name = next(iter(comparable_identity(ours, theirs)), None)
    if name is None:
        # Of another architecture it is another image, and its platform says so. What never was in a registry
        # has nothing that an index could be linked to.
        if not registered or _differ(_PLATFORM, ours, theirs):
            return found
        place = Place(component, "release", "image#id")
        return [*found, Difference(place, "unknown", _NOT_COMPARABLE, _NOT_COMPARABLE)]
    one_name = one_commit or _equal(_TAG, ours, theirs)
    if one_name and not registered:
        return found
    sides = left.sides[Place(mine, "release", name)], right.sides[Place(other, "release", name)]
    kind: Kind = "rebuilt" if one_name else "difference"
    place = Place(component, "release", name)
    return [*found, Difference(place, "changed", *sides, kind, None, "unordered")]


def on_newer_base(found: Sequence[Difference], component: str) -> Sequence[Difference]:
    """Return the differences with a rebuild ordered where it is known to be the same on a newer base.

    Then all packages of the image that differ are those of the operating system, each by no more than a
    patch, and left has the newer ones. An image whose packages nobody lists may hold anything.
    """
    rebuilt = [one for one in found if one.kind == "rebuilt" and one.place.component == component]
    if not rebuilt:
        return found
    inside = [
        one for one in found if one.place.section == "dependencies" and one.place.component == component
    ]
    if not any(one.status == "changed" for one in inside) or not all(map(_is_patch_of_system, inside)):
        return found
    return [one._replace(direction="left_ahead") if one in rebuilt else one for one in found]


def _is_patch_of_system(one: Difference) -> bool:
    if one.status == "same" or one.place.item.startswith("lockfile#"):
        return True
    if not one.place.item.startswith(_SYSTEM_PACKAGES) or one.status != "changed":
        return False
    return one.direction == "left_ahead" and one.distance in _PATCHES


def is_of_server(view: View, component: str) -> bool:
    """Tell whether a component's image is that of the backing service itself, not of what uses it.

    Where nobody names the repository it is: then nothing but the server was looked at.
    """
    places = [Place(component, "backing_services", f"main#{name}") for name in ("product", "version")]
    product, version = (view.sides[place].value if place in view.sides else None for place in places)
    if version is None:
        return False
    image = _image(view, component)
    repository, tag = image.get(_REPOSITORY), image.get(_TAG)
    if not isinstance(repository, str):
        return True
    if isinstance(product, str) and family_of(repository.rpartition("/")[2]) == family_of(product):
        return True
    named = str(product) if product else None
    return isinstance(tag, str) and declared_matches(tag, str(version), product=named)


def _in_name_only(difference: Difference, component: str) -> Difference:
    """Return a difference between the names of one image as none."""
    if not _is_of_image(difference, component):
        return difference
    return difference._replace(status="same", distance=None, direction=None)


def _perhaps_one(difference: Difference, component: str) -> Difference:
    """Return a difference between names as unknown, where what the images hold cannot be seen now."""
    if not _is_of_image(difference, component):
        return difference
    return difference._replace(status="unknown", distance=None, direction=None)


def _is_of_image(difference: Difference, component: str) -> bool:
    place = difference.place
    of_image = place.section == "release" and place.item.startswith("image#") and place.item != _PLATFORM
    return of_image and place.component == component and difference.status == "changed"


def _is_blind(view: View, component: str) -> bool:
    """Tell whether something of an image's identity is out of sight that was seen, or will be again."""
    sides = [view.side(Place(component, "release", name)) for name in IMAGE_IDENTITY]
    return any(side.last is not None or side.unknown in _PASSING for side in sides)


def _image(view: View, component: str) -> Mapping[str, Value]:
    """Return what is known of a component's image, and of the commit it was built from."""
    places = (
        *(Place(component, "release", item) for item in (_REPOSITORY, _TAG, _PLATFORM, *IMAGE_IDENTITY)),
        Place(component, "codebase", _COMMIT),
    )
    sides = {place.item: view.sides[place] for place in places if place in view.sides}
    return {item: side.value for item, side in sides.items() if side.present and side.value}


def _differ(name: str, ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> bool:
    return name in ours and name in theirs and ours[name] != theirs[name]


def _equal(name: str, ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> bool:
    return name in ours and ours[name] == theirs.get(name)


def _has(names: Sequence[str], image: Mapping[str, Value]) -> bool:
    return any(name in image for name in names)
