"""An image in a folder or an archive: an OCI layout, or what ``docker save`` writes. Blocking: for threads.

An archive is read in one pass, whatever its order: small documents are kept, layers become what they bring.
"""

import io
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from collectors._blob import PIECE, Blob, inflated
from collectors._files import opened_file, read_file
from collectors._image import (
    MOST_DOCUMENT,
    Image,
    document,
    for_platform,
    is_digest,
    is_index,
    listed,
    manifest_of,
    of_name,
    short,
)
from collectors._layers import Budget, Layer, laid_over, read_layer
from collectors._tar import members
from collectors.readers.installed import Tree
from detector.errors import UnseenError

_INDEX: Final = "index.json"
_SAVED: Final = "manifest.json"
_MOST_PARTS: Final = 20_000
_LARGEST_LINK: Final = 40


class Parts(Protocol):
    """The documents and layers of a layout, by their paths in it."""

    #: What it is called in messages.
    place: str

    def document(self, path: str) -> bytes | None:
        """Return a document, or None where there is none."""
        ...

    def layer(self, path: str) -> Layer:
        """Return a layer. Raises UnseenError where it is not there or cannot be read."""
        ...


class FolderParts:
    """Parts in a folder, read when they are asked for."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._budget = Budget()
        self.place = place

    def document(self, path: str) -> bytes | None:
        inside = self._inside(path)
        if not (self._folder / inside).exists():
            return None
        data = read_file(self._folder, inside)
        if len(data) > MOST_DOCUMENT:
            raise UnseenError("too_large", f"{self.place}: more than {MOST_DOCUMENT // 2**20} MiB of JSON")
        return data

    def layer(self, path: str) -> Layer:
        with opened_file(self._folder, self._inside(path)) as file:
            return blob_layer(file, self._budget)

    def _inside(self, path: str) -> Path:
        if path.startswith("/") or ".." in path.split("/"):
            raise UnseenError("malformed", f"{self.place}: it names a part outside of itself")
        return Path(path)


class ArchiveParts:
    """Parts of an archive, all of them read in one pass."""

    def __init__(self, stream: Any, place: str) -> None:
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, Layer | UnseenError] = {}
        self._links: dict[str, str] = {}
        self.place = place
        budget = Budget()
        for member, content in members(inflated(Blob(stream))[0]):
            path = posixpath.normpath(member.name.lstrip("/"))
            if len(self._documents) + len(self._layers) + len(self._links) > _MOST_PARTS:
                raise UnseenError("too_large", f"{place}: more than {_MOST_PARTS:,} parts: no image")
            if member.kind == "file":
                self._take(path, content, budget)
            elif member.kind in ("link", "hard_link"):
                start = posixpath.dirname(path) if member.kind == "link" else ""
                self._links[path] = posixpath.normpath(posixpath.join(start, member.target))

    def _take(self, path: str, content: Any, budget: Budget) -> None:
        stream = io.BufferedReader(content, PIECE)
        if _is_document(stream):
            data = stream.read(MOST_DOCUMENT + 1)
            if len(data) <= MOST_DOCUMENT:
                self._documents[path] = data
            return
        try:
            self._layers[path] = blob_layer(stream, budget)
        except UnseenError as error:
            self._layers[path] = error

    def document(self, path: str) -> bytes | None:
        return self._documents.get(self._real(path))

    def layer(self, path: str) -> Layer:
        found = self._layers.get(self._real(path), UnseenError("malformed", "it is not there"))
        if isinstance(found, UnseenError):
            raise found
        return found

    def _real(self, path: str) -> str:
        for _ in range(_LARGEST_LINK):
            if path not in self._links:
                break
            path = self._links[path]
        return path


def blob_layer(stream: Any, budget: Budget) -> Layer:
    """Return a layer from its blob, compressed or not, with its digest."""
    blob = Blob(stream)
    content, compressed = inflated(blob)
    layer = read_layer(content, budget)
    while content.read(PIECE):  # the digest is over all of it
        pass
    layer.digest, layer.compressed = blob.digest, compressed
    return layer


def found_in(parts: Parts, name: str | None, platform: str | None) -> Image:
    """Return the image that a layout holds, of several the named one. Raises UnseenError."""
    if (data := parts.document(_INDEX)) is not None:
        return _from_layout(parts, document(data, parts.place), name, platform)
    if (data := parts.document(_SAVED)) is not None:
        return _from_saved(parts, data, name)
    raise UnseenError("unsupported", f"{parts.place}: neither an OCI layout nor a `docker save` archive")


def tree_in(parts: Parts, image: Image) -> Tree:
    """Return the file system of an image. Raises UnseenError where any of its layers cannot be read.

    Without one layer nothing is certain: it may have replaced or removed what the others brought.
    """
    layers = []
    for number, path in enumerate(image.layers, start=1):
        try:
            layer = parts.layer(path)
        except UnseenError as error:
            raise UnseenError(error.reason, f"{parts.place}: layer {number}: {error.detail}") from None
        expected = _digest_of(path) or ("" if layer.compressed else _diff_id(image, number))
        if expected and layer.digest != expected:
            detail = f"layer {number}: {short(expected)} has another content than its digest says"
            raise UnseenError("malformed", f"{parts.place}: {detail}")
        layers.append(layer)
    return laid_over(layers)


def _from_layout(parts: Parts, index: Mapping[str, Any], name: str | None, platform: str | None) -> Image:
    entries = listed(index, parts.place)
    if name is None and len(entries) > 1 and all(entry.platform for entry in entries):
        called, entry = "", for_platform(entries, platform, parts.place)
    else:
        called, entry = of_name([(entry.names, entry) for entry in entries], name, parts.place)
    found = _blob(parts, entry.digest)
    index_digest = ""
    if is_index(found):
        index_digest = entry.digest
        entry = for_platform(listed(found, parts.place), platform, parts.place)
        found = _blob(parts, entry.digest)
    manifest = manifest_of(found, parts.place)
    return Image(
        config=_blob(parts, manifest.config.digest),
        id=manifest.config.digest,
        digest=entry.digest,
        index=index_digest,
        name=called,
        layers=tuple(_path_of(layer.digest) for layer in manifest.layers),
    )


def _from_saved(parts: Parts, data: bytes, name: str | None) -> Image:
    # A list, which `document` is not for.
    images = document(b'{"images":' + data + b"}", parts.place).get("images")
    entries = [one for one in images if isinstance(one, dict)] if isinstance(images, list) else []
    tagged = [(tuple(str(tag) for tag in one.get("RepoTags") or ()), one) for one in entries]
    called, entry = of_name(tagged, name, parts.place)
    path, layers = entry.get("Config"), entry.get("Layers")
    config = parts.document(path) if isinstance(path, str) else None
    if config is None or not isinstance(layers, list):
        raise UnseenError("malformed", f"{parts.place}: {_SAVED} names no configuration that is there")
    stem = posixpath.basename(str(path)).removesuffix(".json")
    digest = Blob(io.BytesIO(config))
    digest.readall()
    claimed = f"sha256:{stem}"
    return Image(
        config=document(config, parts.place, claimed if is_digest(claimed) else ""),
        id=digest.digest,
        name=called,
        layers=tuple(posixpath.normpath(str(layer)) for layer in layers),
    )


def _blob(parts: Parts, digest: str) -> Mapping[str, Any]:
    data = parts.document(_path_of(digest))
    if data is None:
        raise UnseenError("malformed", f"{parts.place}: {short(digest)} is not there")
    return document(data, parts.place, digest)


def _path_of(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _digest_of(path: str) -> str:
    """Return the digest that the path of a blob holds, nothing where it holds none."""
    digest = path.removeprefix("blobs/").replace("/", ":", 1)
    return digest if is_digest(digest) else ""


def _diff_id(image: Image, number: int) -> str:
    """Return the digest of a layer that is not compressed, as the configuration says it."""
    rootfs = image.config.get("rootfs")
    known = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    digest = known[number - 1] if isinstance(known, list) and len(known) >= number else ""
    return digest if is_digest(digest) else ""


def _is_document(stream: io.BufferedReader) -> bool:
    start = stream.peek(512)[:512]
    return start[:1] in (b"{", b"[") and start[257:262] != b"ustar"
