"""``pubspec.lock`` of Dart and Flutter (dart.dev, "pubspec.lock")."""

from typing import Any

from collectors.readers._yaml import document
from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import LOCAL, Pin, from_git, from_path, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    lock.text()
    tree = document(lock.data, lock.name)
    packages = table(tree, "packages")
    if not packages:
        raise UnseenError("malformed", f"{lock.name}: no `packages` in it; is it a pubspec.lock?")
    unseen = lock.cut_off("pub")
    if not table(tree, "sdks"):
        detail = f"{lock.name}: no `sdks` at its end; it may be cut off"
        unseen.append(Unseen(item="pkg:pub/*", reason="malformed", detail=detail))
    pins = []
    for name in packages:
        found = table(packages, name)
        asked = text_at(found, "dependency")
        pins.append(
            Pin(
                name=name,
                version=_version(found),
                scope=("dev",) if asked == "direct dev" else (),
                direct=asked.startswith("direct"),
            )
        )
    return read_of(lock, "pub", pins, unseen)


def _version(found: dict[str, Any]) -> str:
    source, place = text_at(found, "source"), table(found, "description")
    if source == "git":
        return from_git(text_at(place, "url"), text_at(place, "resolved-ref")) or ""
    if source == "path":
        return from_path(text_at(place, "path")) or LOCAL
    return text_at(found, "version")
