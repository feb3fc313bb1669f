"""``poetry.lock`` (lock versions 1 and 2) and ``pylock.toml`` (PyPA specification, lock version 1)."""

import re
from collections.abc import Sequence
from typing import Any, Final

from collectors.readers.lockfiles.asking import Asking
from collectors.readers.lockfiles.lock import Lock, table, tables, text_at
from collectors.readers.lockfiles.pins import (
    Pin,
    from_archive,
    from_git,
    from_path,
    platform_of_marker,
    read_of,
)
from collectors.readers.lockfiles.pyproject import asked_for, item_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_GROUP: Final = re.compile(r"""["']([A-Za-z0-9._-]{1,100})["']\s{1,8}in\s{1,8}(dependency_groups|extras)""")
#: Each package of a ``pylock.toml`` has one of these.
_SOURCES: Final = ("vcs", "directory", "archive", "sdist", "wheels")
_LONGEST_MARKER: Final = 4_000


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
    packages = tables(document, "package")
    asking = _asking(lock, packages)
    scope_of = asking.scopes() if asking else None
    for found in packages:
        source = table(found, "source")
        version: str | None = text_at(found, "version")
        if text_at(source, "type") == "git":
            version = from_git(text_at(source, "url"), text_at(source, "resolved_reference"))
        if text_at(source, "type") == "directory" and found.get("develop") is True:
            continue  # own code beside the project
        if not version:
            unseen.append(_without_version(lock))
            continue
        item = item_of(text_at(found, "name"))
        scope = _scope(found)
        pins.append(
            Pin(
                name=text_at(found, "name"),
                version=version,
                scope=scope_of(item) if scope is None and scope_of else scope or (),
                direct=asking.is_direct(item) if asking else None,
                platform=_platform(found),
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
        if not any(source in found for source in _SOURCES):
            detail = f"{lock.name}: a package without its source; it may be cut off"
            unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=detail))
        marker = text_at(found, "marker")
        pins.append(
            Pin(
                name=text_at(found, "name"),
                version=version,
                scope=_scope_in(marker, document.get("default-groups")),
                platform=platform_of_marker(marker),
            )
        )
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


def _asking(lock: Lock, packages: Sequence[dict[str, Any]]) -> Asking | None:
    """Return who asks for what, None without the file of the project."""
    asking = asked_for(lock)
    if asking is None:
        return None
    for found in packages:
        needed = table(found, "dependencies")
        optional = {name for name in needed if table(needed, name).get("optional") is True}
        node = item_of(text_at(found, "name"))
        asking.needs.setdefault(node, []).extend(item_of(name) for name in needed if name not in optional)
        asking.wants.setdefault(node, []).extend(item_of(name) for name in optional)
    return asking


def _scope(found: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the scope that the file says; None for lock version 2.0, which does not say it."""
    groups = found.get("groups")
    if isinstance(groups, list):
        if "main" not in groups:
            return ("dev",)
    elif "category" not in found:
        return None
    elif found["category"] != "main":
        return ("dev",)
    return ("optional",) if found.get("optional") is True else ()


def _platform(found: dict[str, Any]) -> str | None:
    """Return the only platform of a package; its marker may be one for each group."""
    markers = found.get("markers")
    platforms = {
        platform_of_marker(m) for m in (markers.values() if isinstance(markers, dict) else [markers])
    }
    return platforms.pop() if len(platforms) == 1 else None


def _scope_in(marker: str, defaults: object) -> tuple[str, ...]:
    """Return the scope that a marker asks for: groups that are not taken by default, or extras."""
    groups = _GROUP.findall(marker[:_LONGEST_MARKER])
    taken = defaults if isinstance(defaults, list) else ()
    if not groups or any(kind == "dependency_groups" and name in taken for name, kind in groups):
        return ()
    return ("optional",) if any(kind == "extras" for _, kind in groups) else ("dev",)
