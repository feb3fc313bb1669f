"""What the documents of an image say, and which of several images is meant.

Formats: OCI image-spec 1.1, Docker image manifest 2.2, and the ``manifest.json`` of ``docker save``.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collectors._containers import image_reference
from detector.errors import UnseenError
from detector.model.wire_json import WireError, json_document

#: Bytes of one document: what registries take at most.
MOST_DOCUMENT: Final = 4 * 1024 * 1024
#: What is taken of an image for several platforms when none is asked for.
USUAL_PLATFORM: Final = "linux/amd64"
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MOST_LAYERS: Final = 512
_MOST_IMAGES: Final = 1000
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PLATFORM: Final = re.compile(r"[a-z0-9]{1,32}/[a-z0-9_]{1,32}(?:/[a-z0-9]{1,32})?")
_NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
#: Says of a manifest that it is none of an image but about one: provenance, an SBOM, a signature.
_ABOUT_ANOTHER: Final = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a document says of another document or of a layer (OCI content descriptor)."""

    digest: str
    size: int
    media_type: str = ""
    #: Such as ``linux/arm64``, where it says so.
    platform: str = ""
    #: What it is called, where it says so.
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image for one platform: its configuration and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that was found, by its digests, with its configuration (OCI image configuration)."""

    config: Mapping[str, Any]
    #: Digest of the configuration.
    id: str
    digest: str = ""
    index: str = ""
    #: How it is called, host and all.
    name: str = ""
    #: Layers, the lowest first, with their digests or places.
    layers: tuple[str, ...] = field(default=(), repr=False)


def is_digest(text: object) -> bool:
    """Tell whether a text is a digest that can be checked: sha256, the only one in use."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_platform(text: str) -> bool:
    """Tell whether a text is a platform such as ``linux/arm64`` or ``linux/arm/v7``."""
    return _PLATFORM.fullmatch(text) is not None


def document(data: bytes, place: str, digest: str = "") -> Mapping[str, Any]:
    """Return a JSON object. Raises UnseenError (`malformed`), also where it has not the given digest."""
    if digest and f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise UnseenError("malformed", f"{place}: {short(digest)} has another content than its digest says")
    try:
        found = json_document(data)
    except WireError:
        raise UnseenError("malformed", f"{place}: no JSON where a document of an image should be") from None
    if not isinstance(found, dict):
        raise UnseenError("malformed", f"{place}: no document of an image")
    return found


def is_index(found: Mapping[str, Any]) -> bool:
    """Tell whether a document lists images for several platforms."""
    return found.get("mediaType") in INDEXES or ("manifests" in found and "layers" not in found)


def manifest_of(found: Mapping[str, Any], place: str) -> Manifest:
    """Return what a manifest says. Raises UnseenError for what is none of a container image."""
    if found.get("schemaVersion") == 1:
        raise UnseenError("unsupported", f"{place}: a manifest of schema 1; push the image again")
    config = _descriptor(found.get("config"), place)
    layers = _descriptors(found, "layers", place, _MOST_LAYERS)
    if not config.media_type.endswith(("image.config.v1+json", "container.image.v1+json")):
        raise UnseenError("unsupported", f"{place}: an artifact of another kind, no container image")
    for layer in layers:
        if ".tar" not in layer.media_type or "encrypted" in layer.media_type:
            raise UnseenError(
                "unsupported", f"{place}: a layer that is no plain archive, such as an encrypted one"
            )
    return Manifest(config=config, layers=layers)


def listed(found: Mapping[str, Any], place: str) -> tuple[Descriptor, ...]:
    """Return the images that an index lists; what is about another image is left out."""
    entries = found.get("manifests")
    kept = [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if not (isinstance(entry, dict) and _ABOUT_ANOTHER in _table(entry.get("annotations")))
    ]
    return _descriptors({"manifests": kept}, "manifests", place, _MOST_IMAGES)


def for_platform(images: Sequence[Descriptor], platform: str | None, place: str) -> Descriptor:
    """Return the image for a platform; without one the only image there is, else that for the usual one.

    Raises UnseenError (`not_in_view`) where there is none.
    """
    if platform is None and len(images) == 1:
        return images[0]
    asked = platform or USUAL_PLATFORM
    for image in images:
        if image.platform == asked or image.platform.startswith(f"{asked}/"):
            return image
    known = ", ".join(sorted({image.platform for image in images if is_platform(image.platform)}))
    raise UnseenError("not_in_view", f"{place}: no image for {asked}; there is {known or 'none'}")


def of_name(images: Iterable[tuple[tuple[str, ...], Any]], name: str | None, place: str) -> tuple[str, Any]:
    """Return one of several images by its name, with how it is called there.

    Raises UnseenError where no image, or without a name more than one, is there.
    """
    known = list(images)
    if name is None:
        if len(known) > 1:
            raise UnseenError("unsupported", f"{place} holds {_told(known)}: name one of them as `image`")
        found = known
    else:
        found = [one for one in known if any(_same(name, other) for other in one[0])]
    if not found:
        raise UnseenError("not_in_view", f"{place} holds {_told(known)}, not {name or 'one'}")
    names, image = found[0]
    return next(
        (one for one in names if image_reference(one) and ("/" in one or ":" in one)), name or ""
    ), image


def short(digest: str) -> str:
    """Return the first part of a digest, for messages."""
    return digest[:19]


def _same(asked: str, name: str) -> bool:
    """Tell whether an image is called so, with or without its registry, or by its tag alone."""
    return asked == name or (image_reference(asked) or asked) == image_reference(name)


def _told(known: Sequence[tuple[tuple[str, ...], Any]]) -> str:
    references = (image_reference(name) for names, _ in known for name in names[:1])
    told = [f"{one.repository}:{one.tag}" for one in references if one]
    return f"{len(known)} images" + (f" ({', '.join(told[:5])})" if told else "")


def _descriptors(found: Mapping[str, Any], key: str, place: str, most: int) -> tuple[Descriptor, ...]:
    entries = found.get(key)
    if not isinstance(entries, list) or len(entries) > most:
        raise UnseenError("malformed", f"{place}: a document of an image without `{key}`, or with too many")
    return tuple(_descriptor(entry, place) for entry in entries)


def _descriptor(entry: object, place: str) -> Descriptor:
    found = _table(entry)
    digest, size = found.get("digest"), found.get("size")
    if not (isinstance(digest, str) and is_digest(digest) and isinstance(size, int) and size >= 0):
        raise UnseenError("malformed", f"{place}: an entry without a sha256 digest and a size")
    platform = _table(found.get("platform"))
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    annotations = _table(found.get("annotations"))
    return Descriptor(
        digest=digest,
        size=size,
        media_type=str(found.get("mediaType") or ""),
        platform="/".join(str(part) for part in parts if part),
        names=tuple(str(annotations[key]) for key in _NAMES if annotations.get(key)),
    )


def _table(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
