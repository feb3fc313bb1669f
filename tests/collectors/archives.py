"""Archives, layers, OCI layouts and what `docker save` writes, made for tests."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import zstandard

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Made = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes | str = b"", mode: int = 0o644) -> Made:
    data = content.encode() if isinstance(content, str) else content
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    return member, data


def special(name: str, kind: bytes, target: str = "") -> Made:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def folder(name: str) -> Made:
    return special(name, tarfile.DIRTYPE)


def link(name: str, target: str) -> Made:
    return special(name, tarfile.SYMTYPE, target)


def hard_link(name: str, target: str) -> Made:
    return special(name, tarfile.LNKTYPE, target)


def tar(*members: Made, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    return tar(*(file(name, content) for name, content in files.items()))


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def described(data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}


def compressed(data: bytes, form: str) -> bytes:
    if form == "gzip":
        return gzip.compress(data, mtime=0)
    return zstandard.ZstdCompressor().compress(data) if form == "zstd" else data


class Layout:
    """An OCI layout that grows; `files` are its files by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, data: bytes | object) -> bytes:
        """Add a blob, an object as JSON, and return its bytes."""
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.files[f"blobs/{digest_of(raw).replace(':', '/')}"] = raw
        return raw

    def image(
        self, *layers: bytes, config: Mapping[str, Any] | None = None, form: str = "", **more: Any
    ) -> dict[str, Any]:
        """Add an image and return its descriptor; `form` is how its layers are compressed."""
        raw = self.blob(image_config(layers, config or {}))
        ending = f"+{form}" if form else ""
        sent = [self.blob(compressed(layer, form)) for layer in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(raw, CONFIG),
            "layers": [described(layer, LAYER + ending) for layer in sent],
        }
        return described(self.blob(manifest), MANIFEST, **more)

    def index(self, *entries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Add an index of images and return its descriptor."""
        raw = self.blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)})
        return described(raw, INDEX, **more)

    def holds(self, *entries: Mapping[str, Any]) -> "Layout":
        """Write what the layout holds."""
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": list(entries)}).encode()
        return self


def image_config(layers: Sequence[bytes], config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-11-01T10:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        **config,
    }


def saved(
    *layers: bytes, tags: Sequence[str] = (), config: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """What `docker save` of an engine before 25 writes."""
    raw = json.dumps(image_config(layers, config or {})).encode()
    name = digest_of(raw).removeprefix("sha256:")
    paths = [f"{digest_of(layer)[7:]}/layer.tar" for layer in layers]
    manifest = [{"Config": f"{name}.json", "RepoTags": list(tags) or None, "Layers": paths}]
    return {
        f"{name}.json": raw,
        **{f"{path.partition('/')[0]}/VERSION": b"1.0" for path in paths},
        **dict(zip(paths, layers, strict=True)),
        "manifest.json": json.dumps(manifest).encode(),
    }
