"""What lies between two values that both sides have."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from detector.model import versions
from detector.model.canonical import same_value
from detector.model.facts import Value
from detector.model.fingerprints import key_id_of
from detector.model.records import Side
from detector.model.shapes import is_public_name, is_secret_name, product_of_scheme
from detector.model.versions.families import product_named
from detector.model.words import Kind, SectionName

#: Facts of one environment: kept as its history, never compared with another one.
LOCAL = frozenset(
    {
        "release#id",
        "release#config_digest",
        "release#built_at",
        "restarts",
        "oom_kills",
        "repo#describe",
        "repo#lineage",
        "repo#authors",
    }
)
#: What a folder on a disk stands in for.
_OBJECT_STORES = frozenset({"s3", "minio", "gcs", "azure-blob"})
#: Compared together as the identity of an image, see `image_identity`.
IMAGE_IDENTITY = ("image#id", "image#digest", "image#index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The way from one value to another. ``distance`` ``copies`` stands for extra copies of a package."""

    kind: Kind = "difference"
    distance: str | None = None
    direction: str | None = "unordered"


def package_gap(item: str, left: Value, right: Value) -> Gap | None:
    """Compare versions of a package or a runtime; None where the ecosystem calls them equal."""
    if isinstance(left, str) and isinstance(right, str):
        return _version_gap(item, left, right)
    scheme = versions.scheme_of(item)
    ours, theirs = _members(left), _members(right)
    if ours is None or theirs is None:
        return None if same_value(left, right) else Gap()
    if set(ours) == set(theirs):
        return None
    gap = _gap_of(versions.step_of_sets(scheme, ours, theirs))
    one_has_all = not (set(ours) - set(theirs)) or not (set(theirs) - set(ours))
    return Gap(distance="copies") if gap is not None and one_has_all else gap


# A view that changed in one fact has all its other differences again, and so have the services beside it.
@lru_cache(maxsize=16_384)
def _version_gap(item: str, left: str, right: str) -> Gap | None:
    return _gap_of(versions.step(versions.scheme_of(item), left, right))


def server_gap(item: str, left: Side, right: Side, *, products: tuple[str, str]) -> Gap | None:
    """Compare facts of a backing service: products by family, versions at their declared precision."""
    ours, theirs = left.value, right.value
    if same_value(ours, theirs):
        return None
    if not isinstance(ours, str) or not isinstance(theirs, str):
        return Gap()
    if item.endswith("#product"):
        if product_named(ours) == product_named(theirs):
            return None
        kin = versions.family_of(ours) == versions.family_of(theirs)
        return Gap(kind="variant" if kin else "difference")
    if item.endswith("#version") or "#extension/" in item:
        if left.basis == "declared" != right.basis and versions.declared_matches(
            ours, theirs, product=products[1] or None
        ):
            return None
        if right.basis == "declared" != left.basis and versions.declared_matches(
            theirs, ours, product=products[0] or None
        ):
            return None
        step = versions.step(
            "server", ours, theirs, product=products[0] or None, right_product=products[1] or None
        )
        return _gap_of(step)
    return Gap()


def tag_gap(left: Value, right: Value) -> Gap | None:
    """Compare image tags: by version where both have one of the same variant, else without order."""
    if left == right:
        return None
    if not isinstance(left, str) or not isinstance(right, str):
        return Gap()
    return _gap_of(versions.step("oci", left, right))


def plain_gap(left: Value, right: Value) -> Gap | None:
    """Compare values without an order of their own."""
    return None if same_value(left, right) else Gap()


def config_gap(left: Value, right: Value) -> Gap | None:
    """Compare two shapes by all but their fingerprints; None where only the values differ.

    Empty against filled is a gap like any other here: the judge treats it as missing.
    """
    ours, theirs = _shape(left), _shape(right)
    if "opaque" in ours or "opaque" in theirs:
        return Gap() if "empty" in (ours.get("type"), theirs.get("type")) else None
    ours_product, theirs_product = attached_by(left), attached_by(right)
    if ours_product and theirs_product:
        if versions.family_of(ours_product) != versions.family_of(theirs_product):
            return Gap(kind="substitution")
        return None
    if _is_folder_for_store(ours, theirs_product) or _is_folder_for_store(theirs, ours_product):
        return Gap(kind="substitution")
    if ours.get("type") != theirs.get("type"):
        return Gap()
    if ours.get("type") == "url" and ours.get("emulator") != theirs.get("emulator"):
        # Two emulators are as far from the real thing.
        return None if "emulator" in ours and "emulator" in theirs else Gap(kind="emulator")
    return None


def attached_by(value: Value) -> str | None:
    """Return the product that a config value attaches: by its scheme, or by the backend that it selects."""
    shape = _shape(value)
    scheme = shape.get("scheme")
    product = (product_of_scheme(str(scheme)) if scheme else None) or shape.get("backend")
    return product if isinstance(product, str) else None


