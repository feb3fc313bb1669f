"""``Pipfile.lock`` of Pipenv: sections of packages in JSON."""

from typing import Any

from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import (
    Pin,
    from_archive,
    from_git,
    from_path,
    platform_of_marker,
    read_of,
)
from detector.errors import UnseenError
from detector.reader import Read


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.json()
    if not isinstance(document, dict) or "default" not in document or not table(document, "_meta"):
        raise UnseenError("malformed", f"{lock.name}: no `_meta` and `default` in it")
    pins = [
        pin
        for section in document
        if section != "_meta"
        for name, found in table(document, section).items()
        if (pin := _pin(name, found, () if section == "default" else ("dev",))) is not None
    ]
    return read_of(lock, "pypi", pins)


def _pin(name: str, found: Any, scope: tuple[str, ...]) -> Pin | None:
    """Return a package; None for own code in a folder of the project."""
    folder = text_at(found, "path")
    if folder and isinstance(found, dict) and found.get("editable") is True:
        return None
    version = (
        from_git(text_at(found, "git"), text_at(found, "ref"))
        or text_at(found, "version").removeprefix("===").removeprefix("==")
        or from_archive(text_at(found, "file"))
        or from_path(folder)
        or ""
    )
    platform = platform_of_marker(text_at(found, "markers"))
    return Pin(name=name, version=version, scope=scope, platform=platform)
