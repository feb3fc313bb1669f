"""``pnpm-lock.yaml``, lock versions 5, 6 and 9 (pnpm documentation).

A file may hold two documents: the last is that of the project, the one before it that of pnpm itself.
"""

from collections.abc import Iterator
from typing import Any, Final

from collectors.readers._yaml import Limits, documents, is_map
from collectors.readers.lockfiles.asking import Asking
from collectors.readers.lockfiles.javascript import (
    dangling,
    named,
    platform_of,
    version_of,
)
from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import Pin, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_LIMITS: Final = Limits(bytes=16 * 1024 * 1024, nodes=2_000_000)
_VERSIONS: Final = ("5", "6", "9")
_KINDS: Final = ("specifiers", "dependencies", "optionalDependencies", "devDependencies")
_OWN: Final = ("link:", "workspace:")


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    lock.text()
    found = documents(lock.data, lock.name, limits=_LIMITS)
    tree = found[-1][1] if found else None
    version = text_at(tree, "lockfileVersion").partition(".")[0]
    if not is_map(tree) or version not in _VERSIONS:
        raise UnseenError("unsupported", f"{lock.name}: no lockfileVersion 5, 6 or 9 in it")
    packages, snapshots = table(tree, "packages"), table(tree, "snapshots")
    graph = _Graph(snapshots or packages)
    asking = graph.asking(tree)
    scope = asking.scopes()
    pins = []
    for key in snapshots or packages:
        # Since lock version 9 what is fetched stands apart from what it was resolved to with its peers.
        bare = key.partition("(")[0]
        about = table(packages, key) or table(packages, bare)
        pins.append(
            _pin(
                bare,
                about,
                version,
                scope=scope(key),
                direct=asking.is_direct(key),
            )
        )
    unseen = [*lock.cut_off("npm"), *dangling(lock, graph.missing)]
    if not table(tree, "importers") and not any(kind in tree for kind in _KINDS):
        unseen.append(_cut_off(lock, "nothing that asks for packages"))
    if version == "9" and any(key not in graph.bare for key in packages):
        unseen.append(_cut_off(lock, "packages without their snapshots"))
    if version != "9" and any("dev" not in table(packages, key) for key in packages):
        unseen.append(_cut_off(lock, "a package that ends too early"))
    if len(found) == 1 and lock.data.lstrip().startswith(b"---"):
        unseen.append(_cut_off(lock, "no document of the project"))
    return read_of(lock, "npm", pins, unseen)


def _cut_off(lock: Lock, what: str) -> Unseen:
    detail = f"{lock.name}: {what}; it may be cut off"
    return Unseen(item="pkg:npm/*", reason="malformed", detail=detail)


class _Graph:
    """Which package a name and a version of it lead to."""

    def __init__(self, packages: dict[str, Any]) -> None:
        self._packages = packages
        self.bare = {key.partition("(")[0] for key in packages}
        self.missing: list[str] = []

    def asking(self, tree: dict[str, Any]) -> Asking:
        """Return who asks for what. A project without a workspace is its own only importer."""
        asking = Asking()
        importers = table(tree, "importers")
        for importer in importers.values() if importers else (tree,):
            self._check(importer)
            asking.runtime.update(self._nodes(importer, "dependencies"))
            asking.optional.update(self._nodes(importer, "optionalDependencies"))
            asking.dev.update(self._nodes(importer, "devDependencies"))
        for key, found in self._packages.items():
            asking.needs[key] = list(self._nodes(found, "dependencies"))
            asking.wants[key] = list(self._nodes(found, "optionalDependencies"))
        return asking

    def _check(self, importer: Any) -> None:
        """Note what an importer names and does not resolve: the file ends there."""
        if not is_map(importer):
            self.missing.append("")
            return
        self.missing += [kind for kind in _KINDS if kind in importer and importer[kind] is None]
        resolved = {name for kind in _KINDS[1:] for name in table(importer, kind)}
        self.missing += [name for name in table(importer, "specifiers") if name not in resolved]

    def _nodes(self, found: Any, kind: str) -> Iterator[str]:
        asked = table(found, kind)
        for name in asked:
            version = text_at(asked, name) or text_at(table(asked, name), "version")
            if version.startswith(_OWN):
                continue
            for key in (f"{name}@{version}", f"/{name}@{version}", f"/{name}/{version}", version):
                if key in self._packages:
                    yield key
                    break
            else:
                self.missing.append(name)


def _pin(key: str, about: dict[str, Any], lock_version: str, **more: Any) -> Pin:
    name, version = _parts(key, lock_version)
    resolution = table(about, "resolution")
    origin = text_at(resolution, "tarball")
    if commit := text_at(resolution, "commit"):
        origin = f"{text_at(resolution, 'repo')}#{commit}"
    elif folder := text_at(resolution, "directory"):
        version = f"file:{folder}"
    return named(
        text_at(about, "name") or name,
        version_of(origin, text_at(about, "version") or version),
        platform=platform_of(about.get("os"), about.get("cpu")),
        **more,
    )


def _parts(key: str, lock_version: str) -> tuple[str, str]:
    """Return name and version of ``/@acme/ui/1.0.0_react@18.3.1``, or of ``/@acme/ui@1.0.0``."""
    if lock_version == "5":
        name, _, version = key.removeprefix("/").rpartition("/")
        return name, version.partition("_")[0]
    key = key.removeprefix("/")
    at = key.find("@", 1)
    return (key[:at], key[at + 1 :]) if at > 0 else (key, "")