def _is_folder_for_store(shape: Mapping[str, Any], product: str | None) -> bool:
    return shape.get("type") == "path" and product in _OBJECT_STORES


def agree(section: SectionName, item: str, one: Side, other: Side) -> bool:
    """Tell whether two sources of one environment say the same, each as exactly as it can."""
    if section == "config":
        return _agree_on_key(one.value, other.value)
    if section == "dependencies":
        ours, theirs = _members(one.value), _members(other.value)
        if one.basis != other.basis and ours and theirs and set(ours) <= set(theirs):
            return True  # a lockfile names what may be installed, here or on other platforms
        return package_gap(item, one.value, other.value) is None
    if section == "backing_services":
        gap = server_gap(item, one, other, products=("", ""))
        # Who asks Aurora PostgreSQL itself hears PostgreSQL.
        return gap is None or gap.kind == "variant"
    if item == "image#tag":
        said, runs = str(other.value), str(one.value)
        return tag_gap(runs, said) is None or versions.declared_matches(said, runs)
    return same_value(one.value, other.value)


def _agree_on_key(one: Value, other: Value) -> bool:
    ours, theirs = _shape(one), _shape(other)
    open_ended = {"opaque", "template"} & {*ours, *theirs, ours.get("type"), theirs.get("type")}
    if open_ended or rotated(one, other):
        return True
    return {**ours, "source_class": None} == {**theirs, "source_class": None}


def must_differ(name: str, shape: Value) -> bool:
    """Tell whether this value must not be the same on both sides of the production boundary."""
    document = _shape(shape)
    if document.get("source_class", "literal") in ("image_default", "platform"):
        return False
    if document.get("type") == "template":
        # The same reference on both sides says nothing of what it will stand for.
        return False
    if is_public_name(name):
        return False
    return is_secret_name(name) or bool(document.get("credentials"))


def equal_values(left: Value, right: Value) -> bool | None:
    """Tell whether two shapes stand for one value; None where what is kept of them cannot tell."""
    ours, theirs = _shape(left), _shape(right)
    if "opaque" in ours or "opaque" in theirs:
        return None
    if ours.get("type") != theirs.get("type"):
        return False
    if ours.get("type") == "empty":
        return True
    one, other = ours.get("fingerprint"), theirs.get("fingerprint")
    if one and one == other:
        return True
    if not one or not other or key_id_of(one) != key_id_of(other):
        return None
    return False


def identity_of(shape: Value) -> str | None:
    """Return what two shapes share that `equal_values` calls one value; None where nothing tells."""
    document = _shape(shape)
    if "opaque" in document:
        return None
    kind, fingerprint = document.get("type"), document.get("fingerprint")
    if kind == "empty":
        return "empty"
    return f"{kind} {fingerprint}" if fingerprint else None


def rotated(left: Value, right: Value) -> bool:
    """Tell whether two shapes carry fingerprints of different keys."""
    ours, theirs = _shape(left).get("fingerprint"), _shape(right).get("fingerprint")
    return bool(ours and theirs and key_id_of(ours) != key_id_of(theirs))


def counts_of(value: Value) -> Mapping[str, int]:
    """Return how many replicas run what, of a value that counts them; else nothing."""
    counts = value.get("values") if isinstance(value, dict) else None
    return counts if isinstance(counts, dict) else {}


def versions_in(value: Value) -> list[str]:
    """Return the versions that a value holds: one, of each copy, or of each group of replicas."""
    return _members(value) or []


def comparable_identity(left: Mapping[str, Value], right: Mapping[str, Value]) -> tuple[str, ...]:
    """Return by what two images can be compared, what tells most first.

    Ids and digests are those of one platform: of two architectures only the index may be the same.
    """
    ours, theirs = left.get("image#platform"), right.get("image#platform")
    names = IMAGE_IDENTITY if ours is None or theirs is None or ours == theirs else ("image#index",)
    return tuple(name for name in names if left.get(name) and right.get(name))


def image_identity(left: Mapping[str, Value], right: Mapping[str, Value]) -> bool | None:
    """Tell whether two images are one; None where nothing comparable is known of both.

    Image id, then platform digest, then index digest: equal if any comparable pair matches (a copy pushed
    to another registry keeps its id and loses its digest).
    """
    names = comparable_identity(left, right)
    return any(_digests(left, name) & _digests(right, name) for name in names) if names else None


def _digests(image: Mapping[str, Value], name: str) -> set[str]:
    """Return an id or digest; several where a registry gave one image several."""
    value = image[name]
    if isinstance(value, list) and isinstance(image.get("image#id"), str):
        return {str(digest) for digest in value}
    return {str(value)}


def _shape(value: Value) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _members(value: Value) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and isinstance(value.get("values"), dict):
        return [str(member) for member in value["values"]]
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return value
    return None


def _gap_of(step: versions.Step | None) -> Gap | None:
    return None if step is None else Gap(distance=step.distance, direction=step.direction)
