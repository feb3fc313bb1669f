"""``poetry.lock`` (lock versions 1 and 2) and ``pylock.toml`` (PyPA specification, lock version 1)."""

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


def read_poetry(lock: Lock) -> Read:
    """Return the pins of a ``poetry.lock``. Raises UnseenError."""
    document = lock.toml()
    lock_version = text_at(table(document, "metadata"), "lock-version")
    if not lock_version:
        raise UnseenError(
            "malformed", f"{lock.name}: no lock-version under [metadata] at its end; it may be cut off"
        )
    if lock_version.partition(".")[0] not in ("1", "2"):
        raise UnseenError(
            "unsupported", f"{lock.name}: this reads lock versions 1 and 2; this file is of another"
        )
    unseen = lock.cut_off("pypi")
    pins = []
    for found in tables(document, "package"):
        source = table(found, "source")
        version: str | None = text_at(found, "version")
        if text_at(source, "type") == "git":
            version = from_git(text_at(source, "url"), text_at(source, "resolved_reference"))
        if not version:
            unseen.append(_without_version(lock))
            continue
        pins.append(
            Pin(
                name=text_at(found, "name"),
                version=version,
                scope=_scope(found),
                platform=platform_of_marker(found.get("markers")),
            )
        )
    return read_of(lock, "pypi", pins, unseen)


def read_pylock(lock: Lock) -> Read:
    """Return the pins of a ``pylock.toml``. Raises UnseenError."""
    document = lock.toml()
    lock_version = text_at(document, "lock-version")
    if lock_version.partition(".")[0] != "1":
        raise UnseenError(
            "unsupported", f"{lock.name}: this reads lock version 1; this file states another or none"
        )
    unseen = lock.cut_off("pypi")
    if "packages" not in document:
        unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=f"{lock.name}: no packages in it"))
    pins = []
    for found in tables(document, "packages"):
        folder = table(found, "directory")
        if folder.get("editable") is True or text_at(folder, "path") in (".", "./"):
            continue  # the project itself
        version = _pylock_version(found)
        if not version:
            unseen.append(_without_version(lock))
            continue
        marker = platform_of_marker(found.get("marker"))
        pins.append(Pin(name=text_at(found, "name"), version=version, platform=marker))
    return read_of(lock, "pypi", pins, unseen)


def _pylock_version(found: dict[str, Any]) -> str | None:
    if vcs := table(found, "vcs"):
        return from_git(text_at(vcs, "url"), text_at(vcs, "commit-id"))
    archive, folder = table(found, "archive"), table(found, "directory")
    return (
        text_at(found, "version")
        or from_archive(text_at(archive, "url") or text_at(archive, "path"))
        or from_path(text_at(folder, "path"))
    )


def _without_version(lock: Lock) -> Unseen:
    return Unseen(item="pkg:pypi/*", reason="malformed", detail=f"{lock.name}: a package without version")


def _scope(found: dict[str, Any]) -> tuple[str, ...]:
    groups = found.get("groups")
    if isinstance(groups, list):
        if "main" not in groups:
            return ("dev",)
    elif found.get("category", "main") != "main":
        return ("dev",)
    return ("optional",) if found.get("optional") is True else ()
