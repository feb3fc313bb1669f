"""``uv.lock`` (lock version 1): the only one of its kind that also says who asks for what."""

from collections.abc import Iterable, Iterator
from typing import Any

from collectors.readers.lockfiles.lock import Lock, table, tables, text_at
from collectors.readers.lockfiles.pins import (
    Pin,
    from_archive,
    from_git,
    from_path,
    platform_of_marker,
    read_of,
)
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

#: Sources of the project itself and of the members of its workspace: own code, no dependency.
_OWN = ("virtual", "editable")


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.toml()
    if document.get("version") != 1:
        raise UnseenError(
            "unsupported", f"{lock.name}: this reads version 1 of uv.lock; this file is of another"
        )
    packages = [found for found in tables(document, "package") if text_at(found, "name")]
    unseen = lock.cut_off("pypi")
    pins = []
    own = []
    for found in packages:
        source = found.get("source")
        if not isinstance(source, dict):
            unseen.append(_incomplete(f"{lock.name}: a package without its source; the file may be cut off"))
        elif any(kind in source for kind in _OWN):
            own.append(found)
        elif (version := _version(found, source)) is not None:
            pins.append((found, version))
        else:
            unseen.append(_incomplete(f"{lock.name}: a package without version"))
    if not own and "manifest" not in document:
        unseen.append(_incomplete(f"{lock.name}: the project itself is not in it; it may be cut off"))
    known = {found["name"] for found in packages}
    if any(edge["name"] not in known for found in packages for edge in _all_edges(found)):
        unseen.append(
            _incomplete(f"{lock.name}: it refers to packages that are not in it; it may be cut off")
        )
    asked = [edge for found in own for edge in _edges(found)]
    # A script of one file has no project, but says what it asks for.
    manifest = table(document, "manifest")
    asked += [edge for edge in tables(manifest, "requirements") if text_at(edge, "name")]
    runtime = _reached(packages, asked)
    optional = _reached(packages, (edge for found in own for edge in _group(found, "optional-dependencies")))
    direct = {edge["name"] for found in own for edge in _all_edges(found)} | {edge["name"] for edge in asked}
    platforms = _platforms(packages)
    rooted = bool(own or asked)
    return read_of(
        lock,
        "pypi",
        (
            Pin(
                name=found["name"],
                version=version,
                scope=_scope(found["name"], runtime, optional) if rooted else (),
                direct=found["name"] in direct if rooted else None,
                platform=platforms.get(found["name"]),
            )
            for found, version in pins
        ),
        unseen,
    )


def _incomplete(detail: str) -> Unseen:
    return Unseen(item="pkg:pypi/*", reason="malformed", detail=detail)


def _version(found: dict[str, Any], source: dict[str, Any]) -> str | None:
    if git := text_at(source, "git"):
        address, _, commit = git.partition("#")
        return from_git(address.partition("?")[0], commit)
    if version := text_at(found, "version"):
        return version
    return from_archive(text_at(source, "url") or text_at(source, "path")) or from_path(
        text_at(source, "directory")
    )


def _platforms(packages: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the platform of each package that is asked for on one platform alone."""
    found: dict[str, set[str | None]] = {}
    for package in packages:
        for edge in _all_edges(package):
            found.setdefault(edge["name"], set()).add(platform_of_marker(edge.get("marker")))
    only = {name: platforms.pop() for name, platforms in found.items() if len(platforms) == 1}
    return {name: platform for name, platform in only.items() if platform}


def _scope(name: str, runtime: set[str], optional: set[str]) -> tuple[str, ...]:
    if name in runtime:
        return ()
    return ("optional",) if name in optional else ("dev",)


def _edges(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (edge for edge in tables(found, "dependencies") if text_at(edge, "name"))


def _group(found: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    groups = table(found, key)
    return (edge for group in groups for edge in tables(groups, group) if text_at(edge, "name"))


def _all_edges(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _edges(found)
    yield from _group(found, "optional-dependencies")
    yield from _group(found, "dev-dependencies")


def _reached(packages: Iterable[dict[str, Any]], start: Iterable[dict[str, Any]]) -> set[str]:
    """Return the names that the given edges lead to, through asked-for extras too."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for found in packages:
        by_name.setdefault(found["name"], []).append(found)
    waiting = list(start)
    seen: set[tuple[str, str]] = set()
    while waiting:
        edge = waiting.pop()
        extras = edge.get("extra")
        wanted = (
            ["", *(extra for extra in extras if isinstance(extra, str))] if isinstance(extras, list) else [""]
        )
        for extra in wanted:
            if (edge["name"], extra) in seen:
                continue
            seen.add((edge["name"], extra))
            for found in by_name.get(edge["name"], ()):
                if extra:
                    groups = table(found, "optional-dependencies")
                    waiting += [own for own in tables(groups, extra) if text_at(own, "name")]
                else:
                    waiting += _edges(found)
    return {name for name, _ in seen}
