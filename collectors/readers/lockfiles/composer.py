"""``composer.lock`` (Composer documentation, schema of the lock file).

What PHP itself and its extensions must be (``platform``) are conditions, not pins: they are not taken.
"""

from typing import Any

from collectors.readers.lockfiles.lock import Lock, table, tables, text_at
from collectors.readers.lockfiles.pins import LOCAL, Pin, from_archive, from_git, from_path, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.json()
    if not isinstance(document, dict) or not isinstance(document.get("packages"), list):
        raise UnseenError("malformed", f"{lock.name}: no list of `packages` in it; is it a composer.lock?")
    unseen = []
    pins = []
    for group, scope in (("packages", ()), ("packages-dev", ("dev",))):
        found = tables(document, group)
        written = document.get(group)
        if written is not None and (not isinstance(written, list) or len(found) != len(written)):
            detail = f"{lock.name}: `{group}` is no list of packages alone"
            unseen.append(Unseen(item="pkg:composer/*", reason="malformed", detail=detail))
        pins += [Pin(name=text_at(one, "name"), version=version_of(one), scope=scope) for one in found]
    return read_of(lock, "composer", pins, unseen)


def version_of(found: dict[str, Any]) -> str:
    """Return a version, address and commit of a branch, or the path of a folder."""
    source, dist = table(found, "source"), table(found, "dist")
    version = text_at(found, "version")
    if text_at(dist, "type") == "path":
        return from_path(text_at(dist, "url")) or LOCAL
    folded = version.lower()
    if not (folded.startswith("dev-") or folded.endswith("-dev")):
        return version
    commit = text_at(source, "reference") or text_at(dist, "reference")
    if address := from_git(text_at(source, "url"), commit):
        return address
    archive = from_archive(text_at(dist, "url"))
    return f"{archive}@{commit}" if archive and commit and "://" in archive else version
