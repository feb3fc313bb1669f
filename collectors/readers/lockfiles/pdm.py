"""``pdm.lock`` of PDM, lock versions 4 (PDM documentation)."""

from typing import Any, Final

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

_DEFAULT: Final = "default"
#: Each package has one of these; in the order of a file they stand behind its version.
_SOURCES: Final = ("files", "git", "path", "url")


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.toml()
    if text_at(table(document, "metadata"), "lock_version").partition(".")[0] != "4":
        raise UnseenError("unsupported", f"{lock.name}: this reads lock version 4; it states another or none")
    unseen = lock.cut_off("pypi")
    packages = tables(document, "package")
    if not packages:
        unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=f"{lock.name}: no packages in it"))
    if any(not any(source in found for source in _SOURCES) for found in packages):
        detail = f"{lock.name}: a package without its source; it may be cut off"
        unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=detail))
    return read_of(lock, "pypi", [pin for found in packages if (pin := _pin(found)) is not None], unseen)


def _pin(found: dict[str, Any]) -> Pin | None:
    """Return a package; None for own code in a folder of the project."""
    folder = text_at(found, "path")
    if folder and found.get("editable") is True:
        return None
    if address := text_at(found, "git"):
        commit = text_at(found, "revision")
        version = (from_git(address, commit) if commit else None) or ""
    else:
        version = text_at(found, "version") or from_archive(text_at(found, "url")) or from_path(folder) or ""
    groups = found.get("groups", [_DEFAULT])
    runtime = isinstance(groups, list) and _DEFAULT in groups
    platform = platform_of_marker(found.get("marker"))
    scope = () if runtime else ("dev",)
    return Pin(name=text_at(found, "name"), version=version, scope=scope, platform=platform)
